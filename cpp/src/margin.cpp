#include "liqcore/margin.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kAmountTolerance = 1e-6;

// An inverse contract is a linear one in y = 1/price with its sign turned: its value in coin is quantity * y, and a
// long loses as y rises. So all formulas are written once, in
//     y          price (linear) or 1/price (inverse);  y0 at the entry
//     direction  +1 where the position gains with y (linear long, inverse short), -1 otherwise
//     margin     M/q, margin behind one unit of quantity;  amount: c/q
// and, per unit, equity is margin + direction (y - y0), maintenance margin rate * y - amount.

double direction_of(Side side, Contract contract) noexcept {
  return (side == Side::long_) == (contract == Contract::linear) ? 1.0 : -1.0;
}

/// A position made ready: everything per unit of quantity, in the currency of y.
struct Unit {
  double direction;
  double y0;
  double margin;
  double per_quantity;  // 1/q as a divisor: the quantity itself, or 1 where it is not known
  bool from_leverage;   // the margin follows from the leverage, so maintenance must be below it at the entry
  bool sized;
  bool valid;
};

bool positive(double x) noexcept { return x > 0.0 && x < kInfinity; }
bool valid_rates(double rate, double fee, MarginBasis basis) noexcept {
  return rate >= 0.0 && fee >= 0.0 && rate + fee < 1.0 && (basis == MarginBasis::mark || fee == 0.0);
}

template <bool kHasMargin, bool kHasQuantity>
inline Unit unit_of(Side side, double entry, double leverage, double quantity, double margin, double added,
                    double open_fee, double other_pnl, double other_maintenance, Contract contract) noexcept {
  Unit u;
  u.direction = direction_of(side, contract);
  u.y0 = contract == Contract::linear ? entry : 1.0 / entry;
  u.per_quantity = kHasQuantity ? quantity : 1.0;
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
    u.margin = (margin + money) / u.per_quantity - open_fee * u.y0;
  } else {
    u.valid = u.valid && leverage >= 1.0 && leverage < kInfinity;
    u.margin = u.y0 / leverage - open_fee * u.y0;
    if constexpr (kHasQuantity) u.margin += money / u.per_quantity;
  }
  return u;
}

/// Where equity falls to maintenance: y = top / bottom, kept apart so that an inverse price is one division too.
struct Root {
  double top, bottom;
  [[nodiscard]] double y() const noexcept { return top / bottom; }
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
  const double c = amount / u.per_quantity;
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
    const double size = schedule.unit() == TierUnit::quantity ? u.per_quantity : u.per_quantity * u.y0;
    if (size > tiers.back().cap) return {kNone, NoPrice::too_large, tiers.size() - 1};
    if (tiers.size() > 1) at_entry = schedule.tier_of(size);
    rate_slope = schedule.slope() * u.per_quantity;
  }
  const RiskTier& entry_tier = tiers[at_entry];
  // Compared as margin rates: 1/leverage is what a venue calls the initial margin rate.
  if (u.from_leverage && leverage > entry_tier.max_leverage / (1.0 + rate_slope * entry_tier.max_leverage) &&
      entry_tier.max_leverage < kInfinity)
    return {kNone, NoPrice::leverage_too_high, at_entry};
  const double entry_rate = entry_tier.rate + rate_slope;
  if (!(entry_rate + fee < 1.0)) return {kNone, NoPrice::no_position, at_entry};
  const double entry_amount = u.sized ? entry_tier.amount / u.per_quantity : 0.0;
  Root found = root(u, entry_rate, fee, entry_amount, basis);
  std::size_t tier = at_entry;
  if (u.sized && tiers.size() > 1 && schedule.has_amounts() && basis == MarginBasis::mark) {
    // Continuous amounts and rising rates make maintenance margin the greatest of the tiers' straight lines. Equity is
    // straight too, so it meets the greatest line first: at the greatest root going down in y, the least going up.
    // That is the fixed point "the tier of the notional at the liquidation price", without a search.
    double first = found.y();
    for (std::size_t n = 0; n < tiers.size(); ++n) {
      const Root other = root(u, tiers[n].rate, fee, tiers[n].amount / u.per_quantity, basis);
      const double y = other.y();
      if (u.direction > 0.0 ? y > first : y < first) {
        first = y;
        found = other;
        tier = n;
      }
    }
  }
  return answer(u, found, maintained_at_entry(u, entry_rate, fee, entry_amount), contract, tier);
}

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

/// A column that repeats its only value, or a default where there is none.
template <class T>
struct Column {
  Column(std::span<const T> values, const T& otherwise)
      : data(values.empty() ? &otherwise : values.data()), step(values.size() > 1 ? 1 : 0) {}
  T operator[](std::size_t i) const noexcept { return data[i * step]; }
  const T* data;
  std::size_t step;
};

constexpr double kZero = 0.0;
constexpr Side kLong = Side::long_;

template <class Solve>
void for_each_position(const Positions& p, Contract contract, std::span<double> price, std::span<NoPrice> reason,
                       Solve&& solve_unit) noexcept {
  const std::size_t n = price.size();
  [[maybe_unused]] const auto fits = [n](const auto& span) {
    return span.size() == n || span.size() == 1 || span.empty();
  };
  assert(fits(p.side) && fits(p.entry_price) && fits(p.leverage) && fits(p.quantity) && fits(p.margin) &&
         fits(p.added_margin) && fits(p.open_fee) && fits(p.other_pnl) && fits(p.other_maintenance) &&
         "a column holds one value a position, or one for all");
  const Column<Side> side(p.side, kLong);
  const Column<double> entry(p.entry_price, kNotGiven);
  const Column<double> leverage(p.leverage, kNotGiven);
  const Column<double> quantity(p.quantity, kNotGiven);
  const Column<double> margin(p.margin, kNotGiven);
  const Column<double> added(p.added_margin, kZero);
  const Column<double> open_fee(p.open_fee, kZero);
  const Column<double> other_pnl(p.other_pnl, kZero);
  const Column<double> other_maintenance(p.other_maintenance, kZero);
  const bool wants_reason = !reason.empty();
  const auto run = [&](auto has_margin, auto has_quantity) {
    for (std::size_t i = 0; i < n; ++i) {
      const Unit u =
          unit_of<has_margin(), has_quantity()>(side[i], entry[i], leverage[i], quantity[i], margin[i], added[i],
                                                open_fee[i], other_pnl[i], other_maintenance[i], contract);
      const LiquidationPrice found = solve_unit(i, u, leverage[i]);
      price[i] = found.price;
      if (wants_reason) reason[i] = found.reason;
    }
  };
  if (!p.margin.empty())
    p.quantity.empty() ? run(std::true_type{}, std::false_type{}) : run(std::true_type{}, std::true_type{});
  else
    p.quantity.empty() ? run(std::false_type{}, std::false_type{}) : run(std::false_type{}, std::true_type{});
}

/// Equity reaches zero: maintenance with neither rate nor amount, and no rule at the entry but a margin above zero.
inline LiquidationPrice solve_bankruptcy(const Unit& u, Contract contract) noexcept {
  if (!u.valid) return {kNone, NoPrice::invalid, 0};
  return answer(u, {u.y0 - u.direction * u.margin, 1.0}, maintained_at_entry(u, 0.0, 0.0, 0.0), contract, 0);
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

MarginSchedule MarginSchedule::tiers(std::vector<RiskTier> tiers, bool amounts, double fee, MarginBasis basis,
                                     TierUnit unit, const std::string& name) {
  const std::string start = name.empty() ? std::string() : name + " ";
  if (tiers.empty()) throw InvalidConfig(start + "tiers must hold at least one tier, was empty");
  if (amounts && unit == TierUnit::quantity)
    throw InvalidConfig(start + "tiers by quantity must have no maintenance amounts");
  for (std::size_t n = 0; n < tiers.size(); ++n) {
    const RiskTier& tier = tiers[n];
    const std::string where = start + "tier " + text_of(static_cast<std::int64_t>(n + 1)) + ": ";
    const std::string before = " of tier " + text_of(static_cast<std::int64_t>(n));
    if (n == 0) {
      if (tier.floor != 0.0) throw InvalidConfig(where + "floor must be 0, was " + text_of(tier.floor));
    } else if (tier.floor != tiers[n - 1].cap) {
      const bool gap = tier.floor > tiers[n - 1].cap;
      throw InvalidConfig(where + "floor must be the cap" + before + " (" + text_of(tiers[n - 1].cap) + "), was " +
                          text_of(tier.floor) + (gap ? ": a gap" : ": an overlap"));
    }
    if (!(tier.cap > tier.floor)) throw InvalidConfig(where + "cap must be above floor, was " + text_of(tier.cap));
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
      if (!amounts) throw InvalidConfig(where + "amount must be 0 without amounts, was " + text_of(tier.amount));
      throw InvalidConfig(where + "amount must be " + text_of(continuous) +
                          " for maintenance margin to be continuous, was " + text_of(tier.amount));
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

void liquidation_prices(const Positions& positions, Contract contract, const TermColumns& terms,
                        std::span<double> price, std::span<NoPrice> reason) noexcept {
  const Column<double> rate(terms.rate, kNotGiven);
  const Column<double> fee(terms.fee, kZero);
  const Column<double> amount(terms.amount, kZero);
  const MarginBasis basis = terms.basis;
  for_each_position(positions, contract, price, reason, [=](std::size_t i, const Unit& u, double) {
    return solve(u, contract, rate[i], fee[i], amount[i], basis);
  });
}

void liquidation_prices(const Positions& positions, Contract contract, const MarginSchedule& schedule,
                        std::span<double> price, std::span<NoPrice> reason) noexcept {
  for_each_position(positions, contract, price, reason, [&](std::size_t, const Unit& u, double leverage) {
    return solve(u, contract, leverage, schedule);
  });
}

void bankruptcy_prices(const Positions& positions, Contract contract, std::span<double> price,
                       std::span<NoPrice> reason) noexcept {
  for_each_position(positions, contract, price, reason,
                    [=](std::size_t, const Unit& u, double) { return solve_bankruptcy(u, contract); });
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
