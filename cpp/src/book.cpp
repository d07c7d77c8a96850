#include "liqcore/book.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "kernels/kernels.hpp"
#include "liqcore/error.hpp"
#include "power.hpp"
#include "rounding.hpp"
#include "text_of.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::int64_t kNoBin = std::numeric_limits<std::int64_t>::max();
constexpr double kFarTick = 1099511627776.0;           // 2^40: no axis reaches beyond
constexpr double kWholeLimit = 9007199254740992.0;     // 2^53: whole lots are exact in a double up to here
constexpr double kSharedLimit = kWholeLimit / 1024.0;  // the same for multiples of 1/1024 lot

std::vector<double> level_factors(const Instrument& instrument, const LeverageProfile& leverage) {
  const MarginSchedule& margin = instrument.margin();
  std::vector<double> factors;
  for (const Side side : {Side::long_, Side::short_})
    for (const double tier : leverage.tiers()) {
      const LiquidationPrice level = margin.level(side, instrument.contract(), tier);
      if (level.reason == NoPrice::no_position)
        throw InvalidConfig("leverage " + text_of(tier) + " cannot exist: maintenance margin rate plus fee (" +
                            text_of(margin.risk_tiers()[level.tier].rate + margin.fee()) +
                            ") must be below 1/leverage (" + text_of(1.0 / tier) + ")");
      if (level.reason == NoPrice::leverage_too_high)
        throw InvalidConfig("leverage " + text_of(tier) +
                            " cannot exist: the most this position's risk tier allows is " +
                            text_of(margin.risk_tiers()[level.tier].max_leverage));
      if (level.reason == NoPrice::too_large)
        throw InvalidConfig("size assumed for leverage " + text_of(tier) +
                            " must be within the last risk tier's cap (" + text_of(margin.risk_tiers().back().cap) +
                            ")");
      factors.push_back(level.price);
    }
  return factors;
}

bool scales_fit(const Segment& window, std::size_t tiers) {
  const auto fits = [&](const std::vector<double>& scale) { return scale.empty() || scale.size() == tiers; };
  for (std::size_t side = 0; side < 2; ++side) {
    if (!fits(window.scale[side])) return false;
    for (const TouchStep& step : window.touched[side])
      if (!fits(step.scale)) return false;
  }
  return true;
}

/// What is left of what an account opened.
Tally live_of(const Account& account) noexcept {
  Tally live = account.opened;
  for (const Tally* part : {&account.liquidated, &account.closed, &account.underflow, &account.overflow,
                            &account.unresolved, &account.no_price})
    live -= *part;
  return live;
}

void include(const Cells& cells, Layers::Range& bins) noexcept {
  for (std::size_t layer = 0; layer + 1 < cells.offsets.size(); ++layer)
    if (const auto own = cells.layer_bins(layer); !own.empty()) {
      bins.include(own.front());
      bins.include(own.back());
    }
}

/// What a run opens of a side at one of its ticks.
double lots_at(const Footprint& run, bool longs, std::int64_t tick, double maker_share) noexcept {
  const auto taken = static_cast<double>(longs ? run.bought(tick) : run.sold(tick));
  return taken + maker_share * static_cast<double>(longs ? run.sold(tick) : run.bought(tick));
}

}  // namespace

Opened& Opened::operator+=(const Opened& other) noexcept {
  live += other.live;
  no_price += other.no_price;
  underflow += other.underflow;
  overflow += other.overflow;
  unresolved += other.unresolved;
  return *this;
}

LevelBook::LevelBook(const Instrument& instrument, const LeverageProfile& leverage, std::int64_t ticks_per_bin,
                     std::int64_t low_bin, std::int64_t high_bin, bool fixed)
    : tiers_(leverage.size()),
      bin_(ticks_per_bin),
      fixed_(fixed),
      low_bin_(low_bin),
      high_bin_(high_bin),
      factors_(level_factors(instrument, leverage)),
      nearest_(1.0),
      least_(1.0),
      greatest_(1.0),
      settled_(tiers_),
      fresh_(tiers_),
      liquidated_(tiers_),
      own_liquidated_(tiers_),
      longs_end_(0),
      shorts_begin_(kNoBin),
      pending_(2 * tiers_, 1.0),
      window_(2 * tiers_),
      thinned_(2 * tiers_),
      booked_(2 * tiers_),
      accounts_(2 * tiers_),
      closed_(2 * tiers_),
      exact_limit_(kWholeLimit) {
  for (const double factor : factors_)
    if (factor > 0.0) {
      nearest_ = std::min(nearest_, std::fabs(factor - 1.0));
      least_ = std::min(least_, factor);
      greatest_ = std::max(greatest_, factor);
    }
  idle_.scale.resize(2 * tiers_);
  for (const std::size_t side : {0, 1}) {
    idle_.window.scale[side].reserve(tiers_);
    touched_[side].reserve(1);
    step_scale_[side].reserve(tiers_);
  }
  for (auto& prefix : prefix_) prefix.resize(static_cast<std::size_t>(Footprint::kMaxTicks) + 1);
}

LevelBook::LevelBook(const Instrument& instrument, const LeverageProfile& leverage, const PriceAxis& axis)
    : LevelBook(instrument, leverage, axis.ticks_per_bin(), axis.first_bin(), axis.first_bin() + axis.size(), true) {
  hold_axis();
  make_room({low_bin_, high_bin_});
}

LevelBook::LevelBook(const Instrument& instrument, const LeverageProfile& leverage, std::int64_t ticks_per_bin,
                     std::int64_t bins)
    : LevelBook(instrument, leverage, ticks_per_bin, 0, bins, false) {
  if (ticks_per_bin < 1) throw InvalidConfig("ticks_per_bin must be at least 1, was " + text_of(ticks_per_bin));
  if (bins < 1 || bins > kMaxBins)
    throw InvalidConfig("bins of an automatic axis must be between 1 and " + text_of(kMaxBins) + ", were " +
                        text_of(bins));
}

void LevelBook::hold_axis() {
  if (!fixed_) return;
  for (Layers* layers : {&settled_, &fresh_, &liquidated_, &own_liquidated_}) layers->room_for({low_bin_, high_bin_});
}

/// Pages for the levels of entries from `low_tick` to `high_tick`.
void LevelBook::hold_levels(Side side, std::int64_t low_tick, std::int64_t high_tick) {
  TickRange& held = held_[static_cast<std::size_t>(side)];
  if (low_tick >= held.low && high_tick <= held.high) return;
  // One range of ticks, as long as what lies between is little.
  TickRange wanted{low_tick, high_tick};
  const std::int64_t near = Layers::kPage * bin_.ticks_per_bin();
  if (held.low <= held.high && low_tick - near <= held.high && high_tick + near >= held.low)
    wanted = {std::min(low_tick, held.low), std::max(high_tick, held.high)};
  const std::size_t first = side == Side::long_ ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer) {
    const double k = factors_[layer];
    if (!(k > 0.0)) continue;
    const auto bin_at = [&](std::int64_t tick) {
      return bin_.of_whole(std::min(round_half_even(static_cast<double>(tick) * k), kFarTick));
    };
    fresh_.hold(layer,
                Layers::Range{std::max(low_bin_, bin_at(wanted.low)), std::min(high_bin_, bin_at(wanted.high) + 1)});
  }
  held = wanted;
}

void LevelBook::make_room(Layers::Range bins) {
  if (!fixed_ && roomed_ != fresh_.pages()) {
    for (Layers* layers : {&settled_, &liquidated_, &own_liquidated_}) layers->room_for(fresh_);
    roomed_ = fresh_.pages();
  }
  for (Layers* layers : {&settled_, &fresh_, &liquidated_, &own_liquidated_}) layers->cover(bins.low, bins.high);
}

bool LevelBook::surely_covered(Side side, std::int64_t low_tick, std::int64_t high_tick) const noexcept {
  if (fixed_) return true;
  const bool longs = side == Side::long_;
  const double low = longs ? static_cast<double>(low_tick) * least_ : static_cast<double>(low_tick);
  const double high = longs ? static_cast<double>(high_tick) : static_cast<double>(high_tick) * greatest_;
  if (!(high < kFarTick)) return false;
  return fresh_.covers(bin_.of_whole(std::floor(low)), bin_.of_whole(std::ceil(high)) + 1);
}

LevelBook::Level LevelBook::level(std::size_t layer, std::int64_t entry_tick, std::int64_t bound_bin) const noexcept {
  const double k = factors_[layer];
  if (!(k > 0.0)) return {Fate::no_price, 0};
  return level_at(layer, round_half_even(static_cast<double>(entry_tick) * k), bound_bin);
}

LevelBook::Level LevelBook::level_at(std::size_t layer, double tick, std::int64_t bound_bin) const noexcept {
  if (tick < 1.0) return {Fate::no_price, 0};
  if (tick >= kFarTick) return {Fate::overflow, 0};
  const std::int64_t bin = bin_.of_whole(tick);
  if (bin < low_bin_) return {Fate::underflow, bin};
  if (bin >= high_bin_) return {Fate::overflow, bin};
  const bool beyond = layer < tiers_ ? bin < bound_bin : bin > bound_bin;
  return {beyond ? Fate::live : Fate::unresolved, bin};
}

inline Account& LevelBook::window_account(std::size_t layer) noexcept {
  booked_[layer] = 1;
  return window_[layer];
}

inline void LevelBook::include_live(std::size_t layer, std::int64_t low, std::int64_t high) noexcept {
  fresh_.range(layer).include({low, high + 1});
  if (layer < tiers_)
    longs_end_ = std::max(longs_end_, high + 1);
  else
    shorts_begin_ = std::min(shorts_begin_, low);
}

inline void LevelBook::add_live(std::size_t layer, std::int64_t bin, double lots) noexcept {
  fresh_.cell(layer, bin) += lots;
  include_live(layer, bin, bin);
}

void LevelBook::add_level(std::size_t layer, const Level& level, double lots) noexcept {
  switch (level.fate) {
    case Fate::live:
      add_live(layer, level.bin, lots);
      break;
    case Fate::no_price:
      window_account(layer).no_price.add(lots);
      break;
    case Fate::underflow:
      window_account(layer).underflow.add(lots);
      break;
    case Fate::overflow:
      window_account(layer).overflow.add(lots);
      break;
    case Fate::unresolved:
      window_account(layer).unresolved.add(lots);
      break;
  }
}

void LevelBook::open_layers(Side side, std::int64_t entry_tick, double lots,
                            const std::optional<Reached>& reached) noexcept {
  std::int64_t bound = bin_(entry_tick);
  const bool longs = side == Side::long_;
  if (reached) bound = longs ? std::min(bound, reached->low_bin) : std::max(bound, reached->high_bin);
  const std::size_t first = longs ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer) {
    // A level that is live, in line; every other case apart. A factor of NaN fails the first test.
    const double tick = round_half_even(static_cast<double>(entry_tick) * factors_[layer]);
    if (tick >= 1.0 && tick < kFarTick) {
      const std::int64_t bin = bin_.of_whole(tick);
      const bool beyond = longs ? bin < bound : bin > bound;
      if (beyond && bin >= low_bin_ && bin < high_bin_) {
        add_live(layer, bin, lots);
        continue;
      }
    }
    add_level(layer, level(layer, entry_tick, bound), lots);
  }
}

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
  std::int64_t bound = bin_(longs ? lowest_tick : highest_tick);
  if (reached) bound = longs ? std::min(bound, reached->low_bin) : std::max(bound, reached->high_bin);
  const std::size_t first = longs ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer) {
    // Levels rise with the entry: where the lowest and the highest are live, so is every one between, without a look.
    const double k = factors_[layer];
    const double low_level = round_half_even(static_cast<double>(lowest_tick) * k);
    const double high_level = round_half_even(static_cast<double>(highest_tick) * k);
    if (exact && low_level >= 1.0 && high_level < kFarTick) {
      const std::int64_t low = bin_.of_whole(low_level);
      const std::int64_t high = bin_.of_whole(high_level);
      if ((longs ? high < bound : low > bound) && low >= low_bin_ && high < high_bin_) {
        ranges(layer, lowest_tick, end - begin, prefix.data() + begin, low, high);
        continue;
      }
    }
    for (std::int64_t tick = lowest_tick; tick <= highest_tick; ++tick) {
      const double lots = lots_at(run, longs, tick, maker_share);
      if (lots == 0.0) continue;
      std::int64_t own = bin_(tick);
      if (reached) own = longs ? std::min(own, reached->low_bin) : std::max(own, reached->high_bin);
      single(layer, level(layer, tick, own), lots);
    }
  }
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

void LevelBook::room_to_open(Side side, std::int64_t entry_tick, double lots, std::optional<Reached> reached,
                             Layers::Range& bins) {
  if (fixed_ || lots == 0.0) return;
  hold_levels(side, entry_tick, entry_tick);
  if (surely_covered(side, entry_tick, entry_tick)) return;
  const bool longs = side == Side::long_;
  std::int64_t bound = bin_(entry_tick);
  if (reached) bound = longs ? std::min(bound, reached->low_bin) : std::max(bound, reached->high_bin);
  const std::size_t first = longs ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer)
    if (const Level at = level(layer, entry_tick, bound); at.fate == Fate::live) bins.include(at.bin);
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

void LevelBook::open(Side side, std::int64_t entry_tick, double lots, std::optional<Reached> reached) {
  assert(entry_tick > 0 && lots >= 0.0);
  if (lots == 0.0) return;
  Layers::Range bins;
  room_to_open(side, entry_tick, lots, reached, bins);
  make_room(bins);
  if (lots != round_half_even(lots)) exact_limit_ = kSharedLimit;
  opened_[static_cast<std::size_t>(side)].add(lots);
  open_layers(side, entry_tick, lots, reached);
}

/// Calls `use(layer, level, lots)` for each tier that has a quantity.
template <class Use>
void LevelBook::each_level(const Opening& opening, const std::optional<Reached>& reached, Use&& use) const {
  assert(opening.tick > 0 && (opening.lots.size() == 1 || opening.lots.size() == tiers_));
  const bool longs = opening.side == Side::long_;
  std::int64_t bound = bin_(opening.tick);
  if (opening.known) bound = longs ? kNoBin : -1;
  if (reached) bound = longs ? std::min(bound, reached->low_bin) : std::max(bound, reached->high_bin);
  for (std::size_t tier = 0; tier < tiers_; ++tier) {
    const double lots = opening.lots[opening.lots.size() == 1 ? 0 : tier];
    if (lots == 0.0) continue;
    const std::size_t layer = longs ? tier : tiers_ + tier;
    use(layer,
        opening.known ? level_at(layer, static_cast<double>(opening.tick), bound) : level(layer, opening.tick, bound),
        lots);
  }
}

void LevelBook::room_to_open(const Opening& opening, std::optional<Reached> reached, Layers::Range& bins) {
  if (fixed_) return;
  each_level(opening, reached, [&](std::size_t layer, const Level& level, double) {
    if (level.fate != Fate::live) return;
    fresh_.hold(layer, Layers::Range{level.bin, level.bin + 1});
    bins.include(level.bin);
  });
}

Opened LevelBook::open(const Opening& opening, std::optional<Reached> reached) {
  Layers::Range bins;
  room_to_open(opening, reached, bins);
  make_room(bins);
  const bool alike = opening.lots.size() == 1;
  if (alike) opened_[static_cast<std::size_t>(opening.side)].add(opening.lots[0]);
  Opened out;
  each_level(opening, reached, [&](std::size_t layer, const Level& level, double lots) {
    if (!alike) window_account(layer).opened.add(lots);
    add_level(layer, level, lots);
    switch (level.fate) {
      case Fate::live:
        ++out.live;
        break;
      case Fate::no_price:
        ++out.no_price;
        break;
      case Fate::underflow:
        ++out.underflow;
        break;
      case Fate::overflow:
        ++out.overflow;
        break;
      case Fate::unresolved:
        ++out.unresolved;
        break;
    }
  });
  return out;
}

void LevelBook::record_touch(Side side, std::int64_t bin) noexcept {
  const auto s = static_cast<std::size_t>(side);
  auto& steps = touched_[s];
  const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(s * tiers_);
  const auto last = first + static_cast<std::ptrdiff_t>(tiers_);
  if (!steps.empty()) {
    const bool further = side == Side::long_ ? bin < steps.back().bin : bin > steps.back().bin;
    if (!further) return;
    // A scale that left this side as it was begins no further step.
    const std::vector<double>& scale = steps.back().scale;
    if (!new_step_[s] || (!scale.empty() && std::equal(first, last, scale.begin()))) {
      steps.back().bin = bin;
      return;
    }
  }
  steps.push_back({bin, {}});  // there is room
  if (scaled_) {
    steps.back().scale.swap(step_scale_[s]);
    steps.back().scale.assign(first, last);
  }
  new_step_[s] = false;
}

void LevelBook::make_room_to_touch(std::size_t side) {
  auto& steps = touched_[side];
  if (steps.size() == steps.capacity()) steps.reserve(2 * steps.size() + 1);
  step_scale_[side].reserve(tiers_);
}

void LevelBook::touch_bins(std::int64_t low_bin, std::int64_t high_bin) {
  room_to_touch();
  pass_idle();
  record_touch(Side::long_, low_bin);
  record_touch(Side::short_, high_bin);
  if (low_bin >= longs_end_ && high_bin < shorts_begin_) return;
  if (ended_) begin_window();
  if (low_bin < longs_end_) clear_longs(low_bin);
  if (high_bin >= shorts_begin_) clear_shorts(high_bin);
}

void LevelBook::clear_settled(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin) noexcept {
  settled_.each_page(layer, {low_bin, high_bin}, [&](std::int64_t first, double* cells, std::size_t n) {
    for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) {
      const double settled = cells[i];
      const double taken = settled * pending_[layer];
      cells[i] = 0.0;
      accounts_[layer].liquidated.add(taken);
      if (taken != settled) accounts_[layer].closed.add(settled - taken);
      const std::int64_t bin = first + static_cast<std::int64_t>(i);
      liquidated_.cell(layer, bin) += taken;
      liquidated_.range(layer).include(bin);
      liquidates_ = true;
    }
  });
}

void LevelBook::clear_fresh(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin) noexcept {
  fresh_.each_page(layer, {low_bin, high_bin}, [&](std::int64_t first, double* cells, std::size_t n) {
    for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) {
      const double fresh = cells[i];
      cells[i] = 0.0;
      if (fresh > exact_limit_) inexact_ = true;
      window_account(layer).liquidated.add(fresh);
      const std::int64_t bin = first + static_cast<std::int64_t>(i);
      for (Layers* layers : {&liquidated_, &own_liquidated_}) {
        layers->cell(layer, bin) += fresh;
        layers->range(layer).include(bin);
      }
      liquidates_ = true;
    }
  });
}

void LevelBook::clear_longs(std::int64_t from_bin) noexcept {
  for (std::size_t layer = 0; layer < tiers_; ++layer) {
    const auto cut = [&](Layers::Range& range, auto clear) {
      if (range.empty() || range.high <= from_bin) return;
      const std::int64_t low = std::max(range.low, from_bin);
      (this->*clear)(layer, low, range.high);
      range.high = low;
    };
    cut(settled_.range(layer), &LevelBook::clear_settled);
    cut(fresh_.range(layer), &LevelBook::clear_fresh);
  }
  longs_end_ = from_bin;
}

void LevelBook::clear_shorts(std::int64_t to_bin) noexcept {
  for (std::size_t layer = tiers_; layer < 2 * tiers_; ++layer) {
    const auto cut = [&](Layers::Range& range, auto clear) {
      if (range.empty() || range.low > to_bin) return;
      const std::int64_t high = std::min(range.high, to_bin + 1);
      (this->*clear)(layer, range.low, high);
      range.low = high;
    };
    cut(settled_.range(layer), &LevelBook::clear_settled);
    cut(fresh_.range(layer), &LevelBook::clear_fresh);
  }
  shorts_begin_ = to_bin + 1;
}

void LevelBook::check_factors(std::span<const double> factors) const {
  if (factors.size() != 2 * tiers_)
    throw InvalidConfig("factors must hold one value per side and tier (" + std::to_string(2 * tiers_) + "), had " +
                        std::to_string(factors.size()));
  for (const double factor : factors)
    if (!(factor >= 0.0 && factor <= 1.0)) throw InvalidConfig("factors must lie in [0, 1], had " + text_of(factor));
}

/// Let `keep(lots)` say what stays of each live cell, from the bin that the price would reach first.
///
/// Settled cells stay as they are until the window ends, so what is taken of them is put into fresh_, below zero.
template <class Keep>
void LevelBook::take_away(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin, Keep&& keep) noexcept {
  const Layers::Range live = live_range(layer);
  const std::int64_t low = std::max(low_bin, live.low);
  const std::int64_t high = std::min(high_bin + 1, live.high);
  const bool longs = layer < tiers_;
  const std::int64_t step = longs ? -1 : 1;
  for (std::int64_t bin = longs ? high - 1 : low; bin >= low && bin < high; bin += step) {
    if (settled_.page(layer, bin) == nullptr && fresh_.page(layer, bin) == nullptr) {
      bin = longs ? Layers::page_end(bin) - Layers::kPage : Layers::page_end(bin) - 1;
      continue;
    }
    const double settled = settled_.at(layer, bin) * pending_[layer];
    const double lots = settled + fresh_.at(layer, bin);
    if (!(lots > 0.0)) continue;
    const double kept = keep(lots);
    if (kept == lots) continue;
    fresh_.cell(layer, bin) = kept - settled;  // which has pages wherever settled_ has
    fresh_.range(layer).include(bin);
    window_account(layer).closed.add(lots - kept);
    thinned_[layer] = 1;
  }
}

void LevelBook::close(Side side, std::int64_t low_tick, std::int64_t high_tick, std::span<const double> lots,
                      std::span<double> closed) noexcept {
  assert(closed.size() == tiers_ && (lots.size() == 1 || lots.size() == tiers_));
  for (std::size_t tier = 0; tier < tiers_; ++tier) {
    const double wanted = lots[lots.size() == 1 ? 0 : tier];
    double rest = wanted;
    take_away(side == Side::long_ ? tier : tiers_ + tier, bin_(low_tick), bin_(high_tick), [&](double live) {
      const double taken = std::min(live, rest);
      rest -= taken;
      return live - taken;
    });
    closed[tier] = wanted - rest;
  }
}

void LevelBook::scale_part(std::span<const double> factors, std::int64_t low_tick, std::int64_t high_tick) {
  check_factors(factors);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    if (factors[layer] == 1.0) continue;
    take_away(layer, bin_(low_tick), bin_(high_tick), [&](double live) {
      const double kept = live * factors[layer];
      return kept < Layers::kDustLots ? 0.0 : kept;
    });
  }
}

void LevelBook::scale(std::span<const double> factors) {
  check_factors(factors);
  bool any = false;
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const double factor = factors[layer];
    if (factor == 1.0) continue;
    any = true;
    pending_[layer] *= factor;
    double lost = 0.0;
    fresh_.each_page(layer, fresh_.range(layer), [&](std::int64_t, double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const double kept = cells[i] * factor;
        lost += cells[i] - kept;
        cells[i] = kept;
      }
    });
    if (lost != 0.0) window_account(layer).closed.add(lost);
    if (thinned_[layer] == 0) continue;
    // What was taken away whole is still nothing: both parts were rounded.
    fresh_.each_page(layer, fresh_.range(layer), [&](std::int64_t first, double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        if (!(cells[i] < 0.0)) continue;
        const double settled = settled_.at(layer, first + static_cast<std::int64_t>(i)) * pending_[layer];
        if (std::fabs(settled + cells[i]) <= Layers::kRounding * settled) cells[i] = -settled;
      }
    });
  }
  if (!any) return;
  scaled_ = true;
  new_step_[0] = new_step_[1] = true;
}

void LevelBook::snapshot(Side side, std::span<double> out) const noexcept {
  assert(out.size() == tiers_ * static_cast<std::size_t>(width()));
  std::fill(out.begin(), out.end(), 0.0);
  const std::size_t first = side == Side::long_ ? 0 : tiers_;
  for (std::size_t tier = 0; tier < tiers_; ++tier) {
    const std::size_t layer = first + tier;
    double* const row = out.data() + static_cast<std::ptrdiff_t>(tier) * width();
    each_live(layer, [&](std::int64_t bin, double lots) { row[bin - first_bin()] = lots; });
  }
}

double LevelBook::live_lots(std::size_t layer) const noexcept {
  double sum = 0.0;
  each_live(layer, [&](std::int64_t, double lots) { sum += lots; });
  return sum;
}

/// Calls `use(bin, lots)` from below for every bin in a page that may be live.
template <class Use>
void LevelBook::each_live(std::size_t layer, Use&& use) const noexcept {
  const std::int64_t high = live_range(layer).high;
  const double idle = idle_scale(layer);
  for (std::int64_t bin = next_live(layer, 0); bin < high; bin = next_live(layer, bin)) {
    const double* const settled = settled_.page(layer, bin);
    const double* const fresh = fresh_.page(layer, bin);
    for (const std::int64_t end = std::min(high, Layers::page_end(bin)); bin < end; ++bin) {
      const std::size_t i = Layers::within(bin);
      use(bin, (settled == nullptr ? 0.0 : after_idle(settled[i], idle) * pending_[layer]) +
                   (fresh == nullptr ? 0.0 : fresh[i]));
    }
  }
}

std::int64_t LevelBook::next_live(std::size_t layer, std::int64_t bin) const noexcept {
  return std::min(settled_.next_in_page(layer, bin), fresh_.next_in_page(layer, bin));
}

Layers::Range LevelBook::live_range(std::size_t layer) const noexcept {
  Layers::Range out = settled_.range(layer);
  out.include(fresh_.range(layer));
  return out;
}

void LevelBook::live(std::size_t layer, std::int64_t low, std::span<double> out) const noexcept {
  assert(out.empty() || low + static_cast<std::int64_t>(out.size()) <= Layers::page_end(low));
  static constexpr double kZeros[Layers::kPage] = {};
  const auto cells = [&](const Layers& layers) {
    const double* const page = layers.page(layer, low);
    return (page == nullptr ? kZeros : page) + Layers::within(low);
  };
  const double* const settled = cells(settled_);
  const double* const fresh = cells(fresh_);
  const double pending = pending_[layer];
  if (const double idle = idle_scale(layer); idle != 1.0)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = after_idle(settled[i], idle) * pending + fresh[i];
  else
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = settled[i] * pending + fresh[i];
  if (pending == 1.0) return;
  for (double& lots : out) lots = lots < Layers::kDustLots ? 0.0 : lots;
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

void LevelBook::peek(Segment& out) const {
  for (std::size_t s = 0; s < 2; ++s) {
    out.touched[s].assign(touched_[s].begin(), touched_[s].end());
    out.scale[s].clear();
    if (scaled_) {
      const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(s * tiers_);
      out.scale[s].assign(first, first + static_cast<std::ptrdiff_t>(tiers_));
    }
  }
  fresh_.extract(out.additions);
  if (liquidates_)
    own_liquidated_.extract(out.liquidated);
  else
    out.liquidated.clear();
  out.accounts.resize(2 * tiers_);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    Account& account = out.accounts[layer];
    account = window_[layer];
    account.opened += opened_[layer < tiers_ ? 0 : 1];
    account.live = booked_[layer] != 0 ? live_of(account) : account.opened;
  }
}

void LevelBook::room_to_settle(Segment& out) const {
  for (std::size_t s = 0; s < 2; ++s) {
    out.touched[s].assign(touched_[s].begin(), touched_[s].end());
    out.scale[s].reserve(tiers_);
  }
  fresh_.room_to_extract(out.additions);
  own_liquidated_.room_to_extract(out.liquidated);
  out.accounts.reserve(2 * tiers_);
}

/// The idle windows that were counted become part of the settled levels.
void LevelBook::pass_idle() noexcept {
  if (idle_.windows == 0) return;
  std::fill(closed_.begin(), closed_.end(), Tally{});
  settled_.apply(idle_.window, Layers::Dust::flush, nullptr, closed_, idle_.windows);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) accounts_[layer].closed += closed_[layer];
  idle_.windows = 0;
}

void LevelBook::end_idle_window(const Segment& window, std::uint64_t windows, bool joins) noexcept {
  if (!joins || !std::equal(std::begin(window.scale), std::end(window.scale), std::begin(idle_.window.scale)))
    pass_idle();
  if (window.scale[0].empty() && window.scale[1].empty()) return;
  idle_.windows += windows;
  for (std::size_t side = 0; side < 2; ++side)
    idle_.window.scale[side].assign(window.scale[side].begin(), window.scale[side].end());
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const auto& scale = window.scale[layer < tiers_ ? 0 : 1];
    idle_.scale[layer] = scale.empty() ? 1.0 : power(scale[layer < tiers_ ? layer : layer - tiers_], idle_.windows);
  }
}

void LevelBook::end_window(const Segment& out, std::uint64_t windows, bool joins) noexcept {
  if (ended_) begin_window();
  ended_ = true;
  const bool idle = out.idle();
  if (idle)
    end_idle_window(out, windows, joins);
  else
    pass_idle();
  if (idle) {
    // Counted.
  } else if (scaled_) {
    std::fill(closed_.begin(), closed_.end(), Tally{});
    settled_.apply(out, Layers::Dust::flush, nullptr, closed_);
    for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) accounts_[layer].closed += closed_[layer];
  } else {
    settled_.add(out.additions);  // what was touched has been cleared already
  }
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    if (booked_[layer] == 0) continue;
    accounts_[layer] += window_[layer];
    window_[layer] = Account{};
    booked_[layer] = 0;
  }
  for (std::size_t side = 0; side < 2; ++side) {
    opened_before_[side] += opened_[side];
    opened_[side] = Tally{};
    touched_[side].clear();
    new_step_[side] = true;
    // An addition to a cell can only push it over the limit where something was added.
    for (std::size_t layer = side * tiers_; layer < (side + 1) * tiers_; ++layer) {
      if (opened_before_[side].value() + accounts_[layer].opened.value() <= exact_limit_) continue;
      for (const std::int32_t bin : out.additions.layer_bins(layer))
        if (settled_.at(layer, bin) > exact_limit_) inexact_ = true;
    }
  }
  fresh_.clear();
  std::fill(thinned_.begin(), thinned_.end(), std::uint8_t{0});
  if (liquidates_) own_liquidated_.clear();
  if (scaled_) std::fill(pending_.begin(), pending_.end(), 1.0);
  scaled_ = false;
}

void LevelBook::room_to_absorb(const Segment& window, Layers::Range& bins) {
  // An automatic axis ends where levels were, whether they are still live or not.
  for (const Cells* cells : {&window.additions, &window.liquidated}) {
    include(*cells, bins);
    if (!fixed_) fresh_.hold(*cells);
  }
}

void LevelBook::absorb(const Segment& window, const LevelBook& from) {
  if (ended_) begin_window();
  pass_idle();
  exact_limit_ = std::min(exact_limit_, from.exact_limit_);
  inexact_ = inexact_ || from.inexact_;
  Layers::Range room;
  room_to_absorb(window, room);
  make_room(room);
  std::fill(closed_.begin(), closed_.end(), Tally{});
  settled_.apply(window, Layers::Dust::flush, &liquidated_, closed_);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    liquidated_.each_page(layer, liquidated_.range(layer), [&](std::int64_t, const double* cells, std::size_t n) {
      for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n))
        accounts_[layer].liquidated.add(cells[i]);
    });
    Account of_window = window.accounts[layer];
    of_window.opened = of_window.live = Tally{};
    accounts_[layer] += of_window;
    accounts_[layer].closed += closed_[layer];
    for (const std::int32_t bin : window.additions.layer_bins(layer))
      if (settled_.at(layer, bin) > exact_limit_) inexact_ = true;
  }
  for (std::size_t side = 0; side < 2; ++side) opened_before_[side] += window.accounts[side * tiers_].opened;
  liquidated_.add(window.liquidated);
  liquidates_ = ended_ = true;
  find_ends();
}

void LevelBook::find_ends() noexcept {
  longs_end_ = 0;
  shorts_begin_ = kNoBin;
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer)
    for (const Layers* layers : {&settled_, &fresh_}) {
      const Layers::Range& range = layers->range(layer);
      if (range.empty()) continue;
      if (layer < tiers_)
        longs_end_ = std::max(longs_end_, range.high);
      else
        shorts_begin_ = std::min(shorts_begin_, range.low);
    }
}

void LevelBook::begin_window() noexcept {
  ended_ = false;
  if (!liquidates_) return;
  liquidated_.clear();
  liquidates_ = false;
}

Tally LevelBook::closed_but_unbooked(std::size_t layer) const noexcept {
  // What scale closed of settled levels is booked when the window settles, and idle windows when they have passed.
  Tally out;
  const double idle = idle_scale(layer);
  if (idle == 1.0 && pending_[layer] == 1.0) return out;
  double lost_idle = 0.0;
  double lost = 0.0;
  settled_.each_page(layer, settled_.range(layer), [&](std::int64_t, const double* cells, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const double cell = after_idle(cells[i], idle);
      lost_idle += cells[i] - cell;
      lost += cell - cell * pending_[layer];
    }
  });
  out.add(lost_idle);
  out.add(lost);
  return out;
}

void LevelBook::restore(Layers settled, const Segment& open, std::span<const Account> accounts, Layers::Range axis,
                        std::span<const Account> earlier, const Segment* idle, std::uint64_t idle_windows) {
  if (settled.tiers() != tiers_ || accounts.size() != 2 * tiers_ || open.accounts.size() != 2 * tiers_ ||
      (!earlier.empty() && earlier.size() != 2 * tiers_))
    throw InvalidConfig("a book must be restored with its own leverage tiers (" + std::to_string(tiers_) + ")");
  if (!scales_fit(open, tiers_) || (idle != nullptr && !scales_fit(*idle, tiers_)))
    throw InvalidConfig("a book must be restored with scales of its own leverage tiers");
  Layers::Range bins = axis;
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) bins.include(settled.range(layer));
  for (const Cells* cells : {&open.additions, &open.liquidated}) include(*cells, bins);
  if (!bins.empty() &&
      (bins.low < low_bin_ || bins.high > high_bin_ || (fixed_ && (axis.low != low_bin_ || axis.high != high_bin_))))
    throw InvalidConfig("a book must be restored with its own axis, bins " + std::to_string(low_bin_) + " to " +
                        std::to_string(high_bin_ - 1) + ", had " + std::to_string(bins.low) + " to " +
                        std::to_string(bins.high - 1));
  LevelBook made = *this;
  made.take_up(std::move(settled), open, accounts, bins, earlier, idle, idle_windows);
  *this = std::move(made);
}

void LevelBook::take_up(Layers settled, const Segment& open, std::span<const Account> accounts, Layers::Range bins,
                        std::span<const Account> earlier, const Segment* idle, std::uint64_t idle_windows) {
  for (Layers* layers : {&fresh_, &liquidated_, &own_liquidated_}) layers->clear();
  settled_ = std::move(settled);
  if (!fixed_) fresh_.hold(settled_);
  room_to_absorb(open, bins);
  hold_axis();
  roomed_ = 0;
  make_room(bins);

  // What the window has liquidated so far is taken out of the settled levels again; the accounts have it already.
  // A touch lets the idle windows pass, and the accounts have what they closed.
  idle_.windows = 0;
  if (idle != nullptr) end_idle_window(*idle, idle_windows, false);
  if (!open.touched[0].empty() || !open.touched[1].empty()) pass_idle();
  Segment touches;
  for (std::size_t side = 0; side < 2; ++side) touches.touched[side] = touched_[side] = open.touched[side];
  settled_.apply(touches, Layers::Dust::keep, &liquidated_, {});
  fresh_.add(open.additions);
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const auto added = open.additions.layer_lots(layer);
    thinned_[layer] = std::any_of(added.begin(), added.end(), [](double lots) { return lots < 0.0; }) ? 1 : 0;
  }
  own_liquidated_.add(open.liquidated);
  liquidated_.add(open.liquidated);

  scaled_ = !open.scale[0].empty() || !open.scale[1].empty();
  liquidates_ = true;  // as far as is known; if nothing is, the window's end looks at empty ranges
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const std::size_t side = layer < tiers_ ? 0 : 1;
    pending_[layer] = open.scale[side].empty() ? 1.0 : open.scale[side][layer - side * tiers_];
    window_account(layer) = open.accounts[layer];
    window_[layer].live = Tally{};
    opened_[side] = opened_before_[side] = Tally{};
    Account before = accounts[layer];
    before -= open.accounts[layer];
    before.closed -= closed_but_unbooked(layer);
    // Earlier accounts are these to the last digit, unless idle windows have passed in the levels and not in them.
    const bool known = !earlier.empty() && std::fabs(earlier[layer].closed.value() - before.closed.value()) <=
                                               1e-12 * accounts[layer].opened.value() + 1e-9;
    const Tally opened = before.opened;
    accounts_[layer] = known ? earlier[layer] : before;
    accounts_[layer].opened = opened;
    accounts_[layer].live = Tally{};
  }
  find_ends();
  for (std::size_t side = 0; side < 2; ++side)
    new_step_[side] = touched_[side].empty() || touched_[side].back().scale != open.scale[side];
}

std::vector<Account> LevelBook::earlier_accounts() const {
  std::vector<Account> out = accounts_;
  for (Account& account : out) account.opened = Tally{};  // accounts() has it
  return out;
}

std::vector<Account> LevelBook::accounts() const {
  std::vector<Account> out(2 * tiers_);
  for (std::size_t layer = 0; layer < out.size(); ++layer) out[layer] = account(layer);
  return out;
}

Account LevelBook::account(std::size_t layer) const noexcept {
  const std::size_t side = layer < tiers_ ? 0 : 1;
  Account out = accounts_[layer];
  out += window_[layer];
  out.opened += opened_before_[side];
  out.opened += opened_[side];
  out.closed += closed_but_unbooked(layer);
  out.live = live_of(out);
  return out;
}

}  // namespace liqcore::inline abi1
