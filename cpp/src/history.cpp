#include "liqcore/history.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "check_state.hpp"
#include "liqcore/error.hpp"
#include "sharing.hpp"

namespace liqcore::inline abi1 {
namespace {

/// What std::swap does, in a third of the instructions.
void exchange(Segment& a, Segment& b) noexcept {
  std::swap(a.start_ns, b.start_ns);
  std::swap(a.end_ns, b.end_ns);
  std::swap(a.candle, b.candle);
  for (std::size_t side = 0; side < 2; ++side) {
    a.touched[side].swap(b.touched[side]);
    a.scale[side].swap(b.scale[side]);
  }
  for (Cells Segment::* cells : {&Segment::additions, &Segment::liquidated}) {
    (a.*cells).offsets.swap((b.*cells).offsets);
    (a.*cells).bins.swap((b.*cells).bins);
    (a.*cells).lots.swap((b.*cells).lots);
  }
  a.accounts.swap(b.accounts);
  std::swap(a.last_ns, b.last_ns);
  std::swap(a.mark_price, b.mark_price);
  std::swap(a.open_interest, b.open_interest);
}

/// Equal, or neither is a number.
bool same(double a, double b) noexcept { return a == b || (a != a && b != b); }

}  // namespace

std::vector<double> entry_weights(const Instrument& instrument, const LeverageProfile& leverage, Side side) {
  std::vector<double> out = leverage.weights();
  if (instrument.contract() == Contract::inverse) return out;
  for (std::size_t tier = 0; tier < out.size(); ++tier)
    if (const double k = instrument.margin().level_factor(side, instrument.contract(), leverage.tiers()[tier]); k > 0.0)
      out[tier] /= k;
  return out;
}

void History::check_keep(std::optional<std::size_t> keep) {
  if (keep && *keep < 1) throw InvalidConfig("keep must be at least 1, was 0");
  if (keep && *keep > kMaxKeep)
    throw InvalidConfig("keep must be at most " + std::to_string(kMaxKeep) + " (leave it out to keep all), was " +
                        std::to_string(*keep));
}

// --- entries -----------------------------------------------------------------------------------------------------

History::Ring::Ring(const Ring& from) : used_(from.used_) {
  slots_.reserve(used_);
  for (std::size_t i = 0; i < used_; ++i) slots_.push_back(from[i]);
}

History::Ring& History::Ring::operator=(Ring from) noexcept {
  slots_.swap(from.slots_);
  head_ = from.head_;
  used_ = from.used_;
  return *this;
}

void History::Ring::reserve(std::size_t more) {
  if (used_ + more > slots_.capacity()) slots_.reserve(std::max(used_ + more, 2 * slots_.capacity()));
}

History::Slot& History::Ring::push_back() noexcept {
  if (used_ == slots_.size()) {
    const bool ring = head_ != 0;
    std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_), slots_.end());
    head_ = 0;
    slots_.resize(ring ? slots_.capacity() : used_ + 1);  // there is room; all of it at once, for that turned a ring
  }
  return slots_[at(used_++)];
}

void History::Ring::pop_front() noexcept {
  head_ = at(1);
  --used_;
}

History::History(Terms terms, std::optional<std::size_t> keep)
    : terms_(terms), keep_(keep), base_(terms.tiers), cache_(make_cache()) {
  check_keep(keep);
}

History::History(const History& from, std::optional<std::size_t> keep) : History(from) {
  check_keep(keep);
  cache_ = make_cache();
  keep_ = keep;
  fold_oldest(to_fold(0));
}

void History::set_base(const Cells& cells, std::uint64_t folded) {
  check_reach(check_cells(cells, base_.layers(), {0, (std::int64_t{1} << 31) - 1}, false));
  base_.clear();
  base_.add(cells);
  const std::uint64_t before = oldest();
  if (entries_.size() > 0)
    if (Slot& slot = entries_[0]; slot.first < before) {
      slot.segment = std::make_shared<Segment>(segment(0));
      slot.segment->accounts.clear();
      slot.count -= before - slot.first;
      slot.first = before;
    }
  for (std::size_t e = 0; e < entries_.size(); ++e) entries_[e].first += folded - before;
  total_ = folded + size_;
  cache_ = make_cache();
}

History::Entry History::entry(std::size_t e) const noexcept {
  const Slot& slot = entries_[e];
  const auto folded = static_cast<std::size_t>(slot.first < oldest() ? oldest() - slot.first : 0);
  return {*slot.segment, static_cast<std::size_t>(slot.first + folded - oldest()), slot.count - folded, folded};
}

std::size_t History::entry_of(std::size_t i) const noexcept {
  if (entries_.size() == size_) return i;
  if (i >= size_) return entries_.size();
  std::size_t low = 0;  // in entry low or after it
  for (std::size_t n = entries_.size(); n > 1;) {
    const std::size_t half = n / 2;
    if (entries_[low + half].first <= oldest() + i) low += half;
    n -= half;
  }
  return low;
}

std::int64_t History::start_ns(std::size_t i) const noexcept {
  const Slot& slot = entries_[entry_of(i)];
  return slot.segment->start_ns + static_cast<std::int64_t>(oldest() + i - slot.first) * terms_.window_ns;
}

Segment History::segment(std::size_t i) const {
  const Slot& slot = entries_[entry_of(i)];
  Segment out = *slot.segment;
  out.start_ns = start_ns(i);
  out.end_ns = out.start_ns + terms_.window_ns;
  if (out.idle()) out.accounts.resize(2 * terms_.tiers);
  return out;
}

std::shared_ptr<const Segment> History::share(std::size_t i) const {
  const Slot& slot = entries_[entry_of(i)];
  if (!slot.segment->idle()) return slot.segment;
  return std::make_shared<Segment>(segment(i));
}

Layers History::base() const {
  Layers out = base_;
  if (size_ == 0) return out;
  if (const Entry entry = this->entry(0); entry.folded > 0)
    out.apply(entry.window, Layers::Dust::flush, nullptr, {}, entry.folded);
  return out;
}

bool History::joins(const Segment& segment) const noexcept {
  if (size_ == 0 || !segment.idle()) return false;
  const Slot& slot = entries_.back();
  const Segment& last = *slot.segment;
  return last.idle() && std::equal(std::begin(last.scale), std::end(last.scale), std::begin(segment.scale)) &&
         last.last_ns == segment.last_ns && same(last.mark_price, segment.mark_price) &&
         same(last.open_interest, segment.open_interest) &&
         segment.start_ns == last.start_ns + static_cast<std::int64_t>(slot.count) * terms_.window_ns;
}

std::size_t History::to_fold(std::size_t windows) const noexcept {
  return keep_ && size_ + windows > *keep_ ? size_ + windows - *keep_ : 0;
}

void History::fold_oldest(std::size_t windows) noexcept {
  while (windows > 0) {
    const Entry entry = this->entry(0);
    const std::size_t gone = std::min(windows, entry.count);
    // Idle windows go all at once, when the last of them does: the scale of all is rounded once.
    if (gone == entry.count) {
      base_.apply(entry.window, Layers::Dust::flush, nullptr, {}, entry.folded + entry.count);
      entries_.pop_front();
    }
    size_ -= gone;
    windows -= gone;
  }
}

void History::room_to_put(std::size_t windows, std::size_t entries) {
  entries_.reserve(entries);
  // Levels of those that are folded go into the base.
  std::size_t fold = to_fold(windows);
  for (std::size_t e = 0; e < entries_.size() && fold > 0; ++e) {
    const Entry at = entry(e);
    base_.hold(at.window.additions);
    fold -= std::min(fold, at.count);
  }
}

void History::room_for(std::size_t windows, const Layers& opened, bool scaled, Room& room) {
  const std::size_t entries = std::min<std::size_t>(windows, 2);
  room_to_put(windows, entries);
  if (folds(windows)) base_.hold(opened);
  // In case that there is nothing to write over, or somebody else still has it.
  for (std::shared_ptr<Segment>& segment : room)
    if (!nobody_else_has(segment)) segment = std::make_shared<Segment>();
  room.reserve(entries);
  while (room.size() < entries) room.push_back(std::make_shared<Segment>());
  if (scaled)
    for (const std::shared_ptr<Segment>& segment : room)
      for (auto& scale : segment->scale) scale.reserve(terms_.tiers);
}

/// More windows of the last entry.
void History::join(std::size_t windows) noexcept {
  const std::size_t fold = to_fold(windows);
  entries_.back().count += windows;
  total_ += windows;
  size_ += windows;
  fold_oldest(fold);
}

/// The slot of the next entry; none if the windows join the last one. Older windows are folded as `keep` says.
History::Slot* History::next_slot(const Segment& segment, std::size_t windows) noexcept {
  Slot* slot = nullptr;
  if (joins(segment)) {
    join(windows);
  } else {
    const std::size_t fold = to_fold(windows);
    const std::size_t before = std::min(fold, size_);
    fold_oldest(before);
    slot = &entries_.push_back();
    slot->first = total_;
    slot->count = windows;
    ++entries_ever_;
    total_ += windows;
    size_ += windows - (fold - before);
  }
  return slot;
}

const Segment& History::put(Segment& segment, Room& room, std::size_t windows) noexcept {
  Slot* const slot = next_slot(segment, windows);
  if (slot == nullptr) return segment;
  const bool idle = segment.idle();
  const auto fits = [&](const Segment& into) {
    return !idle ||
           (into.scale[0].capacity() >= segment.scale[0].size() && into.scale[1].capacity() >= segment.scale[1].size());
  };
  if (!slot->segment || !fits(*slot->segment) || !nobody_else_has(slot->segment)) {
    slot->segment = std::move(room.back());
    room.pop_back();
  }
  Segment& into = *slot->segment;
  if (!idle) {
    exchange(into, segment);
    return into;
  }
  into.start_ns = segment.start_ns;
  into.end_ns = segment.end_ns;
  into.candle = segment.candle;
  for (std::size_t side = 0; side < 2; ++side) {
    into.touched[side].clear();
    into.scale[side].assign(segment.scale[side].begin(), segment.scale[side].end());
  }
  into.additions.clear();
  into.liquidated.clear();
  into.accounts.clear();
  into.last_ns = segment.last_ns;
  into.mark_price = segment.mark_price;
  into.open_interest = segment.open_interest;
  return segment;
}

const Segment& History::put(std::shared_ptr<Segment> segment, std::size_t windows) noexcept {
  if (Slot* const slot = next_slot(*segment, windows)) {
    slot->segment = std::move(segment);
    if (slot->segment->idle()) std::vector<Account>().swap(slot->segment->accounts);
  }
  return *entries_.back().segment;
}

void History::append(Segment segment, std::size_t windows) {
  Room room;
  room_for(windows, Layers(terms_.tiers), !segment.scale[0].empty() || !segment.scale[1].empty(), room);
  put(segment, room, windows);
}

void History::prefetch() const noexcept {
  if (!keep_ || size_ < *keep_) return;
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMost = 32 * kLine;  // of each column: more would push out what trades need
  const auto ask = [](const void* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes && i < kMost; i += kLine)
      __builtin_prefetch(static_cast<const char*>(data) + i, 1);
  };
  const Segment& next = *entries_[0].segment;
  ask(&next, sizeof next);
  ask(next.accounts.data(), next.accounts.size() * sizeof next.accounts[0]);
  for (const Cells* cells : {&next.additions, &next.liquidated}) {
    ask(cells->offsets.data(), cells->offsets.size() * sizeof cells->offsets[0]);
    ask(cells->bins.data(), cells->bins.size() * sizeof cells->bins[0]);
    ask(cells->lots.data(), cells->lots.size() * sizeof cells->lots[0]);
  }
}

void History::follow(const History& newer) {
  // Whoever has the same entry in the same place has the same ones before it.
  const std::uint64_t more = newer.entries_ever_ - entries_ever_;
  if (cache_ != newer.cache_ || keep_ != newer.keep_ || entries_.size() == 0 || more >= newer.entries_.size() ||
      entries_.back().segment != newer.entries_[newer.entries_.size() - 1 - more].segment) {
    *this = newer;
    return;
  }
  std::size_t e = newer.entries_.size() - 1 - more;
  const std::size_t joined = newer.entries_[e].count - entries_.back().count;
  room_to_put(joined, 0);
  join(joined);
  while (++e < newer.entries_.size()) {
    const Slot& from = newer.entries_[e];
    room_to_put(from.count, 1);
    next_slot(*from.segment, from.count)->segment = from.segment;
  }
}

Layers History::levels_before_entry(std::size_t e) const {
  Layers live = base_;
  for (std::size_t k = 0; k < e; ++k)
    live.apply(*entries_[k].segment, Layers::Dust::flush, nullptr, {}, entries_[k].count);
  return live;
}

Layers History::levels_after(std::size_t i) const {
  const std::size_t e = entry_of(i);
  const Entry last = entry(e);
  Layers live = levels_before_entry(e);
  live.apply(last.window, Layers::Dust::flush, nullptr, {}, last.folded + i - last.first + 1);
  return live;
}

bool History::whole() const noexcept {
  if (total_ != size_) return false;
  for (std::size_t layer = 0; layer < base_.layers(); ++layer)
    if (!base_.range(layer).empty()) return false;
  return true;
}

}  // namespace liqcore::inline abi1
