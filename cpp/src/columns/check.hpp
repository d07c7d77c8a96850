/// One look over columns of trades that are in memory already, such as those of a Parquet file.
///
/// Private to the bindings. Nothing here allocates, throws, or writes to the columns.
#pragma once

#include <cstdint>
#include <span>

namespace liqcore::columns {

/// What a reader must know of trades before it hands them on.
struct TradeCheck {
  bool usable = true;      ///< every price and quantity is finite and above zero
  bool in_order = true;    ///< the times never fall
  std::int64_t low = 0;    ///< least time; 0 if there are no rows
  std::int64_t high = 0;   ///< greatest time
  int price_decimals = 0;  ///< text::finest_decimals of the prices; meaningless where not usable
  int qty_decimals = 0;
};

/// Looks once over the columns, a block that fits the cache after the other: about 2 ns a row.
/// @pre ts.size() == price.size() == qty.size()
[[nodiscard]] TradeCheck check_trades(std::span<const std::int64_t> ts, std::span<const double> price,
                                      std::span<const double> qty) noexcept;

}  // namespace liqcore::columns
