#include "fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "pass.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kSmallScale = 0x1p-200;     // below it, cells are brought back to plain lots before the next scale
constexpr double kSmallestScale = 0x1p-400;  // then, below this, no cell holds half a lot: all of them are below 2^100
constexpr double kNone = std::numeric_limits<double>::infinity();  // the smallest of no cells

}  // namespace

void Fold::Rows::include(std::size_t row) noexcept {
  if (empty()) {
    low = row;
    high = row + 1;
  } else {
    low = std::min(low, row);
    high = std::max(high, row + 1);
  }
}

Fold::Fold(const Terms& terms)
    : terms_(terms),
      tiers_(terms.tiers),
      young_(terms.tiers),
      old_(terms.tiers),
      scale_(2 * terms.tiers, 1.0),
      begin_(2 * terms.tiers, 1.0),
      undone_(2 * terms.tiers, 1.0),
      ranges_(2 * terms.tiers),
      smallest_(terms.tiers) {}

/// Calls `use(bin, young cell, old cell)` where one of them is not zero; the old one is null where nothing ages.
template <class Use>
void Fold::each_filled(std::size_t layer, Layers::Range bins, Use&& use) {
  young_.each_page(layer, bins, [&](std::int64_t first, double* young, std::size_t n) {
    double* const old = aging_ && old_.page(layer, first) != nullptr ? &old_.cell(layer, first) : nullptr;
    const auto with = [&](std::size_t i) {
      use(first + static_cast<std::int64_t>(i), young[i], old == nullptr ? nullptr : old + i);
    };
    if (old == nullptr)
      for (std::size_t i = skip_zeros(young, 0, n); i < n; i = skip_zeros(young, i + 1, n)) with(i);
    else
      for (std::size_t i = 0; i < n; ++i)
        if (young[i] != 0.0 || old[i] != 0.0) with(i);
  });
}

void Fold::start(const Layers& live) {
  young_ = live;
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) ranges_[layer] = live.range(layer);
}

void Fold::start(const Cells& cells, std::span<const double> scale) {
  young_.add(cells);
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) ranges_[layer] = young_.range(layer);
  scale_.assign(scale.begin(), scale.end());
}

void Fold::start_aging(Layers& live) {
  aging_ = true;
  std::swap(old_, live);
  young_.clear();
  young_.hold(old_);
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) {
    if (picture_ != nullptr) {
      const Rows rows = rows_of(ranges_[layer].low, ranges_[layer].high);
      const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(layer * picture_->rows);
      std::fill(begin + static_cast<std::ptrdiff_t>(rows.low), begin + static_cast<std::ptrdiff_t>(rows.high), 0.0);
    }
    ranges_[layer] = old_.range(layer);
    scale_[layer] = undone_[layer] = 1.0;
    sum_rows(layer, ranges_[layer].low, ranges_[layer].high);
  }
  bounded_ = false;
}

void Fold::state(Cells& cells, std::vector<double>& scale) const {
  young_.extract(cells);
  scale = scale_;
}

void Fold::show(const Picture& picture) {
  picture_ = &picture;
  shown_ = {picture.row_begin(0), picture.row_begin(picture.rows)};
  row_of_.clear();
  value_.clear();
  for (std::size_t row = 0; row < picture.rows; ++row)
    for (std::int64_t bin = picture.row_begin(row); bin < picture.row_begin(row + 1); ++bin) {
      row_of_.push_back(static_cast<std::int32_t>(row));
      value_.push_back(picture.usd ? terms_.usd_per_lot(bin) : terms_.lot_size);
    }
  rows_.assign(ranges_.size() * picture.rows, 0.0);
  for (auto& rows : liquidated_) rows.assign(picture.rows, 0.0);
  for (auto& rows : liquidated_in_) rows = {};
  sums_.resize(picture.rows);
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) sum_rows(layer, ranges_[layer].low, ranges_[layer].high);
}

class Fold::Store {
 public:
  Store(Fold& fold, std::size_t layer, bool goes_on) : fold_(fold), layer_(layer), goes_on_(goes_on) {}

  template <class Scale>
  void touch(Layers::Range bins, Scale&& scale_of) {
    fold_.each_filled(layer_, bins, [&](std::int64_t bin, double& young, double* old) {
      const double lots = old == nullptr ? young : young + *old;
      if (fold_.draws(layer_)) fold_.draw_liquidated(layer_, bin, lots * fold_.scale_[layer_] * scale_of(bin));
      young = 0.0;
      if (old != nullptr) *old = 0.0;
    });
    fold_.sum_rows(layer_, bins.low, bins.high);
  }
  void scale(double by) {
    if (!goes_on_) fold_.begin_entry(layer_);
    fold_.rescale(layer_, fold_.begin_[layer_] * by);
  }
  void add(const Cells& additions) { fold_.add(additions, layer_); }
  void flush() { fold_.flush(layer_); }

 private:
  Fold& fold_;
  std::size_t layer_;
  bool goes_on_;
};

void Fold::step(const Segment& segment, std::uint64_t windows, bool goes_on) {
  passed_ = goes_on ? passed_ + windows : windows;
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) {
    if (picture_ != nullptr && weight(layer) == 0.0) continue;  // nobody will see it
    draw_liquidated(segment, layer);
    Store store(*this, layer, goes_on);
    pass(segment, layer, tiers_, ranges_[layer], store, passed_);
  }
}

void Fold::draw_liquidated(const Segment& segment, std::size_t layer) {
  if (!draws(layer)) return;
  const auto bins = segment.liquidated.layer_bins(layer);
  const auto lots = segment.liquidated.layer_lots(layer);
  for (std::size_t i = 0; i < bins.size(); ++i) draw_liquidated(layer, bins[i], lots[i]);
}

void Fold::draw_liquidated(std::size_t layer, std::int64_t bin, double lots) noexcept {
  if (!shown(bin)) return;
  const std::size_t side = layer / tiers_;
  const auto at = static_cast<std::size_t>(bin - shown_.low);
  const auto row = static_cast<std::size_t>(row_of_[at]);
  liquidated_[side][row] += weight(layer) * (lots * value_[at]);
  liquidated_in_[side].include(row);
}

void Fold::begin_entry(std::size_t layer) {
  if (const double scale = scale_[layer]; scale < kSmallScale) {
    const Layers::Range& range = ranges_[layer];
    each_filled(layer, range, [&](std::int64_t, double& young, double* old) {
      young *= scale;
      if (old != nullptr) *old *= scale;
    });
    undone_[layer] *= scale;
    scale_[layer] = 1.0;
    bounded_ = false;
    sum_rows(layer, range.low, range.high);
  }
  begin_[layer] = scale_[layer];
}

void Fold::rescale(std::size_t layer, double scale) noexcept {
  if (scale < kSmallestScale) {
    clear(layer);
    scale = 1.0;
  }
  scale_[layer] = scale;
}

void Fold::add(const Cells& additions, std::size_t layer) {
  const auto bins = additions.layer_bins(layer);
  if (bins.empty()) return;
  const auto lots = additions.layer_lots(layer);
  young_.hold(layer, bins);
  const double scale = scale_[layer];
  for (std::size_t i = 0; i < bins.size();) {
    double* const young = &young_.cell(layer, bins[i]) - Layers::within(bins[i]);
    const double* const old = aging_ ? old_.page(layer, bins[i]) : nullptr;
    for (const std::int64_t page_end = Layers::page_end(bins[i]); i < bins.size() && bins[i] < page_end;) {
      const std::int64_t block = bins[i] / kBlock;
      double smallest = kNone;
      for (const std::int64_t end = (block + 1) * kBlock; i < bins.size() && bins[i] < end; ++i) {
        const std::size_t at = Layers::within(bins[i]);
        double& cell = young[at];
        cell += scale == 1.0 ? lots[i] : lots[i] / scale;
        if (left_of(cell * scale, lots[i]) == 0.0) cell = 0.0;
        if (const double all = old == nullptr ? cell : cell + old[at]; all != 0.0) smallest = std::min(smallest, all);
      }
      if (bounded_ && smallest != kNone) bound(layer, block, smallest);
    }
  }
  for (Layers::Range* range : {&ranges_[layer], &young_.range(layer)}) {
    range->include(bins.front());
    range->include(bins.back());
  }
  if (!draws(layer)) return;
  std::int32_t summed = -1;
  for (const std::int32_t bin : bins) {
    if (!shown(bin)) continue;
    const std::int32_t at = row_of_[static_cast<std::size_t>(bin - shown_.low)];
    if (at == summed) continue;
    summed = at;
    sum_row(layer, static_cast<std::size_t>(at));
  }
}

void Fold::expire(std::span<const Suffix::Undo> older) {
  for (const auto& [layer, bin, lots] : older) {
    double& old = old_.cell(layer, bin);
    if (old == 0.0) continue;  // touched or flushed since
    old = lots * undone_[layer];
    if (bounded_) bound_cell(layer, bin);
  }
  std::size_t summed_layer = 0;
  std::int32_t summed = -1;
  for (const auto& [layer, bin, lots] : older) {
    if (!draws(layer) || !shown(bin)) continue;
    const std::int32_t row = row_of_[static_cast<std::size_t>(bin - shown_.low)];
    if (row == summed && layer == summed_layer) continue;
    summed = row;
    summed_layer = layer;
    sum_row(layer, static_cast<std::size_t>(row));
  }
}

void Fold::live_rows(std::size_t side, std::span<float> out) {
  Rows all;
  for (std::size_t layer = side * tiers_; layer < (side + 1) * tiers_; ++layer) {
    if (weight(layer) == 0.0) continue;
    if (const Rows rows = rows_of(ranges_[layer].low, ranges_[layer].high); !rows.empty()) {
      all.include(rows.low);
      all.include(rows.high - 1);
    }
  }
  std::fill(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(all.low), 0.0F);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(all.high), out.end(), 0.0F);
  std::fill(sums_.begin() + static_cast<std::ptrdiff_t>(all.low), sums_.begin() + static_cast<std::ptrdiff_t>(all.high),
            0.0);
  for (std::size_t layer = side * tiers_; layer < (side + 1) * tiers_; ++layer) {
    if (weight(layer) == 0.0) continue;
    const double by = weight(layer) * scale_[layer];
    const double* const from = rows_.data() + layer * picture_->rows;
    const Rows rows = rows_of(ranges_[layer].low, ranges_[layer].high);
    for (std::size_t row = rows.low; row < rows.high; ++row) sums_[row] += by * from[row];
  }
  for (std::size_t row = all.low; row < all.high; ++row) out[row] = static_cast<float>(sums_[row]);
}

void Fold::liquidated_rows(std::size_t side, std::span<float> out) const {
  const Rows& rows = liquidated_in_[side];
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t row = rows.low; row < rows.high; ++row) out[row] = static_cast<float>(liquidated_[side][row]);
}

void Fold::forget_liquidated() noexcept {
  for (std::size_t side = 0; side < 2; ++side) {
    Rows& rows = liquidated_in_[side];
    std::fill(liquidated_[side].begin() + static_cast<std::ptrdiff_t>(rows.low),
              liquidated_[side].begin() + static_cast<std::ptrdiff_t>(rows.high), 0.0);
    rows = {};
  }
}

void Fold::layer_rows(std::size_t layer, std::span<double> out) const {
  const double by = weight(layer) * scale_[layer];
  const double* const from = rows_.data() + layer * picture_->rows;
  for (std::size_t row = 0; row < out.size(); ++row) out[row] = by == 0.0 ? 0.0 : by * from[row];
}

void Fold::flush(std::size_t layer) {
  Layers::Range& range = ranges_[layer];
  if (range.empty()) return;
  if (!bounded_) find_smallest();
  const double scale = scale_[layer];
  const Layers::Range blocks{range.low / kBlock, (range.high - 1) / kBlock + 1};
  bool flushed = false;
  smallest_.each_page(layer, blocks, [&](std::int64_t first, double* bounds, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      if (bounds[i] == 0.0 || bounds[i] * scale >= Layers::kDustLots) continue;
      double smallest = kNone;
      const std::int64_t begin = (first + static_cast<std::int64_t>(i)) * kBlock;
      each_filled(layer, {std::max(range.low, begin), std::min(range.high, begin + kBlock)},
                  [&](std::int64_t bin, double& young, double* old) {
                    const double lots = old == nullptr ? young : young + *old;
                    if (lots * scale >= Layers::kDustLots) {
                      smallest = std::min(smallest, lots);
                      return;
                    }
                    young = 0.0;
                    if (old != nullptr) *old = 0.0;
                    flushed = true;
                    if (draws(layer) && shown(bin))
                      sum_row(layer, static_cast<std::size_t>(row_of_[static_cast<std::size_t>(bin - shown_.low)]));
                  });
      bounds[i] = smallest == kNone ? 0.0 : smallest;
    }
  });
  if (flushed) range = young_.filled(layer, range, aging_ ? &old_ : nullptr);
}

void Fold::find_smallest() {
  smallest_.clear();
  bounded_ = true;
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer)
    each_filled(layer, ranges_[layer], [&](std::int64_t bin, const double&, const double*) { bound_cell(layer, bin); });
}

void Fold::bound_cell(std::size_t layer, std::int64_t bin) {
  if (const double lots = cell(layer, bin); lots != 0.0) bound(layer, bin / kBlock, lots);
}

void Fold::bound(std::size_t layer, std::int64_t block, double lots) {
  if (smallest_.page(layer, block) == nullptr) smallest_.hold(layer, Layers::Range{block, block + 1});
  smallest_.range(layer).include(block);
  double& bound = smallest_.cell(layer, block);
  bound = bound == 0.0 ? lots : std::min(bound, lots);
}

void Fold::clear(std::size_t layer) noexcept {
  Layers::Range& range = ranges_[layer];
  const auto [low, high] = range;
  each_filled(layer, range, [](std::int64_t, double& young, double* old) {
    young = 0.0;
    if (old != nullptr) *old = 0.0;
  });
  range = {};
  sum_rows(layer, low, high);
}

Fold::Rows Fold::rows_of(std::int64_t low, std::int64_t high) const noexcept {
  low = std::max(low, shown_.low);
  high = std::min(high, shown_.high);
  if (low >= high) return {};
  return {static_cast<std::size_t>(row_of_[static_cast<std::size_t>(low - shown_.low)]),
          static_cast<std::size_t>(row_of_[static_cast<std::size_t>(high - 1 - shown_.low)]) + 1};
}

void Fold::sum_row(std::size_t layer, std::size_t row) noexcept {
  double sum = 0.0;
  young_.each_page(layer, {picture_->row_begin(row), picture_->row_begin(row + 1)},
                   [&](std::int64_t first, const double* young, std::size_t n) {
                     const double* const value = value_.data() + (first - shown_.low);
                     const double* const page = aging_ ? old_.page(layer, first) : nullptr;
                     const double* const old = page == nullptr ? nullptr : page + Layers::within(first);
                     for (std::size_t i = 0; i < n; ++i)
                       sum += (old == nullptr ? young[i] : young[i] + old[i]) * value[i];
                   });
  rows_[layer * picture_->rows + row] = sum;
}

void Fold::sum_rows(std::size_t layer, std::int64_t low, std::int64_t high) noexcept {
  if (!draws(layer)) return;
  const Rows rows = rows_of(low, high);
  for (std::size_t row = rows.low; row < rows.high; ++row) sum_row(layer, row);
}

}  // namespace liqcore::inline abi1
