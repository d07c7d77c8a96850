// What publishing costs the thread that feeds, and reading whoever reads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../../cpp/src/latest.hpp"  // what a row costs without its features
#include "liqcore/published.hpp"

namespace bench {

/// Threads that read rows and snapshots without a pause until they are told to end.
class Readers {
 public:
  Readers(const std::shared_ptr<liqcore::Publisher>& from, std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this, from] {
        std::vector<double> row(from->size());
        while (!done_.load(std::memory_order_relaxed)) {
          static_cast<void>(from->read(row));
          static_cast<void>(from->snapshot());
        }
      });
  }
  ~Readers() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::vector<std::thread> threads_;
};

/// Nanoseconds of each, `times` over, of an engine as it stands.
inline std::map<std::string, double> cost_of_publishing(const liqcore::Engine& engine, int times) {
  const auto timed = [times](auto&& call) {
    call();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    return took.count() / times;
  };
  liqcore::FeatureReader reader;
  liqcore::Publisher publisher;
  std::vector<double> row(reader.size());
  std::map<std::string, double> out;
  std::shared_ptr<const liqcore::Snapshot> held, before;
  out["features"] = timed([&] { reader.read(engine, row); });
  liqcore::LatestRow latest(row.size());
  std::uint64_t number = 0;
  out["row without its features"] = timed([&] { latest.write(++number, 0, row); });
  out["row"] = timed([&] { publisher.publish_row(engine); });
  out["snapshot"] = timed([&] { publisher.publish(engine); });
  out["snapshot, the last two held"] = timed([&] {
    publisher.publish(engine);
    before = std::move(held);
    held = publisher.snapshot();
  });
  out["read row"] = timed([&] { static_cast<void>(publisher.read(row)); });
  out["take snapshot"] = timed([&] { static_cast<void>(publisher.snapshot()); });
  return out;
}

}  // namespace bench
