// What the tests of the core share: plain markets, error messages, and a book that is simple enough to be believed.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "liqcore/book.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"

namespace support {

using liqcore::Account;
using liqcore::Side;

/// The message of the InvalidConfig that a call throws; empty if it throws none.
template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const liqcore::InvalidConfig& error) {
    return error.what();
  }
  return {};
}

/// Tick, lot and multiplier of 1: prices are ticks, quantities are lots.
inline liqcore::Instrument whole(double mmr = 0.0, liqcore::Contract contract = liqcore::Contract::linear) {
  return {"TEST", "", contract, 1.0, 1.0, 1.0, liqcore::MarginSchedule::flat(mmr)};
}

/// Equal shares.
inline liqcore::LeverageProfile tiers(std::vector<double> leverages) {
  std::vector<double> shares(leverages.size(), 1.0 / static_cast<double>(leverages.size()));
  return {std::move(leverages), std::move(shares)};
}

/// Of histories made by hand: windows of 100 ns, bins of 10 ticks.
constexpr liqcore::Terms terms_of(std::size_t tiers, double tick_size, double lot_size, double multiplier) {
  return {.contract = liqcore::Contract::linear,
          .tick_size = tick_size,
          .lot_size = lot_size,
          .multiplier = multiplier,
          .ticks_per_bin = 10,
          .window_ns = 100,
          .tiers = tiers};
}

using LevelMap = std::map<std::int64_t, double>;

/// Live lots of each layer by absolute bin, without the empty bins.
inline std::vector<LevelMap> live(const liqcore::LevelBook& book) {
  std::vector<LevelMap> out(2 * book.tiers());
  const auto width = static_cast<std::size_t>(book.width());
  std::vector<double> cells(book.tiers() * width);
  for (const Side side : {Side::long_, Side::short_}) {
    book.snapshot(side, cells);
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (cells[i] != 0.0) {
        const std::size_t layer = static_cast<std::size_t>(side) * book.tiers() + i / width;
        out[layer][book.first_bin() + static_cast<std::int64_t>(i % width)] = cells[i];
      }
  }
  return out;
}

inline LevelMap live(const liqcore::LevelBook& book, std::size_t layer) { return live(book)[layer]; }

inline LevelMap cells_of(const liqcore::Cells& cells, std::size_t layer) {
  LevelMap out;
  for (std::size_t i = 0; i < cells.layer_bins(layer).size(); ++i)
    out[cells.layer_bins(layer)[i]] = cells.layer_lots(layer)[i];
  return out;
}

inline double sum(const LevelMap& levels) {
  double total = 0.0;
  for (const auto& [bin, lots] : levels) total += lots;
  return total;
}

/// The book by the letter of its rules: a map a layer, one event after the other, integer division for bins.
class MapBook {
 public:
  struct Totals {
    double opened = 0, liquidated = 0, underflow = 0, overflow = 0, unresolved = 0, no_price = 0;
    bool operator==(const Totals&) const = default;
  };

  MapBook(const liqcore::Instrument& instrument, const liqcore::LeverageProfile& leverage, std::int64_t step,
          std::int64_t low_bin, std::int64_t high_bin)
      : tiers_(leverage.size()),
        step_(step),
        low_bin_(low_bin),
        high_bin_(high_bin),
        live_(2 * tiers_),
        totals_(2 * tiers_) {
    for (const Side side : {Side::long_, Side::short_})
      for (const double tier : leverage.tiers())
        factors_.push_back(instrument.margin().level_factor(side, instrument.contract(), tier));
  }

  [[nodiscard]] std::int64_t bin(std::int64_t tick) const { return tick / step_; }

  void open(Side side, std::int64_t tick, double lots,
            std::optional<liqcore::LevelBook::Reached> reached = std::nullopt) {
    const bool longs = side == Side::long_;
    for (std::size_t tier = 0; tier < tiers_; ++tier) {
      const std::size_t layer = tier + (longs ? 0 : tiers_);
      Totals& totals = totals_[layer];
      totals.opened += lots;
      const double price = std::nearbyint(static_cast<double>(tick) * factors_[layer]);
      if (!(price >= 1.0)) {
        totals.no_price += lots;
        continue;
      }
      const std::int64_t at = price < 1e12 ? bin(static_cast<std::int64_t>(price)) : high_bin_;
      bool beyond = longs ? at < bin(tick) : at > bin(tick);
      if (reached) beyond = beyond && (longs ? at < reached->low_bin : at > reached->high_bin);
      if (at < low_bin_)
        totals.underflow += lots;
      else if (at >= high_bin_)
        totals.overflow += lots;
      else if (!beyond)
        totals.unresolved += lots;
      else if (lots != 0.0)
        live_[layer][at] += lots;
    }
  }

  void touch(std::int64_t low_tick, std::int64_t high_tick) {
    for (std::size_t layer = 0; layer < 2 * tiers_; ++layer)
      std::erase_if(live_[layer], [&](const auto& level) {
        const bool hit = layer < tiers_ ? level.first >= bin(low_tick) : level.first <= bin(high_tick);
        if (hit) totals_[layer].liquidated += level.second;
        return hit;
      });
  }

  [[nodiscard]] const std::vector<LevelMap>& live() const { return live_; }
  [[nodiscard]] const std::vector<Totals>& totals() const { return totals_; }
  /// The same levels and totals.
  bool operator==(const MapBook& other) const { return live_ == other.live_ && totals_ == other.totals_; }

 private:
  std::size_t tiers_;
  std::int64_t step_;
  std::int64_t low_bin_;
  std::int64_t high_bin_;
  std::vector<double> factors_;
  std::vector<LevelMap> live_;
  std::vector<Totals> totals_;
};

inline MapBook::Totals totals_of(const Account& account) {
  return {account.opened.value(),   account.liquidated.value(), account.underflow.value(),
          account.overflow.value(), account.unresolved.value(), account.no_price.value()};
}

inline std::vector<MapBook::Totals> totals_of(const std::vector<Account>& accounts) {
  std::vector<MapBook::Totals> out;
  for (const Account& account : accounts) out.push_back(totals_of(account));
  return out;
}

/// Reproducible whole numbers on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// In [low, high].
  std::int64_t operator()(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return (*this)(1, n) == 1; }

 private:
  std::mt19937_64 engine_;
};

/// Trades in columns.
struct Tape {
  std::vector<std::int64_t> ts;
  std::vector<double> price, qty;
  std::vector<std::uint8_t> sell;

  [[nodiscard]] std::size_t size() const { return ts.size(); }
  void push(std::int64_t time, double trade_price, double trade_qty, bool taker_sell) {
    ts.push_back(time);
    price.push_back(trade_price);
    qty.push_back(trade_qty);
    sell.push_back(taker_sell ? 1 : 0);
  }
  [[nodiscard]] liqcore::TradeArrays view(std::size_t begin, std::size_t end) const {
    const std::size_t n = end - begin;
    return {{ts.data() + begin, n}, {price.data() + begin, n}, {qty.data() + begin, n}, {sell.data() + begin, n}};
  }
  [[nodiscard]] liqcore::TradeArrays all() const { return view(0, size()); }
};

/// Whether tests take their long sizes: everywhere but under sanitizers, where LIQCORE_SOAK=1 (as in `make soak`) asks
/// for them.
inline bool long_sizes() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  static const bool soak = std::getenv("LIQCORE_SOAK") != nullptr;
  return soak;
#else
  return true;
#endif
}

/// Ticks that a walk stays between. A wide walk makes a book of one-tick bins grow hundreds of times, each time with
/// memory that a sanitizer has to follow.
struct Walk {
  std::int64_t lowest = 2'000, highest = 40'000;
};
inline Walk walk() { return long_sizes() ? Walk{} : Walk{9'000, 11'000}; }

/// A walk around tick 10,000 with equal times, jumps, gaps over many windows of 1,000 ns and, if asked for, bad rows.
inline Tape random_tape(std::uint64_t seed, std::size_t rows, bool bad_rows, Walk within = {}) {
  Random random{seed};
  Tape tape;
  std::int64_t ts = 5'000, tick = 10'000;
  for (std::size_t i = 0; i < rows; ++i) {
    ts += random.one_in(200) ? random(0, 30'000) : random(0, 20);
    tick += random.one_in(150) ? random(-1'500, 1'500) : random(-8, 8);
    if (tick < within.lowest || tick > within.highest) tick = 10'000;
    double price = static_cast<double>(tick), qty = static_cast<double>(random(1, 50));
    std::int64_t at = ts;
    if (bad_rows && random.one_in(40)) switch (random(0, 6)) {
        case 0:
          price = std::nan("");
          break;
        case 1:
          qty = -1.0;
          break;
        case 2:
          price += 0.25;
          break;
        case 3:
          at -= 3'000;
          break;
        case 4:
          qty = INFINITY;
          break;
        case 5:
          qty += 0.5;
          break;
        default:
          qty = 0.25;
          break;
      }
    tape.push(at, price, qty, random.one_in(2));
  }
  return tape;
}

/// One way to run an engine over such a tape: what its suites go through, each with the fields that it needs.
struct RunCase {
  const char* name;
  liqcore::Trigger trigger = liqcore::Trigger::last;
  double maker_share = 0.0;
  std::int64_t ticks_per_bin = 0;
  std::optional<liqcore::PriceAxis> axis = std::nullopt;
  std::optional<std::size_t> keep = std::nullopt;
  liqcore::Model model = liqcore::Model::flow;
  double half_life_ns = 0.0;  // 0: none
  double per_unit = 1.0;      // ticks in 1 of price
  double per_lot = 1.0;       // lots in 1 of quantity
  double span_bps = 5.0;      // of footprints
  std::vector<double> leverages = {1, 2, 10, 50, 125};

  [[nodiscard]] liqcore::Engine engine() const {
    liqcore::EngineOptions options{.axis = axis,
                                   .ticks_per_bin = ticks_per_bin,
                                   .window_ns = 1'000,
                                   .model = model,
                                   .trigger = trigger,
                                   .maker_share = maker_share,
                                   .half_life_ns = {},
                                   .keep = keep,
                                   .threads = 1,
                                   .model_options = {}};
    if (half_life_ns > 0.0) options.half_life_ns.assign(leverages.size(), half_life_ns);
    const liqcore::Instrument instrument{"TEST",        "",  liqcore::Contract::linear,           1.0 / per_unit,
                                         1.0 / per_lot, 1.0, liqcore::MarginSchedule::flat(0.004)};
    return {instrument, tiers(leverages), options};
  }

  /// A tape of whole ticks and lots in the units of this market.
  [[nodiscard]] Tape in_units(Tape tape) const {
    for (double& price : tape.price) price /= per_unit;
    for (double& qty : tape.qty) qty /= per_lot;
    return tape;
  }
};

inline void PrintTo(const RunCase& c, std::ostream* out) { *out << c.name; }

/// Everything that can be seen of an engine.
struct State {
  std::vector<liqcore::Segment> closed;
  std::optional<liqcore::Segment> open;
  std::vector<LevelMap> live;
  std::optional<liqcore::PriceAxis> axis;
  std::optional<std::int64_t> clock;
  liqcore::Stats stats;
  bool operator==(const State&) const = default;
};

inline State state_of(const liqcore::Engine& engine) {
  State state;
  if (const liqcore::History* history = engine.history())
    for (std::size_t i = 0; i < history->size(); ++i) state.closed.push_back(history->segment(i));
  if (liqcore::Segment open; engine.peek(open)) state.open = open;
  if (engine.book() != nullptr) state.live = live(*engine.book());
  state.axis = engine.axis();
  state.clock = engine.clock();
  state.stats = engine.stats();
  return state;
}

/// Everything that can be seen of an engine, and what its state says beside.
struct Seen {
  State state;
  std::vector<double> liquidated_usd;
  std::uint64_t total = 0;
  std::optional<std::int64_t> began;
  std::vector<std::int64_t> rest;
  std::vector<double> sampled;
  std::vector<liqcore::Traded> profile;
  bool operator==(const Seen&) const = default;
};

inline Seen seen(const liqcore::Engine& engine) {
  Seen out{state_of(engine), {}, 0, engine.began(), {}, {}, {}};
  out.liquidated_usd.assign(engine.liquidated_usd().begin(), engine.liquidated_usd().end());
  if (engine.history() != nullptr) out.total = engine.history()->total();
  const liqcore::SampledState sampled = engine.sampled().state();
  out.sampled = sampled.spared;
  out.sampled.insert(out.sampled.end(), sampled.capped.begin(), sampled.capped.end());
  out.sampled.push_back(sampled.before.value_or(-1.0));
  out.profile = sampled.interval.profile;
  if (engine.book() != nullptr) {
    const liqcore::Checkpoint checkpoint = engine.checkpoint();
    out.rest = {checkpoint.used_trades ? 1 : 0, checkpoint.used_candle_volumes ? 1 : 0, checkpoint.last_price,
                checkpoint.triggered ? checkpoint.triggered->low : -1,
                checkpoint.triggered ? checkpoint.triggered->high : -1};
  }
  return out;
}

}  // namespace support
