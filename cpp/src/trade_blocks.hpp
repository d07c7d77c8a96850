// Trades a block at a time: onto their grids all at once where nothing is wrong with any of them, else one by one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "check_rows.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/feed.hpp"

namespace liqcore::inline abi1 {

inline constexpr std::size_t kBlockRows = 1024;  // a block's keys and lots stay in the first-level cache

/// Rows [begin, begin + rows) of some trades, none of which needs a look: in order, on both grids, within all bounds.
struct TradeBlock {
  std::size_t begin;
  std::size_t rows;
  kernels::Block converted;
};

/// Calls `use_block(block)` with `keys` and `lots` written (kBlockRows of each), or `use_row(i)` for each of its rows.
/// @param sorted  whether the times are known to rise
/// @param clock   gives the time before which trades are late
template <class Clock, class UseBlock, class UseRow>
void for_each_block(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted,
                    const kernels::Grid& grid, std::vector<std::int64_t>& keys, std::vector<std::int64_t>& lots,
                    Clock&& clock, UseBlock&& use_block, UseRow&& use_row) {
  const kernels::Kernels& kernels = kernels::active();
  for (std::size_t at = begin; at < end; at += kBlockRows) {
    const std::size_t n = std::min(kBlockRows, end - at);
    const std::int64_t* const ts = trades.ts_ns.data() + at;
    const kernels::Block converted = kernels.convert(trades.price.data() + at, trades.qty.data() + at,
                                                     trades.taker_sell.data() + at, n, grid, keys.data(), lots.data());
    const bool in_order = (sorted || kernels.rises(ts, n)) && ts[0] >= 0 && ts[0] >= clock() && ts[n - 1] <= kMaxTime;
    if (converted.clean && in_order)
      use_block(TradeBlock{at, n, converted});
    else
      for (std::size_t i = at; i < at + n; ++i) use_row(i);
  }
}

}  // namespace liqcore::inline abi1
