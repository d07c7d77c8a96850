#include "liqcore/features.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "check_feed.hpp"
#include "check_rows.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/error.hpp"
#include "live_rows.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxReaches = 64;
constexpr double kEdge = 1e-9;  // so close below a bin's upper edge, in bins, a price lies on it: edges are rounded

FeatureOptions checked(FeatureOptions options) {
  const std::vector<double>& reaches = options.reaches_percent;
  if (reaches.empty() || reaches.size() > kMaxReaches)
    throw InvalidConfig("reaches must be between 1 and " + std::to_string(kMaxReaches) + ", were " +
                        std::to_string(reaches.size()));
  for (std::size_t i = 0; i < reaches.size(); ++i) {
    if (!(reaches[i] > 0.0 && reaches[i] < 100.0))
      throw InvalidConfig("reaches must be above 0 and below 100 percent, had " + text_of(reaches[i]));
    if (i > 0 && !(reaches[i] > reaches[i - 1]))
      throw InvalidConfig("reaches must rise, had " + text_of(reaches[i]) + " after " + text_of(reaches[i - 1]));
  }
  if (!(options.density_percent > 0.0 && options.density_percent < 100.0))
    throw InvalidConfig("density_percent must be above 0 and below 100, was " + text_of(options.density_percent));
  return options;
}

std::vector<std::string> names_of(const FeatureOptions& options) {
  std::vector<std::string> names{"price"};
  for (const char* side : {"long", "short"})
    for (const double reach : options.reaches_percent)
      names.push_back(std::string(side) + "_usd_" + text_of(reach) + "pct");
  for (const char* side : {"long", "short"})
    for (const char* what : {"low", "high", "usd", "percent"}) names.push_back(std::string(side) + "_zone_" + what);
  for (const char* name : {"imbalance", "liquidated_long_usd", "liquidated_short_usd", "density_usd_per_pct", "age_s"})
    names.emplace_back(name);
  return names;
}

/// The zone of a side that its trigger price would meet first; none if there is none.
const Zone* nearest_zone(std::span<const Zone> zones, Side side) noexcept {
  const auto mine = [side](const Zone& zone) { return zone.side == side; };
  if (side == Side::short_) {
    const auto at = std::find_if(zones.begin(), zones.end(), mine);
    return at == zones.end() ? nullptr : &*at;
  }
  const auto at = std::find_if(zones.rbegin(), zones.rend(), mine);
  return at == zones.rend() ? nullptr : &*at;
}

/// Amounts up to each of some bins, from the price outwards, so that a wider reach never says less; returns the last.
double sum_reaches(const LiveRows::Amounts& bins, Side side, std::span<const std::int64_t> last, double* out) noexcept {
  const bool down = side == Side::long_;
  const std::size_t stretches = bins.stretches.size();
  std::size_t reach = 0;
  double sum = 0.0;
  for (std::size_t k = 0; k < stretches; ++k) {
    const LiveRows::Stretch& stretch = bins.stretches[down ? stretches - 1 - k : k];
    const double* const usd = bins.usd.data() + (down ? stretch.end - 1 : stretch.begin);
    const auto n = static_cast<std::int64_t>(stretch.end - stretch.begin);
    for (std::int64_t done = 0; done < n;) {
      if (reach == last.size()) return sum;
      const std::int64_t within = down ? stretch.end_number() - last[reach] : last[reach] + 1 - stretch.first;
      for (const std::int64_t stop = std::min(n, within); done < stop; ++done) sum += down ? usd[-done] : usd[done];
      if (done < n) out[reach++] = sum;  // the next lies beyond
    }
  }
  std::fill(out + reach, out + last.size(), sum);
  return sum;
}

/// How many rows of each stream have been fed.
struct Cursor {
  std::size_t trades, marks, candles, open_interest, vendor_events;
  bool operator==(const Cursor&) const noexcept = default;
};

/// The streams of a feed, and which of them are sorted: those are searched, the others gone through.
class Sorted {
 public:
  explicit Sorted(const Feed& feed)
      : feed_(feed),
        trades_(rises(feed.trades.ts_ns)),
        marks_(rises(feed.marks.ts_ns)),
        candles_(rises(feed.candles.ts_open_ns)),
        open_interest_(rises(feed.open_interest.ts_ns)),
        vendor_events_(rises(feed.vendor_events.ts_ns)) {}

  /// Up to where rows come before one that is dated `ts_ns` or later. A time that is none ends nothing.
  [[nodiscard]] Cursor until(const Cursor& from, std::int64_t ts_ns) const {
    const std::int64_t delay = feed_.candles.interval_ns - 1;  // a candle acts at its last nanosecond
    return {cut(feed_.trades.ts_ns, from.trades, ts_ns, trades_), cut(feed_.marks.ts_ns, from.marks, ts_ns, marks_),
            cut(feed_.candles.ts_open_ns, from.candles, std::max<std::int64_t>(ts_ns - delay, 0), candles_),
            cut(feed_.open_interest.ts_ns, from.open_interest, ts_ns, open_interest_),
            cut(feed_.vendor_events.ts_ns, from.vendor_events, ts_ns, vendor_events_)};
  }

 private:
  static bool rises(std::span<const std::int64_t> times) { return kernels::active().rises(times.data(), times.size()); }
  static std::size_t cut(std::span<const std::int64_t> times, std::size_t from, std::int64_t before, bool sorted) {
    if (sorted)
      return static_cast<std::size_t>(
          std::lower_bound(times.begin() + static_cast<std::ptrdiff_t>(from), times.end(), before) - times.begin());
    while (from < times.size() && (times[from] < before || times[from] > kMaxTime)) ++from;
    return from;
  }

  const Feed& feed_;
  bool trades_, marks_, candles_, open_interest_, vendor_events_;
};

Feed part_of(const Feed& feed, const Cursor& from, const Cursor& to) {
  // A column that was left out stays so.
  const auto part = [](auto column, std::size_t begin, std::size_t end) {
    return column.empty() ? column : column.subspan(begin, end - begin);
  };
  Feed out;
  out.trades = {part(feed.trades.ts_ns, from.trades, to.trades), part(feed.trades.price, from.trades, to.trades),
                part(feed.trades.qty, from.trades, to.trades), part(feed.trades.taker_sell, from.trades, to.trades)};
  out.marks = {part(feed.marks.ts_ns, from.marks, to.marks), part(feed.marks.value, from.marks, to.marks)};
  out.open_interest = {part(feed.open_interest.ts_ns, from.open_interest, to.open_interest),
                       part(feed.open_interest.value, from.open_interest, to.open_interest)};
  out.vendor_events = {part(feed.vendor_events.ts_ns, from.vendor_events, to.vendor_events),
                       part(feed.vendor_events.price, from.vendor_events, to.vendor_events),
                       part(feed.vendor_events.qty, from.vendor_events, to.vendor_events)};
  const CandleArrays& candles = feed.candles;
  const auto of_candles = [&](auto column) { return part(column, from.candles, to.candles); };
  out.candles = {of_candles(candles.ts_open_ns), of_candles(candles.open),  of_candles(candles.high),
                 of_candles(candles.low),        of_candles(candles.close), of_candles(candles.buy_qty),
                 of_candles(candles.sell_qty),   candles.interval_ns};
  return out;
}

}  // namespace

FeatureReader::FeatureReader(FeatureOptions options)
    : options_(checked(std::move(options))),
      names_(names_of(options_)),
      zones_(options_.zones),
      rows_(std::make_unique<LiveRows>()) {}

FeatureReader::FeatureReader(FeatureReader&&) noexcept = default;
FeatureReader& FeatureReader::operator=(FeatureReader&&) noexcept = default;
FeatureReader::~FeatureReader() = default;

void FeatureReader::read(const Engine& engine, std::span<double> out) {
  if (out.size() != size())
    throw InvalidConfig("out must hold " + std::to_string(size()) + " values, had " + std::to_string(out.size()));
  std::fill(out.begin(), out.end(), kNan);
  const double price = engine.last_price();
  if (std::isnan(price)) return;

  const Terms& terms = engine.history()->terms();
  const double step = static_cast<double>(terms.ticks_per_bin) * terms.tick_size;
  const auto bin_at = [&](double moved) { return static_cast<std::int64_t>(std::floor(moved / step + kEdge)); };
  const auto below = [&](double percent) { return bin_at(price * (1.0 - percent / 100.0)); };
  const auto above = [&](double percent) { return bin_at(price * (1.0 + percent / 100.0)); };
  const double widest = std::max(options_.reaches_percent.back(), options_.density_percent);
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  rows_->read(engine, options_.zones.bins_per_row, {{below(widest), kFar}, {0, above(widest) + 1}});
  const LiveRows::Amounts& longs = rows_->bins(Side::long_);
  const LiveRows::Amounts& shorts = rows_->bins(Side::short_);

  double* next = out.data();
  *next++ = price;
  const std::vector<double>& reaches = options_.reaches_percent;
  std::array<std::int64_t, kMaxReaches> last{};
  std::transform(reaches.begin(), reaches.end(), last.begin(), below);
  const double long_usd = sum_reaches(longs, Side::long_, {last.data(), reaches.size()}, next);
  std::transform(reaches.begin(), reaches.end(), last.begin(), above);
  const double short_usd = sum_reaches(shorts, Side::short_, {last.data(), reaches.size()}, next + reaches.size());
  next += 2 * reaches.size();

  const std::span<const Zone> zones = zones_.find(engine, *rows_);
  for (const Side side : {Side::long_, Side::short_}) {
    if (const Zone* zone = nearest_zone(zones, side)) {
      next[0] = zone->low;
      next[1] = zone->high;
      next[2] = zone->usd;
      next[3] = zone->distance_percent;
    }
    next += 4;
  }

  const double both = short_usd + long_usd;
  *next++ = both > 0.0 ? (short_usd - long_usd) / both : kNan;

  if (const std::span<const double> liquidated = engine.liquidated_usd(); !liquidated.empty()) {
    const LeverageProfile& leverage = engine.leverage();
    for (std::size_t side = 0; side < 2; ++side) {
      next[side] = 0.0;
      for (std::size_t tier = 0; tier < leverage.size(); ++tier)
        next[side] += leverage.weight(tier) * liquidated[side * leverage.size() + tier];
    }
  }
  next += 2;

  const double width = options_.density_percent;
  double density = 0.0;
  for (const LiveRows::Amounts* side : {&longs, &shorts})
    for (const LiveRows::Stretch& stretch : side->stretches) {
      const std::int64_t high = std::min(stretch.end_number(), above(width) + 1);
      for (std::int64_t at = std::max(stretch.first, below(width)); at < high; ++at) {
        const double middle = (static_cast<double>(at) + 0.5) * step;
        const double distance = 100.0 * std::fabs(middle / price - 1.0);
        const double usd = side->usd[stretch.begin + static_cast<std::size_t>(at - stretch.first)];
        if (distance < width) density += usd * ((1.0 - distance / width) / width);
      }
    }
  *next++ = density;
  *next = static_cast<double>(*engine.clock() - *engine.began()) / 1e9;
}

void FeatureReader::feed(Engine& engine, const Feed& feed, std::span<const std::int64_t> closes_ns,
                         std::span<double> out) {
  if (out.size() != closes_ns.size() * size())
    throw InvalidConfig("out must hold " + std::to_string(closes_ns.size()) + " rows of " + std::to_string(size()) +
                        " values, had " + std::to_string(out.size()) + " values");
  for (std::size_t i = 0; i < closes_ns.size(); ++i) {
    if (closes_ns[i] < 0 || closes_ns[i] > kMaxTime)
      throw InvalidConfig("closes must be times between 1970 and 2116 in ns, had " + text_of(closes_ns[i]));
    if (i > 0 && closes_ns[i] <= closes_ns[i - 1])
      throw InvalidConfig("closes must rise, had " + text_of(closes_ns[i]) + " after " + text_of(closes_ns[i - 1]));
  }
  if (const auto clock = engine.clock(); clock && !closes_ns.empty() && closes_ns.front() < *clock)
    throw InvalidConfig("closes must not be before the engine's clock (" + text_of(*clock) + "), had " +
                        text_of(closes_ns.front()));
  check_lengths(feed);

  const Sorted sorted{feed};
  Cursor from{};
  const Cursor end{feed.trades.ts_ns.size(), feed.marks.ts_ns.size(), feed.candles.ts_open_ns.size(),
                   feed.open_interest.ts_ns.size(), feed.vendor_events.ts_ns.size()};
  for (std::size_t i = 0; i < closes_ns.size(); ++i) {
    const Cursor to = sorted.until(from, closes_ns[i]);
    if (to != from) static_cast<void>(engine.feed(part_of(feed, from, to)));
    from = to;
    engine.advance(closes_ns[i]);
    read(engine, out.subspan(i * size(), size()));
  }
  if (from != end) static_cast<void>(engine.feed(part_of(feed, from, end)));
}

}  // namespace liqcore::inline abi1
