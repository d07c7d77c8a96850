/// What an engine is fed: columns and records that are read in place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

/// Columns of trades, all of one length. Read in place.
struct TradeArrays {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> price;
  std::span<const double> qty;
  std::span<const std::uint8_t> taker_sell;  ///< 1 where the aggressor sold
};

/// Columns of one value over time: mark prices or open interest.
struct SampleArrays {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> value;
};

/// Columns of vendor events, all of one length.
struct EventArrays {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> price;
  std::span<const double> qty;
};

/// Columns of candles, all of one length; volumes may be left empty where candles only touch.
struct CandleArrays {
  std::span<const std::int64_t> ts_open_ns;
  std::span<const double> open, high, low, close;
  std::span<const double> buy_qty, sell_qty;  ///< taker volumes, quantity
  std::int64_t interval_ns = 60'000'000'000;
};

/// Columns of what a model of your own opens: see Engine::opens().
struct OpenArrays {
  std::span<const std::int64_t> ts_ns;     ///< times that move the clock, not falling; empty: all at the engine's clock
  std::span<const std::uint8_t> is_short;  ///< 1 where a short opens
  std::span<const double> price;           ///< entry, or known level
  std::span<const double> qty;             ///< one a row, or one a tier, row by row
};

/// Columns of touches: see Engine::touches().
struct TouchArrays {
  std::span<const std::int64_t> ts_ns;  ///< times that move the clock, not falling; empty: all at the engine's clock
  std::span<const double> low, high;
  std::span<const double> last;  ///< where each leaves the price; empty: not known
};

/// A column inside an array of records: its first value, at any alignment, and the bytes from one value to the next.
struct Strided {
  const void* first = nullptr;
  std::ptrdiff_t step = 0;
};

/// Trades among records (an array of structs), read in place.
///
/// Flags say what a record is: a trade if `(flags & kind_mask) == kind`, and of the wanted clock if
/// `(flags & clock) == clock`. The aggressor bought if one of the bits `buy` is set, sold if one of `sell` is; with
/// only one of the two masks given, records without its bits are of the other side.
struct TradeRecords {
  std::size_t size = 0;
  Strided ts_ns;  ///< std::int64_t
  Strided price;  ///< double
  Strided qty;    ///< double
  Strided flags;  ///< std::uint8_t, or std::uint64_t if wide_flags
  bool wide_flags = false;
  std::uint64_t kind_mask = 0;
  std::uint64_t kind = 0;
  std::uint64_t clock = 0;
  std::uint64_t buy = 0;
  std::uint64_t sell = 1;
};

/// What became of records: size = stats.rows + all the others.
struct RecordStats {
  Stats stats;                                   ///< of the trades that were fed
  std::array<std::uint64_t, 256> other_kinds{};  ///< records of other kinds, by the lowest byte of their flags
  std::uint64_t other_clock = 0;                 ///< trades of another clock
  std::uint64_t no_side = 0;                     ///< trades that say both sides, or neither
};

/// Several streams to be merged by time; at equal times mark, trade, vendor event, candle, open interest.
struct Feed {
  TradeArrays trades;
  SampleArrays marks;
  CandleArrays candles;
  SampleArrays open_interest;
  EventArrays vendor_events;
};

}  // namespace liqcore::inline abi1
