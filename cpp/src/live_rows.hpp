// The live levels of an engine in USD at the profile's weights: by row, and near the price by bin. What zones and
// features are read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/history.hpp"
#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// Rows and bins of one instant. Allocates on its first use and where a book has become wider.
class LiveRows {
 public:
  /// The amounts of one side: `usd[i]` is of row or bin first + i.
  struct Amounts {
    std::int64_t first = 0;
    std::vector<double> usd;

    [[nodiscard]] std::int64_t end() const noexcept { return first + static_cast<std::int64_t>(usd.size()); }
    /// Of a row or bin by its absolute number.
    [[nodiscard]] double at(std::int64_t i) const noexcept { return usd[static_cast<std::size_t>(i - first)]; }
  };

  /// @param near  by Side: of which bins bins() is wanted
  void read(const Engine& engine, std::int64_t bins_per_row, const Layers::Range (&near)[2]);

  /// Rows of bins_per_row bins, counted from price zero; they are what columns() of a history sums, to the bit where
  /// nothing was scaled.
  [[nodiscard]] const Amounts& rows(Side side) const noexcept { return rows_[static_cast<std::size_t>(side)]; }
  /// Those of the bins asked for that may hold something.
  [[nodiscard]] const Amounts& bins(Side side) const noexcept { return bins_[static_cast<std::size_t>(side)]; }

 private:
  void read_side(const LevelBook& book, Side side, const LeverageProfile& leverage, std::int64_t bins_per_row,
                 Layers::Range near);
  void value_bins(const LevelBook& book, const Terms& terms);

  Amounts rows_[2];
  Amounts bins_[2];
  std::vector<double> usd_;  // of one layer

  // USD of a lot in each bin of a book, from value_first_ on.
  std::vector<double> values_;
  std::vector<Terms> terms_;  // that they are of; none at first
  std::int64_t value_first_ = 0;
};

}  // namespace liqcore::inline abi1
