// Runs of trades into the book, and when their order does not matter.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "book_parts.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/book.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1 {
namespace {

/// What a run opens of a side at one of its ticks.
/// What a run opens of a side at one of its ticks.
double lots_at(const Footprint& run, bool longs, std::int64_t tick, double maker_share) noexcept {
  const auto taken = static_cast<double>(longs ? run.bought(tick) : run.sold(tick));
  return taken + maker_share * static_cast<double>(longs ? run.sold(tick) : run.bought(tick));
}

}  // namespace

void LevelBook::sum_run(const Footprint& run, double maker_share) noexcept {
  run.open_prefix(static_cast<std::int64_t>(maker_share * 1024.0), prefix_[0].data(), prefix_[1].data());
}

/// Of each layer of a side either `ranges(layer, tick, ticks, lots below each of them, low bin, high bin)` where all of
/// a run's levels are live, or `single(layer, level, lots)` of each of its ticks. The run is summed.
template <class Ranges, class Single>
void LevelBook::each_level(Side side, const Footprint& run, double maker_share, const std::optional<Reached>& reached,
                           Ranges&& ranges, Single&& single) const {
  const bool longs = side == Side::long_;
  const std::vector<double>& prefix = prefix_[longs ? 0 : 1];
  const auto ticks = static_cast<std::size_t>(run.high() - run.low() + 1);
  const double total = prefix[ticks];
  const bool exact = total <= kSharedLimit;  // so that differences of the sums are
  // The range in which this side opens; sums from its first tick on are those of the whole run, which are zero before.
  std::size_t begin = 0;
  std::size_t end = ticks;
  if (exact) {
    while (prefix[begin + 1] == 0.0) ++begin;
    while (prefix[end - 1] == total) --end;
  }
  const std::int64_t lowest_tick = run.low() + static_cast<std::int64_t>(begin);
  const std::int64_t highest_tick = run.low() + static_cast<std::int64_t>(end) - 1;
  // What lies beyond this lies beyond the own bin of every entry.
  const std::int64_t beyond_all = bound(side, longs ? lowest_tick : highest_tick, reached);
  const std::size_t first = longs ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer) {
    // Levels rise with the entry: where the lowest and the highest are live, so is every one between, without a look.
    if (const auto bins = exact ? live_bins(layer, lowest_tick, highest_tick, beyond_all) : std::nullopt) {
      ranges(layer, lowest_tick, end - begin, prefix.data() + begin, bins->low, bins->high - 1);
      continue;
    }
    for (std::int64_t tick = lowest_tick; tick <= highest_tick; ++tick)
      if (const double lots = lots_at(run, longs, tick, maker_share); lots != 0.0)
        single(layer, level(layer, tick, bound(side, tick, reached)), lots);
  }
}

/// The bins of the levels of all entries from one tick to another; none unless every one is live.
std::optional<Layers::Range> LevelBook::live_bins(std::size_t layer, std::int64_t lowest_tick,
                                                  std::int64_t highest_tick, std::int64_t bound_bin) const noexcept {
  const double k = factors_[layer];
  const double low_level = round_half_even(static_cast<double>(lowest_tick) * k);
  const double high_level = round_half_even(static_cast<double>(highest_tick) * k);
  if (!(low_level >= 1.0 && high_level < kFarTick)) return std::nullopt;
  const std::int64_t low = bin_.of_whole(low_level);
  const std::int64_t high = bin_.of_whole(high_level);
  const bool beyond = layer < tiers_ ? high < bound_bin : low > bound_bin;
  if (!(beyond && low >= low_bin_ && high < high_bin_)) return std::nullopt;
  return Layers::Range{low, high + 1};
}

void LevelBook::open_side(Side side, const Footprint& run, double maker_share,
                          const std::optional<Reached>& reached) noexcept {
  const bool longs = side == Side::long_;
  const auto ticks = static_cast<std::size_t>(run.high() - run.low() + 1);
  const double total = prefix_[longs ? 0 : 1][ticks];
  if (total == 0.0) return;
  Tally& opened = opened_[longs ? 0 : 1];
  if (ticks == 1) {
    opened.add(total);
    open_layers(side, run.low(), total, reached);
    return;
  }
  if (total <= kSharedLimit)
    opened.add(total);
  else
    for (std::int64_t tick = run.low(); tick <= run.high(); ++tick) opened.add(lots_at(run, longs, tick, maker_share));
  each_level(
      side, run, maker_share, reached,
      [&](std::size_t layer, std::int64_t tick, std::size_t n, const double* prefix, std::int64_t low,
          std::int64_t high) {
        if (low == high)
          add_live(layer, low, total);
        else
          project(layer, tick, n, prefix, low, high);
      },
      [&](std::size_t layer, const Level& level, double lots) { add_level(layer, level, lots); });
}

/// What a run opens of a layer, where all of it is live: `low` and `high` are the bins of its first and last tick.
void LevelBook::project(std::size_t layer, std::int64_t tick, std::size_t ticks, const double* prefix, std::int64_t low,
                        std::int64_t high) noexcept {
  include_live(layer, low, high);
  const kernels::Kernels& kernels = kernels::active();
  const double k = factors_[layer];
  const kernels::Projection projection{k, 1.0 / k, static_cast<double>(bin_.ticks_per_bin())};
  double below = 0.0;
  for (std::int64_t bin = low; bin < high;) {
    const std::int64_t end = std::min(high, Layers::page_end(bin));
    below = kernels.project(projection, tick, prefix, bin, static_cast<std::size_t>(end - bin),
                            &fresh_.cell(layer, bin), below);
    bin = end;
  }
  fresh_.cell(layer, high) += prefix[ticks] - below;
}

void LevelBook::room_for_run(const Footprint& run, double maker_share, const std::optional<Reached>& reached,
                             Layers::Range& bins) {
  if (run.empty()) return;
  bool summed = false;
  for (const Side side : {Side::long_, Side::short_}) {
    hold_levels(side, run.low(), run.high());
    if (surely_covered(side, run.low(), run.high())) continue;
    if (!summed) sum_run(run, maker_share);
    summed = true;
    if (prefix_[side == Side::long_ ? 0 : 1][static_cast<std::size_t>(run.high() - run.low() + 1)] == 0.0) continue;
    each_level(
        side, run, maker_share, reached,
        [&](std::size_t, std::int64_t, std::size_t, const double*, std::int64_t low, std::int64_t high) {
          bins.include(low);
          bins.include(high);
        },
        [&](std::size_t, const Level& level, double) {
          if (level.fate == Fate::live) bins.include(level.bin);
        });
  }
}

template <class Opens>
std::optional<std::size_t> LevelBook::first_ordered(TickRange ticks, Opens&& opens) const noexcept {
  const std::int64_t low_bin = bin_(ticks.low);
  const std::int64_t high_bin = bin_(ticks.high);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const bool longs = layer < tiers_;
    // The level nearest to the run's prices: if even that one lies beyond them, no trade of the run can reach a level
    // of another, in whatever order they came.
    const std::int64_t nearest = longs ? ticks.high : ticks.low;
    const double k = factors_[layer];
    if (!(k > 0.0)) continue;
    const double extreme = round_half_even(static_cast<double>(nearest) * k);
    if (extreme >= kFarTick) continue;
    const std::int64_t extreme_bin = bin_.of_whole(extreme);
    if (longs ? extreme_bin < low_bin : extreme_bin > high_bin) continue;
    // Otherwise each level must be clearly one or the other: unresolved at its own entry, or beyond the whole run.
    for (std::int64_t tick = ticks.low; tick <= ticks.high; ++tick) {
      if (!opens(longs, tick)) continue;
      const Level at = level(layer, tick, bin_(tick));
      if (at.fate == Fate::live && (longs ? at.bin >= low_bin : at.bin <= high_bin)) return layer;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> LevelBook::order_needed(const Footprint& run, double maker_share) const noexcept {
  if (run.empty()) return std::nullopt;
  return first_ordered({run.low(), run.high()}, [&](bool longs, std::int64_t tick) {
    const std::int64_t taken = longs ? run.bought(tick) : run.sold(tick);
    const std::int64_t made = longs ? run.sold(tick) : run.bought(tick);
    return taken != 0 || (made != 0 && maker_share != 0.0);
  });
}

std::int64_t LevelBook::calm_reach(std::int64_t tick) const noexcept {
  // A long level at high * k must lie below low, a bin apart; half of that to either side.
  const double room = static_cast<double>(tick) * nearest_ - static_cast<double>(bin_.ticks_per_bin());
  constexpr auto kHalf = static_cast<double>(Footprint::kMaxTicks / 2 - 1);
  return static_cast<std::int64_t>(std::clamp(room / 2.0, 0.0, kHalf));
}

TickRange LevelBook::calm_range(std::int64_t tick) const noexcept {
  const auto any = [](bool, std::int64_t) { return true; };
  for (std::int64_t reach = std::max(calm_reach(tick), bin_.ticks_per_bin()); reach > 0; reach = reach * 3 / 4) {
    const TickRange ticks{std::max<std::int64_t>(1, tick - reach), tick + reach};
    if (ticks.high - ticks.low < Footprint::kMaxTicks && !first_ordered(ticks, any)) return ticks;
  }
  return {tick, tick};
}

void LevelBook::open_run(const Footprint& run, double maker_share, std::optional<Reached> reached) {
  if (run.empty()) return;
  Layers::Range bins;
  room_to_open(run, maker_share, reached, bins);
  make_room(bins);
  if (maker_share != 0.0) exact_limit_ = kSharedLimit;
  sum_run(run, maker_share);
  for (const Side side : {Side::long_, Side::short_}) open_side(side, run, maker_share, reached);
}

bool LevelBook::apply_run(const Footprint& run, double maker_share) {
  if (run.empty()) return true;
  if (order_needed(run, maker_share)) return false;
  room_to_touch();
  Layers::Range bins;
  room_to_open(run, maker_share, std::nullopt, bins);
  make_room(bins);
  touch(run.low(), run.high());
  open_run(run, maker_share, std::nullopt);
  return true;
}

}  // namespace liqcore::inline abi1
