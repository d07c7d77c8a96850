#include "liqcore/axis.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "grid.hpp"
#include "liqcore/error.hpp"
#include "liqcore/limits.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

/// `value` in whole `unit`s; an error where it is not a multiple, judged as prices are.
std::int64_t multiple_of(const char* argument, double value, const char* unit_name, double unit) {
  const double x = value / unit;
  const double r = std::nearbyint(x);
  if (!(std::isfinite(x) && on_grid(x, r)))
    throw InvalidConfig(std::string(argument) + " must be a multiple of " + unit_name + " (" + text_of(unit) +
                        "), was " + text_of(value));
  if (!(r >= 0.0 && r <= static_cast<double>(kLastTick)))
    throw InvalidConfig(std::string(argument) + " must lie between 0 and 2^40 ticks, was " + text_of(value));
  return static_cast<std::int64_t>(r);
}

}  // namespace

std::int64_t automatic_ticks_per_bin(std::int64_t price_ticks, std::int64_t row_ticks) noexcept {
  const double target = static_cast<double>(price_ticks) * 1e-4;
  std::int64_t step = 1;
  const auto widen = [&](std::int64_t candidate) {
    if (static_cast<double>(candidate) <= target) step = std::max(step, candidate);
  };
  if (row_ticks == 0) {
    for (std::int64_t decade = 1; static_cast<double>(decade) <= target; decade *= 10)
      for (const std::int64_t nice : {1, 2, 5}) widen(nice * decade);
    return step;
  }
  for (std::int64_t divisor = 1; divisor * divisor <= row_ticks; ++divisor) {
    if (row_ticks % divisor != 0) continue;
    widen(divisor);
    widen(row_ticks / divisor);
  }
  return step;
}

PriceAxis::PriceAxis(std::int64_t low_tick, std::int64_t ticks_per_bin, std::int64_t size)
    : low_tick_(low_tick), ticks_per_bin_(ticks_per_bin), size_(size) {
  if (ticks_per_bin < 1 || ticks_per_bin > kLastTick)
    throw InvalidConfig("ticks_per_bin must be between 1 and 2^40, was " + text_of(ticks_per_bin));
  if (low_tick < 0 || low_tick % ticks_per_bin != 0)
    throw InvalidConfig("low_tick must be at least 0 and a multiple of ticks_per_bin (" + text_of(ticks_per_bin) +
                        "), was " + text_of(low_tick));
  if (size < 1 || size > kMaxAxisBins)
    throw InvalidConfig("size (number of bins) must be between 1 and 2^22, was " + text_of(size));
  if (low_tick > kLastTick || size > (kLastTick - low_tick) / ticks_per_bin ||
      low_tick / ticks_per_bin > kLastTick / 1024)
    throw InvalidConfig("the axis must end at or below 2^40 ticks and begin at or below bin 2^30, began at tick " +
                        text_of(low_tick) + " with " + text_of(size) + " bins");
}

PriceAxis PriceAxis::from_prices(double low, double high, double step, double tick_size) {
  if (!(std::isfinite(tick_size) && tick_size > 0.0))
    throw InvalidConfig("tick_size must be finite and above 0, was " + text_of(tick_size));
  const std::int64_t ticks_per_bin = multiple_of("step", step, "tick_size", tick_size);
  if (ticks_per_bin < 1) throw InvalidConfig("step must be at least one tick, was " + text_of(step));
  const std::int64_t low_tick = multiple_of("low", low, "tick_size", tick_size);
  const std::int64_t high_tick = multiple_of("high", high, "tick_size", tick_size);
  const auto on_edge = [&](const char* argument, double value, std::int64_t tick) {
    if (tick % ticks_per_bin != 0)
      throw InvalidConfig(std::string(argument) + " must be a multiple of step (" + text_of(step) +
                          "), so that edges of all axes agree, was " + text_of(value) + "; the nearest below is " +
                          text_of(static_cast<double>(tick / ticks_per_bin * ticks_per_bin) * tick_size));
  };
  on_edge("low", low, low_tick);
  on_edge("high", high, high_tick);
  if (high_tick <= low_tick) throw InvalidConfig("high must be above low (" + text_of(low) + "), was " + text_of(high));
  return {low_tick, ticks_per_bin, (high_tick - low_tick) / ticks_per_bin};
}

std::int64_t PriceAxis::index(std::int64_t tick) const noexcept {
  if (tick < low_tick_) return -1;
  const std::int64_t bin = (tick - low_tick_) / ticks_per_bin_;
  return bin < size_ ? bin : size_;
}

}  // namespace liqcore::inline abi1
