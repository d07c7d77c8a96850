// Liquidation prices of columns of positions, in blocks.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "liqcore/margin.hpp"
#include "margin_solve.hpp"

namespace liqcore::inline abi1 {
namespace {

using namespace solving;

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

}  // namespace

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

}  // namespace liqcore::inline abi1
