#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "axis.hpp"
#include "liqcore/instrument.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

Axis make(double low, double high, double step, double tick_size) {
  return {PriceAxis::from_prices(low, high, step, tick_size), tick_size};
}

double price(const Axis& self, std::int64_t tick) { return static_cast<double>(tick) * self.tick_size; }

}  // namespace

void register_axis(py::module_& m) {
  py::class_<Axis>(m, "PriceAxis", R"(
Equal price bins on an instrument's tick grid: bin i covers [low + i*step, low + (i+1)*step).

Works on whole ticks, so an edge never moves by rounding, and edges are multiples of the step, so axes of one step
always agree. Immutable, safe to share between threads.

Parameters
----------
low, high : float
    First and last edge, price; multiples of step.
step : float
    Width of a bin, price; a multiple of tick_size.
tick_size : float
    The instrument's smallest price step.

Raises
------
InvalidConfigError
    If an edge is no multiple of step, step none of tick_size, or high is not above low.

Examples
--------
>>> import liqcore as lq
>>> axis = lq.PriceAxis(low=50_000, high=80_000, step=10, tick_size=0.1)
>>> axis.size, axis.index(50_009.9), axis.index(49_999.9), axis.index(80_000)
(3000, 0, -1, 3000)
)")
      .def(py::init(&make), py::kw_only(), py::arg("low"), py::arg("high"), py::arg("step"), py::arg("tick_size"))
      .def_property_readonly(
          "low", [](const Axis& self) { return price(self, self.axis.low_tick()); }, "First edge, price.")
      .def_property_readonly(
          "high", [](const Axis& self) { return price(self, self.axis.high_tick()); }, "Last edge, price.")
      .def_property_readonly(
          "step", [](const Axis& self) { return price(self, self.axis.ticks_per_bin()); }, "Width of a bin, price.")
      .def_property_readonly(
          "tick_size", [](const Axis& self) { return self.tick_size; }, "Price of one tick.")
      .def_property_readonly(
          "size", [](const Axis& self) { return self.axis.size(); }, "Number of bins.")
      .def_property_readonly(
          "low_tick", [](const Axis& self) { return self.axis.low_tick(); }, "First edge, ticks.")
      .def_property_readonly(
          "ticks_per_bin", [](const Axis& self) { return self.axis.ticks_per_bin(); }, "Width of a bin, ticks.")
      .def_property_readonly(
          "first_bin", [](const Axis& self) { return self.axis.first_bin(); },
          "Absolute number of the first bin, counted from price 0.")
      .def_property_readonly(
          "prices",
          [](const Axis& self) {
            std::vector<double> lows(static_cast<std::size_t>(self.axis.size()));
            for (std::size_t i = 0; i < lows.size(); ++i)
              lows[i] = price(self, self.axis.low_tick() + static_cast<std::int64_t>(i) * self.axis.ticks_per_bin());
            return to_array(std::move(lows));
          },
          "Lower edge of each bin, float64 price.")
      .def(
          "index",
          [](const Axis& self, double value) {
            const double tick = std::nearbyint(value / self.tick_size);
            if (!(std::fabs(tick) < 1e15)) throw py::value_error("price must be finite and on the axis's scale");
            return self.axis.index(static_cast<std::int64_t>(tick));
          },
          py::arg("price"), "Bin of a price: 0 to size - 1, or -1 below the first edge, size from the last edge on.")
      .def("__len__", [](const Axis& self) { return self.axis.size(); })
      .def(
          "__eq__", [](const Axis& a, const Axis& b) { return a.axis == b.axis && a.tick_size == b.tick_size; },
          py::is_operator())
      .def("__hash__",
           [](const Axis& self) {
             return py::hash(py::make_tuple(self.axis.low_tick(), self.axis.ticks_per_bin(), self.axis.size()));
           })
      .def("__repr__",
           [](const Axis& self) {
             const auto number = [](double value) { return std::string(py::repr(py::float_(value))); };
             return "PriceAxis(low=" + number(price(self, self.axis.low_tick())) +
                    ", high=" + number(price(self, self.axis.high_tick())) +
                    ", step=" + number(price(self, self.axis.ticks_per_bin())) +
                    ", tick_size=" + number(self.tick_size) + ")";
           })
      .def(py::pickle(
          [](const Axis& self) {
            return py::make_tuple(self.axis.low_tick(), self.axis.ticks_per_bin(), self.axis.size(), self.tick_size);
          },
          [](const py::tuple& state) {
            return Axis{
                PriceAxis(state[0].cast<std::int64_t>(), state[1].cast<std::int64_t>(), state[2].cast<std::int64_t>()),
                state[3].cast<double>()};
          }));

  m.def(
      "automatic_ticks_per_bin",
      [](double price, double tick_size, std::int64_t row_ticks) {
        const double ticks = std::nearbyint(std::min(price / tick_size, kMaxTicks));  // above, engines take no price
        return automatic_ticks_per_bin(ticks >= 0.0 ? static_cast<std::int64_t>(ticks) : 0, row_ticks);
      },
      "Width in ticks of the bins that an engine chooses whose first price this is: about one basis point. With\n"
      "`row_ticks`, the widest bins that make up rows of that height.",
      py::arg("price"), py::arg("tick_size"), py::arg("row_ticks") = 0);
}

}  // namespace liqcore::bindings
