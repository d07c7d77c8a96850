#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "feeds.hpp"
#include "liqcore/features.hpp"
#include "python_engine.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

/// Where results are written in place.
std::span<double> writable(const py::object& out, std::size_t size) {
  const std::span<const double> values = doubles(out, "out");
  if (!py::reinterpret_borrow<py::array>(out).writeable()) throw py::value_error("out must be writable, was read-only");
  if (values.size() != size)
    throw py::value_error("out must hold " + std::to_string(size) + " values, had " + std::to_string(values.size()));
  return {const_cast<double*>(values.data()), size};
}

py::object read_features(FeatureReader& self, PyEngine& engine, py::object out) {
  if (out.is_none()) out = py::array_t<double>(static_cast<py::ssize_t>(self.size()));
  const std::span<double> values = writable(out, self.size());
  const Reading guard(engine);
  self.read(engine.engine, values);  // with the GIL, which keeps another thread from using this reader
  return out;
}

}  // namespace

void register_features(py::module_& m) {
  py::class_<FeatureReader>(m, "FeatureReader", "The native reader; liqcore.FeatureReader documents it.")
      .def(py::init([](std::vector<double> reaches, std::int64_t bins_per_row, double zone_percentile,
                       double density_percent) {
             return FeatureReader({std::move(reaches), {bins_per_row, zone_percentile}, density_percent});
           }),
           py::kw_only(), py::arg("reaches"), py::arg("bins_per_row"), py::arg("zone_percentile"),
           py::arg("density_percent"))
      .def("read", &read_features, py::arg("engine"), py::arg("out") = py::none(), R"(
Read the features of this moment: as of what the engine was fed, at its clock.

Parameters
----------
engine : Engine
    Any engine; advance it first to read as of a time. Its `on_column` callback may read it, too.
out : ndarray of float64, shape (features,), C-contiguous, optional
    Where to write them; by default a new array.

Returns
-------
ndarray of float64, shape (features,)
    In the order of `names`; `out` where it was given.
)")
      .def(
          "_feed",  // liqcore.features feeds whole streams, bar by bar
          [](FeatureReader& self, PyEngine& engine, const py::object& trades, const py::object& marks,
             const py::object& open_interest, const py::object& candles, std::int64_t interval_ns,
             const py::object& closes, const py::object& out) {
            Feed all;
            if (!trades.is_none()) {
              const py::tuple t = tuple(trades, "trades", 4);
              all.trades = trade_arrays(t[0], t[1], t[2], t[3]);
            }
            put_beside(all, marks, open_interest, candles, interval_ns);
            const auto ends = times(closes, "closes");
            const std::span<double> values = writable(out, ends.size() * self.size());
            bindings::feed(engine, [&](Engine& native) {
              self.feed(native, all, ends, values);
              return 0;
            });
          },
          py::arg("engine"), py::arg("trades"), py::arg("marks"), py::arg("open_interest"), py::arg("candles"),
          py::arg("interval_ns"), py::arg("closes"), py::arg("out"))
      .def_property_readonly(
          "names", [](const FeatureReader& self) { return py::tuple(py::cast(self.names())); },
          "Names of the features, in order.")
      .def_property_readonly(
          "reaches", [](const FeatureReader& self) { return py::tuple(py::cast(self.options().reaches_percent)); },
          "Reaches, percent of the price.")
      .def_property_readonly(
          "bins_per_row", [](const FeatureReader& self) { return self.options().zones.bins_per_row; },
          "Book bins in a row of a zone.")
      .def_property_readonly(
          "zone_percentile", [](const FeatureReader& self) { return self.options().zones.percentile; },
          "Of the rows that hold something: from it on they are part of a zone.")
      .def_property_readonly(
          "density_percent", [](const FeatureReader& self) { return self.options().density_percent; },
          "Half-width of the density's kernel, percent of the price.")
      .def_property_readonly(
          "ptr", [](FeatureReader& self) { return reinterpret_cast<std::uintptr_t>(&self); },
          "Address of the reader, for liq_features_read(); valid while this object lives.")
      .def("__len__", &FeatureReader::size);

  m.attr("DEFAULT_BINS_PER_ROW") = ZoneOptions{}.bins_per_row;
}

}  // namespace liqcore::bindings
