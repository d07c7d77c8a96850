#include "liqcore/margin.hpp"

#include <cmath>
#include <limits>

#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {

MarginSchedule MarginSchedule::flat(double rate, double fee, MarginBasis basis) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw InvalidConfig("rate (maintenance margin rate) must be at least 0 and below 1, was " + text_of(rate));
  if (!(fee >= 0.0 && rate + fee < 1.0))
    throw InvalidConfig("fee must be at least 0 and rate + fee below 1, was " + text_of(fee));
  if (basis == MarginBasis::entry && fee != 0.0)
    throw InvalidConfig("fee must be 0 with basis \"entry\" (those venues leave it out of the price), was " +
                        text_of(fee));
  return {rate, fee, basis};
}

double MarginSchedule::level_factor(Side side, Contract contract, double leverage) const noexcept {
  const double m = rate_;
  const double f = fee_;
  const double il = 1.0 / leverage;
  const bool is_long = side == Side::long_;
  double k;
  if (contract == Contract::linear) {
    if (basis_ == MarginBasis::mark)
      k = is_long ? (1.0 - il) / (1.0 - m - f) : (1.0 + il) / (1.0 + m + f);
    else
      k = is_long ? 1.0 - (il - m) : 1.0 + (il - m);
  } else {
    if (basis_ == MarginBasis::mark)
      k = is_long ? (1.0 + m + f) / (1.0 + il) : (1.0 - m - f) / (1.0 - il);
    else
      k = is_long ? 1.0 / (1.0 + il - m) : 1.0 / (1.0 - il + m);
  }
  return std::isfinite(k) && k > 0.0 ? k : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace liqcore::inline abi1
