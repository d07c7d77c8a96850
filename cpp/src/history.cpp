#include "liqcore/history.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "liqcore/error.hpp"

namespace liqcore::inline abi1 {
namespace {

/// Add the weighted cells of one layer to the rows of a column.
void add_rows(const Layers& layers, std::size_t layer, double weight, const Picture& picture, const Terms& terms,
              std::span<double> rows) {
  const std::int64_t end = picture.first_bin + picture.bins_per_row * static_cast<std::int64_t>(rows.size());
  const Layers::Range& range = layers.range(layer);
  const std::int64_t high = std::min(range.high, end);
  for (std::int64_t bin = std::max(range.low, picture.first_bin); bin < high;) {
    const std::int64_t row = (bin - picture.first_bin) / picture.bins_per_row;
    const std::int64_t row_end = std::min(high, picture.first_bin + (row + 1) * picture.bins_per_row);
    double sum = 0.0;
    for (; bin < row_end; ++bin) sum += layers.at(layer, bin) * (picture.usd ? terms.usd_per_lot(bin) : terms.lot_size);
    rows[static_cast<std::size_t>(row)] += weight * sum;
  }
}

void check_rows(const Picture& picture, const History& history) {
  for (const auto& weights : picture.weights)
    if (weights.size() != history.terms().tiers)
      throw InvalidConfig("weights must hold one value per tier (" + std::to_string(history.terms().tiers) + "), had " +
                          std::to_string(weights.size()));
  if (picture.bins_per_row < 1)
    throw InvalidConfig("bins_per_row must be at least 1, was " + std::to_string(picture.bins_per_row));
}

void check(const Picture& picture, const History& history) {
  check_rows(picture, history);
  if (picture.first_column > history.size() || picture.columns > history.size() - picture.first_column)
    throw InvalidConfig("columns must lie within the " + std::to_string(history.size()) + " there are, were " +
                        std::to_string(picture.columns) + " from " + std::to_string(picture.first_column));
}

}  // namespace

History::History(Terms terms, std::optional<std::size_t> keep) : terms_(terms), keep_(keep), base_(terms.tiers) {
  if (keep && *keep < 1) throw InvalidConfig("keep must be at least 1, was 0");
  if (keep) segments_.reserve(*keep);
}

void History::set_base(const Cells& cells) {
  base_.clear();
  base_.add(cells);
}

void History::keep_all() noexcept {
  std::rotate(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(oldest_), segments_.end());
  oldest_ = 0;
  keep_.reset();
}

Segment& History::append() {
  ++total_;
  if (!keep_ || segments_.size() < *keep_) return *segments_.emplace_back(std::make_shared<Segment>());
  std::shared_ptr<Segment>& slot = segments_[oldest_];
  base_.apply(*slot, Layers::Dust::flush, nullptr, {});
  oldest_ = (oldest_ + 1) % segments_.size();
  if (slot.use_count() != 1) slot = std::make_shared<Segment>();
  return *slot;
}

void History::prefetch() const noexcept {
  if (!keep_ || segments_.size() < *keep_) return;
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

void History::columns(const Picture& picture, std::span<float> longs, std::span<float> shorts,
                      std::span<float> liquidated_longs, std::span<float> liquidated_shorts) const {
  check(picture, *this);
  for (const auto out : {longs, shorts, liquidated_longs, liquidated_shorts})
    if (out.size() != picture.columns * picture.rows)
      throw InvalidConfig("an output must hold columns x rows = " + std::to_string(picture.columns * picture.rows) +
                          " values, had " + std::to_string(out.size()));
  Layers live = base_;
  Layers taken(terms_.tiers);
  std::vector<double> rows(picture.rows);
  const auto write = [&](const Layers& layers, std::size_t side, std::span<float> out, std::size_t column) {
    std::fill(rows.begin(), rows.end(), 0.0);
    for (std::size_t tier = 0; tier < terms_.tiers; ++tier)
      if (const double weight = picture.weights[side][tier]; weight != 0.0)
        add_rows(layers, side * terms_.tiers + tier, weight, picture, terms_, rows);
    std::transform(rows.begin(), rows.end(), out.begin() + static_cast<std::ptrdiff_t>(column * picture.rows),
                   [](double value) { return static_cast<float>(value); });
  };
  for (std::size_t i = 0; i < picture.first_column + picture.columns; ++i) {
    const bool drawn = i >= picture.first_column;
    live.apply(segment(i), Layers::Dust::flush, drawn ? &taken : nullptr, {});
    if (!drawn) continue;
    taken.add(segment(i).liquidated);
    const std::size_t column = i - picture.first_column;
    write(live, 0, longs, column);
    write(live, 1, shorts, column);
    write(taken, 0, liquidated_longs, column);
    write(taken, 1, liquidated_shorts, column);
    taken.clear();
  }
}

void History::map(std::size_t i, const Picture& picture, std::span<double> out) const {
  check_rows(picture, *this);
  if (i >= size())
    throw InvalidConfig("window must lie within the " + std::to_string(size()) + " there are, was " +
                        std::to_string(i));
  if (out.size() != 2 * terms_.tiers * picture.rows)
    throw InvalidConfig("the output must hold 2 x tiers x rows = " + std::to_string(2 * terms_.tiers * picture.rows) +
                        " values, had " + std::to_string(out.size()));
  std::fill(out.begin(), out.end(), 0.0);
  const Layers live = levels_after(i);
  for (std::size_t layer = 0; layer < live.layers(); ++layer)
    if (const double weight = picture.weights[layer / terms_.tiers][layer % terms_.tiers]; weight != 0.0)
      add_rows(live, layer, weight, picture, terms_, out.subspan(layer * picture.rows, picture.rows));
}

Layers::Range History::extent(const Picture& picture) const {
  check(picture, *this);
  Layers live = base_;
  Layers taken(terms_.tiers);
  Layers::Range extent;
  const auto include = [&](std::size_t layer, std::int64_t bin) {
    if (picture.weights[layer / terms_.tiers][layer % terms_.tiers] != 0.0) extent.include(bin);
  };
  for (std::size_t i = 0; i < picture.first_column + picture.columns; ++i) {
    const Segment& part = segment(i);
    const bool first = i == picture.first_column;
    live.apply(part, Layers::Dust::flush, first ? &taken : nullptr, {});
    if (i < picture.first_column) continue;
    // Whatever is live or liquidated in a later column was live at the first end or has been added since.
    for (std::size_t layer = 0; layer < live.layers(); ++layer) {
      if (first)
        for (const Layers* layers : {&live, &taken})
          for (std::int64_t bin = layers->range(layer).low; bin < layers->range(layer).high; ++bin)
            if (layers->at(layer, bin) != 0.0) include(layer, bin);
      for (const Cells* cells : {&part.additions, &part.liquidated})
        if (const auto bins = cells->layer_bins(layer); !bins.empty()) {
          include(layer, bins.front());
          include(layer, bins.back());
        }
    }
  }
  return extent;
}

}  // namespace liqcore::inline abi1
