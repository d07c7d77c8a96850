// What the files of the book share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "liqcore/book.hpp"
#include "liqcore/limits.hpp"

namespace liqcore::inline abi1 {

inline constexpr std::int64_t kNoBin = std::numeric_limits<std::int64_t>::max();
inline constexpr auto kFarTick = static_cast<double>(kLastTick);

inline Account& LevelBook::window_account(std::size_t layer) noexcept {
  booked_[layer] = 1;
  return window_[layer];
}

inline void LevelBook::include_live(std::size_t layer, std::int64_t low, std::int64_t high) noexcept {
  fresh_.range(layer).include({low, high + 1});
  if (layer < tiers_)
    longs_end_ = std::max(longs_end_, high + 1);
  else
    shorts_begin_ = std::min(shorts_begin_, low);
}

inline void LevelBook::add_live(std::size_t layer, std::int64_t bin, double lots) noexcept {
  fresh_.cell(layer, bin) += lots;
  include_live(layer, bin, bin);
}

/// A long level is live in a bin below this, a short one above: beyond the entry's own bin and what has been reached.
inline std::int64_t LevelBook::bound(Side side, std::int64_t entry_tick,
                                     const std::optional<Reached>& reached) const noexcept {
  const std::int64_t own = bin_(entry_tick);
  if (!reached) return own;
  return side == Side::long_ ? std::min(own, reached->low_bin) : std::max(own, reached->high_bin);
}

}  // namespace liqcore::inline abi1
