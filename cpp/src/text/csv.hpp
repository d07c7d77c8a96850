/// Parsing of trade and column files: bytes of delimited text into the caller's arrays.
///
/// Private to the bindings. Nothing here allocates per row, throws, or reads outside the bytes given,
/// whatever they are. Rows end at a newline (a carriage return before it is dropped), also inside quotes; the last
/// newline may be missing; blank rows are skipped and not counted. Fields may stand in double quotes and between
/// spaces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace liqcore::text {

/// The form a time was written in. Numbers are told apart by magnitude, which is unambiguous from 1973 to 5138.
enum class TimeForm : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds, text };
inline constexpr std::size_t time_forms = 5;

/// Reads a time, exactly to the nanosecond: a whole or decimal number of s, ms, us or ns since the UNIX epoch, or ISO
/// text such as `2024-01-15T00:00:00.451Z`, `2024-01-15 00:00:00+01:00`, `2024-01-15D00:00:00.451986388`, `2024/01/15
/// 00:00 UTC` and `2024-01-15 01-PM` (UTC where no offset stands); a date alone is its midnight. Digits beyond the
/// nanosecond are cut.
/// @return false if the field is none of these or lies outside 1973 (text: 1970) to 2261
[[nodiscard]] bool parse_time(std::string_view field, std::int64_t& ts_ns, TimeForm& form) noexcept;

/// Reads a decimal number, correctly rounded to the nearest double ("nan" and "inf" are numbers here).
/// @param decimals  set to the digits after the point that are needed to write the number: trailing zeros do not count
/// @return false if the whole field is not one number, or it overflows a double
[[nodiscard]] bool parse_decimal(std::string_view field, double& value, int& decimals) noexcept;

enum class Side : std::uint8_t { buy, sell, unknown, unreadable };

/// What true, false and numbers mean in a side column. With codes of 1 and 2, nothing else than those is a side, and 0
/// is unknown.
enum class SideCode : std::uint8_t { true_is_buy, true_is_sell, one_is_sell_two_is_buy, one_is_buy_two_is_sell };

/// Reads a taker side: buy, b, sell, s, a (Hyperliquid's word for sell) and such words of other languages in any case;
/// true, false and numbers as `code` says; unknown, none or nothing is unknown.
[[nodiscard]] Side parse_side(std::string_view field, SideCode code) noexcept;

/// Which of some words in lower case a field is, in any case; -1: none of them.
[[nodiscard]] int find_word(std::string_view field, std::span<const std::string> words) noexcept;

/// A row without an id (an empty field, or a UUID of zeros).
inline constexpr std::int64_t no_id = std::numeric_limits<std::int64_t>::min();

/// Reads a trade id: digits are the number itself, >= 0; other text becomes a 64-bit hash, < 0 and never `no_id`.
[[nodiscard]] std::int64_t parse_id(std::string_view field) noexcept;

/// Where the fields of a trade stand in a row, counted from 0; -1: there is no such column.
struct TradeColumns {
  char delimiter = ',';
  int time = -1;
  int price = -1;
  int quantity = -1;
  int side = -1;  ///< -1: the sign of the quantity tells, below zero a sell
  int id = -1;
  int symbol = -1;
  SideCode code = SideCode::true_is_sell;  ///< what "true" and 1 mean (is_buyer_maker, taker_sell: sell)
  std::span<const int> word_columns{};     ///< of which it is told which of `words` stands there; each >= 0
  std::span<const std::string> words{};    ///< at most 127, in lower case
};

/// What became of the rows: rows = used + unreadable + not_finite + not_positive + unknown_side + other_symbol.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t used = 0;
  std::int64_t unreadable_row = 0;  ///< too few fields, or an unclosed quote
  std::int64_t unreadable_time = 0;
  std::int64_t unreadable_price = 0;  ///< in parse_columns: any of the values
  std::int64_t unreadable_quantity = 0;
  std::int64_t unreadable_side = 0;
  std::int64_t not_finite = 0;
  std::int64_t not_positive = 0;
  std::int64_t nothing =
      0;  ///< of those not positive, quantities of zero; in parse_columns: of those not finite, empty
  std::int64_t unknown_side = 0;
  std::int64_t other_symbol = 0;
  std::array<std::int64_t, time_forms> times{};  ///< readable times by TimeForm
  int price_decimals = 0;                        ///< the most needed by a used price; in parse_columns: by any value
  int quantity_decimals = 0;
  std::int64_t first_unreadable = -1;  ///< where the first unreadable row starts, bytes from the beginning; -1: none
  std::int64_t first_lost = -1;        ///< the same of rows left out for any reason but symbol and quantities of zero

  [[nodiscard]] std::int64_t unreadable() const noexcept {
    return unreadable_row + unreadable_time + unreadable_price + unreadable_quantity + unreadable_side;
  }
};

/// The caller's arrays, each with room for `count_lines(bytes)` entries; `id` may be empty where there is no id column.
struct TradeArrays {
  std::span<std::int64_t> ts_ns;
  std::span<double> price;
  std::span<double> quantity;
  std::span<bool> taker_sell;
  std::span<std::int64_t> id;
  std::span<std::int8_t> word{};  ///< find_word() of column j in used row i at [j * ts_ns.size() + i]; may be empty
};

/// Lines in the bytes, blank ones included: no parse below writes more rows than this.
[[nodiscard]] std::size_t count_lines(std::string_view bytes) noexcept;

/// Reads trades: price and quantity finite and above zero, the taker side known. Other rows are counted and left out.
/// @param symbol  rows of another symbol are counted as such; if empty, every row is taken
/// @pre the columns for time, price and quantity are >= 0, and the arrays have the room stated above
RowCounts parse_trades(std::string_view bytes, const TradeColumns& columns, std::string_view symbol,
                       const TradeArrays& out) noexcept;

/// Reads a time and some numbers of each row: candles, mark prices. Empty fields and numbers that are not finite make
/// the row count as not_finite; signs are not judged.
/// @param columns  the numbers' places in the row, each >= 0
/// @param values   column after column: number j of used row i stands at values[j * ts_ns.size() + i]
/// @pre ts_ns.size() >= count_lines(bytes), values.size() == columns.size() * ts_ns.size()
RowCounts parse_columns(std::string_view bytes, char delimiter, int time, std::span<const int> columns,
                        int symbol_column, std::string_view symbol, std::span<std::int64_t> ts_ns,
                        std::span<double> values);

/// The different values of one column, in order of appearance, at most `limit`. Rows that end before column `last` are
/// passed over: a footer is no row.
[[nodiscard]] std::vector<std::string> distinct_values(std::string_view bytes, char delimiter, int column,
                                                       std::size_t limit, int last = -1);

/// The digits after the point that the finest of the values needs: the least d with `rint(x * 10^d) / 10^d == x` for
/// all x. At most `max_decimals`, which stands for "not on a decimal grid". Values that are not finite are passed over.
/// @param at_least  digits that are needed anyway, 0 to max_decimals; the result is no smaller
[[nodiscard]] int finest_decimals(std::span<const double> values, int at_least = 0) noexcept;
inline constexpr int max_decimals = 15;

}  // namespace liqcore::text
