#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "liqcore/margin.hpp"
#include "margin_text.hpp"
#include "names.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string number(double value) { return py::repr(py::float_(value)); }

MarginSchedule flat(double rate, double fee, std::string_view basis) {
  return MarginSchedule::flat(rate, fee, parse<MarginBasis>(basis));
}

MarginSchedule sloped(double rate, double slope, std::optional<double> max_leverage, double fee,
                      std::string_view basis) {
  return MarginSchedule::sloped(rate, slope, max_leverage.value_or(kInfinity), fee, parse<MarginBasis>(basis));
}

/// Tiers from mappings with the keys floor, cap, rate, amount and max_leverage; absent or None is not known.
MarginSchedule tiers(const py::iterable& rows, double fee, std::string_view basis, std::string_view unit,
                     std::string_view amounts, const std::string& venue, const std::string& symbol) {
  const std::string name = venue.empty() ? symbol : symbol.empty() ? venue : venue + " " + symbol;
  const std::string start = name.empty() ? std::string() : name + " ";
  if (amounts != "given" && amounts != "derived")
    throw InvalidConfig(R"(amounts must be one of "given", "derived", was ")" + std::string(amounts) + "\"");
  std::vector<RiskTier> list;
  std::size_t with_amount = 0;
  for (const py::handle row : rows) {
    const std::string where = start + "tier " + std::to_string(list.size() + 1) + ": ";
    if (!py::isinstance<py::dict>(row))
      throw py::type_error(where + "must be a dict with floor, cap, rate, amount and max_leverage, was a " +
                           Py_TYPE(row.ptr())->tp_name);
    RiskTier tier;
    tier.floor = list.empty() ? 0.0 : list.back().cap;
    bool has_rate = false;
    bool has_amount = false;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(row)) {
      const std::string word = py::str(key);
      if (value.is_none()) continue;
      double given;
      try {
        given = value.cast<double>();
      } catch (const py::cast_error&) {
        throw py::type_error(where + word + " must be a number, was a " + Py_TYPE(value.ptr())->tp_name);
      }
      if (word == "floor")
        tier.floor = given;
      else if (word == "cap")
        tier.cap = given;
      else if (word == "rate")
        tier.rate = given, has_rate = true;
      else if (word == "amount")
        tier.amount = given, has_amount = true;
      else if (word == "max_leverage")
        tier.max_leverage = given;
      else
        throw InvalidConfig(where + "keys must be floor, cap, rate, amount and max_leverage, was \"" + word + "\"");
    }
    if (!has_rate) throw InvalidConfig(where + "rate must be given, was not");
    with_amount += has_amount;
    list.push_back(tier);
  }
  if (amounts == "derived") {
    if (with_amount > 0) throw InvalidConfig(start + "amounts=\"derived\" goes without amounts in the tiers");
    for (std::size_t n = 1; n < list.size(); ++n)
      list[n].amount = list[n - 1].amount + list[n].floor * (list[n].rate - list[n - 1].rate);
  } else if (with_amount > 0 && with_amount < list.size()) {
    throw InvalidConfig(start + "amount must be given for every tier or for none, was for " +
                        std::to_string(with_amount) + " of " + std::to_string(list.size()));
  }
  const bool has_amounts = amounts == "derived" || with_amount > 0;
  return MarginSchedule::tiers(std::move(list), has_amounts, fee, parse<MarginBasis>(basis), parse<TierUnit>(unit),
                               name);
}

py::list rows_of(const MarginSchedule& margin) {
  py::list rows;
  for (const RiskTier& tier : margin.risk_tiers()) {
    py::dict row;
    row["floor"] = tier.floor;
    row["cap"] = tier.cap;
    row["rate"] = tier.rate;
    if (margin.has_amounts()) row["amount"] = tier.amount;
    if (tier.max_leverage < kInfinity) row["max_leverage"] = tier.max_leverage;
    rows.append(row);
  }
  return rows;
}

std::map<double, double> sizes_of(const MarginSchedule& margin) {
  return {margin.assumed_sizes().begin(), margin.assumed_sizes().end()};
}

MarginSchedule assuming(const MarginSchedule& margin, const std::map<double, double>& sizes) {
  return margin.assuming({sizes.begin(), sizes.end()});
}

bool is_flat(const MarginSchedule& margin) {
  const RiskTier& tier = margin.risk_tiers().front();
  return margin.risk_tiers().size() == 1 && tier.cap == kInfinity && tier.max_leverage == kInfinity &&
         !margin.has_amounts() && margin.unit() == TierUnit::notional;
}

bool is_sloped(const MarginSchedule& margin) {
  return margin.risk_tiers().size() == 1 && margin.unit() == TierUnit::quantity &&
         margin.risk_tiers().front().cap == kInfinity;
}

py::tuple state_of(const MarginSchedule& margin) {
  return py::make_tuple(rows_of(margin), margin.has_amounts(), margin.fee(), word(margin.basis()), word(margin.unit()),
                        margin.slope(), sizes_of(margin));
}

MarginSchedule from_state(const py::tuple& state) {
  const auto rows = state[0].cast<py::list>();
  const double fee = state[2].cast<double>();
  const auto basis = state[3].cast<std::string>();
  const auto unit = state[4].cast<std::string>();
  const double slope = state[5].cast<double>();
  const auto sizes = state[6].cast<std::map<double, double>>();
  if (slope > 0.0) {
    const auto row = rows[0].cast<py::dict>();
    const double most = row.contains("max_leverage") ? row["max_leverage"].cast<double>() : kInfinity;
    return assuming(sloped(row["rate"].cast<double>(), slope, most, fee, basis), sizes);
  }
  return assuming(tiers(rows, fee, basis, unit, "given", "", ""), sizes);
}

std::span<const double> column(py::handle object, const char* argument) {
  return object.is_none() ? std::span<const double>() : doubles(object, argument);
}

/// Columns as the library takes them; every length is 1 or that of the longest.
struct PositionColumns {
  PositionColumns(py::handle side, const py::dict& columns) {
    const auto words = integers<std::uint8_t>(side, "side");
    for (const std::uint8_t each : words)
      if (each > 1) throw InvalidConfig("side must be 0 (long) or 1 (short), was " + std::to_string(int{each}));
    // Side is an enumeration over uint8, checked above; the memory is numpy's.
    positions.side = {reinterpret_cast<const Side*>(words.data()), words.size()};
    const auto take = [&](const char* name) {
      return columns.contains(name) ? column(columns[name], name) : std::span<const double>();
    };
    positions.entry_price = take("entry");
    positions.leverage = take("leverage");
    positions.quantity = take("qty");
    positions.margin = take("margin");
    positions.added_margin = take("added_margin");
    positions.open_fee = take("open_fee");
    positions.other_pnl = take("other_pnl");
    positions.other_maintenance = take("other_maintenance");
    terms.rate = take("mmr");
    terms.fee = take("fee");
    terms.amount = take("maintenance_amount");
    const auto fit = [&](std::size_t length, const char* name) {
      if (length != 1 && rows != 1 && length != rows)
        throw py::value_error(std::string(name) + " must have " + std::to_string(rows) + " values or 1, had " +
                              std::to_string(length));
      if (rows == 1) rows = length;
    };
    fit(words.size(), "side");
    for (const auto& [key, value] : columns) {
      const std::string name = py::str(key);
      if (!value.is_none()) fit(column(value, name.c_str()).size(), name.c_str());
    }
  }
  Positions positions;
  TermColumns terms;
  std::size_t rows = 1;
};

struct Answers {
  explicit Answers(std::size_t rows, bool want_reason = true)
      : price(static_cast<py::ssize_t>(rows)), reason(static_cast<py::ssize_t>(want_reason ? rows : 0)) {}
  std::span<double> prices() { return {price.mutable_data(), static_cast<std::size_t>(price.size())}; }
  std::span<NoPrice> reasons() {
    return {reinterpret_cast<NoPrice*>(reason.mutable_data()), static_cast<std::size_t>(reason.size())};
  }
  py::array_t<double> price;
  py::array_t<std::uint8_t> reason;
};

py::tuple liquidation_prices_of(py::handle side, const py::dict& columns, std::string_view contract,
                                std::string_view basis, const MarginSchedule* schedule, bool want_reason) {
  PositionColumns in(side, columns);
  in.terms.basis = parse<MarginBasis>(basis);
  const auto type = parse<Contract>(contract);
  Answers out(in.rows, want_reason);
  const auto price = out.prices();
  const auto reason = out.reasons();
  {
    const py::gil_scoped_release unlocked;
    if (schedule != nullptr)
      liquidation_prices(in.positions, type, *schedule, price, reason);
    else
      liquidation_prices(in.positions, type, in.terms, price, reason);
  }
  return py::make_tuple(out.price, out.reason);
}

py::tuple bankruptcy_prices_of(py::handle side, const py::dict& columns, std::string_view contract) {
  const PositionColumns in(side, columns);
  const auto type = parse<Contract>(contract);
  Answers out(in.rows);
  const auto price = out.prices();
  const auto reason = out.reasons();
  {
    const py::gil_scoped_release unlocked;
    bankruptcy_prices(in.positions, type, price, reason);
  }
  return py::make_tuple(out.price, out.reason);
}

}  // namespace

std::string repr_of(const MarginSchedule& margin) {
  const std::string end = "fee=" + number(margin.fee()) + ", basis='" + word(margin.basis()) + "')";
  const RiskTier& first = margin.risk_tiers().front();
  std::string text;
  if (is_flat(margin)) {
    text = "MarginSchedule.flat(" + number(first.rate) + ", " + end;
  } else if (is_sloped(margin)) {
    text = "MarginSchedule.sloped(" + number(first.rate) + ", " + number(margin.slope()) + ", " +
           (first.max_leverage < kInfinity ? "max_leverage=" + number(first.max_leverage) + ", " : "") + end;
  } else {
    text = "MarginSchedule.tiers([";
    for (std::size_t n = 0; n < margin.risk_tiers().size(); ++n) {
      const RiskTier& tier = margin.risk_tiers()[n];
      text += std::string(n == 0 ? "" : ", ") + "{'floor': " + number(tier.floor);
      if (tier.cap < kInfinity) text += ", 'cap': " + number(tier.cap);
      text += ", 'rate': " + number(tier.rate);
      if (margin.has_amounts()) text += ", 'amount': " + number(tier.amount);
      if (tier.max_leverage < kInfinity) text += ", 'max_leverage': " + number(tier.max_leverage);
      text += "}";
    }
    text += "], unit='" + word(margin.unit()) + "', " + end;
  }
  if (!margin.assumed_sizes().empty()) text += ".assuming(" + std::string(py::repr(py::cast(sizes_of(margin)))) + ")";
  return text;
}

void register_margin(py::module_& m) {
  py::class_<MarginSchedule>(m, "MarginSchedule", R"(
Maintenance margin terms of an instrument: one rate for every position, or a table of risk tiers.

Immutable, safe to share between threads.

Examples
--------
>>> import liqcore as lq
>>> margin = lq.MarginSchedule.flat(0.004)
>>> round(margin.level_factor("long", "linear", 25), 6)  # 3.614 % below the entry
0.963855
)")
      .def_static("flat", &flat, py::arg("rate"), py::kw_only(), py::arg("fee") = 0.0, py::arg("basis") = "mark", R"(
One maintenance margin rate for everybody.

Parameters
----------
rate : float
    Maintenance margin rate, fraction of notional (0.004 is 0.4 %); 0 <= rate < 1.
fee : float
    Liquidation fee rate charged at the liquidation price, fraction; must be 0 with basis "entry".
basis : {"mark", "entry"}
    Whether the rate is a share of the notional at the mark price or at the entry price.

Raises
------
InvalidConfigError
    If a value breaks its rule.
)")
      .def_static("tiers", &tiers, py::arg("tiers"), py::kw_only(), py::arg("fee") = 0.0, py::arg("basis") = "mark",
                  py::arg("unit") = "notional", py::arg("amounts") = "given", py::arg("venue") = "",
                  py::arg("symbol") = "", R"(
A venue's table of risk tiers.

With maintenance amounts the tier is the one of the notional at the liquidation price. Without them (OKX, BitMEX) one
rate, chosen by the size at entry, holds for the whole position.

Parameters
----------
tiers : list of dict
    Rising rows of ``floor`` (default: the cap before), ``cap`` (default: infinity), ``rate``, ``amount`` (maintenance
    amount in the margin currency, for every tier or for none) and ``max_leverage`` (default: not known).
fee : float
    Liquidation fee rate charged at the liquidation price, fraction; must be 0 with basis "entry".
basis : {"mark", "entry"}
    Whether the rates are a share of the notional at the mark price or at the entry price.
unit : {"notional", "quantity"}
    What floors and caps count: notional in the margin currency, or quantity (base units; USD of an inverse contract).
amounts : {"given", "derived"}
    "derived" works the amounts out so that maintenance margin is continuous, for tables that leave them out.
venue, symbol : str
    Named in error messages.

Raises
------
InvalidConfigError
    If there is a gap or an overlap, rates do not rise, amounts are not continuous (1e-6), or a maximum leverage times
    its rate is above 1; the message names venue, symbol and tier.

Examples
--------
>>> import liqcore as lq
>>> table = lq.MarginSchedule.tiers([
...     {"cap": 300_000, "rate": 0.004, "amount": 0, "max_leverage": 150},
...     {"cap": 800_000, "rate": 0.005, "amount": 300, "max_leverage": 100},
... ])
>>> round(lq.liquidation_price("long", 60_000, 50, qty=10, schedule=table), 2)
59065.33
)")
      .def_static("sloped", &sloped, py::arg("rate"), py::arg("slope"), py::kw_only(),
                  py::arg("max_leverage") = py::none(), py::arg("fee") = 0.0, py::arg("basis") = "mark", R"(
A rate that grows with the quantity, as on Deribit: rate + slope x quantity, for the whole position.

Parameters
----------
rate : float
    Maintenance margin rate of the smallest position, fraction.
slope : float
    What each unit of quantity adds to the rate.
max_leverage : float, optional
    Of the smallest position; the initial margin rate grows by the same slope.
fee, basis
    As in `flat`.
)")
      .def_property_readonly("rate", &MarginSchedule::rate,
                             "Maintenance margin rate (of the first tier), fraction of notional.")
      .def_property_readonly("fee", &MarginSchedule::fee, "Liquidation fee rate, fraction.")
      .def_property_readonly(
          "basis", [](const MarginSchedule& self) { return word(self.basis()); }, "\"mark\" or \"entry\".")
      .def_property_readonly("risk_tiers", &rows_of,
                             "The table as a list of dicts that `tiers` takes back; unknown keys are absent.")
      .def_property_readonly("has_amounts", &MarginSchedule::has_amounts, "Whether the table has maintenance amounts.")
      .def_property_readonly(
          "unit", [](const MarginSchedule& self) { return word(self.unit()); }, "\"notional\" or \"quantity\".")
      .def_property_readonly("slope", &MarginSchedule::slope, "What a unit of quantity adds to the rate.")
      .def_property_readonly(
          "max_leverage",
          [](const MarginSchedule& self) {
            return self.max_leverage() < kInfinity ? std::optional<double>(self.max_leverage()) : std::nullopt;
          },
          "Highest leverage there is (that of the first tier), or None if not known.")
      .def_property_readonly("assumed_sizes", &sizes_of, "Position size assumed for a leverage; see `assuming`.")
      .def("assuming", &assuming, py::arg("sizes"), R"(
Return the same terms with a position size assumed for some leverages, which picks their risk tier in `level_factor`.

Parameters
----------
sizes : dict of float to float
    Size by leverage, in the table's unit (notional in the margin currency, or quantity); above 0.

Examples
--------
>>> import liqcore as lq
>>> table = lq.MarginSchedule.tiers([{"cap": 100.0, "rate": 0.01, "amount": 0}, {"rate": 0.02, "amount": 1.0}])
>>> table.level_factor("long", "linear", 10) == 0.9 / 0.99
True
>>> round(table.assuming({10: 200.0}).level_factor("long", "linear", 10), 6)  # (1 - 1/10 - 1/200) / (1 - 0.02)
0.913265
)")
      .def(
          "level_factor",
          [](const MarginSchedule& self, std::string_view side, std::string_view contract, double leverage) {
            if (!(leverage > 0.0)) throw InvalidConfig("leverage must be at least 1, was " + number(leverage));
            return self.level_factor(parse<Side>(side), parse<Contract>(contract), leverage);
          },
          py::arg("side"), py::arg("contract"), py::arg("leverage"), R"(
Liquidation price divided by entry price of an isolated position; NaN where there is none.

The first risk tier is used, or that of the size assumed for this leverage. The four formulas and their sources are in
docs/theory/venues.md. A `leverage` below 1 is a distance from the entry: 1 - d for longs and 1 + d for shorts, whatever
the terms.
)")
      .def(
          "level_reason",
          [](const MarginSchedule& self, std::string_view side, std::string_view contract, double leverage) {
            return static_cast<int>(self.level(parse<Side>(side), parse<Contract>(contract), leverage).reason);
          },
          py::arg("side"), py::arg("contract"), py::arg("leverage"),
          "Why `level_factor` is NaN: a `liqcore.NoPrice` as a number, 0 where there is a factor.")
      .def(
          "__eq__", [](const MarginSchedule& a, const MarginSchedule& b) { return a == b; }, py::is_operator())
      .def("__hash__", [](const MarginSchedule& self) { return py::hash(py::str(repr_of(self))); })
      .def("__repr__", [](const MarginSchedule& self) { return repr_of(self); })
      .def(py::pickle(&state_of, &from_state));

  m.def("liquidation_prices", &liquidation_prices_of, py::arg("side").noconvert(), py::arg("columns"), py::kw_only(),
        py::arg("contract"), py::arg("basis"), py::arg("schedule").none(true), py::arg("want_reason") = true);
  m.def("bankruptcy_prices", &bankruptcy_prices_of, py::arg("side").noconvert(), py::arg("columns"), py::kw_only(),
        py::arg("contract"));
  m.def(
      "hedge_liquidation_prices",
      [](double long_entry, double long_qty, double short_entry, double short_qty, double margin,
         std::string_view contract, const MarginSchedule& schedule) {
        const HedgePrices found = hedge_liquidation_prices({.long_entry_price = long_entry,
                                                            .long_quantity = long_qty,
                                                            .short_entry_price = short_entry,
                                                            .short_quantity = short_qty,
                                                            .margin = margin},
                                                           parse<Contract>(contract), schedule);
        return py::make_tuple(found.below, found.above, static_cast<int>(found.reason));
      },
      py::arg("long_entry"), py::arg("long_qty"), py::arg("short_entry"), py::arg("short_qty"), py::arg("margin"),
      py::kw_only(), py::arg("contract"), py::arg("schedule"));
}

}  // namespace liqcore::bindings
