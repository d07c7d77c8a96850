#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "liqcore/footprint_stream.hpp"
#include "price_notes.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

/// int32 is taken for int64, too: as files have it where it fits.
template <class T>
std::vector<T> column(const py::dict& columns, const char* name) {
  const py::object values = columns[name];
  if (py::isinstance<py::array>(values) && is_native(py::reinterpret_borrow<py::array>(values), 'i', 4)) {
    const auto narrow = integers<std::int32_t>(values, name);
    return {narrow.begin(), narrow.end()};
  }
  const auto wide = integers<T>(values, name);
  return {wide.begin(), wide.end()};
}

FootprintStream from_columns(const FootprintTerms& terms, const py::dict& columns, std::uint64_t rounded_qty,
                             const py::dict& rejected) {
  FootprintColumns c;
  c.start_ns = column<std::int64_t>(columns, "start");
  c.last_ns = column<std::int64_t>(columns, "last");
  c.first_tick = column<std::int32_t>(columns, "first_tick");
  c.last_tick = column<std::int32_t>(columns, "last_tick");
  c.trades = column<std::int32_t>(columns, "trades");
  c.end = column<std::int64_t>(columns, "end");
  c.tick = column<std::int32_t>(columns, "tick");
  c.bought = column<std::int64_t>(columns, "bought");
  c.sold = column<std::int64_t>(columns, "sold");
  FootprintCounts counts;
  counts.rounded_qty = rounded_qty;
  for (std::size_t i = 1; i < kRejectReasons; ++i)
    if (const py::str reason(std::string(name(static_cast<Reject>(i))));
        rejected.contains(reason))  // old files lack some
      counts.rejected[i] = rejected[reason].cast<std::uint64_t>();
  const py::gil_scoped_release unlocked;
  return {terms, std::move(c), counts};
}

template <auto Field>
auto term(const FootprintStream& self) {
  return self.terms().*Field;
}

/// A column in place, read-only; it keeps its stream alive.
template <auto Column>
py::array column_view(const py::object& self) {
  const auto& values = self.cast<const FootprintStream&>().columns().*Column;
  using T = typename std::decay_t<decltype(values)>::value_type;
  py::array_t<T> out(static_cast<py::ssize_t>(values.size()), values.data(), self);
  out.attr("setflags")(false);
  return out;
}

}  // namespace

void register_footprints(py::module_& m) {
  py::class_<FootprintStream>(m, "FootprintStream", "The native stream; liqcore.FootprintStream documents it.")
      .def_static(
          "from_columns",
          [](double tick_size, double lot_size, double span_bps, std::int64_t cut_ns, const py::dict& columns,
             double outlier, std::uint64_t rounded_qty, const py::dict& rejected) {
            return from_columns({tick_size, lot_size, span_bps, cut_ns, outlier}, columns, rounded_qty, rejected);
          },
          py::kw_only(), py::arg("tick_size"), py::arg("lot_size"), py::arg("span_bps"), py::arg("cut_ns"),
          py::arg("columns"), py::arg("outlier"), py::arg("rounded_qty"), py::arg("rejected"))
      .def("__len__", &FootprintStream::size)
      .def_property_readonly("trade_count", &FootprintStream::trades)
      .def_property_readonly("tick_size", &term<&FootprintTerms::tick_size>)
      .def_property_readonly("lot_size", &term<&FootprintTerms::lot_size>)
      .def_property_readonly("span_bps", &term<&FootprintTerms::span_bps>)
      .def_property_readonly("cut_ns", &term<&FootprintTerms::cut_ns>)
      .def_property_readonly("outlier", &term<&FootprintTerms::outlier>)
      .def_property_readonly("rounded_qty", [](const FootprintStream& self) { return self.counts().rounded_qty; })
      .def_property_readonly("rejected",
                             [](const FootprintStream& self) {
                               py::dict out;
                               for (std::size_t i = 1; i < kRejectReasons; ++i)
                                 out[py::str(std::string(name(static_cast<Reject>(i))))] = self.counts().rejected[i];
                               return out;
                             })
      .def_property_readonly("start", &column_view<&FootprintColumns::start_ns>)
      .def_property_readonly("last", &column_view<&FootprintColumns::last_ns>)
      .def_property_readonly("first_tick", &column_view<&FootprintColumns::first_tick>)
      .def_property_readonly("last_tick", &column_view<&FootprintColumns::last_tick>)
      .def_property_readonly("trades", &column_view<&FootprintColumns::trades>)
      .def_property_readonly("end", &column_view<&FootprintColumns::end>)
      .def_property_readonly("tick", &column_view<&FootprintColumns::tick>)
      .def_property_readonly("bought", &column_view<&FootprintColumns::bought>)
      .def_property_readonly("sold", &column_view<&FootprintColumns::sold>);

  py::class_<FootprintBuilder>(m, "FootprintBuilder", "Sums trades into runs; liqcore.footprints documents it.")
      .def(py::init([](double tick_size, double lot_size, double span_bps, std::int64_t cut_ns, const py::object& ends,
                       double outlier) {
             std::vector<std::int64_t> further;
             if (!ends.is_none()) {
               const auto given = times(ends, "ends");
               further.assign(given.begin(), given.end());
             }
             return FootprintBuilder({tick_size, lot_size, span_bps, cut_ns, outlier}, std::move(further));
           }),
           py::kw_only(), py::arg("tick_size"), py::arg("lot_size"), py::arg("span_bps"), py::arg("cut_ns"),
           py::arg("ends"), py::arg("outlier"))
      .def_property_readonly(
          "outliers",
          [](const FootprintBuilder& self) { return outliers_of(self.price_notes(), self.terms().tick_size); })
      .def_property_readonly(
          "price_jumps",
          [](const FootprintBuilder& self) { return jumps_of(self.price_notes(), self.terms().tick_size); })
      .def(
          "trades",
          [](FootprintBuilder& self, const py::object& ts, const py::object& price, const py::object& qty,
             const py::object& taker_sell) {
            const TradeArrays rows{times(ts, "ts"), doubles(price, "price"), doubles(qty, "qty"),
                                   bools(taker_sell, "taker_sell")};
            const py::gil_scoped_release unlocked;
            self.trades(rows);
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("taker_sell"))
      .def("finish", &FootprintBuilder::finish);
}

}  // namespace liqcore::bindings
