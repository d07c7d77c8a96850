// Pictures, maps and ages: what is read off a history.
#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "fold.hpp"
#include "liqcore/error.hpp"
#include "liqcore/history.hpp"
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

/// The last window of a picture in the column that its window i, which starts then, lies in.
std::size_t column_end(const Picture& picture, std::int64_t window_ns, std::size_t i, std::int64_t start_ns) noexcept {
  if (picture.column_ns == 0) return i;
  const std::int64_t rest = picture.column_ns - (start_ns - column_start(picture, start_ns));
  const auto windows = static_cast<std::size_t>((rest + window_ns - 1) / window_ns);
  return i + std::min(windows, picture.first_column + picture.columns - i) - 1;
}

/// Where a fold can begin without its past.
struct FoldStart {
  EntryMark last;  // the entry before it
  Cells cells;
  std::vector<double> scale;

  [[nodiscard]] std::size_t bytes() const noexcept {
    return sizeof *this + cells.bins.capacity() * sizeof cells.bins[0] + cells.lots.capacity() * sizeof cells.lots[0] +
           scale.capacity() * sizeof scale[0];
  }
};

constexpr std::uint64_t kFoldStartEntries = 1'024;

}  // namespace

struct History::Cache {
  std::mutex mutex;
  SpanTree spans;
  std::map<std::uint64_t, FoldStart> starts;  // by entries before it, counted from the first ever

  /// Put windows [first, end) of a history in front of a suffix.
  void prepend(const History& history, std::size_t first, std::size_t end, Suffix& to) {
    const std::lock_guard lock(mutex);
    spans.prepend(history, first, end, to);
  }

  /// The levels before window i, every kFoldStartEntries of the way written down.
  Fold before(const History& history, std::size_t i) {
    const std::uint64_t oldest = history.ordinal(0);
    const std::size_t end = history.entry_of(i);
    const std::lock_guard lock(mutex);
    starts.erase(starts.begin(), starts.upper_bound(oldest));
    Fold fold(history.terms());
    std::size_t from = 0;
    auto it = starts.upper_bound(oldest + end);
    while (it != starts.begin() && from == 0) {
      --it;
      const auto at = static_cast<std::size_t>(it->first - oldest);
      if (it->second.last != EntryMark(history, at - 1)) continue;
      fold.start(it->second.cells, it->second.scale);
      from = at;
    }
    if (from == 0) fold.start(history.base_);
    for (; from < end; ++from) {
      if (from > 0 && (oldest + from) % kFoldStartEntries == 0) {
        FoldStart& made = starts[oldest + from];
        fold.state(made.cells, made.scale);
        made.cells.bins.shrink_to_fit();
        made.cells.lots.shrink_to_fit();
        made.last = EntryMark(history, from - 1);
      }
      const Slot& slot = history.entries_[from];
      fold.step(*slot.segment, slot.count);
    }
    if (i < history.size()) {
      const Entry entry = history.entry(end);
      if (const std::size_t passed = entry.folded + i - entry.first; passed > 0) fold.step(entry.window, passed);
    }
    return fold;
  }

  enum class Shown : std::uint8_t {
    every,       // column
    idle_at_end  // of the columns that end in an idle entry only the first and the last: between them rows only fall
  };

  /// Let the windows of a picture pass; `column(fold, i)` after each column, i its last window.
  template <class Column>
  void draw(const History& history, const Picture& picture, Shown shown, Column&& column) {
    if (picture.columns == 0) return;
    if (picture.opened_within != 0) {
      slide(history, picture, shown, column);
      return;
    }
    Fold fold = before(history, picture.first_column);
    fold.show(picture);
    const std::size_t end = picture.first_column + picture.columns;
    std::size_t i = picture.first_column;
    for (std::size_t e = history.entry_of(i); i < end; ++e) {
      const Entry entry = history.entry(e);
      const std::size_t entry_end = std::min(end, entry.first + entry.count);
      while (i < entry_end)
        i = step(history, picture, shown, entry, i, entry_end, i > entry.first || entry.folded > 0, fold, column);
    }
  }

  /// Let the windows of one entry from i on pass, up to `end` or the end of a column; where it stopped.
  template <class Column>
  static std::size_t step(const History& history, const Picture& picture, Shown shown, const Entry& entry,
                          std::size_t i, std::size_t end, bool goes_on, Fold& fold, Column&& column) {
    const std::int64_t window_ns = history.terms().window_ns;
    const std::int64_t start_ns =
        entry.window.start_ns + static_cast<std::int64_t>(entry.folded + i - entry.first) * window_ns;
    std::size_t last = column_end(picture, window_ns, i, start_ns);
    if (shown == Shown::idle_at_end && i > std::max(entry.first, picture.first_column) && entry.window.idle()) {
      const std::int64_t end_ns = start_ns + static_cast<std::int64_t>(end - 1 - i) * window_ns;
      std::size_t column_begin = end;  // of the column that goes on beyond the end
      if (column_end(picture, window_ns, end - 1, end_ns) != end - 1)
        column_begin -= 1 + static_cast<std::size_t>((end_ns - column_start(picture, end_ns)) / window_ns);
      if (column_begin > i && column_begin <= end) last = column_begin - 1;
    }
    const std::size_t stop = std::min(last + 1, end);
    fold.step(entry.window, stop - i, goes_on);
    if (stop == last + 1) {
      column(fold, last);
      fold.forget_liquidated();
    }
    return stop;
  }

  /// The same with each window's own stretch of the past: the queue of two stacks. What came before a turning point is
  /// put in from there backwards, and what each window did to it is written down, so that it can be taken out again
  /// from its far end, to the bit; what comes after is added at the near end. Once all of the older part is out, the
  /// next turning point is made.
  template <class Column>
  void slide(const History& history, const Picture& picture, Shown shown, Column&& column) {
    const std::size_t end = picture.first_column + picture.columns;
    const std::size_t length = std::min(picture.opened_within, end);
    const auto first_of = [&](std::size_t i) { return i + 1 > length ? i + 1 - length : 0; };  // of window i's stretch
    Fold fold(history.terms());
    fold.show(picture);
    Suffix older(history.terms().tiers);
    std::vector<Suffix::Undo> undo;
    struct Mark {
      std::size_t window;
      std::size_t begin;  // of what it did, in undo
    };
    std::vector<Mark> marks;  // windows that are not idle, the latest first
    std::size_t turn_end = picture.first_column;
    std::size_t e = history.entry_of(picture.first_column);
    bool goes_on = false;
    for (std::size_t i = picture.first_column; i < end;) {
      const Entry entry = history.entry(e);
      const std::size_t entry_end = entry.first + entry.count;
      if (i == turn_end) {
        turn_end = std::min(i + length, end);
        const std::size_t stays = std::min(i, first_of(turn_end - 1));  // windows from here on are never taken out
        older.reset();
        prepend(history, stays, i, older);
        undo.clear();
        marks.clear();
        for (std::size_t k = stays; k > first_of(i);) {
          const Entry at = history.entry(history.entry_of(k - 1));
          const std::size_t begin = std::max(at.first, first_of(i));
          if (at.window.additions.size() > 0) marks.push_back({begin, undo.size()});
          older.prepend(at.window, k - begin, &undo);
          k = begin;
        }
        older.flush();
        // Nothing is there, and until the end of an idle entry nothing comes.
        if (older.empty() && entry.window.idle()) turn_end = std::max(turn_end, std::min(entry_end, end));
        fold.start_aging(older.live());
        goes_on = false;
      }
      while (!marks.empty() && marks.back().window < first_of(i)) {
        fold.expire(std::span(undo).subspan(marks.back().begin));
        undo.resize(marks.back().begin);
        marks.pop_back();
      }
      std::size_t until = std::min(entry_end, turn_end);
      if (!marks.empty()) until = std::min(until, marks.back().window + length);
      i = step(history, picture, shown, entry, i, until, goes_on, fold, column);
      goes_on = i < entry_end;
      if (!goes_on) ++e;
    }
  }
};

std::shared_ptr<History::Cache> History::make_cache() { return std::make_shared<Cache>(); }

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
  if (picture.column_ns == 0 || picture.columns == 0) return picture.columns;
  const std::int64_t first = column_start(picture, start_ns(picture.first_column));
  const std::int64_t last = column_start(picture, start_ns(picture.first_column + picture.columns - 1));
  return static_cast<std::size_t>((last - first) / picture.column_ns) + 1;
}

void History::columns(const Picture& picture, std::span<float> longs, std::span<float> shorts,
                      std::span<float> liquidated_longs, std::span<float> liquidated_shorts) const {
  const std::size_t cells = column_count(picture) * picture.rows;
  for (const auto out : {longs, shorts, liquidated_longs, liquidated_shorts})
    if (!out.empty() && out.size() != cells)
      throw InvalidConfig("an output must hold columns x rows = " + std::to_string(cells) + " values, had " +
                          std::to_string(out.size()));
  std::size_t at = 0;
  cache_->draw(*this, picture, Cache::Shown::every, [&](Fold& fold, std::size_t) {
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
  cache_->draw(*this, picture, Cache::Shown::idle_at_end, [&](Fold& fold, std::size_t last) {
    const std::int64_t start = column_start(picture, start_ns(last));
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
  const std::size_t last = entry_of(picture.first_column + picture.columns - 1);
  for (std::size_t e = entry_of(picture.first_column); e <= last; ++e) {
    include(entries_[e].segment->additions);
    include(entries_[e].segment->liquidated);
  }
  return extent;
}

}  // namespace liqcore::inline abi1
