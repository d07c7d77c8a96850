#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>
#include <vector>

#include "liqcore/instrument.hpp"
#include "margin_text.hpp"
#include "names.hpp"
#include "register.hpp"

namespace py = pybind11;

namespace liqcore::bindings {
namespace {

std::string repr(const Instrument& i) {
  const auto number = [](double value) { return std::string(py::repr(py::float_(value))); };
  return "Instrument(symbol='" + i.symbol() + "', venue='" + i.venue() + "', contract='" + word(i.contract()) +
         "', tick_size=" + number(i.tick_size()) + ", lot_size=" + number(i.lot_size()) +
         ", multiplier=" + number(i.multiplier()) + ", margin=" + repr_of(i.margin()) +
         (i.assumed().empty() ? "" : ", assumed=" + std::string(py::repr(py::cast(i.assumed())))) + ")";
}

}  // namespace

void register_instrument(py::module_& m) {
  const auto make = [](std::string symbol, std::string venue, std::string_view contract, double tick_size,
                       double lot_size, double multiplier, const MarginSchedule& margin,
                       std::vector<std::string> assumed) {
    return Instrument(std::move(symbol), std::move(venue), parse<Contract>(contract), tick_size, lot_size, multiplier,
                      margin, std::move(assumed));
  };
  py::class_<Instrument>(m, "Instrument", R"(
What is traded: grid, contract and margin terms of one perpetual future.

Prices and quantities arrive in the unit the venue prints; only the instrument converts them, once, to whole ticks and
lots, half to even. Immutable, safe to share between threads.

Parameters
----------
symbol : str
    The venue's name, such as "BTCUSDT".
venue : str
    Such as "binance-usdm"; may be empty.
contract : {"linear", "inverse"}
    Margined in the quote or in the base currency.
tick_size : float
    Smallest price step, quote currency; above 0.
lot_size : float
    Smallest quantity step, in the unit the venue prints; above 0.
multiplier : float
    Linear: units of base per printed unit of quantity. Inverse: USD per contract. Above 0.
margin : MarginSchedule
    Maintenance margin terms.
assumed : list of str
    Names of the values above that are a guess, not known; kept for display, no part of equality.

Raises
------
InvalidConfigError
    If a step or the multiplier is not above 0.

Examples
--------
>>> import liqcore as lq
>>> btc = lq.Instrument(symbol="BTCUSDT", venue="binance-usdm", tick_size=0.1, lot_size=0.001)
>>> btc.to_ticks(60_000.1), btc.to_lots(0.25)
(600001, 250)
)")
      .def(py::init(make), py::kw_only(), py::arg("symbol") = "", py::arg("venue") = "", py::arg("contract") = "linear",
           py::arg("tick_size"), py::arg("lot_size"), py::arg("multiplier") = 1.0,
           py::arg_v("margin", MarginSchedule::flat(0.004), "MarginSchedule.flat(0.004)"),
           py::arg_v("assumed", std::vector<std::string>(), "()"))
      .def_static(
          "infer",
          [](const py::object& files, const py::object& symbol, const py::object& venue, const py::object& contract,
             const py::object& multiplier, const py::str& format) {
            return py::module_::import("liqcore.runs.infer")
                .attr("infer")(files, py::arg("symbol") = symbol, py::arg("venue") = venue,
                               py::arg("contract") = contract, py::arg("multiplier") = multiplier,
                               py::arg("format") = format);
          },
          py::arg("files"), py::kw_only(), py::arg("symbol") = py::none(), py::arg("venue") = py::none(),
          py::arg("contract") = py::none(), py::arg("multiplier") = py::none(), py::arg("format") = "auto", R"(
Make an instrument from trade files, with every guess named in ``assumed``; see `liqcore.runs.infer.infer`.
)")
      .def_property_readonly("symbol", &Instrument::symbol, "The venue's name.")
      .def_property_readonly("venue", &Instrument::venue, "The venue.")
      .def_property_readonly(
          "contract", [](const Instrument& self) { return word(self.contract()); }, "\"linear\" or \"inverse\".")
      .def_property_readonly("tick_size", &Instrument::tick_size, "Smallest price step, quote currency.")
      .def_property_readonly("lot_size", &Instrument::lot_size, "Smallest quantity step.")
      .def_property_readonly("multiplier", &Instrument::multiplier,
                             "Units of base per unit of quantity (linear), USD per contract (inverse).")
      .def_property_readonly("margin", &Instrument::margin, "Maintenance margin terms.")
      .def_property_readonly(
          "assumed", [](const Instrument& self) { return py::tuple(py::cast(self.assumed())); },
          "Names of the values that are a guess, not known; empty where everything is known.")
      .def(
          "to_ticks", [](const Instrument& self, double price) { return self.to_ticks(price).units; }, py::arg("price"),
          "Price in whole ticks, rounded half to even.")
      .def(
          "to_lots", [](const Instrument& self, double qty) { return self.to_lots(qty).units; }, py::arg("qty"),
          "Quantity in whole lots, rounded half to even.")
      .def(
          "__eq__", [](const Instrument& a, const Instrument& b) { return a == b; }, py::is_operator())
      .def("__hash__",
           [](const Instrument& self) {
             return py::hash(py::make_tuple(self.symbol(), self.venue(), self.tick_size()));
           })
      .def("__repr__", [](const Instrument& self) { return repr(self); })
      .def(py::pickle(
          [](const Instrument& self) {
            return py::make_tuple(self.symbol(), self.venue(), word(self.contract()), self.tick_size(), self.lot_size(),
                                  self.multiplier(), self.margin(), self.assumed());
          },
          [make](const py::tuple& state) {
            return make(state[0].cast<std::string>(), state[1].cast<std::string>(), state[2].cast<std::string>(),
                        state[3].cast<double>(), state[4].cast<double>(), state[5].cast<double>(),
                        state[6].cast<MarginSchedule>(), state[7].cast<std::vector<std::string>>());
          }));
}

}  // namespace liqcore::bindings
