#include "live_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace liqcore::inline abi1 {
namespace {

/// What was summed; the sums begin anew.
void take(Layers& sums, LiveRows::Amounts& out) {
  out.stretches.clear();
  out.usd.clear();
  sums.each_page(0, sums.range(0), [&](std::int64_t first, double* cells, std::size_t n) {
    const std::size_t begin = out.usd.size();
    out.usd.insert(out.usd.end(), cells, cells + n);
    std::fill_n(cells, n, 0.0);
    if (out.stretches.empty() || out.stretches.back().end_number() != first)
      out.stretches.push_back({first, begin, begin + n});
    else
      out.stretches.back().end += n;
  });
  sums.range(0) = {};
}

/// Cells to write to, all of one page.
double* cells_from(Layers& sums, std::int64_t first, std::int64_t end) {
  if (sums.page(0, first) == nullptr) sums.hold(0, Layers::Range{first, first + 1});
  sums.range(0).include({first, end});
  return &sums.cell(0, first);
}

/// Add the weighted amounts of rows or bins from `first` up to `end`.
void add(Layers& sums, double weight, const double* usd, std::int64_t first, std::int64_t end) {
  while (first < end) {
    const std::int64_t n = std::min(end, Layers::page_end(first)) - first;
    double* const out = cells_from(sums, first, first + n);
    for (std::int64_t i = 0; i < n; ++i) out[i] += weight * usd[i];
    usd += n;
    first += n;
  }
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
    std::int64_t bin = book.next_live(layer, 0);
    if (bin >= high) continue;
    // The order of these sums is that of Fold, which draws columns: bins of a layer, then layers.
    std::int64_t row = bin / bins_per_row;
    double sum = 0.0;  // of what has come of it
    for (; bin < high; bin = book.next_live(layer, bin)) {
      const std::int64_t first = bin;
      const std::int64_t end = std::min(high, Layers::page_end(first));
      const auto n = static_cast<std::size_t>(end - first);
      double usd[Layers::kPage];
      book.live(layer, first, {usd, n});
      const double* const value = values_from(first);
      for (std::size_t i = 0; i < n; ++i) usd[i] *= value[i];

      if (const Layers::Range wanted{std::max(first, near.low), std::min(end, near.high)}; !wanted.empty())
        add(bin_sums_, weight, usd + (wanted.low - first), wanted.low, wanted.high);
      if (first >= (row + 1) * bins_per_row) {
        add(row_sums_, weight, &sum, row, row + 1);
        sum = 0.0;
        row = first / bins_per_row;
      }
      double ended[Layers::kPage];  // sums of the rows that end in this page
      std::int64_t rows = 0;
      while (bin < end) {
        const std::int64_t row_end = (row + rows + 1) * bins_per_row;
        for (const std::int64_t stop = std::min(end, row_end); bin < stop; ++bin) sum += usd[bin - first];
        if (bin < row_end) break;  // goes on in the next page
        ended[rows++] = sum;
        sum = 0.0;
      }
      add(row_sums_, weight, ended, row, row + rows);
      row += rows;
    }
    add(row_sums_, weight, &sum, row, row + 1);
  }
}

}  // namespace liqcore::inline abi1
