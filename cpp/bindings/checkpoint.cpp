#include "checkpoint.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "liqcore/error.hpp"

namespace liqcore::bindings {
namespace {

constexpr Tally Account::* kTallies[] = {&Account::opened,     &Account::live,      &Account::liquidated,
                                         &Account::closed,     &Account::underflow, &Account::overflow,
                                         &Account::unresolved, &Account::no_price};

std::optional<TickRange> range_of(const py::handle& range) {
  if (range.is_none()) return std::nullopt;
  const auto [low, high] = range.cast<std::pair<std::int64_t, std::int64_t>>();
  return TickRange{low, high};
}

SampledState sampled_state(const py::dict& from) {
  SampledState out;
  out.before = from["before"].cast<std::optional<double>>();
  for (const py::handle row : from["profile"]) {
    const auto [tick, bought, sold] = row.cast<std::tuple<std::int64_t, double, double>>();
    out.interval.profile.push_back({tick, bought, sold});
  }
  out.interval.hull = range_of(from["hull"]);
  const auto [open, high, low, close, buy, sell] =
      from["prices"].cast<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, double, double>>();
  out.interval.prices = {open, high, low, close, buy, sell};
  for (const py::handle pair : from["liquidated"]) {
    const auto [whole, fraction] = pair.cast<std::pair<std::int64_t, double>>();
    out.liquidated.emplace_back();
    out.liquidated.back().add(whole);
    out.liquidated.back().add(fraction);
  }
  out.spared = from["spared"].cast<std::vector<double>>();
  out.capped = from["capped"].cast<std::vector<double>>();
  return out;
}

/// Accounts from columns of a header of JSON.
std::vector<Account> accounts_of(const py::dict& from, const char* whole_name, const char* fraction_name,
                                 std::size_t layers) {
  const auto whole = from[whole_name].cast<std::vector<std::int64_t>>();
  const auto fractions = from[fraction_name].cast<std::vector<double>>();
  if (whole.size() != layers * std::size(kTallies) || fractions.size() != whole.size())
    throw InvalidConfig("a checkpoint must be of the same number of tiers and the same version");
  std::vector<Account> out(layers);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Tally& tally = out[i / std::size(kTallies)].*kTallies[i % std::size(kTallies)];
    tally.add(whole[i]);
    tally.add(fractions[i]);
  }
  return out;
}

}  // namespace

void restore(PyEngine& self, const History& windows, const py::dict& state) {
  const Feeding guard(self);
  if (windows.size() == 0) throw InvalidConfig("a checkpoint must hold the unfinished window");
  const std::size_t before = windows.size() - 1;
  History closed(windows.terms(), std::nullopt);
  Cells base;
  windows.base().extract(base);
  for (std::size_t e = 0; e <= windows.entry_of(before); ++e) {
    const History::Entry entry = windows.entry(e);
    if (const std::size_t count = std::min(entry.count, before - entry.first); count > 0)
      closed.append(windows.segment(entry.first), count);
  }
  // Files of liqcore 0.1.0 do not say what they are of, nor how many windows there have been.
  const bool knows = state.contains("kind");
  const auto total = knows ? state["total"].cast<std::uint64_t>() : before;
  if (total < before) throw InvalidConfig("a checkpoint must count the windows that it holds");
  closed.set_base(base, total - before);
  const auto axis = state["axis"].cast<std::pair<std::int64_t, std::int64_t>>();
  Stats stats;
  stats.rows = state["rows"].cast<std::uint64_t>();
  stats.used = state["used"].cast<std::uint64_t>();
  stats.rounded_qty = state["rounded_qty"].cast<std::uint64_t>();
  const auto rejected = state["rejected"].cast<std::vector<std::uint64_t>>();
  const std::size_t layers = 2 * self.engine.leverage().size();
  if (rejected.size() < 7 || rejected.size() > kRejectReasons)  // liqcore 0.1.0 knew seven
    throw InvalidConfig("a checkpoint must be of the same number of tiers and the same version");
  std::copy(rejected.begin(), rejected.end(), stats.rejected.begin());
  stats.inexact = state["inexact"].cast<bool>();
  stats.accounts = accounts_of(state, "whole_lots", "fractions", layers);
  std::vector<Account> earlier;
  std::vector<std::pair<std::string, std::string>> kind;
  Segment open = windows.segment(before);
  if (knows) {
    earlier = accounts_of(state, "earlier_whole_lots", "earlier_fractions", layers);
    for (const auto& [name, value] : py::dict(state["kind"]))
      kind.emplace_back(name.cast<std::string>(), value.cast<std::string>());
    open.last_ns = state["last_ns"].cast<std::int64_t>();
  }
  self.engine.restore(Checkpoint{std::move(closed),
                                 std::move(open),
                                 std::move(stats),
                                 state["clock_ns"].cast<std::int64_t>(),
                                 {axis.first, axis.second},
                                 range_of(state["triggered"]),
                                 state["used_trades"].cast<bool>(),
                                 state["used_candle_volumes"].cast<bool>(),
                                 sampled_state(py::dict(state["sampled"])),
                                 state["last_price"].cast<std::int64_t>(),
                                 state["began_ns"].cast<std::int64_t>(),
                                 state["liquidated_usd"].cast<std::vector<double>>(),
                                 std::move(earlier),
                                 std::move(kind),
                                 knows ? range_of(state["run"]) : std::nullopt,
                                 knows ? state["run_tick"].cast<std::int64_t>() : 0});
}

}  // namespace liqcore::bindings
