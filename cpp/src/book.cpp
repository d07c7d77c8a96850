#include "liqcore/book.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

#include "book_parts.hpp"
#include "liqcore/error.hpp"
#include "pass.hpp"
#include "rounding.hpp"
#include "text_of.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

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
  if (bins < 1 || bins > kMaxAxisBins)
    throw InvalidConfig("bins of an automatic axis must be between 1 and " + text_of(kMaxAxisBins) + ", were " +
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
  const std::int64_t bound = this->bound(side, entry_tick, reached);
  const bool longs = side == Side::long_;
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

void LevelBook::room_to_open(Side side, std::int64_t entry_tick, double lots, std::optional<Reached> reached,
                             Layers::Range& bins) {
  if (fixed_ || lots == 0.0) return;
  hold_levels(side, entry_tick, entry_tick);
  if (surely_covered(side, entry_tick, entry_tick)) return;
  const std::int64_t bound = this->bound(side, entry_tick, reached);
  const std::size_t first = side == Side::long_ ? 0 : tiers_;
  for (std::size_t layer = first; layer < first + tiers_; ++layer)
    if (const Level at = level(layer, entry_tick, bound); at.fate == Fate::live) bins.include(at.bin);
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
/// Settled cells stay as they are until the window ends, so what is taken of them is put into fresh_, below zero. Idle
/// windows pass only then: a window in which nothing is taken may be idle, too, and counted with them.
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
    const double settled = after_idle(settled_.at(layer, bin), idle_scale(layer)) * pending_[layer];
    const double lots = settled + fresh_.at(layer, bin);
    if (!(lots > 0.0)) continue;
    const double kept = keep(lots);
    if (kept == lots) continue;
    if (kept < settled) {
      pass_idle();
      thinned_[layer] = 1;
    }
    fresh_.cell(layer, bin) = kept - settled;  // which has pages wherever settled_ has
    fresh_.range(layer).include(bin);
    window_account(layer).closed.add(lots - kept);
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

/// What was taken away whole is still nothing, however its parts were rounded since.
void LevelBook::cancel_out(std::size_t layer) noexcept {
  if (thinned_[layer] == 0) return;
  fresh_.each_page(layer, fresh_.range(layer), [&](std::int64_t first, double* cells, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const double settled = settled_.at(layer, first + static_cast<std::int64_t>(i)) * pending_[layer];
      if (cells[i] < 0.0 && left_of(settled + cells[i], cells[i]) == 0.0) cells[i] = -settled;
    }
  });
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
    cancel_out(layer);
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

}  // namespace liqcore::inline abi1
