// What the benchmarks need from C++: the machine's read bandwidth, a plain loop as a peer, the per-trade path without
// Python around it, and a method that does nothing. Built by `make bench`; no part of the library.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "loop.hpp"
#include "published.hpp"
#include "setup.hpp"

namespace bench {
namespace {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

constexpr std::size_t kKeep = 600;  // closed windows of a live engine: ten minutes of seconds

// --- reading ---------------------------------------------------------------------------------------------------------

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BENCH_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define BENCH_CLONES
#endif

/// Four streams in turn, a cache line of each: on the machines tried up to 1.3 times numpy's reductions, which read
/// one, because the prefetchers follow each stream by itself.
BENCH_CLONES std::uint64_t read_all(const std::uint64_t* values, std::size_t size) {
  using Vector [[gnu::vector_size(32)]] = std::uint64_t;
  constexpr std::size_t kStreams = 4;
  constexpr std::size_t kLine = 64;
  const std::size_t length = size * sizeof *values / kStreams / kLine * kLine;
  const auto* bytes = reinterpret_cast<const char*>(values);
  Vector sums[kStreams][2] = {};
  for (std::size_t i = 0; i < length; i += kLine)
    for (std::size_t stream = 0; stream < kStreams; ++stream)
      for (std::size_t half = 0; half < 2; ++half) {
        Vector read;
        std::memcpy(&read, bytes + stream * length + i + half * sizeof read, sizeof read);
        sums[stream][half] ^= read;
      }
  std::uint64_t all = 0;
  for (const auto& stream : sums)
    for (const Vector& sum : stream) all ^= sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
  return all;
}

std::uint64_t read_bytes(const Array<std::uint64_t>& values) {
  const auto* data = values.data();
  const auto size = static_cast<std::size_t>(values.size());
  const py::gil_scoped_release unlocked;
  return read_all(data, size);
}

// --- columns ---------------------------------------------------------------------------------------------------------

template <class T>
std::span<const T> as_span(const Array<T>& column) {
  return {column.data(), static_cast<std::size_t>(column.size())};
}

struct Trades {
  liqcore::TradeArrays arrays;

  Trades(const Array<std::int64_t>& ts, const Array<double>& price, const Array<double>& qty,
         const Array<bool>& taker_sell)
      : arrays{
            as_span(ts),
            as_span(price),
            as_span(qty),
            {reinterpret_cast<const std::uint8_t*>(taker_sell.data()), static_cast<std::size_t>(taker_sell.size())}} {}

  void feed(liqcore::Engine& engine, std::size_t i) const {
    engine.trade(arrays.ts_ns[i], arrays.price[i], arrays.qty[i], arrays.taker_sell[i] != 0);
  }
  [[nodiscard]] std::size_t size() const noexcept { return arrays.ts_ns.size(); }
};

Array<double> as_layers(const std::vector<double>& values, std::int64_t bins) {
  Array<double> out({static_cast<py::ssize_t>(values.size()) / bins, static_cast<py::ssize_t>(bins)});
  std::memcpy(out.mutable_data(), values.data(), values.size() * sizeof(double));
  return out;
}

// --- the plain loop --------------------------------------------------------------------------------------------------

/// Live lots of all layers after the last trade.
Array<double> loop(const Setup& setup, const std::vector<double>& factors, const Array<std::int64_t>& ticks,
                   const Array<double>& lots, const Array<bool>& taker_sell) {
  const auto at = as_span(ticks);
  const auto amount = as_span(lots);
  const auto sells = as_span(taker_sell);
  Loop plain(factors, setup.low_tick / setup.ticks_per_bin, setup.bins, setup.ticks_per_bin);
  {
    const py::gil_scoped_release unlocked;
    for (std::size_t i = 0; i < at.size(); ++i) plain.trade(at[i], amount[i], sells[i]);
  }
  return as_layers(plain.book(), setup.bins);
}

// --- one trade at a time ---------------------------------------------------------------------------------------------

/// Live lots of all layers over the fixed axis, in the loop's layout.
std::vector<double> book_of(const liqcore::Engine& engine, std::int64_t bins) {
  const liqcore::LevelBook& book = *engine.book();
  const auto width = static_cast<std::size_t>(book.width());
  const auto skip = static_cast<std::ptrdiff_t>(engine.options().axis->first_bin() - book.first_bin());
  std::vector<double> out;
  std::vector<double> side(book.tiers() * width);
  for (const auto which : {liqcore::Side::long_, liqcore::Side::short_}) {
    book.snapshot(which, side);
    for (std::size_t tier = 0; tier < book.tiers(); ++tier) {
      const auto row = side.begin() + static_cast<std::ptrdiff_t>(tier * width) + skip;
      out.insert(out.end(), row, row + bins);
    }
  }
  return out;
}

/// Live lots of all layers after the last trade.
Array<double> trade_by_trade(const Setup& setup, const Array<std::int64_t>& ts, const Array<double>& price,
                             const Array<double>& qty, const Array<bool>& taker_sell) {
  const Trades trades(ts, price, qty, taker_sell);
  std::vector<double> book;
  {
    const py::gil_scoped_release unlocked;
    liqcore::Engine engine = make_engine(setup, kKeep);
    for (std::size_t i = 0; i < trades.size(); ++i) trades.feed(engine, i);
    book = book_of(engine, setup.bins);
  }
  return as_layers(book, setup.bins);
}

/// The same with a publisher, and threads that read from it.
/// @param publishes  "nothing", "rows" or "snapshots" at windows' ends
Array<double> published(const Setup& setup, const Array<std::int64_t>& ts, const Array<double>& price,
                        const Array<double>& qty, const Array<bool>& taker_sell, const std::string& publishes,
                        std::size_t readers) {
  const Trades trades(ts, price, qty, taker_sell);
  std::vector<double> book;
  {
    const py::gil_scoped_release unlocked;
    liqcore::Engine engine = make_engine(setup, kKeep);
    liqcore::PublisherOptions options;
    options.snapshot_at_window_end = publishes == "snapshots";
    const auto publisher = std::make_shared<liqcore::Publisher>(options);
    if (publishes != "nothing") engine.publish_to(publisher);
    const Readers beside(publisher, readers);
    for (std::size_t i = 0; i < trades.size(); ++i) trades.feed(engine, i);
    book = book_of(engine, setup.bins);
  }
  return as_layers(book, setup.bins);
}

std::map<std::string, double> publishing(const Setup& setup, const Array<std::int64_t>& ts, const Array<double>& price,
                                         const Array<double>& qty, const Array<bool>& taker_sell, int times) {
  const Trades trades(ts, price, qty, taker_sell);
  const py::gil_scoped_release unlocked;
  liqcore::Engine engine = make_engine(setup, {});
  engine.feed_rows({trades.arrays, {}, {}, {}, {}});
  return cost_of_publishing(engine, times);
}

/// A clock for single calls: the processor's counter where there is one, with fences so that nothing moves across.
struct Clock {
#if defined(__x86_64__)
  static constexpr const char* kName = "rdtsc";
  static std::uint64_t start() noexcept {
    _mm_lfence();
    const std::uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
  }
  static std::uint64_t stop() noexcept {
    unsigned processor;
    const std::uint64_t now = __rdtscp(&processor);
    _mm_lfence();
    return now;
  }
#else
  static constexpr const char* kName = "steady_clock";
  static std::uint64_t start() noexcept {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  static std::uint64_t stop() noexcept { return start(); }
#endif

  /// Nanoseconds of one tick of this clock.
  static double period_ns() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t first = start();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(50)) {
    }
    const std::uint64_t last = start();
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - begin;
    return passed.count() / static_cast<double>(last - first);
  }

  /// Ticks between two readings with nothing between them: the median of many.
  static std::uint64_t overhead() {
    std::vector<std::uint64_t> samples(10'001);
    for (std::uint64_t& sample : samples) {
      const std::uint64_t begin = start();
      sample = stop() - begin;
    }
    std::nth_element(samples.begin(), samples.begin() + 5'000, samples.end());
    return samples[5'000];
  }
};

/// Time of every call, ns, the clock's own cost subtracted; and that cost, ns.
std::pair<Array<float>, double> latency(const Setup& setup, const Array<std::int64_t>& ts, const Array<double>& price,
                                        const Array<double>& qty, const Array<bool>& taker_sell) {
  const Trades trades(ts, price, qty, taker_sell);
  Array<float> out(static_cast<py::ssize_t>(trades.size()));
  float* took = out.mutable_data();
  std::fill(took, took + trades.size(), 0.0F);  // so that no page of it is new while calls are timed
  const double period = Clock::period_ns();
  const std::uint64_t overhead = Clock::overhead();
  const py::gil_scoped_release unlocked;
  liqcore::Engine engine = make_engine(setup, kKeep);
  for (std::size_t i = 0; i < trades.size(); ++i) {
    const std::uint64_t begin = Clock::start();
    trades.feed(engine, i);
    const std::uint64_t ticks = Clock::stop() - begin;
    took[i] = static_cast<float>(static_cast<double>(ticks - std::min(ticks, overhead)) * period);
  }
  return {out, static_cast<double>(overhead) * period};
}

/// What a call from Python costs before any work: the arguments of Engine.trade, and nothing done with them.
struct Empty {
  bool used = true;
};

}  // namespace
}  // namespace bench

PYBIND11_MODULE(liqcore_bench_native, m) {
  using namespace bench;
  m.attr("clock") = Clock::kName;
  py::class_<Setup>(m, "Setup")
      .def(py::init<double, double, double, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::vector<double>>(),
           py::kw_only(), py::arg("tick_size"), py::arg("lot_size"), py::arg("mmr"), py::arg("low_tick"),
           py::arg("ticks_per_bin"), py::arg("bins"), py::arg("window_ns"), py::arg("tiers"));
  py::class_<Empty>(m, "Empty")
      .def(py::init<>())
      .def(
          "trade", [](Empty& self, std::int64_t, double, double, bool) { return self.used; }, py::arg("ts"),
          py::arg("price"), py::arg("qty"), py::arg("taker_sell"));
  m.def("read", &read_bytes, py::arg("values"));
  m.def("loop", &loop, py::arg("setup"), py::arg("factors"), py::arg("ticks"), py::arg("lots"), py::arg("taker_sell"));
  m.def("trade_by_trade", &trade_by_trade, py::arg("setup"), py::arg("ts"), py::arg("price"), py::arg("qty"),
        py::arg("taker_sell"));
  m.def("published", &published, py::arg("setup"), py::arg("ts"), py::arg("price"), py::arg("qty"),
        py::arg("taker_sell"), py::arg("publishes"), py::arg("readers"));
  m.def("publishing", &publishing, py::arg("setup"), py::arg("ts"), py::arg("price"), py::arg("qty"),
        py::arg("taker_sell"), py::arg("times"));
  m.def("latency", &latency, py::arg("setup"), py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("taker_sell"));
}
