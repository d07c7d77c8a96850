// Random markets at their worst: what streams_test.cpp feeds in different ways.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

namespace streams {

using liqcore::Model;
using liqcore::Trigger;
using support::Random;

/// In the order of equal times, then what is called and not fed.
enum class Kind : std::uint8_t {
  mark,
  trade,
  event,
  candle,
  sample,
  advance,
  open,
  open_level,
  touch,
  scale,
  scale_part,
  close
};

inline constexpr std::array kKinds{"mark", "trade",      "event", "candle", "sample",     "advance",
                                   "open", "open_level", "touch", "scale",  "scale_part", "close"};

/// One event or call.
struct Row {
  Kind kind = Kind::trade;
  std::int64_t ts = 0;            // of a candle, when it opens; verbs have none
  std::array<double, 4> price{};  // of a candle: open, high, low, close; of a touch or a part: low, high
  std::array<double, 2> qty{};    // of a candle: bought, sold; of a scale: the factor of longs and of shorts
  bool sell = false;              // of a trade, the aggressor's; of an open or a close, the position's

  [[nodiscard]] bool is_called() const { return kind >= Kind::advance; }
};

/// What is fed, and the engine that it is fed to.
struct Stream {
  std::uint64_t seed;
  liqcore::Instrument instrument;
  liqcore::LeverageProfile leverage;
  liqcore::EngineOptions options;
  std::int64_t interval_ns;  // of candles
  std::vector<Row> rows;

  /// When a row acts.
  [[nodiscard]] std::int64_t time(const Row& row) const {
    const bool closes = row.kind == Kind::candle && row.ts >= 0 && row.ts <= std::int64_t{1} << 62;
    return row.ts + (closes ? interval_ns - 1 : 0);
  }

  [[nodiscard]] liqcore::Engine engine(std::size_t threads = 1) const {
    liqcore::EngineOptions own = options;
    own.threads = threads;
    return {instrument, leverage, own};
  }
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : seed_(seed), random_(seed) {}

  Stream make() {
    Stream out = engine();
    const auto rows = random_.one_in(500) ? random_(300, 2'500) : random_(1, 30);
    for (std::int64_t i = 0; i < rows; ++i) out.rows.push_back(row(out));
    return out;
  }

 private:
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[random_(0, static_cast<std::int64_t>(values.size()) - 1)];
  }

  double fraction() { return static_cast<double>(random_(1, (std::int64_t{1} << 53) - 1)) * 0x1p-53; }

  Stream engine() {
    using liqcore::Contract;
    using liqcore::MarginBasis;
    tick_size_ = one_of({1.0, 1.0, 0.5, 0.1, 0.01, 10.0});
    lot_size_ = one_of({1.0, 1.0, 0.001, 1e-5, 100.0});
    step_ = one_of<std::int64_t>({1, 1, 2, 5, 10, 17});
    base_ = random_.one_in(40) ? 1'000 * step_ : one_of<std::int64_t>({50, 50, 150, 100 * step_});
    hurry_ = random_(3, 12);
    spoil_ = one_of<std::int64_t>({8, 30, 1'000'000});
    wild_ = random_.one_in(2'000);
    const auto contract = random_.one_in(2) ? Contract::linear : Contract::inverse;
    const auto basis = random_.one_in(2) ? MarginBasis::mark : MarginBasis::entry;
    const double fee = basis == MarginBasis::mark ? one_of({0.0, 0.0005}) : 0.0;
    const auto margin = liqcore::MarginSchedule::flat(one_of({0.0, 0.004, 0.0055}), fee, basis);

    std::vector<double> tiers{1, 2, 5, 10, 25, 33, 50, 100, 125};
    const auto count = random_(1, 4);
    while (static_cast<std::int64_t>(tiers.size()) > count)
      tiers.erase(tiers.begin() + random_(0, static_cast<std::int64_t>(tiers.size()) - 1));
    for (const double tier : tiers)
      for (const liqcore::Side side : {liqcore::Side::long_, liqcore::Side::short_})
        if (const double factor = margin.level_factor(side, contract, tier); factor > 0.0) factors_.push_back(factor);

    liqcore::EngineOptions o;
    o.model = one_of({Model::flow, Model::flow, Model::flow, Model::none, Model::oi, Model::blend, Model::vendor});
    if (o.model == Model::flow && seed_ % 4 == 1) {  // by the seed: streams of the others stay what they were
      o.model = Model::presence;
      o.model_options.exponent = one_of({0.0, 0.3, 0.5, 1.0});
      window_ = one_of<std::int64_t>({1'000'000, 400'000'000, 3'000'000'000});  // within a second, or over some
    }
    o.window_ns = window_;
    o.trigger = one_of({Trigger::last, Trigger::last, Trigger::mark, Trigger::candle});
    if (random_.one_in(2)) {
      const std::int64_t low = random_(0, base_ / step_);
      o.axis = liqcore::PriceAxis(low * step_, step_, random_(1, 3 * base_ / step_ + 1));
    } else if (random_.one_in(2)) {
      o.ticks_per_bin = step_;
    }
    if (o.model == Model::flow || o.model == Model::presence) o.maker_share = one_of({0.0, 0.0, 0.25, 0.3, 1.0});
    if (random_.one_in(3))
      for (std::int64_t tier = 0; tier < count; ++tier)
        o.half_life_ns.push_back(static_cast<double>(window_) *
                                 one_of({std::numeric_limits<double>::infinity(), 0.5, 1.0, 10.0, 7.003}));
    o.outlier = one_of({0.0, 0.0, 0.03, 0.1, 1.0});
    if (random_.one_in(3)) o.keep = static_cast<std::size_t>(random_(1, 6));
    if (o.model == Model::oi || o.model == Model::blend) o.model_options.taker_tilt = one_of({0.0, 0.3, 1.0});
    if (o.model == Model::blend && random_.one_in(2)) o.model_options.churn = one_of({0.0, 0.25, 1.0});
    if (o.model == Model::vendor) {
      o.trigger = Trigger::candle;
      if (random_.one_in(2)) o.model_options.event_threshold = one_of({0.0, 100 * lot_size_});
    }
    o.model_options.reconciled = o.model != Model::none && o.model != Model::presence && random_.one_in(5);
    candles_ = random_.one_in(4);  // with volumes, in place of trades
    verbs_ = o.model == Model::none || random_.one_in(8);

    clock_ = one_of<std::int64_t>({0, 1, window_, 1'700'000'000'000'000'000, -100});
    tick_ = base_;
    interest_ = random_(0, 10'000);
    liqcore::Instrument instrument{"X", "", contract, tick_size_, lot_size_, one_of({1.0, 1.0, 0.01}), margin};
    return {seed_,
            std::move(instrument),
            support::tiers(std::move(tiers)),
            o,
            one_of<std::int64_t>({window_ / 4, window_, 3 * window_}),
            {}};
  }

  Row row(const Stream& stream) {
    const liqcore::EngineOptions& o = stream.options;
    const bool samples =
        o.model == Model::oi || o.model == Model::blend || o.model == Model::vendor || o.model_options.reconciled;
    const auto pick = random_(0, 19);
    if (pick == 0) return {Kind::advance, time(), {}, {}, false};
    if (pick == 1 && !candles_) return candle(stream, false);
    if (pick <= 3) return {Kind::mark, time(), {price()}, {}, false};
    if (pick <= (samples ? 8 : 4)) return {Kind::sample, time(), {}, {interest()}, false};
    if (pick <= 12 && o.model == Model::vendor)
      return spoiled({Kind::event, time(), {price() + one_of({0.0, 0.3}) * tick_size_}, {lots() * lot_size_}, false});
    if (pick <= 12 && verbs_) return verb();
    if (candles_) return candle(stream, true);
    return spoiled({Kind::trade, time(), {price()}, {lots() * lot_size_}, random_.one_in(2)});
  }

  Row verb() {
    const double low = price();
    const double high = price();
    const std::array<double, 4> range{std::min(low, high), std::max(low, high)};
    const auto factors = [&] {
      const auto factor = [&] { return random_.one_in(2) ? one_of({0.0, 0.25, 0.5, 1.0}) : fraction(); };
      return std::array{factor(), factor()};
    };
    switch (random_(0, 8)) {
      case 0:
        return spoiled({Kind::touch, 0, range, {}, false});
      case 1:
        return {Kind::scale, 0, {}, factors(), false};
      case 2:
        return spoiled({Kind::scale_part, 0, range, factors(), false});
      case 3:
      case 4:
        return spoiled({Kind::close, 0, range, {lots() * lot_size_}, random_.one_in(2)});
      case 5:
        return spoiled({Kind::open_level, 0, {low}, {lots() * lot_size_}, random_.one_in(2)});
      default:
        return spoiled({Kind::open, 0, {low}, {lots() * lot_size_}, random_.one_in(2)});
    }
  }

  Row spoiled(Row row) {
    if (!random_.one_in(spoil_)) return row;
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInf = std::numeric_limits<double>::infinity();
    double& price = row.price[0];
    if (random_.one_in(2))
      price = one_of({kNan, kInf, -kInf, 0.0, -0.0, -price, price + tick_size_ / 2, price + 1e-4 * tick_size_,
                      0.3 * tick_size_, 1e-300, 0x1p32 * tick_size_, 1e308});
    else
      row.qty[0] = lot_size_ * one_of({kNan, kInf, 0.0, -1.0, 0.3, 0.5, 1.5, 2.7, 0x1p49, 0x1p33, 0x1p40});
    return row;
  }

  Row candle(const Stream& stream, bool volumes) {
    std::array<double, 3> ticks{};
    for (double& tick : ticks) tick = static_cast<double>(next_tick());
    const auto [lowest, highest] = std::minmax_element(ticks.begin(), ticks.end());
    const double nudge = one_of({0.0, 0.0, 0.4});  // candles need not lie on the grid
    const double low = (*lowest - nudge) * tick_size_;
    const double high = (*highest + nudge) * tick_size_;
    Row row{Kind::candle, time(), {one_of({low, high}), high, low, one_of({low, high})}, {}, false};
    if (row.ts > -window_) row.ts -= stream.interval_ns - 1;
    if (volumes)
      for (double& qty : row.qty) qty = lot_size_ * one_of({0.0, lots(), lots() + 0.5});
    if (!random_.one_in(spoil_)) return row;
    switch (random_(0, 3)) {
      case 0:
        row.price[0] = high + tick_size_;
        break;
      case 1:
        row.price[static_cast<std::size_t>(random_(0, 3))] = std::numeric_limits<double>::quiet_NaN();
        break;
      case 2:
        row.ts = one_of<std::int64_t>({std::numeric_limits<std::int64_t>::min(), -5, (std::int64_t{1} << 62) - 10});
        break;
      default:
        if (volumes) row.qty[0] = -lot_size_;
        break;
    }
    return row;
  }

  /// Mostly now or a little later; at times the edge of a window, over many of them, or the past.
  std::int64_t time() {
    if (random_.one_in(4 * spoil_))
      return one_of<std::int64_t>(
          {clock_ - 1, clock_ - window_, std::numeric_limits<std::int64_t>::min(), (std::int64_t{1} << 62) + 1});
    const std::int64_t to_edge = window_ - ((clock_ % window_) + window_) % window_;
    if (random_.one_in(hurry_))
      clock_ += one_of<std::int64_t>({to_edge - 1, to_edge, to_edge + 1, window_, 3 * window_});
    else if (random_.one_in(200))
      clock_ += 40 * window_;
    else
      clock_ += window_ / 1'000 * one_of<std::int64_t>({0, 0, 0, 1, 7});
    return clock_;
  }

  double lots() { return static_cast<double>(one_of<std::int64_t>({1, 1, 2, 3, 7, 1'000, random_(1, 1'000'000)})); }

  double interest() {
    if (random_.one_in(spoil_)) return lot_size_ * one_of({std::nan(""), -1.0, 0x1p49});
    const std::int64_t step = one_of<std::int64_t>({0, 1, -1, 7, random_(-5'000, 5'000), random_(-100'000, 100'000)});
    interest_ = random_.one_in(10) ? 0 : std::max<std::int64_t>(0, interest_ + step);
    return (static_cast<double>(interest_) + one_of({0.0, 0.0, 0.4})) * lot_size_;
  }

  double price() { return static_cast<double>(next_tick()) * tick_size_; }

  /// Single ticks and bins, jumps over many, and prices right at levels of the last one.
  std::int64_t next_tick() {
    const auto move = random_(0, 99);
    if (move < 55)
      tick_ += random_(-1, 1);
    else if (move < 85)
      tick_ += random_.one_in(2) ? one_of({-step_, step_, -step_ - 1, 2 * step_}) : random_(-5 * step_, 5 * step_);
    else if (move < 95)
      tick_ =
          static_cast<std::int64_t>(std::nearbyint(
              static_cast<double>(tick_) *
              (factors_.empty()
                   ? 1.0
                   : factors_[static_cast<std::size_t>(random_(0, static_cast<std::int64_t>(factors_.size()) - 1))]))) +
          one_of<std::int64_t>({-step_, -1, 0, 0, 1, step_});
    else
      tick_ = one_of<std::int64_t>({base_, base_, 1, 2 * base_});
    tick_ = std::clamp<std::int64_t>(tick_, 1, 4 * base_);
    return wild_ && random_.one_in(20) ? tick_ * 60 : tick_;
  }

  std::uint64_t seed_;
  Random random_;
  double tick_size_ = 1.0, lot_size_ = 1.0;
  std::int64_t window_ = 1'000;
  std::int64_t step_ = 1, base_ = 1, hurry_ = 1, spoil_ = 1, clock_ = 0, tick_ = 1, interest_ = 0;
  bool wild_ = false, candles_ = false, verbs_ = false;
  std::vector<double> factors_;
};

inline std::string name_of(const Row& row) {
  std::ostringstream out;
  out.precision(17);
  out << kKinds[static_cast<std::size_t>(row.kind)] << " ts " << row.ts << " price";
  for (const double price : row.price) out << ' ' << price;
  out << " qty " << row.qty[0] << ' ' << row.qty[1] << (row.sell ? " sell" : "");
  return out.str();
}

inline std::ostream& operator<<(std::ostream& out, const Stream& stream) {
  out.precision(17);
  const liqcore::Instrument& i = stream.instrument;
  out << "seed " << stream.seed << ": tick " << i.tick_size() << ", lot " << i.lot_size()
      << (i.contract() == liqcore::Contract::linear ? ", linear" : ", inverse") << ", keep "
      << (stream.options.keep ? std::to_string(*stream.options.keep) : "all") << ", ticks_per_bin "
      << stream.options.ticks_per_bin << ", outlier " << stream.options.outlier << ", candles of " << stream.interval_ns
      << " ns";
  const liqcore::Engine engine = stream.engine();
  for (const auto& [name, value] : engine.kind()) out << ", " << name << " " << value;
  for (const Row& row : stream.rows) out << "\n  " << name_of(row);
  return out;
}

}  // namespace streams
