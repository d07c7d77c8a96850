#include "fold.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "touch.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kSmallestScale = 0x1p-400;  // below it, cells are brought back to plain lots

double factor(const std::vector<double>& scale, std::size_t tier) noexcept { return scale.empty() ? 1.0 : scale[tier]; }

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
      undone_(2 * terms.tiers, 1.0),
      ranges_(2 * terms.tiers) {}

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
  old_.cover(young_.first_bin(), young_.first_bin() + young_.width());
  young_.clear();
  young_.cover(old_.first_bin(), old_.first_bin() + old_.width());
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
  smallest_blocks_ = 0;
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

void Fold::step(const Segment& segment) {
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer) {
    if (picture_ != nullptr && weight(layer) == 0.0) continue;  // nobody will see it
    const std::size_t side = layer / tiers_;
    touch(segment, layer);
    const double scale = factor(segment.scale[side], layer % tiers_);
    if (scale != 1.0) rescale(layer, scale);
    add(segment, layer);
    if (scale != 1.0) flush(layer);
  }
}

void Fold::touch(const Segment& segment, std::size_t layer) {
  const bool longs = layer < tiers_;
  const std::size_t side = longs ? 0 : 1;
  if (draws(layer)) {
    const auto bins = segment.liquidated.layer_bins(layer);
    const auto lots = segment.liquidated.layer_lots(layer);
    for (std::size_t i = 0; i < bins.size(); ++i) {
      if (!shown(bins[i])) continue;
      const auto at = static_cast<std::size_t>(bins[i] - shown_.low);
      const auto row = static_cast<std::size_t>(row_of_[at]);
      liquidated_[side][row] += weight(layer) * (lots[i] * value_[at]);
      liquidated_in_[side].include(row);
    }
  }
  const std::vector<TouchStep>& steps = segment.touched[side];
  Layers::Range& range = ranges_[layer];
  if (steps.empty() || range.empty()) return;
  const std::int64_t furthest = steps.back().bin;
  const std::int64_t low = longs ? std::max(range.low, furthest) : range.low;
  const std::int64_t high = longs ? range.high : std::min(range.high, furthest + 1);
  if (low >= high) return;
  for (std::int64_t bin = low; bin < high; ++bin) {
    const double lots = cell(layer, bin);
    if (lots == 0.0) continue;
    if (draws(layer) && shown(bin)) {
      const double taken = lots * scale_[layer] * scale_when_touched(longs, steps, layer % tiers_, bin);
      const auto at = static_cast<std::size_t>(bin - shown_.low);
      const auto row = static_cast<std::size_t>(row_of_[at]);
      liquidated_[side][row] += weight(layer) * (taken * value_[at]);
      liquidated_in_[side].include(row);
    }
    set_zero(layer, bin);
  }
  if (longs)
    range.high = low;
  else
    range.low = high;
  sum_rows(layer, low, high);
}

void Fold::rescale(std::size_t layer, double by) {
  scale_[layer] *= by;
  if (scale_[layer] >= kSmallestScale) return;
  if (scale_[layer] == 0.0) {
    clear(layer);
    scale_[layer] = 1.0;
    return;
  }
  const double scale = scale_[layer];
  Layers::Range& range = ranges_[layer];
  for (std::int64_t bin = range.low; bin < range.high; ++bin) {
    young_.at(layer, bin) *= scale;
    if (aging_) old_.at(layer, bin) *= scale;
  }
  undone_[layer] *= scale;
  scale_[layer] = 1.0;
  smallest_blocks_ = 0;
  sum_rows(layer, range.low, range.high);
}

void Fold::add(const Segment& segment, std::size_t layer) {
  const auto bins = segment.additions.layer_bins(layer);
  if (bins.empty()) return;
  const auto lots = segment.additions.layer_lots(layer);
  cover(bins.front(), bins.back() + 1);
  const double scale = scale_[layer];
  double* const row = young_.row(layer);
  const std::int64_t first = young_.first_bin();
  for (std::size_t i = 0; i < bins.size(); ++i) row[bins[i] - first] += scale == 1.0 ? lots[i] : lots[i] / scale;
  for (Layers::Range* range : {&ranges_[layer], &young_.range(layer)}) {
    range->include(bins.front());
    range->include(bins.back());
  }
  if (smallest_blocks_ > 0)
    for (const std::int32_t bin : bins) bound(layer, bin);
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
    double& old = old_.at(layer, bin);
    if (old == 0.0) continue;  // touched or flushed since
    old = lots * undone_[layer];
    bound(layer, bin);
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

void Fold::cover(std::int64_t low, std::int64_t high) {
  if (young_.covers(low, high)) return;
  young_.cover(low, high);
  if (aging_) old_.cover(young_.first_bin(), young_.first_bin() + young_.width());
  smallest_blocks_ = 0;
}

void Fold::flush(std::size_t layer) {
  Layers::Range& range = ranges_[layer];
  if (range.empty()) return;
  if (smallest_blocks_ == 0) find_smallest();
  const double scale = scale_[layer];
  double* const bounds = smallest_.data() + layer * static_cast<std::size_t>(smallest_blocks_);
  const std::int64_t first = (range.low - smallest_first_) / kBlock;
  const std::int64_t end = (range.high - 1 - smallest_first_) / kBlock + 1;
  bool flushed = false;
  for (std::int64_t block = first; block < end; ++block) {
    if (bounds[block] * scale >= Layers::kDustLots) continue;
    double smallest = std::numeric_limits<double>::infinity();
    const std::int64_t begin = smallest_first_ + block * kBlock;
    for (std::int64_t bin = std::max(range.low, begin); bin < std::min(range.high, begin + kBlock); ++bin) {
      const double lots = cell(layer, bin);
      if (lots == 0.0) continue;
      if (lots * scale >= Layers::kDustLots) {
        smallest = std::min(smallest, lots);
        continue;
      }
      set_zero(layer, bin);
      flushed = true;
      if (draws(layer) && shown(bin))
        sum_row(layer, static_cast<std::size_t>(row_of_[static_cast<std::size_t>(bin - shown_.low)]));
    }
    bounds[block] = smallest;
  }
  if (!flushed) return;
  while (!range.empty() && cell(layer, range.low) == 0.0) ++range.low;
  while (!range.empty() && cell(layer, range.high - 1) == 0.0) --range.high;
}

void Fold::find_smallest() {
  smallest_first_ = young_.first_bin();
  smallest_blocks_ = (young_.width() + kBlock - 1) / kBlock;
  smallest_.assign(ranges_.size() * static_cast<std::size_t>(smallest_blocks_),
                   std::numeric_limits<double>::infinity());
  for (std::size_t layer = 0; layer < ranges_.size(); ++layer)
    for (std::int64_t bin = ranges_[layer].low; bin < ranges_[layer].high; ++bin) bound(layer, bin);
}

void Fold::bound(std::size_t layer, std::int64_t bin) noexcept {
  if (smallest_blocks_ == 0) return;
  const double lots = cell(layer, bin);
  if (lots == 0.0) return;
  double& bound = smallest_[layer * static_cast<std::size_t>(smallest_blocks_) +
                            static_cast<std::size_t>((bin - smallest_first_) / kBlock)];
  bound = std::min(bound, lots);
}

void Fold::clear(std::size_t layer) noexcept {
  Layers::Range& range = ranges_[layer];
  const auto [low, high] = range;
  for (std::int64_t bin = low; bin < high; ++bin) set_zero(layer, bin);
  range = {};
  sum_rows(layer, low, high);
}

void Fold::set_zero(std::size_t layer, std::int64_t bin) noexcept {
  young_.at(layer, bin) = 0.0;
  if (aging_) old_.at(layer, bin) = 0.0;
}

Fold::Rows Fold::rows_of(std::int64_t low, std::int64_t high) const noexcept {
  low = std::max(low, shown_.low);
  high = std::min(high, shown_.high);
  if (low >= high) return {};
  return {static_cast<std::size_t>(row_of_[static_cast<std::size_t>(low - shown_.low)]),
          static_cast<std::size_t>(row_of_[static_cast<std::size_t>(high - 1 - shown_.low)]) + 1};
}

void Fold::sum_row(std::size_t layer, std::size_t row) noexcept {
  const std::int64_t low = std::max(picture_->row_begin(row), young_.first_bin());
  const std::int64_t high = std::min(picture_->row_begin(row + 1), young_.first_bin() + young_.width());
  double sum = 0.0;
  for (std::int64_t bin = low; bin < high; ++bin)
    sum += cell(layer, bin) * value_[static_cast<std::size_t>(bin - shown_.low)];
  rows_[layer * picture_->rows + row] = sum;
}

void Fold::sum_rows(std::size_t layer, std::int64_t low, std::int64_t high) noexcept {
  if (!draws(layer)) return;
  const Rows rows = rows_of(low, high);
  for (std::size_t row = rows.low; row < rows.high; ++row) sum_row(layer, row);
}

}  // namespace liqcore::inline abi1
