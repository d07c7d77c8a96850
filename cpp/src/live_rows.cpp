#include "live_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

/// What was summed, as a list; the sums begin anew.
void take(Layers& sums, LiveRows::Amounts& out) {
  out.at.clear();
  out.usd.clear();
  sums.each_page(0, sums.range(0), [&](std::int64_t first, const double* cells, std::size_t n) {
    for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) {
      out.at.push_back(first + static_cast<std::int64_t>(i));
      out.usd.push_back(cells[i]);
    }
  });
  sums.clear();
}

/// Cells to add to, all of one page.
double* cells_from(Layers& sums, std::int64_t first, std::int64_t end) {
  sums.hold(0, Layers::Range{first, end});
  sums.range(0).include({first, end});
  return &sums.cell(0, first);
}

}  // namespace

void LiveRows::read(const Engine& engine, std::int64_t bins_per_row, const Layers::Range (&near)[2]) {
  const LevelBook* const book = engine.book();
  for (const Side side : {Side::long_, Side::short_}) {
    const auto s = static_cast<std::size_t>(side);
    if (book != nullptr) read_side(*book, side, engine, bins_per_row, near[s]);
    take(row_sums_, rows_[s]);
    take(bin_sums_, bins_[s]);
  }
}

const double* LiveRows::values_from(std::int64_t bin) {
  if (values_.page(0, bin) == nullptr) {
    const std::int64_t end = Layers::page_end(bin);
    double* const values = cells_from(values_, end - Layers::kPage, end);
    for (std::int64_t i = 0; i < Layers::kPage; ++i) values[i] = terms_->usd_per_lot(end - Layers::kPage + i);
  }
  return values_.page(0, bin) + Layers::within(bin);
}

void LiveRows::read_side(const LevelBook& book, Side side, const Engine& engine, std::int64_t bins_per_row,
                         Layers::Range near) {
  if (const Terms& terms = engine.history()->terms(); !terms_ || !(*terms_ == terms)) {
    values_ = Layers{1};
    terms_ = terms;
  }
  const LeverageProfile& leverage = engine.leverage();
  for (std::size_t tier = 0; tier < leverage.size(); ++tier) {
    const double weight = leverage.weight(tier);
    if (weight == 0.0) continue;
    const std::size_t layer = static_cast<std::size_t>(side) * leverage.size() + tier;
    const std::int64_t high = book.live_range(layer).high;
    // The order of these sums is that of Fold, which draws columns: bins of a layer, then layers.
    std::int64_t row = 0;
    double sum = 0.0;
    const auto end_row = [&] {
      if (sum != 0.0) *cells_from(row_sums_, row, row + 1) += weight * sum;
      sum = 0.0;
    };
    for (std::int64_t bin = book.next_live(layer, 0); bin < high; bin = book.next_live(layer, bin)) {
      const std::int64_t first = bin;
      const std::int64_t end = std::min(high, Layers::page_end(first));
      const auto n = static_cast<std::size_t>(end - first);
      double usd[Layers::kPage];
      book.live(layer, first, {usd, n});
      const double* const value = values_from(first);
      for (std::size_t i = 0; i < n; ++i) usd[i] *= value[i];

      if (const Layers::Range wanted{std::max(first, near.low), std::min(end, near.high)}; !wanted.empty()) {
        double* const out = cells_from(bin_sums_, wanted.low, wanted.high);
        const double* const from = usd + (wanted.low - first);
        for (std::int64_t i = 0; i < wanted.high - wanted.low; ++i) out[i] += weight * from[i];
      }
      while (bin < end) {
        if (bin / bins_per_row != row) end_row();
        row = bin / bins_per_row;
        for (const std::int64_t row_end = std::min(end, (row + 1) * bins_per_row); bin < row_end; ++bin)
          sum += usd[bin - first];
      }
    }
    end_row();
  }
}

}  // namespace liqcore::inline abi1
