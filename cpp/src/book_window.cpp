// The end of the book's windows, and its state.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "book_parts.hpp"
#include "liqcore/book.hpp"
#include "liqcore/error.hpp"
#include "power.hpp"
#include "text_of.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

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

}  // namespace

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
                        std::span<const Account> earlier, const IdleWindows& idle) {
  if (settled.tiers() != tiers_ || accounts.size() != 2 * tiers_ || open.accounts.size() != 2 * tiers_ ||
      (!earlier.empty() && earlier.size() != 2 * tiers_))
    throw InvalidConfig("a book must be restored with its own leverage tiers (" + std::to_string(tiers_) + ")");
  if (!scales_fit(open, tiers_) || (idle.window != nullptr && !scales_fit(*idle.window, tiers_)))
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
  made.take_up(std::move(settled), open, accounts, bins, earlier, idle);
  *this = std::move(made);
}

/// Takes up what the window has scaled and taken away; whether it touched or took away anything.
bool LevelBook::take_up_scales(const Segment& open) {
  scaled_ = !open.scale[0].empty() || !open.scale[1].empty();
  bool passed = !open.touched[0].empty() || !open.touched[1].empty();
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    const std::size_t side = layer < tiers_ ? 0 : 1;
    pending_[layer] = open.scale[side].empty() ? 1.0 : open.scale[side][layer - side * tiers_];
    const auto added = open.additions.layer_lots(layer);
    thinned_[layer] = std::any_of(added.begin(), added.end(), [](double lots) { return lots < 0.0; }) ? 1 : 0;
    passed = passed || thinned_[layer] != 0;
  }
  return passed;
}

void LevelBook::take_up(Layers settled, const Segment& open, std::span<const Account> accounts, Layers::Range bins,
                        std::span<const Account> earlier, const IdleWindows& idle) {
  for (Layers* layers : {&fresh_, &liquidated_, &own_liquidated_}) layers->clear();
  settled_ = std::move(settled);
  if (!fixed_) fresh_.hold(settled_);
  room_to_absorb(open, bins);
  hold_axis();
  roomed_ = 0;
  make_room(bins);

  const bool passed = take_up_scales(open);
  // Rows of an archive have lost those that were folded away: what the others closed stands in the accounts only.
  const bool all_there = !idle.counted || *idle.counted <= idle.windows;
  idle_.windows = 0;
  if (idle.window != nullptr) {
    // Touches and closings let the idle windows pass.
    const std::uint64_t waiting = idle.counted && all_there ? *idle.counted : passed ? 0 : idle.windows;
    if (waiting < idle.windows) end_idle_window(*idle.window, idle.windows - waiting, false);
    pass_idle();
    if (waiting > 0) end_idle_window(*idle.window, waiting, false);
  }
  // What was booked of earlier windows; what is not yet is left out.
  const auto before = [&](std::size_t layer) {
    Account out = accounts[layer];
    out -= open.accounts[layer];
    out.closed -= closed_but_unbooked(layer);
    return out;
  };
  // Whether earlier accounts are these to the last digit.
  const auto known = [&](std::size_t layer) {
    return all_there && !earlier.empty() &&
           std::fabs(earlier[layer].closed.value() - before(layer).closed.value()) <=
               1e-12 * accounts[layer].opened.value() + 1e-9;
  };
  // What the window has liquidated so far is taken out of the settled levels again; the accounts have it already.
  Segment touches;
  for (std::size_t side = 0; side < 2; ++side) touches.touched[side] = touched_[side] = open.touched[side];
  settled_.apply(touches, Layers::Dust::keep, &liquidated_, {});
  fresh_.add(open.additions);
  own_liquidated_.add(open.liquidated);
  liquidated_.add(open.liquidated);

  liquidates_ = true;  // as far as is known; if nothing is, the window's end looks at empty ranges
  for (std::size_t side = 0; side < 2; ++side) opened_[side] = opened_before_[side] = Tally{};
  for (std::size_t layer = 0; layer < 2 * tiers_; ++layer) {
    cancel_out(layer);
    window_account(layer) = open.accounts[layer];
    window_[layer].live = Tally{};
    const Account booked = before(layer);
    accounts_[layer] = known(layer) ? earlier[layer] : booked;
    accounts_[layer].opened = booked.opened;
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
