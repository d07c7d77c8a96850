#include "liqcore/model.hpp"

namespace liqcore::inline abi1 {

std::string_view name_of(Model model) noexcept {
  switch (model) {
    case Model::none:
      return "none";
    case Model::flow:
      return "flow";
    case Model::oi:
      return "oi";
    case Model::blend:
      return "blend";
    case Model::vendor:
      return "vendor";
    case Model::presence:
      return "presence";
  }
  return "unknown";
}

std::string_view name_of(Trigger trigger) noexcept {
  switch (trigger) {
    case Trigger::last:
      return "last";
    case Trigger::mark:
      return "mark";
    case Trigger::candle:
      return "candle";
  }
  return "unknown";
}

std::string_view name_of(CandlePrice price) noexcept {
  switch (price) {
    case CandlePrice::hlc3:
      return "hlc3";
    case CandlePrice::close:
      return "close";
    case CandlePrice::open:
      return "open";
    case CandlePrice::ohlc4:
      return "ohlc4";
    case CandlePrice::hl2:
      return "hl2";
  }
  return "unknown";
}

std::vector<double> default_half_life_ns(const LeverageProfile& leverage) {
  constexpr double kDay = 86400e9;
  std::vector<double> out;
  for (const double tier : leverage.tiers())
    out.push_back(tier >= 100.0 || is_distance(tier) ? kDay
                  : tier >= 50.0                     ? 3.0 * kDay
                  : tier >= 25.0                     ? 7.0 * kDay
                                                     : 30.0 * kDay);
  return out;
}

}  // namespace liqcore::inline abi1
