#include "liqcore/model.hpp"

namespace liqcore::inline abi1 {

std::vector<double> default_half_life_ns(const LeverageProfile& leverage) {
  constexpr double kDay = 86400e9;
  std::vector<double> out;
  for (const double tier : leverage.tiers())
    out.push_back(tier >= 100.0 ? kDay : tier >= 50.0 ? 3.0 * kDay : tier >= 25.0 ? 7.0 * kDay : 30.0 * kDay);
  return out;
}

}  // namespace liqcore::inline abi1
