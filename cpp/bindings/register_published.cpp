#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "axis.hpp"
#include "liqcore/published.hpp"
#include "names.hpp"
#include "python_engine.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

py::object clock_of(std::int64_t ns) {
  if (ns == std::numeric_limits<std::int64_t>::min()) return py::none();
  return py::int_(ns);
}

void read_only(const py::array& array) { array.attr("setflags")(false); }

/// An engine publishes on its own thread: nobody else may publish for it, nor it for another one.
void refuse_another(const PyPublisher& publisher, const PyEngine& engine) {
  if (publisher.engine != nullptr && publisher.engine != &engine)
    throw InvalidConfig("another engine publishes to this publisher: one engine at a time");
}

void publish_to(PyEngine& engine, std::shared_ptr<PyPublisher> publisher) {
  const Reading guard(engine);  // a callback may do so
  if (publisher) refuse_another(*publisher, engine);
  engine.engine.publish_to(publisher ? publisher->publisher : nullptr);
  if (engine.publisher) engine.publisher->engine = nullptr;
  engine.publisher = std::move(publisher);
  if (engine.publisher) engine.publisher->engine = &engine;
}

template <auto Publish>
void publish(const PyPublisher& self, PyEngine& engine) {
  refuse_another(self, engine);
  const Reading guard(engine);
  ((*self.publisher).*Publish)(engine.engine);  // with the GIL, which keeps another thread from publishing here
}

py::tuple row(const PyPublisher& self) {
  py::array_t<double> values(static_cast<py::ssize_t>(self.publisher->size()));
  std::span<double> out(values.mutable_data(), self.publisher->size());
  std::fill(out.begin(), out.end(), std::numeric_limits<double>::quiet_NaN());
  const Publisher::Moment moment = self.publisher->read(out);
  read_only(values);
  return py::make_tuple(moment.sequence, clock_of(moment.clock_ns), values);
}

py::array_t<double> levels(const Snapshot& self, std::string_view side, bool lots) {
  const Side which = parse<Side>(side);
  py::array_t<double> out({static_cast<py::ssize_t>(self.stats.accounts.size() / 2),
                           static_cast<py::ssize_t>(self.axis && self.history ? self.axis->size() : 0)});
  const std::span<double> cells(out.mutable_data(), static_cast<std::size_t>(out.size()));
  if (!cells.empty()) self.write_levels(which, cells);
  if (!lots && self.history)
    for (double& cell : cells) cell *= self.history->terms().lot_size;
  read_only(out);
  return out;
}

}  // namespace

void register_published(py::module_& m) {
  py::class_<Snapshot, std::shared_ptr<Snapshot>>(m, "Snapshot", R"(
An engine at one instant, from `Publisher.snapshot`. It never changes: any number of threads may read it, for as long as
they keep it. `Engine.heatmap` and `Engine.map` take one.
)")
      .def_readonly("sequence", &Snapshot::sequence,
                    "Of the row that was published with it; rises from snapshot to snapshot.")
      .def_property_readonly(
          "clock", [](const Snapshot& self) { return clock_of(self.clock_ns); },
          "The engine's clock, ns; None where it had none.")
      .def_readonly("began", &Snapshot::began_ns, "Time of the event that started the book, ns; None before it.")
      .def_readonly("last_price", &Snapshot::last_price, "The engine's last price; NaN before the first.")
      .def_readonly("sequential", &Snapshot::sequential, "Whether what the model does depends on the book, by then.")
      .def_property_readonly(
          "values",
          [](const py::object& self) {
            const auto& features = self.cast<const Snapshot&>().features;
            py::array_t<double> out(static_cast<py::ssize_t>(features.size()), features.data(), self);
            read_only(out);
            return out;
          },
          "The row that was published with it: float64, by `Publisher.names`, a read-only view.")
      .def_property_readonly(
          "axis",
          [](const Snapshot& self) -> py::object {
            if (!self.axis || !self.history) return py::none();
            return py::cast(Axis{*self.axis, self.history->terms().tick_size});
          },
          "The price axis of levels(): fixed, or as far as levels had come; None before the first price.")
      .def_property_readonly(
          "stats", [](const Snapshot& self) { return self.stats; }, "Everything since the engine's start, as Stats.")
      .def(
          "levels", [](const Snapshot& self, std::string_view side) { return levels(self, side, false); },
          py::arg("side"), "Live quantity by tier and bin of `axis`, unweighted: float64 (tiers, bins), read-only.")
      .def(
          "levels_lots", [](const Snapshot& self, std::string_view side) { return levels(self, side, true); },
          py::arg("side"), "As levels(), in lots: exact whole numbers unless levels were scaled.")
      .def(
          "_history",
          [](const Snapshot& self, bool unfinished) -> py::tuple {
            if (!self.history) return py::make_tuple(py::none(), false);
            if (!unfinished || !self.open) return py::make_tuple(py::cast(*self.history), false);
            return py::make_tuple(py::cast(*self.history_so_far()), true);
          },
          py::arg("unfinished"))
      .def("__repr__", [](const Snapshot& self) {
        return py::str("Snapshot(sequence={}, clock={})").format(self.sequence, clock_of(self.clock_ns));
      });

  py::class_<PyPublisher, std::shared_ptr<PyPublisher>>(m, "Publisher",
                                                        "The native publisher; liqcore.Publisher documents it.")
      .def(py::init([](std::vector<double> reaches, std::int64_t bins_per_row, double zone_percentile,
                       double density_percent, bool snapshot_at_window_end) {
             return std::make_shared<PyPublisher>(PublisherOptions{
                 {std::move(reaches), {bins_per_row, zone_percentile}, density_percent}, snapshot_at_window_end});
           }),
           py::kw_only(), py::arg("reaches"), py::arg("bins_per_row"), py::arg("zone_percentile"),
           py::arg("density_percent"), py::arg("snapshot_at_window_end"))
      .def("publish", &publish<&Publisher::publish>, py::arg("engine"),
           "Publish a row and a snapshot of this moment, on the thread that feeds the engine, also from its callback.")
      .def("publish_row", &publish<&Publisher::publish_row>, py::arg("engine"),
           "Publish a row of this moment, as publish().")
      .def("_row", &row)
      .def(
          "snapshot",
          [](const PyPublisher& self) { return std::const_pointer_cast<Snapshot>(self.publisher->snapshot()); },
          "The latest Snapshot, on any thread; None before the first.")
      .def(
          "ask", [](const PyPublisher& self) { self.publisher->ask(); },
          "Ask, on any thread, for a row and a snapshot: the engine publishes them after the next window's end, array, "
          "or "
          "event that is not just one more trade near the same price.")
      .def_property_readonly(
          "missed", [](const PyPublisher& self) { return self.publisher->missed(); },
          "How often memory ran out for what a window's end or ask() wanted published: it was left out.")
      .def_property_readonly(
          "names", [](const PyPublisher& self) { return py::tuple(py::cast(self.publisher->names())); },
          "Names of the numbers in a row, in order.")
      .def_property_readonly(
          "ptr", [](PyPublisher& self) { return reinterpret_cast<std::uintptr_t>(&self.publisher); },
          "Address of the publisher, for functions of liqcore.h; valid while this object lives.")
      .def("__len__", [](const PyPublisher& self) { return self.publisher->size(); });

  py::reinterpret_borrow<py::class_<PyEngine>>(m.attr("Engine"))
      .def("publish_to", &publish_to, py::arg("publisher").none(true), R"(
Publish for other threads to read (`Publisher`): at once, by itself whenever windows have ended, and when a reader asks.

None ends it. Works beside a callback and with several threads. One engine publishes to a publisher at a time.
)");
}

}  // namespace liqcore::bindings
