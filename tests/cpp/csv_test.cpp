#include "text/csv.hpp"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace liqcore::text;
using namespace std::string_view_literals;

constexpr TradeColumns agg_trades{.delimiter = ',',
                                  .time = 5,
                                  .price = 1,
                                  .quantity = 2,
                                  .side = 6,
                                  .id = 0,
                                  .symbol = -1,
                                  .code = SideCode::true_is_sell};

struct Parsed {
  explicit Parsed(std::string_view bytes, const TradeColumns& columns = agg_trades, std::string_view symbol = {})
      : size(count_lines(bytes)), ts(size), price(size), quantity(size), sell(new bool[size + 1]), id(size) {
    // A copy without a terminator, so that a sanitizer sees a read past the end.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    counts = parse_trades({exact.data(), exact.size()}, columns, symbol, {ts, price, quantity, {sell.get(), size}, id});
  }
  std::size_t size;
  std::vector<std::int64_t> ts;
  std::vector<double> price;
  std::vector<double> quantity;
  std::unique_ptr<bool[]> sell;
  std::vector<std::int64_t> id;
  RowCounts counts;
};

std::int64_t total(const RowCounts& c) {
  return c.used + c.unreadable() + c.not_finite + c.not_positive + c.unknown_side + c.other_symbol;
}

std::int64_t time_of(std::string_view field) {
  std::int64_t ts = -1;
  TimeForm form{};
  return parse_time(field, ts, form) ? ts : -1;
}

TimeForm form_of(std::string_view field) {
  std::int64_t ts = 0;
  TimeForm form{};
  EXPECT_TRUE(parse_time(field, ts, form)) << field;
  return form;
}

int decimals_of(std::string_view field) {
  double value = 0;
  int decimals = -1;
  EXPECT_TRUE(parse_decimal(field, value, decimals)) << field;
  return decimals;
}

bool is_number(std::string_view field) {
  double value = 0;
  int decimals = 0;
  return parse_decimal(field, value, decimals);
}

TEST(ParseTrades, TellsWhichWordsStandInColumns) {
  const std::vector<std::string> words = {"maker", "taker", ""};
  const std::vector<int> places = {4, 5};
  const std::string_view text =
      "1767225600,1,2,buy,Maker,x\n1767225601,1,0,buy,maker,x\n1767225602,1,-2,buy,TAKER,taker\n"
      "1767225603,1,2,sell,,maker\n";
  std::vector<std::int64_t> ts(4), id;
  std::vector<double> price(4), quantity(4);
  std::array<bool, 4> sell{};
  std::vector<std::int8_t> found(8);
  const RowCounts counts =
      parse_trades(text, {.time = 0, .price = 1, .quantity = 2, .side = 3, .word_columns = places, .words = words}, {},
                   {ts, price, quantity, sell, id, found});
  EXPECT_EQ(counts.used, 2);
  EXPECT_EQ(counts.not_positive, 2);
  EXPECT_EQ(counts.nothing, 1);                                                      // a quantity of zero
  EXPECT_EQ(counts.first_lost, static_cast<std::int64_t>(text.find("1767225602")));  // not the one of zero
  EXPECT_EQ(counts.first_unreadable, -1);
  EXPECT_EQ((std::vector<int>{found[0], found[1], found[4], found[5]}), (std::vector<int>{0, 2, -1, 0}));
}

}  // namespace

TEST(ParseTime, WholeNumbersBecomeNanosecondsByMagnitude) {
  EXPECT_EQ(time_of("1781222399"), 1'781'222'399'000'000'000);
  EXPECT_EQ(time_of("1781222399211"), 1'781'222'399'211'000'000);
  EXPECT_EQ(time_of("1781222399211345"), 1'781'222'399'211'345'000);
  EXPECT_EQ(time_of("1781222399211345678"), 1'781'222'399'211'345'678);
  EXPECT_EQ(form_of("1781222399"), TimeForm::seconds);
  EXPECT_EQ(form_of("1781222399211"), TimeForm::milliseconds);
  EXPECT_EQ(form_of("1781222399211345"), TimeForm::microseconds);
  EXPECT_EQ(form_of("1781222399211345678"), TimeForm::nanoseconds);
}

TEST(ParseTime, DecimalSecondsAreExactToTheNanosecond) {
  EXPECT_EQ(time_of("1585180700.0647"), 1'585'180'700'064'700'000);  // as a double: ...064700127
  EXPECT_EQ(time_of("1585180700.123456789"), 1'585'180'700'123'456'789);
  EXPECT_EQ(time_of("1585180700.1234567899"), 1'585'180'700'123'456'789);
  EXPECT_EQ(time_of("1585180700064.7"), 1'585'180'700'064'700'000);
  EXPECT_EQ(time_of("1585180700064.0"), 1'585'180'700'064'000'000);
  EXPECT_EQ(time_of("1781222399211345678.0"), 1'781'222'399'211'345'678);
}

TEST(ParseTime, IsoTextWithAndWithoutOffset) {
  EXPECT_EQ(time_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(time_of("2024-01-15D00:00:00.451986388"), 1'705'276'800'451'986'388);
  EXPECT_EQ(time_of("2024-01-15T00:00:00.451Z"), 1'705'276'800'451'000'000);
  EXPECT_EQ(time_of("2024-01-15 01:00:00+01:00"), 1'705'276'800'000'000'000);
  EXPECT_EQ(time_of("2024-01-14T19:00:00-0500"), 1'705'276'800'000'000'000);
  EXPECT_EQ(time_of("2024-02-29T00:00:00"), 1'709'164'800'000'000'000);
  EXPECT_EQ(form_of("2024-02-29T00:00:00"), TimeForm::text);
}

TEST(ParseTime, OtherTextThatCanBeReadInOneWay) {
  constexpr std::int64_t midnight = 1'705'276'800'000'000'000;
  for (const char* field : {"2024-01-15", "2024/01/15", "2024-01-15T00:00", "2024-01-15 00:00Z", "2024-01-15 12-AM",
                            "2024-01-15 00:00:00 UTC", "2024-01-15 01:00:00 +0100", "2024-01-15T00:00:00,000"})
    EXPECT_EQ(time_of(field), midnight) << field;
  EXPECT_EQ(time_of("2024-01-15 12-PM"), midnight + 43'200'000'000'000);
  EXPECT_EQ(time_of("2024-01-15 11-PM"), midnight + 82'800'000'000'000);
}

TEST(ParseTime, NonsenseIsRefused) {
  for (const char* field : {"",
                            ".",
                            "-",
                            "0",
                            "99999999",
                            "abc",
                            "-1781222399211",
                            "1781222399211x",
                            "1781222399211.",
                            "1.5e12",
                            "9223372036854775808",
                            "99999999999999999999",
                            "9999999999",
                            "2023-02-29T00:00:00",
                            "2024-13-01T00:00:00",
                            "2024-01-1",
                            "2024-01/15",
                            "2024-01-15T",
                            "2024-01-15T24:00:00",
                            "2024-01-15T24:00",
                            "2024-01-15 13-PM",
                            "2024-01-15 00-AM",
                            "2024-01-15 01-PMx",
                            "2024-01-15 00:00:00 CET",
                            "15-01-2024",
                            "2024-01-15T00:00:60",
                            "2024-01-15T00:00:00.",
                            "2024-01-15T00:00:00+1",
                            "2024-01-15T00:00:00ZZ",
                            "2024-",
                            "0000-00-00T00:00:00",
                            "9999-01-01T00:00:00"})
    EXPECT_EQ(time_of(field), -1) << field;
  EXPECT_EQ(time_of("9223372036854775807"), 9'223'372'036'854'775'807);
}

TEST(ParseDecimal, TrailingZerosAreNotDecimals) {
  constexpr std::pair<std::string_view, int> cases[] = {
      {"63610.0", 0}, {"63610", 0},   {"63610.", 0}, {"0.00017000", 5}, {"66973.26000000", 2},
      {"1e-05", 5},   {"1.50E-5", 6}, {"1.5e+3", 0}, {"-0.25", 2},      {"100000000000000000000.5", 1},
      {"0.000", 0},   {"nan", 0}};
  for (const auto& [text, decimals] : cases) EXPECT_EQ(decimals_of(text), decimals) << text;
}

TEST(ParseDecimal, EqualsFromCharsOnRandomDecimals) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 200'000; ++i) {
    std::string text = std::to_string(random() >> (random() % 64));
    if (random() % 4 != 0) text.insert(random() % (text.size() + 1), 1, '.');
    if (random() % 8 == 0) text += "000";
    double expected = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), expected);
    ASSERT_TRUE(error == std::errc{} && stop == text.data() + text.size()) << text;
    double value = 0;
    int decimals = 0;
    ASSERT_TRUE(parse_decimal(text, value, decimals)) << text;
    ASSERT_EQ(value, expected) << text;
  }
}

TEST(ParseDecimal, NonsenseIsRefused) {
  for (const char* field : {"", ".", "-", "+1", "1,5", "1.2.3", "1.0x0", "0x10", "1e", "1e999", "--1", "1 2", "NULL"})
    EXPECT_FALSE(is_number(field)) << field;
}

TEST(ParseSide, TheWordFalseIsNotTrue) {
  for (const char* word : {"true", "True", "TRUE", "1"}) {
    EXPECT_EQ(parse_side(word, SideCode::true_is_sell), Side::sell) << word;
    EXPECT_EQ(parse_side(word, SideCode::true_is_buy), Side::buy) << word;
  }
  for (const char* word : {"false", "False", "FALSE", "0"}) {
    EXPECT_EQ(parse_side(word, SideCode::true_is_sell), Side::buy) << word;
    EXPECT_EQ(parse_side(word, SideCode::true_is_buy), Side::sell) << word;
  }
}

TEST(ParseSide, BuyAndSellIgnoreThePolarity) {
  for (const SideCode polarity : {SideCode::true_is_sell, SideCode::true_is_buy}) {
    for (const char* word : {"Buy", "buy", "BUY", "b", "B"}) EXPECT_EQ(parse_side(word, polarity), Side::buy) << word;
    for (const char* word : {"Sell", "sell", "SELL", "s", "S", "A"})
      EXPECT_EQ(parse_side(word, polarity), Side::sell) << word;
    for (const char* word : {"", "unknown", "None"}) EXPECT_EQ(parse_side(word, polarity), Side::unknown) << word;
    for (const char* word : {"2", "fals", "falsey", "long", "x", "sel\0"})
      EXPECT_EQ(parse_side(word, polarity), Side::unreadable) << word;
  }
}

TEST(ParseSide, OtherLanguagesAndNumbers) {
  constexpr SideCode code = SideCode::one_is_sell_two_is_buy;
  for (const char* word : {"买", "매수", "Compra", "BUYER", "buy_estimated", "2"})
    EXPECT_EQ(parse_side(word, code), Side::buy) << word;
  for (const char* word : {"卖出", "매도", "venta", "Seller", "TAKER_SELL", "1"})
    EXPECT_EQ(parse_side(word, code), Side::sell) << word;
  for (const char* word : {"N", "NO_AGGRESSOR", "0", "nan"}) EXPECT_EQ(parse_side(word, code), Side::unknown) << word;
  for (const char* word : {"bid", "ask", "long", "short", "3"})
    EXPECT_EQ(parse_side(word, code), Side::unreadable) << word;
}

TEST(ParseTrades, WithoutASideTheSignOfTheQuantityTells) {
  std::array<std::int64_t, 2> ts{};
  std::array<double, 2> price{}, quantity{};
  std::array<bool, 2> sell{};
  const RowCounts counts =
      parse_trades("1767225601.477201;1;87617.7;-120\n1767225601.5;2;87617.8;7601\n",
                   {.delimiter = ';', .time = 0, .price = 2, .quantity = 3}, {}, {ts, price, quantity, sell, {}});
  EXPECT_EQ(counts.used, 2);
  EXPECT_EQ(quantity, (std::array<double, 2>{120, 7601}));
  EXPECT_EQ(sell, (std::array<bool, 2>{true, false}));
}

TEST(ParseId, NumbersStayNumbersAndTextBecomesANegativeHash) {
  EXPECT_EQ(parse_id("1000000"), 1'000'000);
  EXPECT_EQ(parse_id("0"), 0);
  EXPECT_LT(parse_id("ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf"), 0);
  EXPECT_EQ(parse_id("ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf"), parse_id("ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf"));
  EXPECT_NE(parse_id("ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf"), parse_id("ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ece"));
  EXPECT_LT(parse_id("99999999999999999999"), 0);
  EXPECT_EQ(parse_id(""), no_id);
  EXPECT_EQ(parse_id("00000000-0000-0000-0000-000000000000"), no_id);
}

TEST(ParseTrades, ReadsTheColumnsItWasTold) {
  const Parsed p{
      "1000000,63610.0,0.00017,1000000,1000000,1781222399211,false\n"
      "1000001,63609.5,0.39305,1000001,1000001,1781222399212,true\n"};
  EXPECT_EQ(p.counts.rows, 2);
  ASSERT_EQ(p.counts.used, 2);
  EXPECT_EQ(p.ts[0], 1'781'222'399'211'000'000);
  EXPECT_EQ(p.price[0], 63610.0);
  EXPECT_EQ(p.quantity[1], 0.39305);
  EXPECT_FALSE(p.sell[0]);
  EXPECT_TRUE(p.sell[1]);
  EXPECT_EQ(p.id[1], 1'000'001);
  EXPECT_EQ(p.counts.price_decimals, 1);
  EXPECT_EQ(p.counts.quantity_decimals, 5);
  EXPECT_EQ(p.counts.times[static_cast<std::size_t>(TimeForm::milliseconds)], 2);
}

TEST(ParseTrades, TakesCrLfQuotesSpacesBlankLinesAndNoLastNewline) {
  const Parsed p{
      "\r\n1,2.5,3,1,1,1781222399211,True\r\n\n  \n\"2\",\"2.5\", 3 ,\"a,\"\"b\"\"\",1,\"1781222399211\" , \"False\"\n"
      "3,2.5,3,1,1,1781222399211,0"};
  EXPECT_EQ(p.counts.rows, 3);
  EXPECT_EQ(p.counts.used, 3);
  EXPECT_EQ((std::array{p.sell[0], p.sell[1], p.sell[2]}), (std::array{true, false, false}));
}

TEST(ParseTrades, CountsEveryRowByWhatIsWrongWithIt) {
  const Parsed p{
      "1,2.5,3,1,1,1781222399211,true\n"
      "1,2.5,3,1,1\n"                          // too few fields
      "1,\"2.5,3,1,1,1781222399211,true\n"     // unclosed quote
      "1,2.5,3,1,1,yesterday,true\n"           // time
      "1,,3,1,1,1781222399211,true\n"          // price
      "1,2.5,x,1,1,1781222399211,true\n"       // quantity
      "1,2.5,3,1,1,1781222399211,tru\n"        // side
      "1,nan,3,1,1,1781222399211,true\n"       // not finite
      "1,2.5,inf,1,1,1781222399211,true\n"     // not finite
      "1,0.0,3,1,1,1781222399211,true\n"       // not positive
      "1,2.5,-3,1,1,1781222399211,true\n"      // not positive
      "1,2.5,3,1,1,1781222399211,unknown\n"};  // unknown side
  EXPECT_EQ(p.counts.rows, 12);
  EXPECT_EQ(p.counts.used, 1);
  EXPECT_EQ(p.counts.unreadable_row, 2);
  EXPECT_EQ(p.counts.unreadable_time, 1);
  EXPECT_EQ(p.counts.unreadable_price, 1);
  EXPECT_EQ(p.counts.unreadable_quantity, 1);
  EXPECT_EQ(p.counts.unreadable_side, 1);
  EXPECT_EQ(p.counts.not_finite, 2);
  EXPECT_EQ(p.counts.not_positive, 2);
  EXPECT_EQ(p.counts.unknown_side, 1);
  EXPECT_EQ(p.counts.first_unreadable, 31);
  EXPECT_EQ(total(p.counts), p.counts.rows);
}

TEST(ParseTrades, RowsOfAnotherSymbolAreLeftOut) {
  const TradeColumns columns{.time = 0, .price = 4, .quantity = 3, .side = 2, .symbol = 1};
  const Parsed p{
      "2024-01-15D00:00:00.451986388,XBTUSD,Sell,100,42000.5\n"
      "2024-01-15D00:00:00.451986388,ETHUSD,Buy,100,2500\n",
      columns, "XBTUSD"};
  EXPECT_EQ(p.counts.used, 1);
  EXPECT_EQ(p.counts.other_symbol, 1);
  EXPECT_EQ(p.price[0], 42000.5);
  EXPECT_TRUE(p.sell[0]);
}

TEST(ParseTrades, EveryPrefixOfAFileIsSafe) {
  const std::string text =
      "1,2.5,3,1,1,1781222399211,true\r\n\"2\",\"2.5\",3,\"a\"\"b\",1,\"1781222399211\",\"False\"\n\n3,1e-5,3,1,1,"
      "2024-01-15T00:00:00.5+01:00,0";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const Parsed p{std::string_view{text}.substr(0, n)};
    EXPECT_EQ(total(p.counts), p.counts.rows);
    EXPECT_LE(p.counts.rows, static_cast<std::int64_t>(p.size));
  }
}

TEST(ParseTrades, AdversarialBytesNeverBreakTheAccount) {
  std::mt19937_64 random{11};
  constexpr std::string_view alphabet = ",,,,\n\n\r\"\" .-+eE0123456789TDZ:truefalsBuy\0\xff\x80;\t"sv;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 300, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    if (round % 3 == 0) text += "1,2.5,3,1,1,1781222399211,true\n";
    const Parsed p{text};
    ASSERT_EQ(total(p.counts), p.counts.rows);
    ASSERT_LE(p.counts.rows, static_cast<std::int64_t>(p.size));
    for (std::size_t i = 0; i < static_cast<std::size_t>(p.counts.used); ++i)
      ASSERT_TRUE(p.price[i] > 0 && std::isfinite(p.price[i]) && p.quantity[i] > 0 && std::isfinite(p.quantity[i]));
  }
}

TEST(ParseTrades, AColumnBeyondAnyRowIsUnreadableNotACrash) {
  const TradeColumns columns{.time = 100'000, .price = 1, .quantity = 2, .side = 3};
  const Parsed p{"1,2,3,4\n", columns};
  EXPECT_EQ(p.counts.unreadable_row, 1);
}

TEST(ParseTrades, SplittingTheBytesAtLinesChangesNothing) {
  const std::string first = "1,2.5,3,1,1,1781222399211,true\n2,bad,3,1,1,1781222399211,true\n";
  const std::string second = "3,2.75,3,1,1,1781222399211,false";
  const Parsed whole{first + second}, a{first}, b{second};
  EXPECT_EQ(whole.counts.used, a.counts.used + b.counts.used);
  EXPECT_EQ(whole.counts.unreadable(), a.counts.unreadable() + b.counts.unreadable());
  EXPECT_EQ(whole.price[1], b.price[0]);
}

TEST(ParseColumns, ReadsNumbersColumnAfterColumn) {
  const std::string_view text =
      "1772323200000000,66973.26,x,1.5\n1772323260000000,,x,2\nbad,1,x,2\n1772323320000000,7,x,8.125";
  std::vector<std::int64_t> ts(4);
  std::vector<double> values(8);
  const std::vector<int> columns{3, 1};
  const RowCounts counts = parse_columns(text, ',', 0, columns, -1, {}, ts, values);
  EXPECT_EQ(counts.rows, 4);
  EXPECT_EQ(counts.used, 2);
  EXPECT_EQ(counts.not_finite, 1);
  EXPECT_EQ(counts.unreadable_time, 1);
  EXPECT_EQ(counts.price_decimals, 3);
  EXPECT_EQ(ts[1], 1'772'323'320'000'000'000);
  EXPECT_EQ(values[0], 1.5);
  EXPECT_EQ(values[1], 8.125);
  EXPECT_EQ(values[4], 66973.26);
  EXPECT_EQ(values[5], 7.0);
}

TEST(CountLines, CountsALastLineWithoutItsNewline) {
  EXPECT_EQ(count_lines(""), 0U);
  EXPECT_EQ(count_lines("a"), 1U);
  EXPECT_EQ(count_lines("a\n"), 1U);
  EXPECT_EQ(count_lines("a\nb"), 2U);
  EXPECT_EQ(count_lines("\n\n"), 2U);
}

TEST(DistinctValues, AreListedInOrderUpToALimit) {
  const std::string_view text = "1,B\n2,A\n3,B\nshort\n4,C\n";
  EXPECT_EQ(distinct_values(text, ',', 1, 10), (std::vector<std::string>{"B", "A", "C"}));
  EXPECT_EQ(distinct_values(text, ',', 1, 2), (std::vector<std::string>{"B", "A"}));
}

TEST(FinestDecimals, FindsTheGridOfDoubles) {
  EXPECT_EQ(finest_decimals(std::vector<double>{}), 0);
  EXPECT_EQ(finest_decimals(std::vector<double>{63366.0, 63367.0}), 0);
  EXPECT_EQ(finest_decimals(std::vector<double>{1671.7, 1671.0}), 1);
  EXPECT_EQ(finest_decimals(std::vector<double>{0.00017, 2.5, NAN, INFINITY}), 5);
  EXPECT_EQ(finest_decimals(std::vector<double>{1e-8}), 8);
  EXPECT_EQ(finest_decimals(std::vector<double>{1.0 / 3.0}), max_decimals);
  EXPECT_EQ(finest_decimals(std::vector<double>{1e300, 0.5}), 1);
  EXPECT_EQ(finest_decimals(std::vector<double>{0.5}, 3), 3);
  EXPECT_EQ(finest_decimals(std::vector<double>{-0.0, -2.5, 0x1p51 + 0.5, -1e300}), 1);
  std::vector<double> many(2000, 2.0);
  many[1999] = 1671.75;
  EXPECT_EQ(finest_decimals(many), 2);
}
