#include <pybind11/pybind11.h>

#include <stdexcept>

#include "arrays.hpp"
#include "columns/check.hpp"
#include "register.hpp"

namespace liqcore::bindings {

void register_columns(py::module_& m) {
  py::class_<columns::TradeCheck>(m, "TradeCheck", "What `check_trades` found.")
      .def_readonly("usable", &columns::TradeCheck::usable, "Every price and quantity is finite and above zero.")
      .def_readonly("in_order", &columns::TradeCheck::in_order, "The times never fall.")
      .def_readonly("low", &columns::TradeCheck::low, "Least time; 0 if there are no rows.")
      .def_readonly("high", &columns::TradeCheck::high, "Greatest time.")
      .def_readonly("price_decimals", &columns::TradeCheck::price_decimals,
                    "Digits after the point that the finest price needs; meaningless where not usable.")
      .def_readonly("qty_decimals", &columns::TradeCheck::qty_decimals, "The same of the quantities.");

  m.def(
      "check_trades",
      [](const py::object& ts, const py::object& price, const py::object& qty) {
        const auto times_ns = any_times(ts, "ts");
        const auto prices = doubles(price, "price");
        const auto quantities = doubles(qty, "qty");
        if (times_ns.size() != prices.size() || prices.size() != quantities.size())
          throw py::value_error("ts, price and qty must have one length");
        const py::gil_scoped_release unlocked;
        return columns::check_trades(times_ns, prices, quantities);
      },
      "Look once over columns of trades: are they in order and usable, and how fine are their grids?", py::arg("ts"),
      py::arg("price"), py::arg("qty"));
}

}  // namespace liqcore::bindings
