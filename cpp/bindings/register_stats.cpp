#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "arrays.hpp"
#include "liqcore/stats.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

/// One number of every account as float64 (2, tiers): longs, shorts.
template <class Read>
py::array_t<double> by_layer(const Stats& stats, Read&& read) {
  const auto tiers = static_cast<py::ssize_t>(stats.accounts.size() / 2);
  py::array_t<double> out({py::ssize_t{2}, tiers});
  double* data = out.mutable_data();
  for (std::size_t i = 0; i < stats.accounts.size(); ++i) data[i] = read(stats.accounts[i]);
  return out;
}

template <Tally Account::* Field>
py::array_t<double> field(const Stats& stats) {
  return by_layer(stats, [](const Account& account) { return (account.*Field).value(); });
}

py::dict rejected(const Stats& stats) {
  py::dict out;
  for (std::size_t i = 1; i < kRejectReasons; ++i)
    out[py::str(std::string(name(static_cast<Reject>(i))))] = stats.rejected[i];
  return out;
}

}  // namespace

void register_stats(py::module_& m) {
  py::class_<Stats>(m, "Stats", R"(
Where every row and every lot went, over some stretch of input. Stretches add up with ``+``.

``rows = used + sum(rejected.values())``, and per side and tier, in lots,
``opened = live + liquidated + closed + underflow + overflow + unresolved + no_price`` (`live` of one call is the
change of what is live). The arrays are float64 of shape (2, tiers): longs, shorts.
)")
      .def_readonly("rows", &Stats::rows, "Rows given: used + rejected.")
      .def_readonly("used", &Stats::used, "Rows that reached the book.")
      .def_readonly("rounded_qty", &Stats::rounded_qty,
                    "Used rows whose quantity was off the lot grid and was rounded.")
      .def_property_readonly(
          "rejected", &rejected,
          "Rows not used, by reason: late, not_finite, not_positive, too_large, off_grid, inconsistent, off_range, "
          "outlier.")
      .def_readonly("inexact", &Stats::inexact, "True once a cell went beyond what a double holds exactly.")
      .def_property_readonly("opened", &field<&Account::opened>, "Opened, lots.")
      .def_property_readonly("live", &field<&Account::live>, "Live, lots.")
      .def_property_readonly("liquidated", &field<&Account::liquidated>, "Liquidated by a touch, lots.")
      .def_property_readonly("closed", &field<&Account::closed>, "Closed by a scale, lots.")
      .def_property_readonly("underflow", &field<&Account::underflow>, "Level below the axis, lots.")
      .def_property_readonly("overflow", &field<&Account::overflow>, "Level above the axis, lots.")
      .def_property_readonly(
          "out_of_range",
          [](const Stats& self) {
            return by_layer(self, [](const Account& a) { return a.underflow.value() + a.overflow.value(); });
          },
          "Level outside the axis, lots: underflow + overflow.")
      .def_property_readonly("unresolved", &field<&Account::unresolved>,
                             "Level inside a bin that the same event already reached, lots.")
      .def_property_readonly("no_price", &field<&Account::no_price>, "No liquidation price exists, lots.")
      .def(
          "imbalance", [](const Stats& self) { return by_layer(self, [](const Account& a) { return a.imbalance(); }); },
          "What the account is off by, lots, from the exact totals: zeros unless a bug lives.")
      .def(
          "__add__", [](Stats a, const Stats& b) { return a += b; }, py::is_operator())
      .def(
          "__eq__", [](const Stats& a, const Stats& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Stats& self) {
        std::string out = "Stats(rows=" + std::to_string(self.rows) + ", used=" + std::to_string(self.used) +
                          ", rounded_qty=" + std::to_string(self.rounded_qty);
        for (std::size_t i = 1; i < kRejectReasons; ++i)
          if (self.rejected[i] > 0)
            out += ", " + std::string(name(static_cast<Reject>(i))) + "=" + std::to_string(self.rejected[i]);
        return out + ")";
      });
}

}  // namespace liqcore::bindings
