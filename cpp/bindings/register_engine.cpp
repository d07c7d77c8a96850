#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "axis.hpp"
#include "bytes.hpp"
#include "checkpoint.hpp"
#include "feeds.hpp"
#include "liqcore/checksum.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/footprint_stream.hpp"
#include "names.hpp"
#include "price_notes.hpp"
#include "python_engine.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

/// A column of any stride and alignment, as views of a structured array have them.
template <class Accepts>
Strided strided(py::handle object, const char* argument, const char* wanted, std::size_t size, Accepts&& accepts) {
  const auto array = py::cast<py::array>(object);
  if (!accepts(array))
    throw py::type_error(std::string(argument) + " must be " + wanted + " (nothing is converted silently), was " +
                         std::string(py::str(array.dtype())));
  if (array.ndim() != 1 || static_cast<std::size_t>(array.size()) != size)
    throw py::value_error(std::string(argument) + " must be one-dimensional and of the length of the others");
  return {array.data(), static_cast<std::ptrdiff_t>(array.strides(0))};
}

TradeRecords trade_records(const py::array& ts, const py::array& price, const py::array& qty, const py::array& flags) {
  TradeRecords out;
  out.size = static_cast<std::size_t>(ts.size());
  const auto is_double = [](const py::array& a) { return is_native(a, 'f', 8); };
  out.ts_ns = strided(ts, "ts", "int64 (or datetime64[ns])", out.size, is_time);
  out.price = strided(price, "price", "float64", out.size, is_double);
  out.qty = strided(qty, "qty", "float64", out.size, is_double);
  out.flags = strided(flags, "flags", "bool or uint64", out.size,
                      [](const py::array& a) { return is_native(a, 'b', 1) || is_native(a, 'u', 8); });
  out.wide_flags = flags.itemsize() == 8;
  return out;
}

std::unique_ptr<PyEngine> make(const Instrument& instrument, const LeverageProfile& leverage, const py::object& axis,
                               std::int64_t ticks_per_bin, std::int64_t axis_limit, std::int64_t window_ns,
                               std::string_view model, std::string_view trigger, double maker_share,
                               std::vector<double> half_life_ns, std::optional<std::size_t> keep, std::size_t threads,
                               double taker_tilt, std::optional<double> churn, std::optional<double> event_threshold,
                               bool reconciled, std::string_view candle_price, double outlier,
                               std::optional<double> exponent) {
  EngineOptions options;
  if (!axis.is_none()) {
    const auto& given = axis.cast<const Axis&>();
    if (given.tick_size != instrument.tick_size())
      throw InvalidConfig("axis must have the instrument's tick_size (" +
                          std::string(py::str(py::float_(instrument.tick_size()))) + "), had " +
                          std::string(py::str(py::float_(given.tick_size))));
    options.axis = given.axis;
  }
  options.ticks_per_bin = ticks_per_bin;
  options.axis_limit = axis_limit;
  options.window_ns = window_ns;
  options.model = parse<Model>(model);
  options.trigger = parse<Trigger>(trigger);
  options.maker_share = maker_share;
  options.half_life_ns = std::move(half_life_ns);
  options.keep = keep;
  options.threads = threads;
  options.model_options = {taker_tilt, churn, event_threshold, reconciled, exponent};
  options.candle_price = parse<CandlePrice>(candle_price);
  options.outlier = outlier;
  return std::unique_ptr<PyEngine>(new PyEngine(Engine(instrument, leverage, std::move(options))));
}

/// What a property reads of the engine: never while another thread uses it.
template <auto Read>
auto reading(PyEngine& self) {
  const Reading guard(self);
  return (self.engine.*Read)();
}

/// What a property reads of the options, which never change.
template <auto Field>
auto option(const PyEngine& self) {
  return self.engine.options().*Field;
}
template <auto Field>
std::string option_word(const PyEngine& self) {
  return word(self.engine.options().*Field);
}
template <auto Field>
auto model_option(const PyEngine& self) {
  return self.engine.options().model_options.*Field;
}

py::array_t<double> levels(PyEngine& self, std::string_view side, bool lots) {
  const Side which = parse<Side>(side);
  const Reading guard(self);
  const auto tiers = static_cast<py::ssize_t>(self.engine.leverage().size());
  const auto axis = self.engine.axis();
  py::array_t<double> out({tiers, static_cast<py::ssize_t>(axis ? axis->size() : 0)});
  const std::span<double> cells(out.mutable_data(), static_cast<std::size_t>(out.size()));
  std::fill(cells.begin(), cells.end(), 0.0);
  if (const LevelBook* book = self.engine.book(); book != nullptr && axis) book->snapshot(which, cells);
  if (!lots)
    for (double& cell : cells) cell *= self.engine.instrument().lot_size();
  return out;
}

/// A copy of the closed windows; with the unfinished one as its last, if wanted and there is one.
py::tuple history(PyEngine& self, bool unfinished) {
  const Reading guard(self);
  const History* closed = self.engine.history();
  if (closed == nullptr) return py::make_tuple(py::none(), false);
  if (!unfinished) return py::make_tuple(py::cast(*closed), false);
  History all = *self.engine.history_so_far();
  const bool with_open = all.size() > closed->size();
  return py::make_tuple(py::cast(std::move(all)), with_open);
}

void on_column(PyEngine& self, py::object callback) {
  if (!callback.is_none() && PyCallable_Check(callback.ptr()) == 0)
    throw py::type_error("callback must be callable or None");
  const Reading guard(self);  // a callback may replace or remove itself
  self.callback = std::move(callback);
  self.raised.reset();
  if (self.callback.is_none()) {
    self.engine.on_column(nullptr);
    return;
  }
  self.engine.on_column([&self](const Segment& segment) {
    const py::gil_scoped_acquire locked;
    if (self.raised) return;
    try {
      const py::object callback = self.callback;  // which lives until it returns, whatever it does
      callback(std::make_shared<Segment>(segment));
    } catch (py::error_already_set& error) {
      if (self.user == 0)  // fed through the C interface: no Python call is there to raise it
        error.discard_as_unraisable(self.callback);
      else
        self.raised.emplace(std::move(error));
    }
  });
}

py::bytes save(PyEngine& self, const std::string& notes) {
  const Reading guard(self);
  const std::size_t size = self.engine.save_to({}, notes);
  auto out = py::reinterpret_steal<py::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<py::ssize_t>(size)));
  if (!out) throw py::error_already_set();
  auto* const to = reinterpret_cast<std::byte*>(PyBytes_AS_STRING(out.ptr()));
  const py::gil_scoped_release unlocked;  // nobody else has the bytes yet
  static_cast<void>(self.engine.save_to({to, size}, notes));
  return out;
}

/// Its bytes and its threads.
py::object state(PyEngine& self) { return py::make_tuple(save(self, self.notes), self.engine.options().threads); }

/// Another engine is cloned; bytes and threads are loaded.
std::unique_ptr<PyEngine> made_of(const py::object& state) {
  if (py::isinstance<PyEngine>(state)) {
    auto& other = state.cast<PyEngine&>();
    const Reading guard(other);
    auto made = std::make_unique<PyEngine>(other.engine.clone());
    made->notes = other.notes;
    return made;
  }
  if (!PyTuple_Check(state.ptr()) || PyTuple_GET_SIZE(state.ptr()) != 2 ||
      PyObject_CheckBuffer(PyTuple_GET_ITEM(state.ptr(), 0)) == 0)
    throw py::type_error("data must be bytes");
  const auto [data, threads] = state.cast<std::tuple<py::buffer, std::size_t>>();
  const Bytes bytes(data);
  std::string notes;
  const auto load = [&] {
    const py::gil_scoped_release unlocked;
    return Engine::load(bytes.span(), threads, &notes);
  };
  auto made = std::make_unique<PyEngine>(load());
  made->notes = std::move(notes);
  return made;
}

}  // namespace

void register_engine(py::module_& m) {
  m.def(
      "crc32c", [](const py::buffer& data, std::uint32_t before) { return crc32c(Bytes(data).span(), before); },
      py::arg("data"), py::arg("before") = 0,
      "CRC-32C of bytes, the checksum of liqcore's files; `before` is that of what came before them.");

  py::class_<PyEngine> engine(m, "Engine", "The native engine; liqcore.Engine documents it.");
  register_verbs(m, engine);
  engine
      .def(py::init(&make), py::kw_only(), py::arg("instrument"), py::arg("leverage"), py::arg("axis"),
           py::arg("ticks_per_bin"), py::arg("axis_limit"), py::arg("window_ns"), py::arg("model"), py::arg("trigger"),
           py::arg("maker_share"), py::arg("half_life_ns"), py::arg("keep"), py::arg("threads"), py::arg("taker_tilt"),
           py::arg("churn"), py::arg("event_threshold"), py::arg("reconciled"), py::arg("candle_price"),
           py::arg("outlier"), py::arg("exponent"))
      .def(
          "trade",
          [](PyEngine& self, std::int64_t ts, double price, double qty, bool taker_sell) {
            bool used;
            {
              const Feeding guard(self);
              used = self.engine.trade(ts, price, qty, taker_sell) == Reject::none;
            }
            raise_pending(self);
            return used;
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("taker_sell"), R"(
Feed one trade.

Parameters
----------
ts : int
    Time, nanoseconds since the UNIX epoch, UTC.
price, qty : float
    As the venue prints them.
taker_sell : bool
    True if the aggressor sold.

Returns
-------
bool
    Whether the trade was used; if not, ``stats.rejected`` has the reason.
)")
      .def(
          "trades",
          [](PyEngine& self, const py::object& ts, const py::object& price, const py::object& qty,
             const py::object& taker_sell) {
            const TradeArrays rows = trade_arrays(ts, price, qty, taker_sell);
            return feed(self, [&](Engine& engine) { return engine.trades(rows); });
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("taker_sell"),
          "Feed arrays of trades; liqcore.Engine.trades documents it.")
      .def(
          "_records",  // liqcore.Engine.feed_events finds the fields
          [](PyEngine& self, const py::array& ts, const py::array& price, const py::array& qty, const py::array& flags,
             std::uint64_t kind_mask, std::uint64_t kind, std::uint64_t clock, std::uint64_t buy, std::uint64_t sell) {
            TradeRecords rows = trade_records(ts, price, qty, flags);
            rows.kind_mask = kind_mask;
            rows.kind = kind;
            rows.clock = clock;
            rows.buy = buy;
            rows.sell = sell;
            const RecordStats done = bindings::feed(self, [&](Engine& engine) { return engine.records(rows); });
            py::dict others;
            for (std::size_t i = 0; i < done.other_kinds.size(); ++i)
              if (done.other_kinds[i] > 0) others[py::int_(i)] = done.other_kinds[i];
            return py::make_tuple(done.stats, others, done.other_clock, done.no_side);
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("flags"), py::kw_only(), py::arg("kind_mask"),
          py::arg("kind"), py::arg("clock"), py::arg("buy"), py::arg("sell"))
      .def(
          "mark",
          [](PyEngine& self, std::int64_t ts, double price) {
            return feed(self, [&](Engine& engine) { return engine.mark(ts, price) == Reject::none; });
          },
          py::arg("ts"), py::arg("price"), "Feed one mark price (rounded to the tick); returns whether it was used.")
      .def(
          "marks",
          [](PyEngine& self, const py::object& ts, const py::object& price) {
            const SampleArrays rows{times(ts, "ts"), doubles(price, "price")};
            return feed(self, [&](Engine& engine) { return engine.marks(rows); });
          },
          py::arg("ts"), py::arg("price"), "Feed mark prices: int64 ns and float64 arrays. Returns Stats.")
      .def(
          "open_interest",
          [](PyEngine& self, const py::object& ts, const py::object& quantity) -> py::object {
            if (py::isinstance<py::array>(ts) && py::reinterpret_borrow<py::array>(ts).ndim() > 0) {
              const SampleArrays rows{times(ts, "ts"), doubles(quantity, "quantity")};
              return py::cast(feed(self, [&](Engine& engine) { return engine.open_interest(rows); }));
            }
            const auto at = ts.cast<std::int64_t>();
            const auto value = quantity.cast<double>();
            return py::cast(
                feed(self, [&](Engine& engine) { return engine.open_interest(at, value) == Reject::none; }));
          },
          py::arg("ts"), py::arg("quantity"), R"(
Feed open interest, one sample or arrays (int64 ns, float64; in quantity, one-sided).

The models oi and blend open and close by it, vendor where it rises by more than ``event_threshold``; flow only records it
with the segments, unless it is reconciled. Returns whether it was used, or Stats for arrays.
)")
      .def(
          "vendor_event",
          [](PyEngine& self, std::int64_t ts, double price, double qty) {
            return feed(self, [&](Engine& engine) { return engine.vendor_event(ts, price, qty) == Reject::none; });
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"),
          "Open `qty` on both sides at `price` (rounded to lot and tick), with the model vendor; returns whether it "
          "was "
          "used.")
      .def(
          "vendor_events",
          [](PyEngine& self, const py::object& ts, const py::object& price, const py::object& qty) {
            const EventArrays rows{times(ts, "ts"), doubles(price, "price"), doubles(qty, "qty")};
            return feed(self, [&](Engine& engine) { return engine.vendor_events(rows); });
          },
          py::arg("ts"), py::arg("price"), py::arg("qty"),
          "Feed vendor events: int64 ns and float64 arrays. Returns Stats.")
      .def(
          "_candles",  // liqcore.Engine.candles takes the interval in words
          [](PyEngine& self, const py::object& ts_open, const py::object& open, const py::object& high,
             const py::object& low, const py::object& close, const py::object& buy_qty, const py::object& sell_qty,
             std::int64_t interval_ns) {
            const CandleArrays rows = candle_arrays(ts_open, open, high, low, close, buy_qty, sell_qty, interval_ns);
            return feed(self, [&](Engine& engine) { return engine.candles(rows); });
          },
          py::arg("ts_open"), py::arg("open"), py::arg("high"), py::arg("low"), py::arg("close"), py::arg("buy_qty"),
          py::arg("sell_qty"), py::arg("interval_ns"))
      .def(
          "_feed",  // liqcore.Engine.feed takes batches as well as tuples
          [](PyEngine& self, const py::object& trades, const py::object& marks, const py::object& open_interest,
             const py::object& candles, const py::object& vendor_events, std::int64_t interval_ns) {
            Feed all;
            if (!trades.is_none()) {
              const py::tuple t = tuple(trades, "trades", 4);
              all.trades = trade_arrays(t[0], t[1], t[2], t[3]);
            }
            put_beside(all, marks, open_interest, candles, interval_ns);
            if (!vendor_events.is_none()) {
              const py::tuple t = tuple(vendor_events, "vendor_events", 3);
              all.vendor_events = {times(t[0], "ts (of vendor_events)"), doubles(t[1], "price (of vendor_events)"),
                                   doubles(t[2], "qty (of vendor_events)")};
            }
            return bindings::feed(self, [&](Engine& engine) { return engine.feed(all); });
          },
          py::arg("trades"), py::arg("marks"), py::arg("open_interest"), py::arg("candles"), py::arg("vendor_events"),
          py::arg("interval_ns"))
      .def(
          "_replay",  // liqcore.Engine.replay takes batches as well as tuples
          [](PyEngine& self, const FootprintStream& footprints, const py::object& marks,
             const py::object& open_interest, const py::object& candles, std::int64_t interval_ns) {
            Feed beside;
            put_beside(beside, marks, open_interest, candles, interval_ns);
            return bindings::feed(self, [&](Engine& engine) { return engine.replay(footprints, beside); });
          },
          py::arg("footprints"), py::arg("marks"), py::arg("open_interest"), py::arg("candles"), py::arg("interval_ns"))
      .def(
          "advance",
          [](PyEngine& self, std::int64_t ts) {
            static_cast<void>(feed(self, [&](Engine& engine) {
              engine.advance(ts);
              return 0;
            }));
          },
          py::arg("ts"), "Move the clock to `ts` (ns): windows that ended by then are closed.")
      .def(
          "_scale",
          [](PyEngine& self, const py::object& factors, const std::optional<std::pair<double, double>>& part) {
            const auto all = doubles(factors, "factor");
            const Feeding guard(self);
            if (part)
              self.engine.scale(all, part->first, part->second);
            else
              self.engine.scale(all);
          },
          py::arg("factors"), py::arg("part"))
      .def("on_column", &on_column, py::arg("callback"), R"(
Call `callback(segment)` whenever a window closes, on the thread that feeds the engine; None removes it.

The window is over by then: whatever the callback reads (levels, features, stats, clock, history, what `save` writes) is
what `advance` to the window's end would leave, for any size of batch and number of threads; with a callback, windows
close on one thread. It may not feed the engine; it may replace or remove itself. What it raises is raised when the
feeding call is done, and ends the callbacks of that call. Where a function of liqcore.h feeds the engine it
goes to `sys.unraisablehook`.
)")
      .def(
          "levels", [](PyEngine& self, std::string_view side) { return levels(self, side, false); }, py::arg("side"),
          "Live quantity by tier and bin of `axis`, unweighted: float64 (tiers, bins), a new array.")
      .def(
          "levels_lots", [](PyEngine& self, std::string_view side) { return levels(self, side, true); },
          py::arg("side"), "As levels(), in lots: exact whole numbers unless levels were scaled.")
      .def_property_readonly(
          "axis",
          [](PyEngine& self) -> py::object {
            const Reading guard(self);
            const auto axis = self.engine.axis();
            if (!axis) return py::none();
            return py::cast(Axis{*axis, self.engine.instrument().tick_size()});
          },
          "The price axis of levels(): fixed, or as far as levels have come; None before the first price.")
      .def_property_readonly("clock", &reading<&Engine::clock>,
                             "Time of the last event used, ns; None before the first.")
      .def_property_readonly("stats", &reading<&Engine::stats>, "Everything since the start, as Stats.")
      .def(
          "segments",
          [](PyEngine& self) {
            const Reading guard(self);
            py::list out;
            if (const History* closed = self.engine.history())
              for (std::size_t i = 0; i < closed->size(); ++i)
                out.append(std::const_pointer_cast<Segment>(closed->share(i)));
            return out;
          },
          "The closed windows that are kept, oldest first: list of Segment.")
      .def("_history", &history, py::arg("unfinished"))
      .def("_save", &save, py::arg("notes"))
      .def(py::pickle(&state, &made_of))
      .def_property_readonly("_notes", [](const PyEngine& self) { return py::bytes(self.notes); })
      .def("_restore", &restore, py::arg("windows"), py::arg("state"))
      .def_property_readonly(
          "instrument", [](const PyEngine& self) { return self.engine.instrument(); }, "What is traded.")
      .def_property_readonly(
          "leverage", [](const PyEngine& self) { return self.engine.leverage(); }, "Tiers and shares.")
      .def_property_readonly("window_ns", &option<&EngineOptions::window_ns>, "Length of a window, ns.")
      .def_property_readonly("model", &option_word<&EngineOptions::model>, "Name of the model.")
      .def_property_readonly("trigger", &option_word<&EngineOptions::trigger>,
                             "What liquidates: \"last\", \"mark\" or \"candle\".")
      .def_property_readonly("maker_share", &option<&EngineOptions::maker_share>,
                             "Part of a trade opened on the maker's side, to the nearest 1/1024.")
      .def_property_readonly(
          "began", &reading<&Engine::began>,
          "Time of the event that started the book (the first price of any kind), ns; None before it.")
      .def_property_readonly("last_price", &reading<&Engine::last_price>,
                             "Price of the last trade, or close of the last candle; NaN before the first.")
      .def_property_readonly(
          "ptr", [](PyEngine& self) { return reinterpret_cast<std::uintptr_t>(&self.engine); },
          "Address of the engine, for functions of liqcore.h; valid while this object lives.")
      .def_property_readonly("threads", &option<&EngineOptions::threads>,
                             "Threads that long arrays of trades are spread over.")
      .def_property_readonly("taker_tilt", &model_option<&ModelOptions::taker_tilt>,
                             "How far taker imbalance moves the entries of the two sides apart.")
      .def_property_readonly("churn", &model_option<&ModelOptions::churn>,
                             "Part of the turnover that opens and closes with the model blend; None with another.")
      .def_property_readonly(
          "event_threshold", &model_option<&ModelOptions::event_threshold>,
          "Rise of open interest (quantity) above which it is an event of the model vendor; None: it never is.")
      .def_property_readonly("exponent", &model_option<&ModelOptions::exponent>,
                             "From 0, opening by time at price, to 1, by volume, with the model presence; else None.")
      .def_property_readonly("candle_price", &option_word<&EngineOptions::candle_price>,
                             "Price of a candle at which its volumes open.")
      .def_property_readonly("reconciled", &model_option<&ModelOptions::reconciled>,
                             "Whether open interest corrects the book at every sample.")
      .def_property_readonly(
          "sequential", &reading<&Engine::sequential>,
          "Whether what the model does depends on the book: then parts of a history cannot be computed apart.")
      .def_property_readonly(
          "corrections",
          [](PyEngine& self) {
            const Reading guard(self);
            const SampledModel& model = self.engine.sampled();
            const double lot = self.engine.instrument().lot_size();
            const auto tiers = static_cast<py::ssize_t>(self.engine.leverage().size());
            py::dict out;
            for (const auto& [name, lots] :
                 {std::pair{"spared", &model.spared()}, std::pair{"capped", &model.capped()}}) {
              py::array_t<double> rows({py::ssize_t{2}, tiers});
              std::transform(lots->begin(), lots->end(), rows.mutable_data(), [&](double x) { return x * lot; });
              out[name] = rows;
            }
            return out;
          },
          R"(What open interest has corrected since the start, if reconciled.

``spared`` is the quantity that was not closed because liquidations explain the fall, ``capped`` what was closed because a
layer exceeded open interest: dict of float64 arrays (side, tier).
)")
      .def_property_readonly("keep", &option<&EngineOptions::keep>, "Number of closed windows kept; None: all.")
      .def_property_readonly(
          "has_fixed_axis", [](const PyEngine& self) { return self.engine.options().axis.has_value(); },
          "Whether the axis was given; otherwise it grows.")
      .def_property_readonly("axis_limit", &option<&EngineOptions::axis_limit>,
                             "Where an axis that grows ends, in book bins above price zero.")
      .def_property_readonly(
          "outlier", &option<&EngineOptions::outlier>,
          "How far a price may lie from the one before it, as a share of it; 0: every price is believed.")
      .def_property_readonly(
          "outliers",
          [](PyEngine& self) {
            const Reading guard(self);
            return outliers_of(self.engine.price_notes(), self.engine.instrument().tick_size());
          },
          "The first eight rows that were rejected as outliers since the engine was made or loaded: list of (stream, "
          "time in ns, price, price believed at the time); `stats` counts all.")
      .def_property_readonly(
          "price_jumps",
          [](PyEngine& self) {
            const Reading guard(self);
            return jumps_of(self.engine.price_notes(), self.engine.instrument().tick_size());
          },
          "The first 64 jumps of a price that were outliers until they lasted: list of (stream, when first seen, when "
          "believed, price, price before, whether that one had been settled).")
      .def_property_readonly(
          "half_life_ns",
          [](const PyEngine& self) -> py::object {
            const auto& half_life = self.engine.options().half_life_ns;
            if (half_life.empty()) return py::none();
            return copy_to_array(std::span(half_life));
          },
          "Half-life of each tier, ns; None where nothing decays.");
}

}  // namespace liqcore::bindings
