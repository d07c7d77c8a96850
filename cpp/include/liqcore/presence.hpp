/// Opening by presence: by the time that is spent at a price, by volume, or by a mixture of both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// What a minute of presence stands for, lots a side. A fixed number, so that it looks at no data: what opens at an
/// exponent below 1 is a relative level, which this scales as a whole.
inline constexpr double kPresenceRate = 65536.0;
/// Time at price is counted by the second, or by the window where that is shorter; a window begins a second of its own.
inline constexpr std::int64_t kPresenceInterval = 1'000'000'000;
/// The shortest window: less than that is not a lot of presence.
inline constexpr std::int64_t kLeastPresence = 1'000'000;

/// The interval in progress.
struct PresenceState {
  std::int64_t end_ns = 0;         ///< of the interval; 0: none has begun in this window
  std::array<double, 2> taken{};   ///< lots that aggressors bought and sold in it
  std::array<double, 2> opened{};  ///< lots that they have opened
  bool operator==(const PresenceState&) const noexcept = default;
};

/// How many lots trades and candles open in the model presence.
///
/// Of an interval of T minutes in which aggressors took V lots on a side, that side opens
///
///     G(V) = rint((R T)^(1 - e) V^e),  G(0) = 0
///
/// lots: e is the exponent, R is kPresenceRate. A trade opens, at its own price, what it adds: G(V + lots) - G(V). So
/// nothing waits for the interval to end, all lots are whole, and any split of the trades gives the same bits. With e =
/// 0 each second's first trade of a side opens R T there, with e = 1 every trade its own lots, as flow does.
class LIQCORE_EXPORT Presence {
 public:
  /// @param exponent  0..1
  explicit Presence(double exponent = 1.0) noexcept : exponent_(exponent) {}

  /// Whether lots are not simply those that were traded.
  [[nodiscard]] bool acts() const noexcept { return exponent_ < 1.0; }
  /// A window begins, and with it an interval.
  void begin_window(std::int64_t start_ns, std::int64_t end_ns) noexcept {
    window_start_ns_ = start_ns;
    window_end_ns_ = end_ns;
    state_ = {};
  }
  /// What a trade in the window opens; times do not fall.
  [[nodiscard]] double add(std::int64_t ts_ns, double lots, bool taker_sell) noexcept {
    if (ts_ns >= state_.end_ns) begin_interval(ts_ns);
    const std::size_t side = taker_sell ? 1 : 0;
    state_.taken[side] += lots;
    const double before = state_.opened[side];
    if (exponent_ == 0.0 && before > 0.0) return 0.0;
    const double now = level(state_.taken[side]);
    if (!(now > before)) return 0.0;
    state_.opened[side] = now;
    return now - before;
  }
  /// The same of many trades: keys are 2 * tick + taker_sell.
  void add(const std::int64_t* ts_ns, const std::int64_t* keys, const std::int64_t* lots, std::size_t n,
           std::int64_t* opened) noexcept;
  /// What a candle of some length opens of a side that took `lots` in it.
  [[nodiscard]] double of_candle(std::int64_t interval_ns, double lots) const noexcept;

  [[nodiscard]] const PresenceState& state() const noexcept { return state_; }
  /// @pre fits(state)
  void restore(const PresenceState& state) noexcept;
  /// Whether this may be the interval in progress of the window that has begun.
  [[nodiscard]] bool fits(const PresenceState& state) const noexcept;

 private:
  void begin_interval(std::int64_t ts_ns) noexcept;
  [[nodiscard]] double level(double taken) const noexcept;
  [[nodiscard]] double scale_of(std::int64_t interval_ns) const noexcept;

  double exponent_;
  double scale_ = 0.0;          // (R T)^(1 - e) of the interval
  std::int64_t scaled_ns_ = 0;  // T that scale_ is of
  std::int64_t window_start_ns_ = 0;
  std::int64_t window_end_ns_ = 0;
  PresenceState state_;
};

}  // namespace liqcore::inline abi1
