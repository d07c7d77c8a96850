#include "liqcore/presence.hpp"

#include <algorithm>
#include <cmath>

#include "liqcore/limits.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1 {
namespace {

double mixed(double scale, double exponent, double lots) noexcept {
  if (lots == 0.0) return 0.0;
  const double part = exponent == 0.0 ? 1.0 : exponent == 0.5 ? std::sqrt(lots) : std::pow(lots, exponent);
  return std::min(round_half_even(scale * part), kMaxLots);
}

}  // namespace

double Presence::scale_of(std::int64_t interval_ns) const noexcept {
  const double present = kPresenceRate * (static_cast<double>(interval_ns) / 60e9);
  return exponent_ == 0.0 ? present : exponent_ == 0.5 ? std::sqrt(present) : std::pow(present, 1.0 - exponent_);
}

double Presence::level(double taken) const noexcept { return mixed(scale_, exponent_, taken); }

double Presence::of_candle(std::int64_t interval_ns, double lots) const noexcept {
  return acts() ? mixed(scale_of(interval_ns), exponent_, lots) : lots;
}

void Presence::begin_interval(std::int64_t ts_ns) noexcept {
  const std::int64_t start = ts_ns - (ts_ns - window_start_ns_) % kPresenceInterval;
  const std::int64_t end = std::min(start + kPresenceInterval, window_end_ns_);
  if (end - start != scaled_ns_) {
    scaled_ns_ = end - start;
    scale_ = scale_of(scaled_ns_);
  }
  state_ = {end, {}, {}};
}

void Presence::add(const std::int64_t* ts_ns, const std::int64_t* keys, const std::int64_t* lots, std::size_t n,
                   std::int64_t* opened) noexcept {
  for (std::size_t i = 0; i < n; ++i)
    opened[i] = static_cast<std::int64_t>(add(ts_ns[i], static_cast<double>(lots[i]), (keys[i] & 1) != 0));
}

bool Presence::fits(const PresenceState& state) const noexcept {
  const std::int64_t end = state.end_ns;
  const bool begun = end > window_start_ns_ && end <= window_end_ns_ &&
                     (end == window_end_ns_ || (end - window_start_ns_) % kPresenceInterval == 0);
  if (end == 0) return state == PresenceState{};
  const auto whole = [](double lots) { return lots >= 0.0 && lots < kMaxStored && lots == std::floor(lots); };
  return acts() && begun && whole(state.taken[0]) && whole(state.taken[1]) && whole(state.opened[0]) &&
         whole(state.opened[1]) && state.opened[0] <= kMaxLots && state.opened[1] <= kMaxLots;
}

void Presence::restore(const PresenceState& state) noexcept {
  if (state.end_ns != 0) begin_interval(state.end_ns - 1);
  state_ = state;
}

}  // namespace liqcore::inline abi1
