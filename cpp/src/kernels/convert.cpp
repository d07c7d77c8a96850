#include "kernels/convert.hpp"

#include <cmath>

#include "liqcore/instrument.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1::kernels {

Converted convert(const double* price, const double* qty, std::size_t n, double tick_size, double lot_size,
                  std::int32_t* ticks, double* lots) noexcept {
  // Branch-free, so that the compiler can vectorise it. Every test is false for NaN, and a price or quantity that
  // passes the bounds is finite and positive.
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
