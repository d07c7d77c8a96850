#include "liqcore/margin.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

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
  if (!u.sized || tiers.size() == 1 || !schedule.has_amounts() || basis == MarginBasis::entry) {
    const double amount = u.sized ? entry_tier.amount / u.per_quantity : 0.0;
    return answer(u, root(u, entry_rate, fee, amount, basis), maintained_at_entry(u, entry_rate, fee, amount), contract,
                  at_entry);
  }
  // Continuous amounts and rising rates make maintenance margin the greatest of the tiers' straight lines. Equity is
  // straight too, so it meets the greatest line first: at the greatest root going down in y, the least going up.
  // That is the fixed point "the tier of the notional at the liquidation price", without a search.
  const double numerator = u.direction * u.y0 - u.margin;
  const double scale = 1.0 / u.per_quantity;
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

// The kernels below compute what `solve` computes, operation for operation, but price by price in loops without
// branches that compilers turn into vector code; a NaN's reason is then asked of `solve` itself.
constexpr std::size_t kBlock = 256;

/// A column as the kernels want it: contiguous, a single value repeated to a block's length.
class BlockColumn {
 public:
  BlockColumn(std::span<const double> values, double otherwise) : data_(values.data()), step_(values.size() > 1) {
    if (!step_) std::fill(repeated_, repeated_ + kBlock, values.empty() ? otherwise : values[0]);
  }
  [[nodiscard]] const double* at(std::size_t start) const noexcept { return step_ ? data_ + start : repeated_; }

 private:
  const double* data_;
  bool step_;
  double repeated_[kBlock];
};

struct BlockColumns {
  BlockColumns(const Positions& p, Contract contract_of_all)
      : contract(contract_of_all),
        side(p.side, kLong),
        entry(p.entry_price, kNotGiven),
        leverage(p.leverage, kNotGiven),
        quantity(p.quantity, 1.0),
        margin(p.margin, 0.0),
        added(p.added_margin, 0.0),
        open_fee(p.open_fee, 0.0),
        other_pnl(p.other_pnl, 0.0),
        other_maintenance(p.other_maintenance, 0.0) {}

  void direction(std::size_t start, std::size_t count, double* out) const noexcept {
    for (std::size_t i = 0; i < count; ++i) out[i] = direction_of(side[start + i], contract);
  }

  /// The block that begins at a row, in the order below.
  struct Block {
    const double *entry, *leverage, *quantity, *margin, *added, *open_fee, *other_pnl, *other_maintenance;
  };
  [[nodiscard]] Block at(std::size_t start) const noexcept {
    return {entry.at(start), leverage.at(start), quantity.at(start),  margin.at(start),
            added.at(start), open_fee.at(start), other_pnl.at(start), other_maintenance.at(start)};
  }

  Contract contract;
  Column<Side> side;
  BlockColumn entry, leverage, quantity, margin, added, open_fee, other_pnl, other_maintenance;
};

/// `kFull` without: no margin, fees or amounts are given, so a quantity is only checked.
template <bool kInverse, bool kEntryBasis, bool kHasMargin, bool kFull>
void one_rate_block(const BlockColumns& columns, const double* rate, const double* fee, const double* amount,
                    double max_leverage, std::size_t start, std::size_t count, double* price) noexcept {
  double direction[kBlock];
  columns.direction(start, count, direction);
  const auto [entry, leverage, quantity, margin, added, open_fee, other_pnl, other_maintenance] = columns.at(start);
  for (std::size_t i = 0; i < count; ++i) {
    const double d = direction[i];
    const double y0 = kInverse ? 1.0 / entry[i] : entry[i];
    const double q = quantity[i];
    bool ok = (entry[i] > 0.0) & (entry[i] < kInfinity) & (q > 0.0) & (q < kInfinity);
    ok &= (rate[i] >= 0.0) & (fee[i] >= 0.0) & (rate[i] + fee[i] < 1.0);
    if constexpr (kEntryBasis) ok &= fee[i] == 0.0;
    double m;
    double c = 0.0;
    if constexpr (kFull) {
      const double money = added[i] + other_pnl[i] - other_maintenance[i];
      ok &= (open_fee[i] >= 0.0) & (open_fee[i] < 1.0) & (std::fabs(money) < kInfinity);
      ok &= (amount[i] >= 0.0) & (amount[i] < kInfinity);
      c = amount[i] / q;
      if constexpr (kHasMargin) {
        ok &= std::fabs(margin[i]) < kInfinity;
        m = (margin[i] + money) / q - open_fee[i] * y0;
      } else {
        m = y0 / leverage[i] - open_fee[i] * y0 + money / q;
      }
    } else {
      m = y0 / leverage[i];
    }
    if constexpr (!kHasMargin) {
      ok &= (leverage[i] >= 1.0) & (leverage[i] < kInfinity) & (leverage[i] <= max_leverage);
      ok &= (rate[i] + fee[i]) * y0 - c < m;
    }
    double top;
    double bottom = 1.0;
    if constexpr (kEntryBasis) {
      top = y0 + d * (rate[i] * y0 - (c + m));
    } else {
      top = d * y0 - (m + c);
      bottom = d - (rate[i] + fee[i]);
    }
    const double p = kInverse ? bottom / top : top / bottom;
    ok &= (p > 0.0) & (p < kInfinity);
    price[i] = ok ? p : kNone;
  }
}

using OneRateBlock = void (*)(const BlockColumns&, const double*, const double*, const double*, double, std::size_t,
                              std::size_t, double*) noexcept;

OneRateBlock one_rate_kernel(Contract contract, MarginBasis basis, bool has_margin, bool full) noexcept {
  const auto pick = [&](auto inverse, auto entry) -> OneRateBlock {
    if (has_margin) return &one_rate_block<inverse(), entry(), true, true>;
    return full ? &one_rate_block<inverse(), entry(), false, true> : &one_rate_block<inverse(), entry(), false, false>;
  };
  if (contract == Contract::linear)
    return basis == MarginBasis::mark ? pick(std::false_type{}, std::false_type{})
                                      : pick(std::false_type{}, std::true_type{});
  return basis == MarginBasis::mark ? pick(std::true_type{}, std::false_type{})
                                    : pick(std::true_type{}, std::true_type{});
}

[[maybe_unused]] bool fits(const Positions& p, std::size_t rows) noexcept {
  const auto fit = [rows](const auto& span) { return span.size() == rows || span.size() <= 1; };
  return fit(p.side) && fit(p.entry_price) && fit(p.leverage) && fit(p.quantity) && fit(p.margin) &&
         fit(p.added_margin) && fit(p.open_fee) && fit(p.other_pnl) && fit(p.other_maintenance);
}

/// Fills the reasons where there is no price, by asking the scalar code.
template <class Scalar>
void fill_reasons(std::span<const double> price, std::span<NoPrice> reason, Scalar&& scalar) noexcept {
  for (std::size_t i = 0; i < reason.size(); ++i) reason[i] = std::isnan(price[i]) ? scalar(i) : NoPrice::none;
}

/// One position of a set of columns, as the scalar code takes it.
struct Row {
  explicit Row(const Positions& p)
      : side(p.side, kLong),
        entry(p.entry_price, kNotGiven),
        leverage(p.leverage, kNotGiven),
        quantity(p.quantity, kNotGiven),
        margin(p.margin, kNotGiven),
        added(p.added_margin, kZero),
        open_fee(p.open_fee, kZero),
        other_pnl(p.other_pnl, kZero),
        other_maintenance(p.other_maintenance, kZero),
        has_margin_(!p.margin.empty()),
        has_quantity_(!p.quantity.empty()) {}

  template <class Use>
  auto unit(std::size_t i, Contract contract, Use&& use) const noexcept {
    const auto call = [&](auto has_margin, auto has_quantity) {
      return use(unit_of<has_margin(), has_quantity()>(side[i], entry[i], leverage[i], quantity[i], margin[i], added[i],
                                                       open_fee[i], other_pnl[i], other_maintenance[i], contract));
    };
    if (has_margin_)
      return has_quantity_ ? call(std::true_type{}, std::true_type{}) : call(std::true_type{}, std::false_type{});
    return has_quantity_ ? call(std::false_type{}, std::true_type{}) : call(std::false_type{}, std::false_type{});
  }

  Column<Side> side;
  Column<double> entry, leverage, quantity, margin, added, open_fee, other_pnl, other_maintenance;
  bool has_margin_, has_quantity_;
};

void one_rate_prices(const Positions& p, Contract contract, const TermColumns& terms, double max_leverage,
                     std::span<double> price) noexcept {
  const BlockColumns columns(p, contract);
  const BlockColumn rate(terms.rate, kNotGiven);
  const BlockColumn fee(terms.fee, 0.0);
  const BlockColumn amount(terms.amount, 0.0);
  const bool full = !p.added_margin.empty() || !p.open_fee.empty() || !p.other_pnl.empty() ||
                    !p.other_maintenance.empty() || !terms.amount.empty();
  const OneRateBlock kernel = one_rate_kernel(contract, terms.basis, !p.margin.empty(), full);
  for (std::size_t start = 0; start < price.size(); start += kBlock) {
    const std::size_t count = std::min(kBlock, price.size() - start);
    kernel(columns, rate.at(start), fee.at(start), amount.at(start), max_leverage, start, count, price.data() + start);
  }
}

/// Tiers by notional with amounts, on the mark value, sizes given.
template <bool kInverse, bool kHasMargin>
void tiers_block(const BlockColumns& columns, const MarginSchedule& schedule, std::size_t start, std::size_t count,
                 double* price) noexcept {
  double direction[kBlock];
  double y0[kBlock];
  double own[kBlock];  // margin behind a unit
  double numerator[kBlock];
  double scale[kBlock];
  double size[kBlock];
  double first[kBlock];
  double need[kBlock];
  double limit[kBlock];
  double good[kBlock];
  columns.direction(start, count, direction);
  const auto [entry, leverage, quantity, margin, added, open_fee, other_pnl, other_maintenance] = columns.at(start);
  const std::vector<RiskTier>& tiers = schedule.risk_tiers();
  const double last_cap = tiers.back().cap;
  for (std::size_t i = 0; i < count; ++i) {
    const double q = quantity[i];
    const double y = kInverse ? 1.0 / entry[i] : entry[i];
    const double money = added[i] + other_pnl[i] - other_maintenance[i];
    bool ok = (entry[i] > 0.0) & (entry[i] < kInfinity) & (q > 0.0) & (q < kInfinity);
    ok &= (open_fee[i] >= 0.0) & (open_fee[i] < 1.0) & (std::fabs(money) < kInfinity);
    double m;
    if constexpr (kHasMargin) {
      ok &= std::fabs(margin[i]) < kInfinity;
      m = (margin[i] + money) / q - open_fee[i] * y;
    } else {
      ok &= (leverage[i] >= 1.0) & (leverage[i] < kInfinity);
      m = y / leverage[i] - open_fee[i] * y + money / q;
    }
    size[i] = q * y;
    ok &= size[i] <= last_cap;
    y0[i] = y;
    own[i] = m;
    numerator[i] = direction[i] * y - m;
    scale[i] = 1.0 / q;
    first[i] = -kInfinity;
    need[i] = -kInfinity;
    limit[i] = tiers[0].max_leverage;
    good[i] = ok ? 1.0 : 0.0;
  }
  for (const RiskTier& tier : tiers) {
    const double rate = tier.rate + schedule.fee();
    const double floor = tier.floor;
    const double amount_of_tier = tier.amount;
    const double most = tier.max_leverage;
    for (std::size_t i = 0; i < count; ++i) {
      const double amount = amount_of_tier * scale[i];
      const double key = direction[i] * ((numerator[i] - amount) / (direction[i] - rate));
      const double line = rate * y0[i] - amount;
      const double first_before = first[i];
      const double need_before = need[i];
      const double limit_before = limit[i];
      first[i] = key > first_before ? key : first_before;
      need[i] = line > need_before ? line : need_before;
      limit[i] = size[i] >= floor ? most : limit_before;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const double y = direction[i] * first[i];
    const double p = kInverse ? 1.0 / y : y;
    bool ok = (good[i] > 0.0) & (p > 0.0) & (p < kInfinity);
    if constexpr (!kHasMargin) ok &= (leverage[i] <= limit[i]) & (need[i] < own[i]);
    price[i] = ok ? p : kNone;
  }
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
  assert(fits(positions, price.size()) && "a column holds one value a position, or one for all");
  if (!positions.margin.empty() && positions.quantity.empty()) {
    std::fill(price.begin(), price.end(), kNone);
  } else if (positions.quantity.empty() && (!positions.added_margin.empty() || !positions.other_pnl.empty() ||
                                            !positions.other_maintenance.empty() || !terms.amount.empty())) {
    // Money without a quantity is only right where it is zero, which the scalar code looks at one by one.
    const Row row(positions);
    const Column<double> rate(terms.rate, kNotGiven);
    const Column<double> fee(terms.fee, kZero);
    const Column<double> amount(terms.amount, kZero);
    for (std::size_t i = 0; i < price.size(); ++i)
      price[i] = row.unit(i, contract, [&](const Unit& u) {
        return solve(u, contract, rate[i], fee[i], amount[i], terms.basis).price;
      });
  } else {
    one_rate_prices(positions, contract, terms, kInfinity, price);
  }
  if (reason.empty()) return;
  const Row row(positions);
  const Column<double> rate(terms.rate, kNotGiven);
  const Column<double> fee(terms.fee, kZero);
  const Column<double> amount(terms.amount, kZero);
  fill_reasons(price, reason, [&](std::size_t i) {
    return row.unit(i, contract,
                    [&](const Unit& u) { return solve(u, contract, rate[i], fee[i], amount[i], terms.basis).reason; });
  });
}

void liquidation_prices(const Positions& positions, Contract contract, const MarginSchedule& schedule,
                        std::span<double> price, std::span<NoPrice> reason) noexcept {
  assert(fits(positions, price.size()) && "a column holds one value a position, or one for all");
  const Row row(positions);
  const Column<double> leverage(positions.leverage, kNotGiven);
  const auto scalar = [&](std::size_t i) {
    return row.unit(i, contract, [&](const Unit& u) { return solve(u, contract, leverage[i], schedule); });
  };
  const bool sized = !positions.quantity.empty();
  const bool moneyless =
      positions.added_margin.empty() && positions.other_pnl.empty() && positions.other_maintenance.empty();
  if (sized && schedule.has_amounts() && schedule.basis() == MarginBasis::mark && schedule.risk_tiers().size() > 1) {
    const BlockColumns columns(positions, contract);
    const bool margin = !positions.margin.empty();
    const auto kernel = contract == Contract::linear ? (margin ? &tiers_block<false, true> : &tiers_block<false, false>)
                                                     : (margin ? &tiers_block<true, true> : &tiers_block<true, false>);
    for (std::size_t start = 0; start < price.size(); start += kBlock)
      kernel(columns, schedule, start, std::min(kBlock, price.size() - start), price.data() + start);
  } else if (!sized && moneyless && positions.margin.empty()) {
    const double rate[1] = {schedule.rate()};
    const double fee[1] = {schedule.fee()};
    one_rate_prices(positions, contract, {.rate = rate, .fee = fee, .amount = {}, .basis = schedule.basis()},
                    schedule.max_leverage(), price);
  } else {
    for (std::size_t i = 0; i < price.size(); ++i) price[i] = scalar(i).price;
  }
  fill_reasons(price, reason, [&](std::size_t i) { return scalar(i).reason; });
}

void bankruptcy_prices(const Positions& positions, Contract contract, std::span<double> price,
                       std::span<NoPrice> reason) noexcept {
  assert(fits(positions, price.size()) && "a column holds one value a position, or one for all");
  const Row row(positions);
  for (std::size_t i = 0; i < price.size(); ++i) {
    const LiquidationPrice found = row.unit(i, contract, [&](const Unit& u) { return solve_bankruptcy(u, contract); });
    price[i] = found.price;
    if (!reason.empty()) reason[i] = found.reason;
  }
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
