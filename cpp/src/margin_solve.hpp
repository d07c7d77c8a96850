// How the liquidation price of one position is found; shared by what takes one and what takes columns of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "liqcore/margin.hpp"

namespace liqcore::inline abi1::solving {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// An inverse contract is a linear one in y = 1/price with its sign turned: its value in coin is quantity * y, and a
// long loses as y rises. So all formulas are written once, in
//     y          price (linear) or 1/price (inverse);  y0 at the entry
//     direction  +1 where the position gains with y (linear long, inverse short), -1 otherwise
//     margin     M/q, margin behind one unit of quantity;  amount: c/q
// and, per unit, equity is margin + direction (y - y0), maintenance margin rate * y - amount.

inline double direction_of(Side side, Contract contract) noexcept {
  return (side == Side::long_) == (contract == Contract::linear) ? 1.0 : -1.0;
}

/// A position made ready: everything per unit of quantity, in the currency of y.
struct Unit {
  double direction;
  double y0;
  double margin;
  double quantity;     // 1 where it is not known: money / quantity is money per unit, or there must be none
  bool from_leverage;  // the margin follows from the leverage, so maintenance must be below it at the entry
  bool sized;
  bool valid;
};

inline bool positive(double x) noexcept { return x > 0.0 && x < kInfinity; }
inline bool valid_rates(double rate, double fee, MarginBasis basis) noexcept {
  return rate >= 0.0 && fee >= 0.0 && rate + fee < 1.0 && (basis == MarginBasis::mark || fee == 0.0);
}

template <bool kHasMargin, bool kHasQuantity>
inline Unit unit_of(Side side, double entry, double leverage, double quantity, double margin, double added,
                    double open_fee, double other_pnl, double other_maintenance, Contract contract) noexcept {
  Unit u;
  u.direction = direction_of(side, contract);
  u.y0 = contract == Contract::linear ? entry : 1.0 / entry;
  u.quantity = kHasQuantity ? quantity : 1.0;
  u.from_leverage = !kHasMargin;
  u.sized = kHasQuantity;
  const double money = added + other_pnl - other_maintenance;
  u.valid = positive(entry) && open_fee >= 0.0 && open_fee < 1.0 && std::fabs(money) < kInfinity;
  if constexpr (kHasQuantity)
    u.valid = u.valid && positive(quantity);
  else
    u.valid = u.valid && money == 0.0;
  if constexpr (kHasMargin) {
    u.valid = u.valid && kHasQuantity && std::fabs(margin) < kInfinity;
    u.margin = (margin + money) / u.quantity - open_fee * u.y0;
  } else {
    u.valid = u.valid && leverage >= 1.0 && leverage < kInfinity;
    u.margin = u.y0 / leverage - open_fee * u.y0;
    if constexpr (kHasQuantity) u.margin += money / u.quantity;
  }
  return u;
}

/// Where equity falls to maintenance: y = top / bottom, kept apart so that an inverse price is one division too.
struct Root {
  double top, bottom;
};

/// `amount` per unit of quantity.
inline Root root(const Unit& u, double rate, double fee, double amount, MarginBasis basis) noexcept {
  if (basis == MarginBasis::entry) return {u.y0 + u.direction * (rate * u.y0 - (amount + u.margin)), 1.0};
  return {u.direction * u.y0 - (u.margin + amount), u.direction - (rate + fee)};
}

/// What maintenance margin is at the entry decides whether there is a position at all.
inline bool maintained_at_entry(const Unit& u, double rate, double fee, double amount) noexcept {
  return !u.from_leverage || (rate + fee) * u.y0 - amount < u.margin;
}

inline LiquidationPrice answer(const Unit& u, Root root, bool maintained, Contract contract,
                               std::size_t tier) noexcept {
  // A root at or below zero: what gains with y can lose no more; what loses with y is under water at every price.
  const double price = contract == Contract::linear ? root.top / root.bottom : root.bottom / root.top;
  if (maintained && price > 0.0 && price < kInfinity) return {price, NoPrice::none, tier};
  return {kNone, maintained && u.direction > 0.0 ? NoPrice::never : NoPrice::no_position, tier};
}

inline LiquidationPrice solve(const Unit& u, Contract contract, double rate, double fee, double amount,
                              MarginBasis basis) noexcept {
  if (!u.valid || !valid_rates(rate, fee, basis) || !(amount >= 0.0 && amount < kInfinity) ||
      (amount > 0.0 && !u.sized))
    return {kNone, NoPrice::invalid, 0};
  const double c = amount / u.quantity;
  return answer(u, root(u, rate, fee, c, basis), maintained_at_entry(u, rate, fee, c), contract, 0);
}

inline LiquidationPrice solve(const Unit& u, Contract contract, double leverage,
                              const MarginSchedule& schedule) noexcept {
  if (!u.valid) return {kNone, NoPrice::invalid, 0};
  const std::vector<RiskTier>& tiers = schedule.risk_tiers();
  const double fee = schedule.fee();
  const MarginBasis basis = schedule.basis();
  std::size_t at_entry = 0;
  double rate_slope = 0.0;
  if (u.sized) {
    const double size = schedule.unit() == TierUnit::quantity ? u.quantity : u.quantity * u.y0;
    if (size > tiers.back().cap) return {kNone, NoPrice::too_large, tiers.size() - 1};
    if (tiers.size() > 1) at_entry = schedule.tier_of(size);
    rate_slope = schedule.slope() * u.quantity;
  }
  const RiskTier& entry_tier = tiers[at_entry];
  // Compared as margin rates: 1/leverage is what a venue calls the initial margin rate.
  if (u.from_leverage && leverage > entry_tier.max_leverage / (1.0 + rate_slope * entry_tier.max_leverage) &&
      entry_tier.max_leverage < kInfinity)
    return {kNone, NoPrice::leverage_too_high, at_entry};
  const double entry_rate = entry_tier.rate + rate_slope;
  if (!(entry_rate + fee < 1.0)) return {kNone, NoPrice::no_position, at_entry};
  if (!u.sized || tiers.size() == 1 || !schedule.has_amounts() || basis == MarginBasis::entry) {
    const double amount = u.sized ? entry_tier.amount / u.quantity : 0.0;
    return answer(u, root(u, entry_rate, fee, amount, basis), maintained_at_entry(u, entry_rate, fee, amount), contract,
                  at_entry);
  }
  // Continuous amounts and rising rates make maintenance margin the greatest of the tiers' straight lines. Equity is
  // straight too, so it meets the greatest line first: at the greatest root going down in y, the least going up.
  // That is the fixed point "the tier of the notional at the liquidation price", without a search.
  const double numerator = u.direction * u.y0 - u.margin;
  const double scale = 1.0 / u.quantity;
  double first = -kInfinity;
  double need = -kInfinity;
  std::size_t tier = 0;
  for (std::size_t n = 0; n < tiers.size(); ++n) {
    const double amount = tiers[n].amount * scale;
    const double rate = tiers[n].rate + fee;
    const double key = u.direction * ((numerator - amount) / (u.direction - rate));
    need = std::max(need, rate * u.y0 - amount);
    if (key > first) {
      first = key;
      tier = n;
    }
  }
  return answer(u, {u.direction * first, 1.0}, !u.from_leverage || need < u.margin, contract, tier);
}

/// Equity reaches zero: maintenance with neither rate nor amount, and no rule at the entry but a margin above zero.
inline LiquidationPrice solve_bankruptcy(const Unit& u, Contract contract) noexcept {
  if (!u.valid) return {kNone, NoPrice::invalid, 0};
  return answer(u, {u.y0 - u.direction * u.margin, 1.0}, maintained_at_entry(u, 0.0, 0.0, 0.0), contract, 0);
}

}  // namespace liqcore::inline abi1::solving
