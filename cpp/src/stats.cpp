#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

std::string_view name(Reject reason) noexcept {
  constexpr std::string_view names[kRejectReasons] = {
      "none", "late", "not_finite", "not_positive", "too_large", "off_grid", "inconsistent", "off_range", "outlier"};
  return names[static_cast<std::size_t>(reason)];
}

Account& Account::operator+=(const Account& other) noexcept {
  opened += other.opened;
  live += other.live;
  liquidated += other.liquidated;
  closed += other.closed;
  underflow += other.underflow;
  overflow += other.overflow;
  unresolved += other.unresolved;
  no_price += other.no_price;
  return *this;
}

Account& Account::operator-=(const Account& other) noexcept {
  opened -= other.opened;
  live -= other.live;
  liquidated -= other.liquidated;
  closed -= other.closed;
  underflow -= other.underflow;
  overflow -= other.overflow;
  unresolved -= other.unresolved;
  no_price -= other.no_price;
  return *this;
}

double Account::imbalance() const noexcept {
  Tally rest = opened;
  for (const Tally* part : {&live, &liquidated, &closed, &underflow, &overflow, &unresolved, &no_price}) rest -= *part;
  return rest.value();
}

RowCounts& RowCounts::operator+=(const RowCounts& other) noexcept {
  rows += other.rows;
  used += other.used;
  rounded_qty += other.rounded_qty;
  for (std::size_t i = 0; i < kRejectReasons; ++i) rejected[i] += other.rejected[i];
  return *this;
}

RowCounts& RowCounts::operator-=(const RowCounts& other) noexcept {
  rows -= other.rows;
  used -= other.used;
  rounded_qty -= other.rounded_qty;
  for (std::size_t i = 0; i < kRejectReasons; ++i) rejected[i] -= other.rejected[i];
  return *this;
}

Stats& Stats::operator+=(const Stats& other) {
  RowCounts::operator+=(other);
  inexact = inexact || other.inexact;
  if (accounts.size() < other.accounts.size()) accounts.resize(other.accounts.size());
  for (std::size_t i = 0; i < other.accounts.size(); ++i) accounts[i] += other.accounts[i];
  return *this;
}

std::uint64_t RowCounts::rejected_total() const noexcept {
  std::uint64_t total = 0;
  for (const std::uint64_t count : rejected) total += count;
  return total;
}

}  // namespace liqcore::inline abi1
