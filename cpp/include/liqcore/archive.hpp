/// A history as one narrow table, for storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "liqcore/history.hpp"

namespace liqcore::inline abi1 {

/// What a row of an archive says. The numbers are part of the file format.
enum class RowKind : std::uint8_t {
  base = 0,        ///< lots live before the first window, by side, tier, bin
  added = 1,       ///< lots opened in the window and live at its end, by side, tier, bin
  liquidated = 2,  ///< lots opened and liquidated in the window, by side, tier, bin
  touched = 3,     ///< a touch step of a side: its bin; value: scale of the tier then (tier -1: 1 for all)
  scale = 4,       ///< scale of a side and tier over the window
  open = 5,        ///< of the window's candle, ticks
  high = 6,
  low = 7,
  close = 8,
  buy_lots = 9,
  sell_lots = 10,
  last_event = 11,     ///< time of the last event, ns after the window's start; only where the window had one, and in
                       ///< the first window, where it may lie before
  mark_price = 12,     ///< last mark price so far; only where it changed
  open_interest = 13,  ///< last open interest so far; only where it changed
  opened = 14,         ///< the accounts of what was opened in the window, lots, by side and tier
  live = 15,
  account_liquidated = 16,
  closed = 17,
  underflow = 18,
  overflow = 19,
  unresolved = 20,
  no_price = 21,
  repeated = 22,  ///< how many windows in a row are like this one, itself included, which only scaled; where more than
                  ///< one is. Windows in which nothing happened at all have no rows
};

/// Columns of equal length, in window order.
struct LIQCORE_EXPORT ArchiveRows {
  std::vector<std::int64_t> time_ns;  ///< start of the window
  std::vector<std::uint8_t> kind;     ///< RowKind
  std::vector<std::int8_t> side;      ///< 0 long, 1 short, -1 where it does not apply
  std::vector<std::int16_t> tier;     ///< index of the leverage tier, -1 where it does not apply
  std::vector<std::int32_t> bin;      ///< absolute book bin, -1 where it does not apply
  std::vector<double> value;

  [[nodiscard]] std::size_t size() const noexcept { return time_ns.size(); }
  void push(std::int64_t time, RowKind row_kind, int row_side, int row_tier, std::int64_t row_bin, double row_value);
};

/// Such columns where they are held by another, as those of a file that was read.
struct ArchiveColumns {
  std::span<const std::int64_t> time_ns;
  std::span<const std::uint8_t> kind;
  std::span<const std::int8_t> side;
  std::span<const std::int16_t> tier;
  std::span<const std::int32_t> bin;
  std::span<const double> value;

  ArchiveColumns() = default;
  ArchiveColumns(const ArchiveRows& rows)  // NOLINT(google-explicit-constructor)
      : time_ns(rows.time_ns), kind(rows.kind), side(rows.side), tier(rows.tier), bin(rows.bin), value(rows.value) {}

  [[nodiscard]] std::size_t size() const noexcept { return time_ns.size(); }
};

/// All of a history but its terms.
[[nodiscard]] LIQCORE_EXPORT ArchiveRows to_rows(const History& history);

/// The history that gave these rows: `windows` windows from first_ns on.
/// @throws InvalidConfig if the rows do not describe a history
[[nodiscard]] LIQCORE_EXPORT History from_rows(const Terms& terms, std::int64_t first_ns, std::size_t windows,
                                               const ArchiveColumns& rows);

}  // namespace liqcore::inline abi1
