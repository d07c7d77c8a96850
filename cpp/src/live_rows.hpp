// The live levels of an engine in USD at the profile's weights: by row, and near the price by bin. What zones and
// features are read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/history.hpp"
#include "liqcore/layers.hpp"

namespace liqcore::inline abi1 {

/// Rows and bins of one instant. Allocates on its first use and where more is live than ever before.
class LiveRows {
 public:
  /// Rows or bins next to each other: number `first` and those after it have usd[begin], ..., usd[end - 1].
  struct Stretch {
    std::int64_t first;
    std::size_t begin;
    std::size_t end;

    [[nodiscard]] std::int64_t number(std::size_t i) const noexcept {
      return first + static_cast<std::int64_t>(i - begin);
    }
    [[nodiscard]] std::int64_t end_number() const noexcept { return number(end); }
  };
  /// The amounts of one side; what lies in no stretch is zero.
  struct Amounts {
    std::vector<Stretch> stretches;  ///< from below, never adjacent
    std::vector<double> usd;
  };

  /// @param near  by Side: of which bins bins() is wanted
  void read(const Engine& engine, std::int64_t bins_per_row, const Layers::Range (&near)[2]);

  /// Rows of bins_per_row bins, counted from price zero; they are what columns() of a history sums, to the bit where
  /// nothing was scaled.
  [[nodiscard]] const Amounts& rows(Side side) const noexcept { return rows_[static_cast<std::size_t>(side)]; }
  /// The bins asked for.
  [[nodiscard]] const Amounts& bins(Side side) const noexcept { return bins_[static_cast<std::size_t>(side)]; }

 private:
  void read_side(const LevelBook& book, Side side, const Engine& engine, std::int64_t bins_per_row, Layers::Range near);
  /// USD of a lot in a bin and in those after it in its page.
  const double* values_from(std::int64_t bin);

  Amounts rows_[2];
  Amounts bins_[2];
  // Of each the first layer alone.
  Layers row_sums_{1};  // of the side that is read
  Layers bin_sums_{1};
  Layers values_{1};            // USD of a lot in each bin
  std::optional<Terms> terms_;  // that they are of
};

}  // namespace liqcore::inline abi1
