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
#include "liqcore/engine.hpp"
#include "liqcore/features.hpp"
#include "liqcore/footprint_stream.hpp"
#include "names.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

/// An engine, who uses it now, and what its Python callback raised.
struct PyEngine {
  explicit PyEngine(Engine made) : engine(std::move(made)) {}

  Engine engine;
  std::atomic<std::size_t> user{0};  // hash of the thread's id; 0: nobody
  py::object callback = py::none();
  std::optional<py::error_already_set> raised{};
};

std::size_t this_thread() { return std::hash<std::thread::id>{}(std::this_thread::get_id()) | 1; }

/// Feeding: nobody else may be using the engine, not even this thread's own callback.
class Feeding {
 public:
  explicit Feeding(PyEngine& engine) : engine_(engine) {
    std::size_t nobody = 0;
    if (engine_.user.compare_exchange_strong(nobody, this_thread())) return;
    throw std::runtime_error(nobody == this_thread()
                                 ? "this engine was fed from its own on_column callback: feed it after the call returns"
                                 : "this engine is in use by another thread: one engine, one thread at a time");
  }
  Feeding(const Feeding&) = delete;
  Feeding& operator=(const Feeding&) = delete;
  ~Feeding() { engine_.user = 0; }

 private:
  PyEngine& engine_;
};

/// Reading: allowed to the engine's own callback as well.
class Reading {
 public:
  explicit Reading(PyEngine& engine) : engine_(engine) {
    std::size_t nobody = 0;
    owns_ = engine_.user.compare_exchange_strong(nobody, this_thread());
    if (!owns_ && nobody != this_thread())
      throw std::runtime_error("this engine is in use by another thread: one engine, one thread at a time");
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    if (owns_) engine_.user = 0;
  }

 private:
  PyEngine& engine_;
  bool owns_;
};

/// What the callback raised during the call is raised now that the call is done.
void raise_pending(PyEngine& self) {
  if (!self.raised) return;
  py::error_already_set error = std::move(*self.raised);
  self.raised.reset();
  throw error;
}

template <class Use>
auto feed(PyEngine& self, Use&& use) {
  auto result = [&] {
    const Feeding guard(self);
    const py::gil_scoped_release unlocked;
    return use(self.engine);
  }();
  raise_pending(self);
  return result;
}

TradeArrays trade_arrays(py::handle ts, py::handle price, py::handle qty, py::handle taker_sell) {
  const TradeArrays out{times(ts, "ts"), doubles(price, "price"), doubles(qty, "qty"), bools(taker_sell, "taker_sell")};
  return out;
}

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

CandleArrays candle_arrays(py::handle ts_open, py::handle open, py::handle high, py::handle low, py::handle close,
                           py::handle buy_qty, py::handle sell_qty, std::int64_t interval_ns) {
  CandleArrays out;
  out.ts_open_ns = times(ts_open, "ts_open");
  out.open = doubles(open, "open");
  out.high = doubles(high, "high");
  out.low = doubles(low, "low");
  out.close = doubles(close, "close");
  if (!buy_qty.is_none()) out.buy_qty = doubles(buy_qty, "buy_qty");
  if (!sell_qty.is_none()) out.sell_qty = doubles(sell_qty, "sell_qty");
  out.interval_ns = interval_ns;
  return out;
}

py::tuple tuple(const py::object& object, const char* argument, std::size_t size) {
  const auto out = py::tuple(object);
  if (out.size() != size)
    throw py::value_error(std::string(argument) + " must be a tuple of " + std::to_string(size) + " arrays, had " +
                          std::to_string(out.size()));
  return out;
}

/// Where results are written in place.
std::span<double> writable(const py::object& out, std::size_t size) {
  const std::span<const double> values = doubles(out, "out");
  if (!py::reinterpret_borrow<py::array>(out).writeable()) throw py::value_error("out must be writable, was read-only");
  if (values.size() != size)
    throw py::value_error("out must hold " + std::to_string(size) + " values, had " + std::to_string(values.size()));
  return {const_cast<double*>(values.data()), size};
}

/// Streams that go with trades.
void put_beside(Feed& all, const py::object& marks, const py::object& open_interest, const py::object& candles,
                std::int64_t interval_ns) {
  if (!marks.is_none()) {
    const py::tuple t = tuple(marks, "marks", 2);
    all.marks = {times(t[0], "ts (of marks)"), doubles(t[1], "price (of marks)")};
  }
  if (!open_interest.is_none()) {
    const py::tuple t = tuple(open_interest, "open_interest", 2);
    all.open_interest = {times(t[0], "ts (of open_interest)"), doubles(t[1], "quantity (of open_interest)")};
  }
  if (!candles.is_none()) {
    const py::tuple t = tuple(candles, "candles", 7);
    all.candles = candle_arrays(t[0], t[1], t[2], t[3], t[4], t[5], t[6], interval_ns);
  }
}

std::unique_ptr<PyEngine> make(const Instrument& instrument, const LeverageProfile& leverage, const py::object& axis,
                               std::int64_t ticks_per_bin, std::int64_t window_ns, std::string_view model,
                               std::string_view trigger, double maker_share, std::vector<double> half_life_ns,
                               std::optional<std::size_t> keep, std::size_t threads, double taker_tilt,
                               std::optional<double> churn, std::optional<double> event_threshold, bool reconciled) {
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
  options.window_ns = window_ns;
  options.model = parse<Model>(model);
  options.trigger = parse<Trigger>(trigger);
  options.maker_share = maker_share;
  options.half_life_ns = std::move(half_life_ns);
  options.keep = keep;
  options.threads = threads;
  options.model_options = {taker_tilt, churn, event_threshold, reconciled};
  return std::unique_ptr<PyEngine>(new PyEngine(Engine(instrument, leverage, std::move(options))));
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

constexpr Tally Account::* kTallies[] = {&Account::opened,     &Account::live,      &Account::liquidated,
                                         &Account::closed,     &Account::underflow, &Account::overflow,
                                         &Account::unresolved, &Account::no_price};

py::object range_of(const std::optional<TickRange>& range) {
  if (!range) return py::none();
  return py::make_tuple(range->low, range->high);
}

std::optional<TickRange> range_of(const py::handle& range) {
  if (range.is_none()) return std::nullopt;
  const auto [low, high] = range.cast<std::pair<std::int64_t, std::int64_t>>();
  return TickRange{low, high};
}

py::dict sampled_state(const SampledState& state) {
  py::list profile;
  for (const Traded& at : state.interval.profile) profile.append(py::make_tuple(at.tick, at.bought, at.sold));
  py::list liquidated;
  for (const Tally& tally : state.liquidated) liquidated.append(py::make_tuple(tally.whole(), tally.fraction()));
  const Candle& prices = state.interval.prices;
  py::dict out;
  out["before"] = state.before;
  out["profile"] = profile;
  out["hull"] = range_of(state.interval.hull);
  out["prices"] = py::make_tuple(prices.open, prices.high, prices.low, prices.close, prices.buy_lots, prices.sell_lots);
  out["liquidated"] = liquidated;
  out["spared"] = state.spared;
  out["capped"] = state.capped;
  return out;
}

SampledState sampled_state(const py::dict& from) {
  SampledState out;
  out.before = from["before"].cast<std::optional<double>>();
  for (const py::handle row : from["profile"]) {
    const auto [tick, bought, sold] = row.cast<std::tuple<std::int64_t, double, double>>();
    out.interval.profile.push_back({tick, bought, sold});
  }
  out.interval.hull = range_of(from["hull"]);
  const auto [open, high, low, close, buy, sell] =
      from["prices"].cast<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, double, double>>();
  out.interval.prices = {open, high, low, close, buy, sell};
  for (const py::handle pair : from["liquidated"]) {
    const auto [whole, fraction] = pair.cast<std::pair<std::int64_t, double>>();
    out.liquidated.emplace_back();
    out.liquidated.back().add(whole);
    out.liquidated.back().add(fraction);
  }
  out.spared = from["spared"].cast<std::vector<double>>();
  out.capped = from["capped"].cast<std::vector<double>>();
  return out;
}

/// What the history of an engine does not say of its state; plain numbers and lists, to be stored beside it.
py::dict state(PyEngine& self) {
  const Reading guard(self);
  const Checkpoint checkpoint = self.engine.checkpoint();
  const Stats& stats = checkpoint.stats;
  py::list whole;
  py::list fraction;
  for (const Account& account : stats.accounts)
    for (const auto tally : kTallies) {
      whole.append((account.*tally).whole());
      fraction.append((account.*tally).fraction());
    }
  py::dict out;
  out["clock_ns"] = checkpoint.clock_ns;
  out["axis"] = py::make_tuple(checkpoint.axis.low, checkpoint.axis.high);
  out["triggered"] = range_of(checkpoint.triggered);
  out["used_trades"] = checkpoint.used_trades;
  out["used_candle_volumes"] = checkpoint.used_candle_volumes;
  out["rows"] = stats.rows;
  out["used"] = stats.used;
  out["rounded_qty"] = stats.rounded_qty;
  out["rejected"] = std::vector<std::uint64_t>(stats.rejected.begin(), stats.rejected.end());
  out["inexact"] = stats.inexact;
  out["whole_lots"] = whole;
  out["fractions"] = fraction;
  out["sampled"] = sampled_state(checkpoint.sampled);
  out["last_price"] = checkpoint.last_price;
  out["began_ns"] = checkpoint.began_ns;
  out["liquidated_usd"] = checkpoint.liquidated_usd;
  return out;
}

/// `windows` ends with the unfinished one.
void restore(PyEngine& self, const History& windows, const py::dict& state) {
  const Feeding guard(self);
  if (windows.size() == 0) throw InvalidConfig("a checkpoint must hold the unfinished window");
  History closed(windows.terms(), std::nullopt);
  Cells base;
  windows.base().extract(base);
  closed.set_base(base);
  for (std::size_t i = 0; i + 1 < windows.size(); ++i) closed.append() = windows.segment(i);
  const auto axis = state["axis"].cast<std::pair<std::int64_t, std::int64_t>>();
  Stats stats;
  stats.rows = state["rows"].cast<std::uint64_t>();
  stats.used = state["used"].cast<std::uint64_t>();
  stats.rounded_qty = state["rounded_qty"].cast<std::uint64_t>();
  const auto rejected = state["rejected"].cast<std::vector<std::uint64_t>>();
  const auto whole = state["whole_lots"].cast<std::vector<std::int64_t>>();
  const auto fractions = state["fractions"].cast<std::vector<double>>();
  const std::size_t layers = 2 * self.engine.leverage().size();
  if (rejected.size() != kRejectReasons || whole.size() != layers * std::size(kTallies) ||
      fractions.size() != whole.size())
    throw InvalidConfig("a checkpoint must be of the same number of tiers and the same version");
  std::copy(rejected.begin(), rejected.end(), stats.rejected.begin());
  stats.inexact = state["inexact"].cast<bool>();
  stats.accounts.resize(layers);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Tally& tally = stats.accounts[i / std::size(kTallies)].*kTallies[i % std::size(kTallies)];
    tally.add(whole[i]);
    tally.add(fractions[i]);
  }
  self.engine.restore(Checkpoint{std::move(closed),
                                 windows.segment(windows.size() - 1),
                                 std::move(stats),
                                 state["clock_ns"].cast<std::int64_t>(),
                                 {axis.first, axis.second},
                                 range_of(state["triggered"]),
                                 state["used_trades"].cast<bool>(),
                                 state["used_candle_volumes"].cast<bool>(),
                                 sampled_state(py::dict(state["sampled"])),
                                 state["last_price"].cast<std::int64_t>(),
                                 state["began_ns"].cast<std::int64_t>(),
                                 state["liquidated_usd"].cast<std::vector<double>>()});
}

py::object read_features(FeatureReader& self, PyEngine& engine, py::object out) {
  if (out.is_none()) out = py::array_t<double>(static_cast<py::ssize_t>(self.size()));
  const std::span<double> values = writable(out, self.size());
  const Reading guard(engine);
  self.read(engine.engine, values);  // with the GIL, which keeps another thread from using this reader
  return out;
}

void on_column(PyEngine& self, py::object callback) {
  if (!callback.is_none() && PyCallable_Check(callback.ptr()) == 0)
    throw py::type_error("callback must be callable or None");
  const Feeding guard(self);
  self.callback = std::move(callback);
  if (self.callback.is_none()) {
    self.engine.on_column(nullptr);
    return;
  }
  self.engine.on_column([&self](const Segment& segment) {
    const py::gil_scoped_acquire locked;
    if (self.raised) return;
    try {
      self.callback(std::make_shared<Segment>(segment));
    } catch (py::error_already_set& error) {
      self.raised.emplace(std::move(error));
    }
  });
}

}  // namespace

void register_engine(py::module_& m) {
  py::class_<PyEngine>(m, "Engine", "The native engine; liqcore.Engine documents it.")
      .def(py::init(&make), py::kw_only(), py::arg("instrument"), py::arg("leverage"), py::arg("axis"),
           py::arg("ticks_per_bin"), py::arg("window_ns"), py::arg("model"), py::arg("trigger"), py::arg("maker_share"),
           py::arg("half_life_ns"), py::arg("keep"), py::arg("threads"), py::arg("taker_tilt"), py::arg("churn"),
           py::arg("event_threshold"), py::arg("reconciled"))
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
          py::arg("ts"), py::arg("price"), py::arg("qty"), py::arg("taker_sell"), R"(
Feed trades. The arrays are read in place, without a copy, and the GIL is released meanwhile.

Parameters
----------
ts : ndarray of int64 or datetime64[ns], shape (n,), C-contiguous
    Times, nanoseconds since the UNIX epoch, UTC. A row before the engine's clock is rejected as late.
price, qty : ndarray of float64, shape (n,), C-contiguous
    As the venue prints them.
taker_sell : ndarray of bool, shape (n,), C-contiguous
    True where the aggressor sold.

Returns
-------
Stats
    What this call did. Any split of the input into calls gives the same bits.

Raises
------
TypeError
    If a dtype or memory layout differs: nothing is converted silently.
InvalidConfigError
    If lengths differ, or a jump goes over more than a million windows; nothing of the call has happened then.
)")
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
          "open",
          [](PyEngine& self, std::string_view side, double price, double qty) {
            const Side which = parse<Side>(side);
            const Feeding guard(self);
            self.engine.open(which, price, qty);
          },
          py::arg("side"), py::arg("price"), py::arg("qty"),
          "Open `qty` at `price` (rounded to the tick) in every tier of \"long\" or \"short\", at the engine's clock.")
      .def(
          "touch",
          [](PyEngine& self, double low, double high) {
            const Feeding guard(self);
            self.engine.touch(low, high);
          },
          py::arg("low"), py::arg("high"),
          "Liquidate long levels in the bin of `low` and above, short levels in the bin of `high` and below.")
      .def(
          "_scale",
          [](PyEngine& self, const py::object& factors) {
            const auto all = doubles(factors, "factor");
            const Feeding guard(self);
            self.engine.scale(all);
          },
          py::arg("factors"))
      .def("on_column", &on_column, py::arg("callback"), R"(
Call `callback(segment)` whenever a window closes, on the thread that feeds the engine; None removes it.

The callback may read the engine (levels, axis, stats: the state at the window's end), not feed it. What it raises is
raised when the feeding call is done, and ends the callbacks of that call.
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
      .def_property_readonly(
          "clock",
          [](PyEngine& self) {
            const Reading guard(self);
            return self.engine.clock();
          },
          "Time of the last event used, ns; None before the first.")
      .def_property_readonly(
          "stats",
          [](PyEngine& self) {
            const Reading guard(self);
            return self.engine.stats();
          },
          "Everything since the start, as Stats.")
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
      .def("_state", &state)
      .def("_restore", &restore, py::arg("windows"), py::arg("state"))
      .def_property_readonly(
          "instrument", [](const PyEngine& self) { return self.engine.instrument(); }, "What is traded.")
      .def_property_readonly(
          "leverage", [](const PyEngine& self) { return self.engine.leverage(); }, "Tiers and shares.")
      .def_property_readonly(
          "window_ns", [](const PyEngine& self) { return self.engine.options().window_ns; }, "Length of a window, ns.")
      .def_property_readonly(
          "model", [](const PyEngine& self) { return word(self.engine.options().model); }, "Name of the model.")
      .def_property_readonly(
          "trigger", [](const PyEngine& self) { return word(self.engine.options().trigger); },
          "What liquidates: \"last\", \"mark\" or \"candle\".")
      .def_property_readonly(
          "maker_share", [](const PyEngine& self) { return self.engine.options().maker_share; },
          "Part of a trade opened on the maker's side, to the nearest 1/1024.")
      .def_property_readonly(
          "began",
          [](PyEngine& self) {
            const Reading guard(self);
            return self.engine.began();
          },
          "Time of the event that started the book (the first price of any kind), ns; None before it.")
      .def_property_readonly(
          "last_price",
          [](PyEngine& self) {
            const Reading guard(self);
            return self.engine.last_price();
          },
          "Price of the last trade, or close of the last candle; NaN before the first.")
      .def_property_readonly(
          "ptr", [](PyEngine& self) { return reinterpret_cast<std::uintptr_t>(&self.engine); },
          "Address of the engine, for functions of liqcore.h; valid while this object lives.")
      .def_property_readonly(
          "threads", [](const PyEngine& self) { return self.engine.options().threads; },
          "Threads that long arrays of trades are spread over.")
      .def_property_readonly(
          "taker_tilt", [](const PyEngine& self) { return self.engine.options().model_options.taker_tilt; },
          "How far taker imbalance moves the entries of the two sides apart.")
      .def_property_readonly(
          "churn", [](const PyEngine& self) { return self.engine.options().model_options.churn; },
          "Part of the turnover that opens and closes with the model blend; None with another.")
      .def_property_readonly(
          "event_threshold", [](const PyEngine& self) { return self.engine.options().model_options.event_threshold; },
          "Rise of open interest (quantity) above which it is an event of the model vendor; None: it never is.")
      .def_property_readonly(
          "reconciled", [](const PyEngine& self) { return self.engine.options().model_options.reconciled; },
          "Whether open interest corrects the book at every sample.")
      .def_property_readonly(
          "sequential", [](const PyEngine& self) { return self.engine.sequential(); },
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
      .def_property_readonly(
          "keep", [](const PyEngine& self) { return self.engine.options().keep; },
          "Number of closed windows kept; None: all.")
      .def_property_readonly(
          "has_fixed_axis", [](const PyEngine& self) { return self.engine.options().axis.has_value(); },
          "Whether the axis was given; otherwise it grows.")
      .def_property_readonly(
          "half_life_ns",
          [](const PyEngine& self) -> py::object {
            const auto& half_life = self.engine.options().half_life_ns;
            if (half_life.empty()) return py::none();
            return copy_to_array(std::span(half_life));
          },
          "Half-life of each tier, ns; None where nothing decays.");

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
}

}  // namespace liqcore::bindings
