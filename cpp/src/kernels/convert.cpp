#include "kernels/convert.hpp"

#include <cmath>

#include "liqcore/instrument.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1::kernels {
namespace {

// A product with 1/step and a division by step are within 1.5 * 2^-52 of each other, relatively: below kNear steps
// within 3.6e-7. So where the product is within kOnGrid of a whole number, the division is within kGridTolerance of the
// same one, and says the same of the row.
constexpr double kNear = 1073741824.0;  // 2^30
constexpr double kOnGrid = 5e-7;

/// Multiply instead of dividing, which is several times as fast. False if a row is not plainly usable and on both
/// grids; the outputs are then meaningless.
bool convert_on_grid(const double* price, const double* qty, std::size_t n, double tick_size, double lot_size,
                     std::int32_t* ticks, double* lots) noexcept {
  const double per_tick = 1.0 / tick_size;
  const double per_lot = 1.0 / lot_size;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = price[i] * per_tick;
    const double tick = round_half_even(x);
    const double y = qty[i] * per_lot;
    const double lot = round_half_even(y);
    // One selection a test, and none across them: GCC 12 vectorises this, and not the tests joined by `&`.
    double usable = tick >= 1.0 ? tick : 0.0;
    usable = x <= kNear ? usable : 0.0;
    usable = std::fabs(x - tick) <= kOnGrid ? usable : 0.0;
    usable = qty[i] > 0.0 ? usable : 0.0;
    usable = y <= kNear ? usable : 0.0;
    usable = std::fabs(y - lot) <= kOnGrid ? usable : 0.0;
    ticks[i] = static_cast<std::int32_t>(usable);
    lots[i] = lot;
  }
  std::int32_t all = 0;
  for (std::size_t i = 0; i < n; ++i) all |= ticks[i] - 1;  // negative where a tick is 0
  return all >= 0;
}

}  // namespace

Converted convert(const double* price, const double* qty, std::size_t n, double tick_size, double lot_size,
                  std::int32_t* ticks, double* lots) noexcept {
  // Branch-free, so that the compiler can vectorise it. Every test is false for NaN, and a price or quantity that
  // passes the bounds is finite and positive.
  if (convert_on_grid(price, qty, n, tick_size, lot_size, ticks, lots)) return {true, 0};
  std::int64_t bad = 0;
  std::int64_t rounded = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = price[i] / tick_size;
    const double tick = round_half_even(x);
    const double y = qty[i] / lot_size;
    const double lot = round_half_even(y);
    const bool usable =
        (tick >= 1.0) & (x <= kMaxTicks) & (std::fabs(x - tick) <= kGridTolerance) & (qty[i] > 0.0) & (y <= kMaxLots);
    bad += usable ? 0 : 1;
    rounded += std::fabs(y - lot) > kGridTolerance ? 1 : 0;
    ticks[i] = static_cast<std::int32_t>(usable ? tick : 1.0);
    lots[i] = lot;
  }
  return {bad == 0, static_cast<std::uint64_t>(rounded)};
}

bool is_sorted(const std::int64_t* ts_ns, std::size_t n) noexcept {
  std::int64_t steps_back = 0;
  for (std::size_t i = 1; i < n; ++i) steps_back += ts_ns[i] < ts_ns[i - 1] ? 1 : 0;
  return steps_back == 0;
}

}  // namespace liqcore::inline abi1::kernels
