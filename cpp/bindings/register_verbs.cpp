// The verbs of an engine, for models of one's own: what Python gives them, and what they say.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "liqcore/engine.hpp"
#include "names.hpp"
#include "python_engine.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

constexpr const char* kQuantities = "qty must be a number, a dict of leverage to quantity, or a float64 array";

/// One quantity for all tiers, or one a tier: a number, a dict by leverage, or an array, which is read in place.
std::span<const double> quantities(const PyEngine& self, py::handle qty, std::vector<double>& room) {
  const LeverageProfile& leverage = self.engine.leverage();
  if (py::isinstance<py::dict>(qty)) {
    room.assign(leverage.size(), 0.0);
    for (const auto& [tier, lots] : py::reinterpret_borrow<py::dict>(qty))
      room[leverage.index(tier.cast<double>())] = lots.cast<double>();
    return room;
  }
  if (py::isinstance<py::array>(qty) && py::reinterpret_borrow<py::array>(qty).ndim() > 0) return doubles(qty, "qty");
  try {
    room.assign(1, qty.cast<double>());
  } catch (const py::cast_error&) {
    throw py::type_error(std::string(kQuantities) + ", was " + Py_TYPE(qty.ptr())->tp_name);
  }
  return room;
}

/// As quantities() for many rows: one a row, or of shape (rows, tiers).
std::span<const double> row_quantities(py::handle qty, std::size_t rows, std::size_t tiers) {
  const bool tiered = py::isinstance<py::array>(qty) && py::reinterpret_borrow<py::array>(qty).ndim() == 2;
  if (!tiered) return doubles(qty, "qty");
  const auto array = py::reinterpret_borrow<py::array>(qty);
  if (static_cast<std::size_t>(array.shape(0)) != rows || static_cast<std::size_t>(array.shape(1)) != tiers)
    throw py::value_error("qty must be of shape (" + std::to_string(rows) + ",) or (" + std::to_string(rows) + ", " +
                          std::to_string(tiers) + "), had (" + std::to_string(array.shape(0)) + ", " +
                          std::to_string(array.shape(1)) + ")");
  if ((static_cast<unsigned>(array.flags()) & py::array::c_style) == 0)
    throw py::type_error("qty must be C-contiguous and aligned (numpy.ascontiguousarray makes a copy that is)");
  return doubles(array.attr("reshape")(-1), "qty");
}

std::span<const std::int64_t> times_if(const py::object& ts) {
  if (ts.is_none()) return {};
  return times(ts, "ts");
}

/// Mostly it is the same as the last time, and making another object costs as much as opening.
py::object object_of(PyEngine& self, const Opened& opened) {
  if (!self.opened || self.opened.cast<const Opened&>() != opened) self.opened = py::cast(opened);
  return self.opened;
}

/// Said once an engine, when what was to happen has happened.
py::object tell(PyEngine& self, const Opened& opened) {
  if (opened.unresolved == 0 || self.told_unresolved) return object_of(self, opened);
  self.told_unresolved = true;
  const std::string message =
      "levels not opened, but counted as unresolved: " + std::to_string(opened.unresolved) +
      "; they lie in their entry's own bin, or where the last touch may have left the price (touch(low, high, last) "
      "says where it did). Said once an engine; open() returns and stats count how many.";
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
  return object_of(self, opened);
}

template <bool Known>
py::object open_one(PyEngine& self, std::string_view side, double price, const py::object& qty) {
  const Side which = parse<Side>(side);
  std::vector<double> room;
  double number = 0.0;
  std::span<const double> each(&number, 1);
  if (PyFloat_CheckExact(qty.ptr()) != 0)
    number = PyFloat_AS_DOUBLE(qty.ptr());  // nearly always, and at half the cost of a look at everything else
  else
    each = quantities(self, qty, room);
  Opened opened;
  {
    const Feeding guard(self);
    opened = Known ? self.engine.open_level(which, price, each) : self.engine.open(which, price, each);
  }
  return tell(self, opened);
}

template <bool Known>
py::object open_many(PyEngine& self, const py::object& side, const py::object& price, const py::object& qty,
                     const py::object& ts) {
  OpenArrays rows;
  rows.ts_ns = times_if(ts);
  rows.price = doubles(price, Known ? "level" : "price");
  rows.qty = row_quantities(qty, rows.price.size(), self.engine.leverage().size());
  std::vector<std::uint8_t> alike;
  if (py::isinstance<py::str>(side)) {
    alike.assign(rows.price.size(), parse<Side>(side.cast<std::string>()) == Side::short_ ? 1 : 0);
    rows.is_short = alike;
  } else {
    rows.is_short = bools(side, "side");
  }
  const Opened opened =
      feed(self, [&](Engine& engine) { return Known ? engine.open_levels(rows) : engine.opens(rows); });
  return tell(self, opened);
}

void touch_many(PyEngine& self, const py::object& low, const py::object& high, const py::object& last,
                const py::object& ts) {
  TouchArrays rows;
  rows.ts_ns = times_if(ts);
  rows.low = doubles(low, "low");
  rows.high = doubles(high, "high");
  if (!last.is_none()) {
    rows.last = doubles(last, "last");
    if (rows.last.size() != rows.low.size()) throw py::value_error("last must be as long as low");
  }
  static_cast<void>(feed(self, [&](Engine& engine) {
    engine.touches(rows);
    return 0;
  }));
}

}  // namespace

void register_verbs(py::module_& m, py::class_<PyEngine>& engine) {
  py::class_<Opened>(m, "Opened", R"(
Where the levels went that a verb opened: how many, one for each tier with a quantity.

Those that are not live were counted in the engine's `stats`, and not added.
)")
      .def_readonly("live", &Opened::live, "Opened.")
      .def_readonly("no_price", &Opened::no_price, "No liquidation price exists.")
      .def_readonly("underflow", &Opened::underflow, "Below a fixed axis.")
      .def_readonly("overflow", &Opened::overflow, "Above the axis.")
      .def_readonly("unresolved", &Opened::unresolved,
                    "In their entry's own bin, or in one that the price has reached.")
      .def(
          "__add__", [](Opened a, const Opened& b) { return a += b; }, py::is_operator())
      .def(
          "__eq__", [](const Opened& a, const Opened& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Opened& self) {
        return "Opened(live=" + std::to_string(self.live) + ", no_price=" + std::to_string(self.no_price) +
               ", underflow=" + std::to_string(self.underflow) + ", overflow=" + std::to_string(self.overflow) +
               ", unresolved=" + std::to_string(self.unresolved) + ")";
      });

  engine
      .def("open", &open_one<false>, py::arg("side"), py::arg("price"), py::arg("qty"), R"(
Open `qty` at `price` (rounded to the tick) in every tier of "long" or "short", at the engine's clock.

A level must lie beyond its entry's bin and beyond where the last touch left the price; with the trigger "mark", beyond the
last mark, too. Otherwise it counts as unresolved, which is warned of once an engine.

Parameters
----------
side : {"long", "short"}
price : float
    Entry price.
qty : float, dict of leverage to float, or ndarray of float64, shape (tiers,)
    One quantity for every tier (weights are applied on reading), or one for each: tiers that a dict leaves out open
    nothing. Rounded to whole lots, at least one.

Returns
-------
Opened
    How many levels are live, and where the others went.
)")
      .def("open_level", &open_one<true>, py::arg("side"), py::arg("level"), py::arg("qty"), R"(
Open `qty` at a liquidation price that is known (rounded to the tick), in every tier of "long" or "short".

As `open`, but every tier has the same level, and there is no entry that it must lie beyond. Read at weights that sum to 1,
a number is shown as it is; a quantity of one tier is shown at that tier's weight.
)")
      .def("opens", &open_many<false>, py::arg("side"), py::arg("price"), py::arg("qty"), py::kw_only(),
           py::arg("ts") = py::none(), R"(
As `open` for many rows, with the same bits: returns the sum of what each would return.

All rows are checked first: where one breaks a rule, the error names it and nothing has happened.

Parameters
----------
side : {"long", "short"} or ndarray of bool, shape (n,)
    The same for all rows, or True where a short opens.
price : ndarray of float64, shape (n,)
qty : ndarray of float64, shape (n,) or (n, tiers)
ts : ndarray of int64 or datetime64[ns], shape (n,), optional
    Times, not falling and not before the engine's clock, which each row moves. By default all rows act at the clock.
)")
      .def("open_levels", &open_many<true>, py::arg("side"), py::arg("level"), py::arg("qty"), py::kw_only(),
           py::arg("ts") = py::none(), "As `opens`, of `open_level`.")
      .def(
          "touch",
          [](PyEngine& self, double low, double high, std::optional<double> last) {
            const Feeding guard(self);
            self.engine.touch(low, high, last);
          },
          py::arg("low"), py::arg("high"), py::arg("last") = py::none(), R"(
Liquidate long levels in the bin of `low` and above, short levels in the bin of `high` and below.

`last` is where the price is after it: what opens is held against it. Left out, nobody knows where in [low, high] it is, and
what opens must lie beyond all of it.
)")
      .def(
          "close",
          [](PyEngine& self, std::string_view side, double low, double high, const py::object& qty) {
            const Side which = parse<Side>(side);
            std::vector<double> room;
            const std::span<const double> each = quantities(self, qty, room);
            const Feeding guard(self);
            return to_array(self.engine.close(which, low, high, each));
          },
          py::arg("side"), py::arg("low"), py::arg("high"), py::arg("qty"), R"(
Close up to `qty` of what is live of "long" or "short" in the bins from that of `low` to that of `high`.

In every tier, the levels nearest to the price first: for forced orders that were seen, for instance. What is taken away
depends on what is there, so from now on the engine is `sequential`.

Parameters
----------
side : {"long", "short"}
low, high : float
    Prices; their bins are included.
qty : float, dict of leverage to float, or ndarray of float64, shape (tiers,)
    As for `open`: one for every tier, or one for each.

Returns
-------
ndarray of float64, shape (tiers,)
    The quantity that was really closed.
)")
      .def("touches", &touch_many, py::arg("low"), py::arg("high"), py::arg("last") = py::none(), py::kw_only(),
           py::arg("ts") = py::none(),
           "As `touch` for many rows, float64 arrays, with the same bits; `ts` as for `opens`.");
}

}  // namespace liqcore::bindings
