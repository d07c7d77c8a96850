#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "liqcore/archive.hpp"
#include "liqcore/error.hpp"
#include "liqcore/history.hpp"
#include "names.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

using namespace py::literals;

/// A vector of a segment in place, read-only; it keeps the segment, which nobody writes to while it is shared.
template <class T>
py::array_t<T> view_of(const std::vector<T>& values, const py::object& segment) {
  py::array_t<T> out(static_cast<py::ssize_t>(values.size()), values.data(), segment);
  out.attr("setflags")(false);
  return out;
}

template <auto Field>
auto term(const History& self) {
  return self.terms().*Field;
}

/// Cells as a dict of columns: side, tier, bin, lots.
template <auto Which>
py::dict cells(const py::object& self) {
  const auto& segment = self.cast<const Segment&>();
  const Cells& cells = segment.*Which;
  const std::size_t tiers = segment.accounts.size() / 2;
  std::vector<std::int8_t> side;
  std::vector<std::int16_t> tier;
  for (std::size_t layer = 0; layer < 2 * tiers; ++layer)
    for (std::size_t i = 0; i < cells.layer_bins(layer).size(); ++i) {
      side.push_back(static_cast<std::int8_t>(layer / tiers));
      tier.push_back(static_cast<std::int16_t>(layer % tiers));
    }
  py::dict out;
  out["side"] = to_array(std::move(side));
  out["tier"] = to_array(std::move(tier));
  out["bin"] = view_of(cells.bins, self);
  out["lots"] = view_of(cells.lots, self);
  return out;
}

py::list touched(const Segment& segment, std::string_view side) {
  py::list out;
  for (const TouchStep& step : segment.touched[static_cast<std::size_t>(parse<Side>(side))])
    out.append(py::make_tuple(
        step.bin, step.scale.empty() ? py::object(py::none()) : py::object(copy_to_array(std::span(step.scale)))));
  return out;
}

py::object scale(const Segment& segment, std::string_view side) {
  const auto& factors = segment.scale[static_cast<std::size_t>(parse<Side>(side))];
  if (factors.empty()) return py::none();
  return copy_to_array(std::span(factors));
}

py::tuple candle(const Segment& segment) {
  const Candle& c = segment.candle;
  if (c.empty()) return py::make_tuple(py::none(), py::none(), py::none(), py::none(), c.buy_lots, c.sell_lots);
  return py::make_tuple(c.open, c.high, c.low, c.close, c.buy_lots, c.sell_lots);
}

std::size_t index_of(const History& history, py::ssize_t i) {
  const auto size = static_cast<py::ssize_t>(history.size());
  if (i < -size || i >= size)
    throw py::index_error("window must lie within the " + std::to_string(size) + " there are, was " +
                          std::to_string(i));
  return static_cast<std::size_t>(i < 0 ? i + size : i);
}

py::array_t<std::int64_t> window_times(const History& history) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < history.size(); ++i)
    out.push_back(history.start_ns(0) + static_cast<std::int64_t>(i) * history.terms().window_ns);
  return to_array(std::move(out));
}

/// open, high, low, close in price, buy and sell in quantity, one row a window; NaN where nothing traded.
py::array_t<double> candles(const History& history) {
  const Terms& terms = history.terms();
  py::array_t<double> out({static_cast<py::ssize_t>(history.size()), py::ssize_t{6}});
  double* row = out.mutable_data();
  std::fill_n(row, out.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t e = 0; e < history.entries(); ++e) {
    const History::Entry entry = history.entry(e);
    const Candle& c = entry.window.candle;
    if (c.empty()) continue;
    row = out.mutable_data() + 6 * static_cast<std::ptrdiff_t>(entry.first);
    const std::int64_t prices[] = {c.open, c.high, c.low, c.close};
    for (int k = 0; k < 4; ++k) row[k] = static_cast<double>(prices[k]) * terms.tick_size;
    row[4] = c.buy_lots * terms.lot_size;
    row[5] = c.sell_lots * terms.lot_size;
  }
  return out;
}

Picture picture(std::vector<double> longs, std::vector<double> shorts, std::size_t first_column, std::size_t columns) {
  Picture out;
  out.weights[0] = std::move(longs);
  out.weights[1] = std::move(shorts);
  out.first_column = first_column;
  out.columns = columns;
  return out;
}

void set_rows(Picture& what, std::int64_t first_bin, std::int64_t bins_per_row, std::size_t rows, bool usd,
              std::vector<std::int64_t> edges) {
  what.first_bin = first_bin;
  what.bins_per_row = bins_per_row;
  what.rows = rows;
  what.usd = usd;
  what.edges = std::move(edges);
}

/// Absolute bin of the first of the levels of one side, and the levels by tier and bin.
py::tuple levels(const History& history, py::ssize_t i, std::string_view side, std::size_t opened_within) {
  const std::size_t at = index_of(history, i);
  const Layers live = [&] {
    const py::gil_scoped_release unlocked;
    return opened_within == 0 ? history.levels_after(at) : history.opened_within(at, opened_within);
  }();
  const std::size_t first = parse<Side>(side) == Side::long_ ? 0 : live.tiers();
  py::array_t<double> out({static_cast<py::ssize_t>(live.tiers()), static_cast<py::ssize_t>(live.width())});
  for (std::size_t tier = 0; tier < live.tiers(); ++tier)
    live.copy(first + tier, {out.mutable_data() + static_cast<std::ptrdiff_t>(tier) * live.width(),
                             static_cast<std::size_t>(live.width())});
  return py::make_tuple(live.first_bin(), out);
}

py::array_t<double> map(const History& history, py::ssize_t i, std::vector<double> long_weights,
                        std::vector<double> short_weights, std::int64_t first_bin, std::int64_t bins_per_row,
                        std::size_t rows, bool usd, std::size_t opened_within, std::vector<std::int64_t> edges) {
  const std::size_t at = index_of(history, i);
  Picture what = picture(std::move(long_weights), std::move(short_weights), 0, 0);
  set_rows(what, first_bin, bins_per_row, rows, usd, std::move(edges));
  what.opened_within = opened_within;
  py::array_t<double> out(
      {py::ssize_t{2}, static_cast<py::ssize_t>(history.terms().tiers), static_cast<py::ssize_t>(rows)});
  const std::span<double> cells(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release unlocked;
  history.map(at, what, cells);
  return out;
}

py::array_t<double> age(const History& history, py::ssize_t i, const std::vector<std::size_t>& windows,
                        std::vector<double> long_weights, std::vector<double> short_weights, std::int64_t first_bin,
                        std::int64_t bins_per_row, std::size_t rows, bool usd, std::vector<std::int64_t> edges) {
  const std::size_t at = index_of(history, i);
  Picture what = picture(std::move(long_weights), std::move(short_weights), 0, 0);
  set_rows(what, first_bin, bins_per_row, rows, usd, std::move(edges));
  py::array_t<double> out({static_cast<py::ssize_t>(windows.size()), py::ssize_t{2}, static_cast<py::ssize_t>(rows)});
  const std::span<double> cells(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release unlocked;
  history.age(at, what, windows, cells);
  return out;
}

py::array_t<std::int64_t> since(const History& history, double threshold, std::vector<double> long_weights,
                                std::vector<double> short_weights, std::int64_t first_bin, std::int64_t bins_per_row,
                                std::size_t rows, std::size_t first_column, std::size_t count, bool usd,
                                std::size_t opened_within, std::int64_t column_ns, std::vector<std::int64_t> edges) {
  Picture what = picture(std::move(long_weights), std::move(short_weights), first_column, count);
  set_rows(what, first_bin, bins_per_row, rows, usd, std::move(edges));
  what.opened_within = opened_within;
  what.column_ns = column_ns;
  py::array_t<std::int64_t> out({py::ssize_t{2}, static_cast<py::ssize_t>(rows)});
  const std::span<std::int64_t> cells(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release unlocked;
  history.since(what, threshold, cells);
  return out;
}

py::tuple columns(const History& history, std::vector<double> long_weights, std::vector<double> short_weights,
                  std::int64_t first_bin, std::int64_t bins_per_row, std::size_t rows, std::size_t first_column,
                  std::size_t count, bool usd, std::size_t opened_within, std::int64_t column_ns, bool liquidated,
                  std::vector<std::int64_t> edges) {
  Picture what = picture(std::move(long_weights), std::move(short_weights), first_column, count);
  set_rows(what, first_bin, bins_per_row, rows, usd, std::move(edges));
  what.opened_within = opened_within;
  what.column_ns = column_ns;
  const std::size_t drawn = history.column_count(what);
  const auto blank = [&] {
    return py::array_t<float>({static_cast<py::ssize_t>(drawn), static_cast<py::ssize_t>(rows)});
  };
  py::array_t<float> out[] = {blank(), blank()};
  const auto cells_of = [&](int i) {
    return std::span<float>(out[i].mutable_data(), static_cast<std::size_t>(out[i].size()));
  };
  const std::span<float> spans[] = {cells_of(0), cells_of(1)};
  {
    const py::gil_scoped_release unlocked;
    if (liquidated)
      history.columns(what, {}, {}, spans[0], spans[1]);
    else
      history.columns(what, spans[0], spans[1], {}, {});
  }
  return py::make_tuple(out[0], out[1]);
}

py::dict rows_to_dict(ArchiveRows&& rows) {
  py::dict out;
  out["time"] = to_array(std::move(rows.time_ns));
  out["kind"] = to_array(std::move(rows.kind));
  out["side"] = to_array(std::move(rows.side));
  out["tier"] = to_array(std::move(rows.tier));
  out["bin"] = to_array(std::move(rows.bin));
  out["value"] = to_array(std::move(rows.value));
  return out;
}

History restore(std::string_view contract, double tick_size, double lot_size, double multiplier,
                std::int64_t ticks_per_bin, std::int64_t window_ns, std::size_t tiers, std::int64_t first_ns,
                std::size_t windows, const py::dict& columns) {
  ArchiveColumns rows;
  rows.time_ns = any_times(columns["time"], "time");
  rows.kind = integers<std::uint8_t>(columns["kind"], "kind");
  rows.side = integers<std::int8_t>(columns["side"], "side");
  rows.tier = integers<std::int16_t>(columns["tier"], "tier");
  rows.bin = integers<std::int32_t>(columns["bin"], "bin");
  rows.value = doubles(columns["value"], "value");
  for (const std::size_t length :
       {rows.kind.size(), rows.side.size(), rows.tier.size(), rows.bin.size(), rows.value.size()})
    if (length != rows.size()) throw py::value_error("columns of an archive must have one length");
  const Terms terms{parse<Contract>(contract), tick_size, lot_size, multiplier, ticks_per_bin, window_ns, tiers};
  const py::gil_scoped_release unlocked;
  return from_rows(terms, first_ns, windows, rows);
}

}  // namespace

void register_history(py::module_& m) {
  py::class_<Segment, std::shared_ptr<Segment>>(m, "Segment", R"(
What a stretch of time did to the book: an affine change of every layer.

What lies at or beyond a touched bin is cleared, the rest is scaled, additions come on top. Made by an engine once a
window; `liqcore.combine` joins neighbours. Immutable.
)")
      .def_readonly("start_ns", &Segment::start_ns, "Start of the first window, ns.")
      .def_readonly("end_ns", &Segment::end_ns, "End of the last window, exclusive, ns.")
      .def_property_readonly(
          "candle", &candle,
          "(open, high, low, close) in ticks, None where nothing traded, then taker buy and sell lots.")
      .def_property_readonly(
          "additions", &cells<&Segment::additions>,
          "Opened in the segment and live at its end: dict of columns side, tier, bin, lots; bin and lots are "
          "read-only views that keep the segment.")
      .def_property_readonly(
          "liquidated", &cells<&Segment::liquidated>,
          "Opened in the segment and liquidated in it: dict of columns side, tier, bin, lots, as additions.")
      .def("touched", &touched, py::arg("side"),
           "Touch steps of a side, each (bin, scale of each tier when it came, or None for all 1).")
      .def("scale", &scale, py::arg("side"), "Factor of each tier over the segment, or None for all 1.")
      .def_readonly("mark_price", &Segment::mark_price, "Last mark price so far; NaN where there was none.")
      .def_readonly("open_interest", &Segment::open_interest, "Last open interest so far; NaN where there was none.")
      .def_property_readonly(
          "last_ns",
          [](const Segment& self) -> py::object {
            if (self.last_ns == std::numeric_limits<std::int64_t>::min()) return py::none();
            return py::int_(self.last_ns);
          },
          "Time of the last event so far, ns; None where there was none.")
      .def(
          "__eq__",
          [](const Segment& a, const Segment& b) {
            // NaN boundaries mean "none yet" and are equal here.
            const auto same = [](double x, double y) { return x == y || (x != x && y != y); };
            Segment left = a;
            left.mark_price = same(a.mark_price, b.mark_price) ? 0.0 : 1.0;
            left.open_interest = same(a.open_interest, b.open_interest) ? 0.0 : 1.0;
            Segment right = b;
            right.mark_price = right.open_interest = 0.0;
            return left == right;
          },
          py::is_operator())
      .def("__repr__", [](const Segment& self) {
        return "Segment(start_ns=" + std::to_string(self.start_ns) + ", end_ns=" + std::to_string(self.end_ns) + ", " +
               std::to_string(self.additions.size()) + " additions)";
      });

  m.def(
      "combine",
      [](const Segment& earlier, const Segment& later) { return std::make_shared<Segment>(combine(earlier, later)); },
      py::arg("earlier"), py::arg("later"), R"(
The segment of `earlier` followed by `later`. Associative, not commutative.

Exact where nothing is scaled; otherwise equal to one pass within rounding (1e-12 relative), apart from cells below half
a lot, which that pass flushes at each window's end.

Raises
------
InvalidConfigError
    If `later` does not start where `earlier` ends.
)");

  py::class_<History>(m, "History", "Consecutive window segments and the levels live before the first; see Heatmap.")
      .def("__len__", &History::size)
      .def_property_readonly("tick_size", &term<&Terms::tick_size>)
      .def_property_readonly("ticks_per_bin", &term<&Terms::ticks_per_bin>)
      .def_property_readonly("window_ns", &term<&Terms::window_ns>)
      .def_property_readonly("tiers", &term<&Terms::tiers>)
      .def_property_readonly("terms",
                             [](const History& self) {
                               const Terms& terms = self.terms();
                               return py::dict("contract"_a = word(terms.contract), "tick_size"_a = terms.tick_size,
                                               "lot_size"_a = terms.lot_size, "multiplier"_a = terms.multiplier,
                                               "ticks_per_bin"_a = terms.ticks_per_bin, "window_ns"_a = terms.window_ns,
                                               "tiers"_a = terms.tiers);
                             })
      .def("times", &window_times, "Start of each window, int64 ns.")
      .def("candles", &candles, "float64 (windows, 6): open, high, low, close, buy and sell quantity; NaN if empty.")
      .def(
          "segment",
          [](const History& self, py::ssize_t i) {
            return std::const_pointer_cast<Segment>(self.share(index_of(self, i)));
          },
          py::arg("i"))
      .def("levels", &levels, py::arg("i"), py::arg("side"), py::arg("opened_within") = 0,
           "First absolute bin and float64 (tiers, bins) lots live after window i; opened_within: windows, 0 for all.")
      .def("columns", &columns, py::kw_only(), py::arg("long_weights"), py::arg("short_weights"), py::arg("first_bin"),
           py::arg("bins_per_row"), py::arg("rows"), py::arg("first_column"), py::arg("columns"), py::arg("usd"),
           py::arg("opened_within") = 0, py::arg("column_ns") = 0, py::arg("liquidated") = false,
           py::arg("edges") = std::vector<std::int64_t>{},
           "Longs and shorts, float32 (columns, rows): live at the end of each column, or liquidated in it. "
           "opened_within "
           "in windows; column_ns joins windows to columns; edges: first bin of each row and one past the last, where "
           "rows differ in height.")
      .def("map", &map, py::arg("i"), py::kw_only(), py::arg("long_weights"), py::arg("short_weights"),
           py::arg("first_bin"), py::arg("bins_per_row"), py::arg("rows"), py::arg("usd"), py::arg("opened_within") = 0,
           py::arg("edges") = std::vector<std::int64_t>{},
           "Weighted live levels after window i: float64 (2, tiers, rows), longs first.")
      .def("age", &age, py::arg("i"), py::kw_only(), py::arg("windows"), py::arg("long_weights"),
           py::arg("short_weights"), py::arg("first_bin"), py::arg("bins_per_row"), py::arg("rows"), py::arg("usd"),
           py::arg("edges") = std::vector<std::int64_t>{},
           "What is live after window i and was opened in the last `windows`: float64 (len(windows), 2, rows).")
      .def("since", &since, py::kw_only(), py::arg("threshold"), py::arg("long_weights"), py::arg("short_weights"),
           py::arg("first_bin"), py::arg("bins_per_row"), py::arg("rows"), py::arg("first_column"), py::arg("columns"),
           py::arg("usd"), py::arg("opened_within") = 0, py::arg("column_ns") = 0,
           py::arg("edges") = std::vector<std::int64_t>{},
           "Start (ns) of the first column of the unbroken run at or above a threshold, up to the last: int64 (2, "
           "rows).")
      .def_property_readonly("whole", &History::whole, "Whether no window was folded away and no level came before.")
      .def_property_readonly("cache_bytes", &History::cache_bytes, "Memory of what was combined in advance.")
      .def(
          "extent",
          [](const History& self, std::vector<double> long_weights, std::vector<double> short_weights,
             std::size_t first_column, std::size_t count) {
            const Layers::Range range =
                self.extent(picture(std::move(long_weights), std::move(short_weights), first_column, count));
            return py::make_tuple(range.low, range.high);
          },
          py::kw_only(), py::arg("long_weights"), py::arg("short_weights"), py::arg("first_column"), py::arg("columns"),
          "Lowest and one past the highest bin with anything to show.")
      .def(
          "to_rows", [](const History& self) { return rows_to_dict(to_rows(self)); },
          "The history as one narrow table: a dict of columns (docs/reference/archive.md).")
      .def_static("from_rows", &restore, py::kw_only(), py::arg("contract"), py::arg("tick_size"), py::arg("lot_size"),
                  py::arg("multiplier"), py::arg("ticks_per_bin"), py::arg("window_ns"), py::arg("tiers"),
                  py::arg("first_ns"), py::arg("windows"), py::arg("columns"));
}

}  // namespace liqcore::bindings
