// Delimited text of trades and of columns: whatever the bytes, every row is counted once and nothing else is written.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "take.hpp"
#include "text/csv.hpp"

namespace text = liqcore::text;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Take take(data, size);
  const char delimiter = ",;\t|"[take.below(4)];
  const auto column = [&](int least) { return take.below(6) + least; };
  const text::TradeColumns columns{.delimiter = delimiter,
                                   .time = column(0),
                                   .price = column(0),
                                   .quantity = column(0),
                                   .side = column(-1),
                                   .id = column(-1),
                                   .symbol = column(-1),
                                   .code = static_cast<text::SideCode>(take.below(4))};
  const std::string_view bytes = take.text();
  const std::size_t room = text::count_lines(bytes);
  // Each on the heap by itself, so that a write behind its end is seen.
  std::vector<std::int64_t> ts(room), id(room);
  std::vector<double> price(room), quantity(room);
  const auto sells = std::make_unique<bool[]>(room);
  const auto trades =
      text::parse_trades(bytes, columns, "BTC", {ts, price, quantity, std::span(sells.get(), room), id});
  if (trades.rows != trades.used + trades.unreadable() + trades.not_finite + trades.not_positive + trades.unknown_side +
                         trades.other_symbol ||
      trades.used > static_cast<std::int64_t>(room))
    std::abort();
  for (std::int64_t i = 0; i < trades.used; ++i)
    if (!(price[static_cast<std::size_t>(i)] > 0.0) || !(quantity[static_cast<std::size_t>(i)] > 0.0)) std::abort();

  const std::array<int, 2> wanted{columns.price, columns.quantity};
  std::vector<double> values(2 * room);
  const auto rows = text::parse_columns(bytes, delimiter, columns.time, wanted, columns.symbol, "", ts, values);
  if (rows.used > rows.rows || rows.used > static_cast<std::int64_t>(room)) std::abort();
  static_cast<void>(text::distinct_values(bytes, delimiter, columns.price, 5, columns.quantity));
  return 0;
}
