#include "live_rows.hpp"

#include <algorithm>

namespace liqcore::inline abi1 {
namespace {

/// All zero from `low` to `high`, which is empty where they are not in order.
void reset(LiveRows::Amounts& amounts, std::int64_t low, std::int64_t high) {
  amounts.first = low;
  amounts.usd.assign(static_cast<std::size_t>(std::max<std::int64_t>(high - low, 0)), 0.0);
}

}  // namespace

void LiveRows::read(const Engine& engine, std::int64_t bins_per_row, const Layers::Range (&near)[2]) {
  const LevelBook* const book = engine.book();
  if (book == nullptr) {
    for (std::size_t side = 0; side < 2; ++side) {
      reset(rows_[side], 0, 0);
      reset(bins_[side], 0, 0);
    }
    return;
  }
  value_bins(*book, engine.history()->terms());
  for (const Side side : {Side::long_, Side::short_})
    read_side(*book, side, engine.leverage(), bins_per_row, near[static_cast<std::size_t>(side)]);
}

void LiveRows::value_bins(const LevelBook& book, const Terms& terms) {
  const auto width = static_cast<std::size_t>(book.width());
  if (values_.size() == width && value_first_ == book.first_bin() && !terms_.empty() && terms_.front() == terms) return;
  terms_.assign(1, terms);
  value_first_ = book.first_bin();
  values_.resize(width);
  for (std::size_t i = 0; i < width; ++i) values_[i] = terms.usd_per_lot(value_first_ + static_cast<std::int64_t>(i));
  // Room for whatever can be live in a book as wide as this one, so that no later reading allocates.
  usd_.reserve(width);
  for (std::size_t side = 0; side < 2; ++side) {
    rows_[side].usd.reserve(width + 1);
    bins_[side].usd.reserve(width);
  }
}

void LiveRows::read_side(const LevelBook& book, Side side, const LeverageProfile& leverage, std::int64_t bins_per_row,
                         Layers::Range near) {
  const auto s = static_cast<std::size_t>(side);
  Layers::Range all;
  for (std::size_t tier = 0; tier < leverage.size(); ++tier) {
    const Layers::Range live =
        leverage.weight(tier) == 0.0 ? Layers::Range{} : book.live_range(s * leverage.size() + tier);
    if (live.empty()) continue;
    all.include(live.low);
    all.include(live.high - 1);
  }
  Amounts& rows = rows_[s];
  Amounts& bins = bins_[s];
  reset(rows, all.low / bins_per_row, all.empty() ? 0 : (all.high - 1) / bins_per_row + 1);
  reset(bins, std::max(all.low, near.low), std::min(all.high, near.high));

  for (std::size_t tier = 0; tier < leverage.size(); ++tier) {
    const double weight = leverage.weight(tier);
    const std::size_t layer = s * leverage.size() + tier;
    const Layers::Range live = weight == 0.0 ? Layers::Range{} : book.live_range(layer);
    if (live.empty()) continue;
    const auto n = static_cast<std::size_t>(live.high - live.low);
    usd_.resize(n);
    double* const usd = usd_.data();
    book.live(layer, live.low, usd_);
    const double* const value = values_.data() + (live.low - value_first_);
    for (std::size_t i = 0; i < n; ++i) usd[i] *= value[i];

    // The order of these sums is that of Fold, which draws columns: bins of a layer, then layers.
    for (std::int64_t row = live.low / bins_per_row; row * bins_per_row < live.high; ++row) {
      const std::int64_t low = std::max(live.low, row * bins_per_row);
      const std::int64_t high = std::min(live.high, (row + 1) * bins_per_row);
      double sum = 0.0;
      for (std::int64_t bin = low; bin < high; ++bin) sum += usd[bin - live.low];
      rows.usd[static_cast<std::size_t>(row - rows.first)] += weight * sum;
    }
    const std::int64_t low = std::max(live.low, bins.first);
    const std::int64_t high = std::min(live.high, bins.end());
    if (low >= high) continue;
    double* const out = bins.usd.data() + (low - bins.first);
    const double* const from = usd + (low - live.low);
    for (std::int64_t i = 0; i < high - low; ++i) out[i] += weight * from[i];
  }
}

}  // namespace liqcore::inline abi1
