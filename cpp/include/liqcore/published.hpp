/// What other threads read of an engine while it is being fed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/features.hpp"

namespace liqcore::inline abi1 {

/// An engine at one instant. Never written to once it is published: any number of threads may read it, for as long as
/// they keep it.
struct LIQCORE_EXPORT Snapshot {
  std::uint64_t sequence = 0;  ///< of the row that was published with it; rises from snapshot to snapshot
  std::int64_t clock_ns = std::numeric_limits<std::int64_t>::min();  ///< Engine::clock(); min where it has none
  std::optional<std::int64_t> began_ns;                              ///< Engine::began()
  double last_price = std::numeric_limits<double>::quiet_NaN();      ///< Engine::last_price()
  bool sequential = false;                                           ///< Engine::sequential()
  std::vector<double> features;                                      ///< by Publisher::names()
  std::optional<Instrument> instrument;                              ///< Engine::instrument(), once it is published
  std::optional<LeverageProfile> leverage;                           ///< Engine::leverage(), likewise
  std::optional<PriceAxis> axis;   ///< Engine::axis(); at a window's end, room that the next event needs may be in it
  Cells levels;                    ///< live lots by layer and absolute bin, as a picture of this moment has them
  Stats stats;                     ///< Engine::stats()
  std::optional<History> history;  ///< the closed windows that the engine keeps; none before the first price
  std::optional<Segment> open;     ///< the unfinished window, Engine::peek()

  /// Live lots of one side, [tier][bin], over the bins of `axis`.
  /// @param out  tiers * axis->size() values
  /// @throws InvalidConfig if `out` has another size (without an axis: any)
  void write_levels(Side side, std::span<double> out) const;
  /// Engine::history_so_far() of that instant: made anew by every call.
  [[nodiscard]] std::optional<History> history_so_far() const;
};

/// What a Publisher publishes.
struct PublisherOptions {
  FeatureOptions features = {};
  bool snapshot_at_window_end = true;  ///< otherwise a window's end publishes a row alone
};

/// Publishes an engine's features as a row of numbers, and snapshots of the whole engine, for other threads to read
/// while the engine is being fed. Nobody waits for anybody: there is no lock.
///
/// An engine that publishes to it (Engine::publish_to()) does so by itself when windows have ended: once for those that
/// one event ends, and after the hook, if it has one. What is published then is what advance() to the end of the last
/// of them would leave. Where several threads take the windows of long arrays, it is once for every stretch of them.
/// More is published by publish() and publish_row(), on the thread that feeds, also from a hook; and if a reader asks.
///
/// Memory: a row needs none once its FeatureReader has been through the market's range. A snapshot shares the windows,
/// so an engine that keeps `keep` of them makes one anew at each window's end instead of writing over the oldest; the
/// rest of it is written over the one before the last if nobody has that any more, and made anew otherwise. Publishing
/// costs as much as reading the features; a snapshot about a nanosecond for each bin of the live range of a layer more,
/// and, while a reader holds on to the one before the last, a copy of the list of windows.
class LIQCORE_EXPORT Publisher {
 public:
  /// @throws InvalidConfig if an option breaks its rule
  explicit Publisher(PublisherOptions options = {});
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  /// Names of the numbers in a row, in order: those of FeatureReader.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept;
  /// How many there are.
  [[nodiscard]] std::size_t size() const noexcept;

  // The thread that feeds the engine. One engine publishes to it at a time.

  /// Publish a row and a snapshot of this moment, or, if memory runs out, neither.
  void publish(const Engine& engine);
  /// Publish a row of this moment.
  void publish_row(const Engine& engine);

  // Any thread, at any time.

  /// Of which moment a row is.
  struct Moment {
    std::uint64_t sequence = 0;  ///< 1 for the first row; 0: nothing is published yet
    std::int64_t clock_ns = std::numeric_limits<std::int64_t>::min();  ///< Engine::clock(); min where it has none
  };
  /// Read the latest row. Never waits for the feeding thread; tries again where two newer rows came meanwhile.
  /// @param out  size() values; as they were where nothing is published yet
  /// @throws InvalidConfig if `out` has another size
  Moment read(std::span<double> out) const;
  /// The latest snapshot; null before the first. The last who has a share in one frees it, on his thread.
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const noexcept;
  /// Ask the engine to publish a row and a snapshot: it does so after the next window's end, array of events, or event
  /// that is not just one more trade of the run in progress. Trades one by one, near the same price, do not look.
  void ask() noexcept { asked_.store(true, std::memory_order_relaxed); }
  /// How often memory ran out for what a window's end or ask() wanted published: it was left out.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_.load(std::memory_order_relaxed); }

 private:
  friend class Engine;
  void windows_ended(const Engine& engine) noexcept;
  void answer(const Engine& engine) noexcept {
    if (asked_.load(std::memory_order_relaxed)) publish_asked(engine);
  }
  void publish_asked(const Engine& engine) noexcept;

  struct State;
  std::unique_ptr<State> state_;
  std::atomic<bool> asked_{false};
  std::atomic<std::uint64_t> missed_{0};
};

}  // namespace liqcore::inline abi1
