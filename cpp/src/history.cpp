#include "liqcore/history.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "check_state.hpp"
#include "fold.hpp"
#include "liqcore/error.hpp"
#include "suffix.hpp"

namespace liqcore::inline abi1 {
namespace {

/// Row of a bin that lies in the picture.
std::size_t row_of(const Picture& picture, std::int64_t bin) {
  if (picture.edges.empty()) return static_cast<std::size_t>((bin - picture.first_bin) / picture.bins_per_row);
  const auto above = std::upper_bound(picture.edges.begin(), picture.edges.end(), bin);
  return static_cast<std::size_t>(above - picture.edges.begin()) - 1;
}

/// Add the weighted cells of one layer to the rows of a column.
void add_rows(const Layers& layers, std::size_t layer, double weight, const Picture& picture, const Terms& terms,
              std::span<double> rows) {
  if (rows.empty()) return;
  const Layers::Range& range = layers.range(layer);
  std::size_t row = 0;
  std::int64_t end = picture.row_begin(0);  // of the row that is being summed
  double sum = 0.0;
  layers.each_page(layer,
                   {std::max(range.low, picture.row_begin(0)), std::min(range.high, picture.row_begin(rows.size()))},
                   [&](std::int64_t first, const double* cells, std::size_t n) {
                     for (std::size_t i = 0; i < n; ++i) {
                       const std::int64_t bin = first + static_cast<std::int64_t>(i);
                       if (bin >= end) {
                         rows[row] += weight * sum;
                         sum = 0.0;
                         row = row_of(picture, bin);
                         end = picture.row_begin(row + 1);
                       }
                       sum += cells[i] * (picture.usd ? terms.usd_per_lot(bin) : terms.lot_size);
                     }
                   });
  rows[row] += weight * sum;
}

void check_rows(const Picture& picture, const History& history) {
  for (const auto& weights : picture.weights)
    if (weights.size() != history.terms().tiers)
      throw InvalidConfig("weights must hold one value per tier (" + std::to_string(history.terms().tiers) + "), had " +
                          std::to_string(weights.size()));
  // Bounds far beyond any axis, within which neither bins nor sizes overflow.
  constexpr std::size_t kMostRows = std::size_t{1} << 24;
  constexpr std::int64_t kMostBins = std::int64_t{1} << 31;
  constexpr std::int64_t kFurthestBin = std::int64_t{1} << 41;
  if (picture.bins_per_row < 1 || picture.bins_per_row > kMostBins)
    throw InvalidConfig("bins_per_row must be between 1 and " + std::to_string(kMostBins) + ", was " +
                        std::to_string(picture.bins_per_row));
  if (picture.rows > kMostRows)
    throw InvalidConfig("rows must be at most " + std::to_string(kMostRows) + ", were " + std::to_string(picture.rows));
  if (picture.first_bin < -kFurthestBin || picture.first_bin > kFurthestBin)
    throw InvalidConfig("first_bin must be within " + std::to_string(kFurthestBin) + " of 0, was " +
                        std::to_string(picture.first_bin));
  if (picture.edges.empty()) return;
  if (picture.edges.size() != picture.rows + 1)
    throw InvalidConfig("edges must be one more than the rows (" + std::to_string(picture.rows + 1) + "), were " +
                        std::to_string(picture.edges.size()));
  if (!std::is_sorted(picture.edges.begin(), picture.edges.end())) throw InvalidConfig("edges must rise, did not");
}

/// A stretch of windows up to i may reach back before segment 0 only if nothing was there.
void check_span(const History& history, std::size_t i, std::size_t windows) {
  if (windows > i + 1 && !history.whole())
    throw InvalidConfig("opened_within must lie within the " + std::to_string(i + 1) +
                        " windows kept up to the first column shown (older ones were folded away), was " +
                        std::to_string(windows));
}

void check_window(std::size_t i, const History& history) {
  if (i >= history.size())
    throw InvalidConfig("window must lie within the " + std::to_string(history.size()) + " there are, was " +
                        std::to_string(i));
}

void check(const Picture& picture, const History& history) {
  check_rows(picture, history);
  if (picture.first_column > history.size() || picture.columns > history.size() - picture.first_column)
    throw InvalidConfig("columns must lie within the " + std::to_string(history.size()) + " there are, were " +
                        std::to_string(picture.columns) + " from " + std::to_string(picture.first_column));
  if (picture.column_ns < 0 || picture.column_ns % history.terms().window_ns != 0)
    throw InvalidConfig("column_ns must be a multiple of the window (" + std::to_string(history.terms().window_ns) +
                        " ns), was " + std::to_string(picture.column_ns));
  if (picture.columns > 0) check_span(history, picture.first_column, picture.opened_within);
}

/// Start of the column that a window lies in.
std::int64_t column_start(const Picture& picture, std::int64_t window_start_ns) noexcept {
  if (picture.column_ns == 0) return window_start_ns;
  const std::int64_t rest = window_start_ns % picture.column_ns;
  return window_start_ns - (rest < 0 ? rest + picture.column_ns : rest);
}

/// Whether window i of a picture is the last of its column.
bool ends_column(const History& history, const Picture& picture, std::size_t i) noexcept {
  return picture.column_ns == 0 || i + 1 == picture.first_column + picture.columns ||
         column_start(picture, history.segment(i).start_ns) != column_start(picture, history.segment(i + 1).start_ns);
}

/// Where a fold can begin without its past.
struct FoldStart {
  std::weak_ptr<const Segment> last;  // the window before it, which only one line of histories has
  Cells cells;
  std::vector<double> scale;

  [[nodiscard]] std::size_t bytes() const noexcept {
    return sizeof *this + cells.bins.capacity() * sizeof cells.bins[0] + cells.lots.capacity() * sizeof cells.lots[0] +
           scale.capacity() * sizeof scale[0];
  }
};

constexpr std::uint64_t kFoldStartWindows = 1'024;

/// Whether a segment can be written over. A copy of the pointer that goes away waits for what others, on their threads,
/// did before they gave theirs up; a look at the count alone would not.
bool nobody_else_has(const std::shared_ptr<Segment>& segment) noexcept {
  std::shared_ptr<Segment> mine = segment;
  const bool alone = mine.use_count() == 2;
  mine.reset();
  return alone;
}

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

bool same(const std::weak_ptr<const Segment>& a, const std::shared_ptr<const Segment>& b) noexcept {
  return !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

struct History::Cache {
  std::mutex mutex;
  SpanTree spans;
  std::map<std::uint64_t, FoldStart> starts;  // by windows before it, counted from the first ever

  /// Put windows [first, end) of a history in front of a suffix.
  void prepend(const History& history, std::size_t first, std::size_t end, Suffix& to) {
    const std::uint64_t oldest = history.total() - history.size();
    const std::lock_guard lock(mutex);
    spans.forget_before(oldest);
    spans.prepend(history, oldest + first, oldest + end, to);
  }

  /// The levels before window i, every kFoldStartWindows of the way written down.
  Fold before(const History& history, std::size_t i) {
    const std::uint64_t oldest = history.total() - history.size();
    const std::lock_guard lock(mutex);
    starts.erase(starts.begin(), starts.upper_bound(oldest));
    Fold fold(history.terms());
    std::size_t from = 0;
    auto it = starts.upper_bound(oldest + i);
    while (it != starts.begin() && from == 0) {
      --it;
      const auto at = static_cast<std::size_t>(it->first - oldest);
      if (!same(it->second.last, history.share(at - 1))) continue;
      fold.start(it->second.cells, it->second.scale);
      from = at;
    }
    if (from == 0) fold.start(history.base());
    for (; from < i; ++from) {
      if (from > 0 && (oldest + from) % kFoldStartWindows == 0) {
        FoldStart& made = starts[oldest + from];
        fold.state(made.cells, made.scale);
        made.cells.bins.shrink_to_fit();
        made.cells.lots.shrink_to_fit();
        made.last = history.share(from - 1);
      }
      fold.step(history.segment(from));
    }
    return fold;
  }

  /// Let the windows of a picture pass; `column(fold, i)` after each column, i its last window.
  template <class Column>
  void draw(const History& history, const Picture& picture, Column&& column) {
    if (picture.opened_within != 0) {
      slide(history, picture, column);
      return;
    }
    Fold fold = before(history, picture.first_column);
    fold.show(picture);
    for (std::size_t i = picture.first_column; i < picture.first_column + picture.columns; ++i) {
      fold.step(history.segment(i));
      if (!ends_column(history, picture, i)) continue;
      column(fold, i);
      fold.forget_liquidated();
    }
  }

  /// The same with each window's own stretch of the past: the queue of two stacks. What came before a turning point is
  /// put in from there backwards, and what each window did to it is written down, so that it can be taken out again
  /// from its far end, to the bit; what comes after is added at the near end. Once all of the older part is out, the
  /// next turning point is made.
  template <class Column>
  void slide(const History& history, const Picture& picture, Column&& column) {
    const std::size_t end = picture.first_column + picture.columns;
    const std::size_t length = std::min(picture.opened_within, end);
    const auto first_of = [&](std::size_t i) { return i + 1 > length ? i + 1 - length : 0; };  // of window i's stretch
    Fold fold(history.terms());
    fold.show(picture);
    Suffix older(history.terms().tiers);
    std::vector<Suffix::Undo> undo;
    std::vector<std::size_t> marks;  // where each window begins in undo, the latest window first
    std::size_t turn_end = picture.first_column;
    for (std::size_t i = picture.first_column; i < end; ++i) {
      if (i == turn_end) {
        turn_end = std::min(i + length, end);
        const std::size_t stays = std::min(i, first_of(turn_end - 1));  // windows from here on are never taken out
        older.reset();
        prepend(history, stays, i, older);
        undo.clear();
        marks.clear();
        for (std::size_t k = stays; k-- > first_of(i);) {
          marks.push_back(undo.size());
          older.prepend(history.segment(k), &undo);
        }
        older.flush();
        fold.start_aging(older.live());
      } else if (first_of(i) > first_of(i - 1) && !marks.empty()) {
        fold.expire(std::span(undo).subspan(marks.back()));
        undo.resize(marks.back());
        marks.pop_back();
      }
      fold.step(history.segment(i));
      if (!ends_column(history, picture, i)) continue;
      column(fold, i);
      fold.forget_liquidated();
    }
  }
};

void History::check_keep(std::optional<std::size_t> keep) {
  if (keep && *keep < 1) throw InvalidConfig("keep must be at least 1, was 0");
  if (keep && *keep > kMaxKeep)
    throw InvalidConfig("keep must be at most " + std::to_string(kMaxKeep) + " (leave it out to keep all), was " +
                        std::to_string(*keep));
}

History::History(Terms terms, std::optional<std::size_t> keep)
    : terms_(terms), keep_(keep), base_(terms.tiers), cache_(std::make_shared<Cache>()) {
  check_keep(keep);
}

History::History(const History& from, std::optional<std::size_t> keep)
    : terms_(from.terms_), keep_(keep), total_(from.total_), base_(from.base_), cache_(std::make_shared<Cache>()) {
  check_keep(keep);
  const std::size_t folded = keep && from.size() > *keep ? from.size() - *keep : 0;
  for (std::size_t i = 0; i < folded; ++i) base_.apply(from.segment(i), Layers::Dust::flush, nullptr, {});
  for (std::size_t i = folded; i < from.size(); ++i) segments_.push_back(from.segments_[from.at(i)]);
}

void History::set_base(const Cells& cells, std::uint64_t folded) {
  check_cells(cells, base_.layers(), {0, std::int64_t{1} << 31});
  base_.clear();
  base_.add(cells);
  total_ = folded + segments_.size();
  cache_ = std::make_shared<Cache>();
}

void History::keep_all() noexcept {
  std::rotate(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(oldest_), segments_.end());
  oldest_ = 0;
  keep_.reset();
}

void History::fold_oldest() {
  base_.apply(*segments_[oldest_], Layers::Dust::flush, nullptr, {});
  oldest_ = (oldest_ + 1) % segments_.size();
}

Segment& History::append() {
  Segment made;
  Room room;
  room_for(1, Layers(terms_.tiers), false, room);
  return put(made, room);
}

void History::room_to_put(std::size_t windows) {
  const std::size_t more = room_left(windows);
  if (segments_.size() + more > segments_.capacity())
    segments_.reserve(std::max(segments_.size() + more, 2 * segments_.capacity()));
  // Levels of those that are folded go into the base.
  for (std::size_t i = 0; i < std::min(windows - more, segments_.size()); ++i) base_.hold(segment(i).additions);
}

bool History::folds(std::size_t windows) const noexcept { return windows - room_left(windows) > segments_.size(); }

void History::room_for(std::size_t windows, const Layers& opened, bool scaled, Room& room) {
  room_to_put(windows);
  if (folds(windows)) base_.hold(opened);
  const auto shape = [&](Segment& segment) {
    segment.accounts.reserve(2 * terms_.tiers);
    if (scaled)
      for (auto& scale : segment.scale) scale.reserve(terms_.tiers);
  };
  // New ones, also in place of those that somebody else still has.
  std::size_t spare = room_left(windows);
  const std::size_t again = std::min(windows - spare, segments_.size());
  for (std::size_t i = 0; i < again; ++i) {
    const std::shared_ptr<Segment>& segment = segments_[at(i)];
    if (nobody_else_has(segment))
      shape(*segment);
    else
      ++spare;
  }
  room.scaled = scaled;
  room.spare.clear();
  if (spare > 0) room.spare.reserve(spare);
  while (room.spare.size() < spare) shape(*room.spare.emplace_back(std::make_shared<Segment>()));
}

bool History::has_room(const Segment& segment, bool scaled) const noexcept {
  if (segment.accounts.capacity() < 2 * terms_.tiers) return false;
  return !scaled || (segment.scale[0].capacity() >= terms_.tiers && segment.scale[1].capacity() >= terms_.tiers);
}

Segment& History::put(Segment& segment, Room& room) noexcept {
  if (full()) {
    std::shared_ptr<Segment>& slot = segments_[oldest_];
    fold_oldest();
    // One that others have given up since room_for() has no room yet, but a spare one was made for it.
    if (!has_room(*slot, room.scaled) || !nobody_else_has(slot)) {
      slot = std::move(room.spare.back());
      room.spare.pop_back();
    }
    ++total_;
    exchange(*slot, segment);
    return *slot;
  }
  ++total_;
  segments_.push_back(std::move(room.spare.back()));
  room.spare.pop_back();
  exchange(*segments_.back(), segment);
  return *segments_.back();
}

void History::put(std::shared_ptr<Segment> segment) noexcept {
  ++total_;
  if (full()) {
    std::shared_ptr<Segment>& slot = segments_[oldest_];
    fold_oldest();
    slot = std::move(segment);
  } else {
    segments_.push_back(std::move(segment));
  }
}

std::vector<std::shared_ptr<Segment>> History::release() && {
  keep_all();
  return std::move(segments_);
}

void History::prefetch() const noexcept {
  if (!full()) return;
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMost = 32 * kLine;  // of each column: more would push out what trades need
  const auto ask = [](const void* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes && i < kMost; i += kLine)
      __builtin_prefetch(static_cast<const char*>(data) + i, 1);
  };
  const Segment& next = *segments_[oldest_];
  ask(&next, sizeof next);
  ask(next.accounts.data(), next.accounts.size() * sizeof next.accounts[0]);
  for (const Cells* cells : {&next.additions, &next.liquidated}) {
    ask(cells->offsets.data(), cells->offsets.size() * sizeof cells->offsets[0]);
    ask(cells->bins.data(), cells->bins.size() * sizeof cells->bins[0]);
    ask(cells->lots.data(), cells->lots.size() * sizeof cells->lots[0]);
  }
}

Layers History::levels_after(std::size_t i) const {
  Layers live = base_;
  for (std::size_t k = 0; k <= i; ++k) live.apply(segment(k), Layers::Dust::flush, nullptr, {});
  return live;
}

bool History::whole() const noexcept {
  if (total_ != segments_.size()) return false;
  for (std::size_t layer = 0; layer < base_.layers(); ++layer)
    if (!base_.range(layer).empty()) return false;
  return true;
}

Layers History::opened_within(std::size_t i, std::size_t windows) const {
  check_window(i, *this);
  if (windows < 1) throw InvalidConfig("windows must be at least 1, was 0");
  check_span(*this, i, windows);
  Suffix opened(terms_.tiers);
  cache_->prepend(*this, i + 1 - std::min(windows, i + 1), i + 1, opened);
  opened.flush();
  return std::move(opened.live());
}

std::size_t History::column_count(const Picture& picture) const {
  check(picture, *this);
  if (picture.column_ns == 0) return picture.columns;
  std::size_t count = 0;
  for (std::size_t i = picture.first_column; i < picture.first_column + picture.columns; ++i)
    count += ends_column(*this, picture, i) ? 1 : 0;
  return count;
}

void History::columns(const Picture& picture, std::span<float> longs, std::span<float> shorts,
                      std::span<float> liquidated_longs, std::span<float> liquidated_shorts) const {
  const std::size_t cells = column_count(picture) * picture.rows;
  for (const auto out : {longs, shorts, liquidated_longs, liquidated_shorts})
    if (!out.empty() && out.size() != cells)
      throw InvalidConfig("an output must hold columns x rows = " + std::to_string(cells) + " values, had " +
                          std::to_string(out.size()));
  std::size_t at = 0;
  cache_->draw(*this, picture, [&](Fold& fold, std::size_t) {
    if (!longs.empty()) fold.live_rows(0, longs.subspan(at, picture.rows));
    if (!shorts.empty()) fold.live_rows(1, shorts.subspan(at, picture.rows));
    if (!liquidated_longs.empty()) fold.liquidated_rows(0, liquidated_longs.subspan(at, picture.rows));
    if (!liquidated_shorts.empty()) fold.liquidated_rows(1, liquidated_shorts.subspan(at, picture.rows));
    at += picture.rows;
  });
}

void History::map(std::size_t i, const Picture& picture, std::span<double> out) const {
  check_rows(picture, *this);
  check_window(i, *this);
  if (out.size() != 2 * terms_.tiers * picture.rows)
    throw InvalidConfig("the output must hold 2 x tiers x rows = " + std::to_string(2 * terms_.tiers * picture.rows) +
                        " values, had " + std::to_string(out.size()));
  const auto rows = [&](std::size_t layer) { return out.subspan(layer * picture.rows, picture.rows); };
  if (picture.opened_within == 0) {
    Fold fold = cache_->before(*this, i + 1);
    fold.show(picture);
    for (std::size_t layer = 0; layer < 2 * terms_.tiers; ++layer) fold.layer_rows(layer, rows(layer));
    return;
  }
  const Layers live = opened_within(i, picture.opened_within);
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t layer = 0; layer < live.layers(); ++layer)
    if (const double weight = picture.weights[layer / terms_.tiers][layer % terms_.tiers]; weight != 0.0)
      add_rows(live, layer, weight, picture, terms_, rows(layer));
}

void History::age(std::size_t i, const Picture& picture, std::span<const std::size_t> windows,
                  std::span<double> out) const {
  check_rows(picture, *this);
  check_window(i, *this);
  for (std::size_t k = 0; k < windows.size(); ++k)
    if (windows[k] <= (k > 0 ? windows[k - 1] : 0))
      throw InvalidConfig("windows must rise and be at least 1, was " + std::to_string(windows[k]));
  if (out.size() != windows.size() * 2 * picture.rows)
    throw InvalidConfig(
        "the output must hold windows x 2 x rows = " + std::to_string(windows.size() * 2 * picture.rows) +
        " values, had " + std::to_string(out.size()));
  if (!windows.empty()) check_span(*this, i, windows.back());
  std::fill(out.begin(), out.end(), 0.0);
  Suffix opened(terms_.tiers);
  std::size_t first = i + 1;
  for (std::size_t k = 0; k < windows.size(); ++k) {
    const std::size_t next = i + 1 - std::min(windows[k], i + 1);
    cache_->prepend(*this, next, first, opened);
    first = next;
    const Layers& live = opened.live();
    for (std::size_t layer = 0; layer < live.layers(); ++layer) {
      const std::size_t side = layer / terms_.tiers;
      if (const double weight = picture.weights[side][layer % terms_.tiers]; weight != 0.0)
        add_rows(live, layer, weight, picture, terms_, out.subspan((2 * k + side) * picture.rows, picture.rows));
    }
  }
}

void History::since(const Picture& picture, double threshold, std::span<std::int64_t> out) const {
  check(picture, *this);
  if (out.size() != 2 * picture.rows)
    throw InvalidConfig("the output must hold 2 x rows = " + std::to_string(2 * picture.rows) + " values, had " +
                        std::to_string(out.size()));
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  std::fill(out.begin(), out.end(), kNever);
  std::vector<float> values(picture.rows);
  cache_->draw(*this, picture, [&](Fold& fold, std::size_t last) {
    const std::int64_t start = column_start(picture, segment(last).start_ns);
    for (std::size_t side = 0; side < 2; ++side) {
      fold.live_rows(side, values);
      for (std::size_t row = 0; row < picture.rows; ++row) {
        std::int64_t& since = out[side * picture.rows + row];
        if (!(values[row] > 0.0F && static_cast<double>(values[row]) >= threshold))
          since = kNever;
        else if (since == kNever)
          since = start;
      }
    }
  });
}

std::size_t History::cache_bytes() const {
  const std::lock_guard lock(cache_->mutex);
  std::size_t out = cache_->spans.bytes();
  for (const auto& [at, start] : cache_->starts) out += start.bytes();
  return out;
}

Layers::Range History::extent(const Picture& picture) const {
  check(picture, *this);
  Layers::Range extent;
  if (picture.columns == 0) return extent;
  // Whatever is live or liquidated in a column was live before the first of them or has been added since.
  Cells cells;
  std::vector<double> scale;
  cache_->before(*this, picture.first_column).state(cells, scale);
  const auto include = [&](const Cells& part) {
    for (std::size_t layer = 0; layer < 2 * terms_.tiers; ++layer)
      if (const auto bins = part.layer_bins(layer);
          !bins.empty() && picture.weights[layer / terms_.tiers][layer % terms_.tiers] != 0.0) {
        extent.include(bins.front());
        extent.include(bins.back());
      }
  };
  include(cells);
  for (std::size_t i = picture.first_column; i < picture.first_column + picture.columns; ++i) {
    include(segment(i).additions);
    include(segment(i).liquidated);
  }
  return extent;
}

}  // namespace liqcore::inline abi1
