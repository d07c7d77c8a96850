#include "liqcore/margin.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "liqcore/error.hpp"
#include "liqcore/leverage.hpp"
#include "margin_solve.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

using namespace solving;

constexpr double kAmountTolerance = 1e-6;

template <class Solve>
LiquidationPrice with_unit(const Position& p, Contract contract, Solve&& solve_unit) noexcept {
  const auto call = [&](auto has_margin, auto has_quantity) {
    return solve_unit(unit_of<has_margin(), has_quantity()>(p.side, p.entry_price, p.leverage, p.quantity, p.margin,
                                                            p.added_margin, p.open_fee, p.other_pnl,
                                                            p.other_maintenance, contract));
  };
  const bool has_quantity = !std::isnan(p.quantity);
  if (!std::isnan(p.margin))
    return has_quantity ? call(std::true_type{}, std::true_type{}) : call(std::true_type{}, std::false_type{});
  return has_quantity ? call(std::false_type{}, std::true_type{}) : call(std::false_type{}, std::false_type{});
}

double first_tier_factor(Side side, Contract contract, double leverage, double m, double f,
                         MarginBasis basis) noexcept {
  const double il = 1.0 / leverage;
  const bool is_long = side == Side::long_;
  if (contract == Contract::linear) {
    if (basis == MarginBasis::mark) return is_long ? (1.0 - il) / (1.0 - m - f) : (1.0 + il) / (1.0 + m + f);
    return is_long ? 1.0 - (il - m) : 1.0 + (il - m);
  }
  if (basis == MarginBasis::mark) return is_long ? (1.0 + m + f) / (1.0 + il) : (1.0 - m - f) / (1.0 - il);
  return is_long ? 1.0 / (1.0 + il - m) : 1.0 / (1.0 - il + m);
}

/// Sizes and amounts in messages, in digits: 300000, not 3e+05.
std::string plain(double value) {
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  return {buffer, end};
}

void check_fee(double rate, double fee, MarginBasis basis, const std::string& where) {
  if (!(fee >= 0.0 && rate + fee < 1.0))
    throw InvalidConfig(where + "fee must be at least 0 and rate + fee below 1, was " + text_of(fee));
  if (basis == MarginBasis::entry && fee != 0.0)
    throw InvalidConfig(where + "fee must be 0 with basis \"entry\" (those venues leave it out of the price), was " +
                        text_of(fee));
}

void check_rate(double rate) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw InvalidConfig("rate (maintenance margin rate) must be at least 0 and below 1, was " + text_of(rate));
}

}  // namespace

MarginSchedule MarginSchedule::flat(double rate, double fee, MarginBasis basis) {
  check_rate(rate);
  check_fee(rate, fee, basis, "");
  return {{RiskTier{.rate = rate}}, false, fee, basis, TierUnit::notional};
}

MarginSchedule MarginSchedule::sloped(double rate, double slope, double max_leverage, double fee, MarginBasis basis) {
  check_rate(rate);
  check_fee(rate, fee, basis, "");
  if (!(slope >= 0.0 && slope < kInfinity))
    throw InvalidConfig("slope must be finite and at least 0, was " + text_of(slope));
  if (!(max_leverage >= 1.0 && (max_leverage == kInfinity || max_leverage * rate <= 1.0)))
    throw InvalidConfig("max_leverage must be at least 1 and max_leverage x rate at most 1, was " +
                        text_of(max_leverage));
  MarginSchedule schedule{
      {RiskTier{.rate = rate, .max_leverage = max_leverage}}, false, fee, basis, TierUnit::quantity};
  schedule.slope_ = slope;
  return schedule;
}

namespace {

/// Joins tiers that begin one contract after the last one's end, as OKX lists them: whole contracts stay in their tier.
/// Such a step is the same between all tiers, and small.
void join_tiers(std::vector<RiskTier>& tiers) noexcept {
  if (tiers.size() < 2) return;
  const double step = tiers[1].floor - tiers[0].cap;
  if (!(step > 0.0)) return;
  for (std::size_t n = 0; n < tiers.size(); ++n) {
    if (n > 0 && !(std::fabs(tiers[n].floor - tiers[n - 1].cap - step) <= 1e-6 * step)) return;
    if (!(step <= 0.01 * (tiers[n].cap - tiers[n].floor))) return;
  }
  for (std::size_t n = 1; n < tiers.size(); ++n) tiers[n - 1].cap = tiers[n].floor;
}

}  // namespace

MarginSchedule MarginSchedule::tiers(std::vector<RiskTier> tiers, bool amounts, double fee, MarginBasis basis,
                                     TierUnit unit, const std::string& name) {
  const std::string start = name.empty() ? std::string() : name + " ";
  if (tiers.empty()) throw InvalidConfig(start + "tiers must hold at least one tier, was empty");
  if (amounts && unit == TierUnit::quantity)
    throw InvalidConfig(start + "tiers by quantity must have no maintenance amounts");
  join_tiers(tiers);
  for (std::size_t n = 0; n < tiers.size(); ++n) {
    const RiskTier& tier = tiers[n];
    const std::string where = start + "tier " + text_of(static_cast<std::int64_t>(n + 1)) + ": ";
    const std::string before = " of tier " + text_of(static_cast<std::int64_t>(n));
    if (n == 0) {
      if (tier.floor != 0.0) throw InvalidConfig(where + "floor must be 0, was " + plain(tier.floor));
    } else if (tier.floor != tiers[n - 1].cap) {
      const bool gap = tier.floor > tiers[n - 1].cap;
      throw InvalidConfig(where + "floor must be the cap" + before + " (" + plain(tiers[n - 1].cap) + "), was " +
                          plain(tier.floor) + (gap ? ": a gap" : ": an overlap"));
    }
    if (!(tier.cap > tier.floor)) throw InvalidConfig(where + "cap must be above floor, was " + plain(tier.cap));
    if (!(tier.rate >= 0.0 && tier.rate < 1.0))
      throw InvalidConfig(where + "rate must be at least 0 and below 1, was " + text_of(tier.rate));
    if (n > 0 && !(tier.rate > tiers[n - 1].rate))
      throw InvalidConfig(where + "rate must be above that" + before + " (" + text_of(tiers[n - 1].rate) + "), was " +
                          text_of(tier.rate));
    check_fee(tier.rate, fee, basis, where);
    if (!(tier.max_leverage >= 1.0))
      throw InvalidConfig(where + "max_leverage must be at least 1, was " + text_of(tier.max_leverage));
    if (tier.max_leverage < kInfinity && tier.max_leverage * tier.rate > 1.0)
      throw InvalidConfig(where + "max_leverage x rate must be at most 1, was " +
                          text_of(tier.max_leverage * tier.rate) + " (" + text_of(tier.max_leverage) + " x " +
                          text_of(tier.rate) + ")");
    const double continuous =
        amounts && n > 0 ? tiers[n - 1].amount + tier.floor * (tier.rate - tiers[n - 1].rate) : 0.0;
    if (!(std::fabs(tier.amount - continuous) <= kAmountTolerance * continuous)) {
      if (!amounts) throw InvalidConfig(where + "amount must be 0 without amounts, was " + plain(tier.amount));
      throw InvalidConfig(where + "amount must be " + plain(continuous) +
                          " for maintenance margin to be continuous, was " + plain(tier.amount));
    }
  }
  return {std::move(tiers), amounts, fee, basis, unit};
}

MarginSchedule MarginSchedule::assuming(std::vector<std::pair<double, double>> sizes) const {
  for (const auto& [leverage, size] : sizes) {
    if (!(leverage >= 1.0 && leverage < kInfinity))
      throw InvalidConfig("leverage must be at least 1, was " + text_of(leverage));
    if (!positive(size))
      throw InvalidConfig("size assumed for leverage " + text_of(leverage) + " must be finite and above 0, was " +
                          text_of(size));
  }
  std::sort(sizes.begin(), sizes.end());
  MarginSchedule copy = *this;
  copy.assumed_ = std::move(sizes);
  return copy;
}

std::size_t MarginSchedule::tier_of(double size) const noexcept {
  const auto above = std::upper_bound(tiers_.begin(), tiers_.end(), size,
                                      [](double value, const RiskTier& tier) { return value < tier.floor; });
  return above == tiers_.begin() ? 0 : static_cast<std::size_t>(above - tiers_.begin()) - 1;
}

LiquidationPrice MarginSchedule::level(Side side, Contract contract, double leverage) const noexcept {
  if (leverage > 0.0 && is_distance(leverage))
    return {side == Side::long_ ? 1.0 - leverage : 1.0 + leverage, NoPrice::none, 0};
  const auto assumed =
      std::find_if(assumed_.begin(), assumed_.end(), [leverage](const auto& entry) { return entry.first == leverage; });
  if (assumed == assumed_.end()) {
    // The documented forms as they stand, so that a factor is the same double wherever it is worked out.
    if (!(leverage >= 1.0 && leverage < kInfinity)) return {kNone, NoPrice::invalid, 0};
    if (leverage > max_leverage()) return {kNone, NoPrice::leverage_too_high, 0};
    if (!(rate() + fee_ < 1.0 / leverage)) return {kNone, NoPrice::no_position, 0};
    const double factor = first_tier_factor(side, contract, leverage, rate(), fee_, basis_);
    if (factor > 0.0 && factor < kInfinity) return {factor, NoPrice::none, 0};
    return {kNone, NoPrice::never, 0};
  }
  if (unit_ == TierUnit::quantity) {
    // The entry price is not known here; a table by quantity has one rate for the position, whatever the price.
    const RiskTier& tier = tiers_[tier_of(assumed->second)];
    if (assumed->second > tiers_.back().cap) return {kNone, NoPrice::too_large, tiers_.size() - 1};
    const double rate_slope = slope_ * assumed->second;
    if (tier.max_leverage < kInfinity && leverage > tier.max_leverage / (1.0 + rate_slope * tier.max_leverage))
      return {kNone, NoPrice::leverage_too_high, tier_of(assumed->second)};
    return liquidation_price({.side = side, .entry_price = 1.0, .leverage = leverage}, contract,
                             MarginTerms{.rate = tier.rate + rate_slope, .fee = fee_, .basis = basis_});
  }
  return liquidation_price({.side = side, .entry_price = 1.0, .leverage = leverage, .quantity = assumed->second},
                           contract, *this);
}

double MarginSchedule::level_factor(Side side, Contract contract, double leverage) const noexcept {
  return level(side, contract, leverage).price;
}

LiquidationPrice liquidation_price(const Position& position, Contract contract, const MarginTerms& terms) noexcept {
  return with_unit(position, contract,
                   [&](const Unit& u) { return solve(u, contract, terms.rate, terms.fee, terms.amount, terms.basis); });
}

LiquidationPrice liquidation_price(const Position& position, Contract contract,
                                   const MarginSchedule& schedule) noexcept {
  return with_unit(position, contract, [&](const Unit& u) { return solve(u, contract, position.leverage, schedule); });
}

double liquidation_price(Side side, double entry_price, double leverage, double mmr) noexcept {
  return liquidation_price({.side = side, .entry_price = entry_price, .leverage = leverage}, Contract::linear,
                           MarginTerms{.rate = mmr})
      .price;
}

LiquidationPrice bankruptcy_price(const Position& position, Contract contract) noexcept {
  return with_unit(position, contract, [&](const Unit& u) { return solve_bankruptcy(u, contract); });
}

HedgePrices hedge_liquidation_prices(const HedgedPosition& p, Contract contract,
                                     const MarginSchedule& schedule) noexcept {
  struct Leg {
    double direction, quantity, y0;
    std::size_t first, last;  // tiers whose lines count
  };
  const std::vector<RiskTier>& tiers = schedule.risk_tiers();
  const MarginBasis basis = schedule.basis();
  Leg legs[2];
  const double entries[2] = {p.long_entry_price, p.short_entry_price};
  const double quantities[2] = {p.long_quantity, p.short_quantity};
  for (int i = 0; i < 2; ++i) {
    if (!(quantities[i] >= 0.0 && quantities[i] < kInfinity)) return {};
    if (quantities[i] > 0.0 && !positive(entries[i])) return {};
    const double y0 = quantities[i] == 0.0 ? 1.0 : contract == Contract::linear ? entries[i] : 1.0 / entries[i];
    const double size = schedule.unit() == TierUnit::quantity ? quantities[i] : quantities[i] * y0;
    if (size > tiers.back().cap) return {kNone, kNone, NoPrice::too_large};
    const std::size_t own = schedule.tier_of(size);
    const bool at_price = schedule.has_amounts() && basis == MarginBasis::mark;
    legs[i] = {direction_of(i == 0 ? Side::long_ : Side::short_, contract), quantities[i], y0, at_price ? 0 : own,
               at_price ? tiers.size() : own + 1};
  }
  if (!(std::fabs(p.margin) < kInfinity) || quantities[0] + quantities[1] == 0.0) return {};
  // Maintenance margin of a leg in a tier is constant + slope * y; the account survives where equity exceeds it for
  // every pair of tiers (see `solve` on why the greatest line is the tier's own).
  double low = 0.0;
  double high = kInfinity;
  const auto line = [&](const Leg& leg, const RiskTier& tier, double& constant, double& slope) {
    const double rate = tier.rate + schedule.slope() * leg.quantity;
    const bool entry = basis == MarginBasis::entry;
    constant += -leg.direction * leg.quantity * leg.y0 + tier.amount - (entry ? rate * leg.quantity * leg.y0 : 0.0);
    slope += leg.direction * leg.quantity - (entry ? 0.0 : (rate + schedule.fee()) * leg.quantity);
  };
  for (std::size_t n = legs[0].first; n < legs[0].last; ++n)
    for (std::size_t k = legs[1].first; k < legs[1].last; ++k) {
      double constant = p.margin;
      double slope = 0.0;
      line(legs[0], tiers[n], constant, slope);
      line(legs[1], tiers[k], constant, slope);
      if (slope > 0.0)
        low = std::max(low, -constant / slope);
      else if (slope < 0.0)
        high = std::min(high, -constant / slope);
      else if (!(constant > 0.0))
        return {kNone, kNone, NoPrice::no_position};
    }
  if (!(low < high)) return {kNone, kNone, NoPrice::no_position};
  const bool inverse = contract == Contract::inverse;
  const double fall = inverse ? 1.0 / high : low;  // 1/inf = 0: no fall reaches it
  const double rise = inverse ? 1.0 / low : high;  // 1/0 = inf: no rise reaches it
  HedgePrices prices;
  if (fall > 0.0) prices.below = fall;
  if (rise < kInfinity) prices.above = rise;
  prices.reason = std::isnan(prices.below) && std::isnan(prices.above) ? NoPrice::never : NoPrice::none;
  return prices;
}

}  // namespace liqcore::inline abi1
