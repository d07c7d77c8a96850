#include "liqcore/zones.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "liqcore/error.hpp"
#include "live_rows.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::int64_t kMaxBinsPerRow = std::int64_t{1} << 20;

double distance_percent(Side side, double low, double high, double price) noexcept {
  if (std::isnan(price)) return price;
  const double away = side == Side::long_ ? std::min(high / price - 1.0, 0.0) : std::max(low / price - 1.0, 0.0);
  return 100.0 * away;
}

}  // namespace

ZoneFinder::ZoneFinder(ZoneOptions options) : options_(options), rows_(std::make_unique<LiveRows>()) {
  if (options_.bins_per_row < 1 || options_.bins_per_row > kMaxBinsPerRow)
    throw InvalidConfig("bins_per_row must be between 1 and " + text_of(kMaxBinsPerRow) + ", was " +
                        text_of(options_.bins_per_row));
  if (!(options_.percentile >= 0.0 && options_.percentile <= 100.0))
    throw InvalidConfig("percentile must lie in [0, 100], was " + text_of(options_.percentile));
}

ZoneFinder::ZoneFinder(ZoneFinder&&) noexcept = default;
ZoneFinder& ZoneFinder::operator=(ZoneFinder&&) noexcept = default;
ZoneFinder::~ZoneFinder() = default;

std::span<const Zone> ZoneFinder::find(const Engine& engine) {
  rows_->read(engine, options_.bins_per_row, {{}, {}});
  return find(engine, *rows_);
}

std::span<const Zone> ZoneFinder::find(const Engine& engine, const LiveRows& rows) {
  zones_.clear();
  threshold_ = 0.0;
  live_.clear();
  for (const Side side : {Side::long_, Side::short_}) {
    std::vector<float>& sums = sums_[static_cast<std::size_t>(side)];
    sums.clear();
    // As float, which the columns of a heatmap are: equal rows stay equal whatever the last bits of their sums.
    for (const double amount : rows.rows(side).usd) {
      sums.push_back(static_cast<float>(amount));
      if (sums.back() > 0.0F) live_.push_back(sums.back());
    }
  }
  if (live_.empty()) return zones_;
  const double share = std::ceil(options_.percentile / 100.0 * static_cast<double>(live_.size()));
  const auto rank = static_cast<std::ptrdiff_t>(std::max(share - 1.0, 0.0));
  std::nth_element(live_.begin(), live_.begin() + rank, live_.end());
  const float cutoff = live_[static_cast<std::size_t>(rank)];
  threshold_ = static_cast<double>(cutoff);

  const Terms& terms = engine.history()->terms();
  const double price = engine.last_price();
  const auto edge = [&](std::int64_t row) {
    return static_cast<double>(row * options_.bins_per_row * terms.ticks_per_bin) * terms.tick_size;
  };
  for (const Side side : {Side::long_, Side::short_}) {
    const LiveRows::Amounts& amounts = rows.rows(side);
    const std::vector<float>& sums = sums_[static_cast<std::size_t>(side)];
    double total = 0.0;
    for (const double usd : amounts.usd) total += usd;
    const auto big = [&](std::size_t i) { return sums[i] > 0.0F && sums[i] >= cutoff; };
    for (const LiveRows::Stretch& stretch : amounts.stretches)
      for (std::size_t i = stretch.begin; i < stretch.end; ++i) {
        if (!big(i)) continue;
        const std::size_t first = i;
        double usd = 0.0;
        for (; i < stretch.end && big(i); ++i) usd += amounts.usd[i];
        const double low = edge(stretch.number(first));
        const double high = edge(stretch.number(i));
        zones_.push_back({side, low, high, usd, std::min(usd / total, 1.0), distance_percent(side, low, high, price)});
      }
  }
  std::sort(zones_.begin(), zones_.end(),
            [](const Zone& a, const Zone& b) { return a.low != b.low ? a.low < b.low : a.side < b.side; });
  return zones_;
}

std::vector<Zone> find_zones(const Engine& engine, const ZoneOptions& options) {
  ZoneFinder finder(options);
  const std::span<const Zone> zones = finder.find(engine);
  return {zones.begin(), zones.end()};
}

}  // namespace liqcore::inline abi1
