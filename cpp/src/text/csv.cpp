#include "text/csv.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace liqcore::text {
namespace {

constexpr std::array<double, 23> powers_of_ten = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::array<std::int64_t, 10> whole_powers = {1,       10,        100,        1'000,       10'000,
                                                       100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

constexpr std::uint64_t each_byte(std::uint64_t byte) noexcept { return byte * 0x0101'0101'0101'0101U; }

/// Eight bytes as a number whose lowest byte is the first.
std::uint64_t load_eight(const char* p) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, p, 8);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

/// The first `c` in [p, end), or `end`. Fields are short, so eight bytes at a time beat both a loop and memchr.
const char* find_byte(const char* p, const char* end, char c) noexcept {
  const std::uint64_t pattern = each_byte(static_cast<unsigned char>(c));
  for (; end - p >= 8; p += 8) {
    const std::uint64_t differs = load_eight(p) ^ pattern;
    const std::uint64_t zeros = (differs - each_byte(0x01)) & ~differs & each_byte(0x80);  // the lowest one is right
    if (zeros != 0) return p + std::countr_zero(zeros) / 8;
  }
  while (p != end && *p != c) ++p;
  return p;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads digits on from `p` into `number`, which wraps around beyond 19 of them; returns where they end.
const char* read_digits(const char* p, const char* end, std::uint64_t& number) noexcept {
  for (; end - p >= 8; p += 8) {
    std::uint64_t word = load_eight(p);
    // All eight are 0x30 to 0x39: the high halves are 3, also after adding 6.
    if (((word & each_byte(0xF0)) | (((word + each_byte(0x06)) & each_byte(0xF0)) >> 4U)) != each_byte(0x33)) break;
    word = (word & each_byte(0x0F)) * ((10U << 8U) + 1) >> 8U;  // pairs, then fours, then all eight
    word = (word & 0x00FF'00FF'00FF'00FFU) * ((100U << 16U) + 1) >> 16U;
    word = (word & 0x0000'FFFF'0000'FFFFU) * ((std::uint64_t{10'000} << 32U) + 1) >> 32U;
    number = number * 100'000'000 + word;
  }
  for (; p != end && is_digit(*p); ++p) number = number * 10 + static_cast<unsigned>(*p - '0');
  return p;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Compares with a lower-case word, in any case.
bool is_word(std::string_view field, std::string_view word) noexcept {
  return field.size() == word.size() &&
         std::equal(field.begin(), field.end(), word.begin(), [](char a, char b) { return lower(a) == b; });
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
/// algorithms").
std::int64_t days_from_civil(int year, int month, int day) noexcept {
  year -= month <= 2;
  const int era = year / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146'097 + day_of_era - 719'468;
}

int days_in_month(int year, int month) noexcept {
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

/// Takes exactly `width` digits off the front.
bool take_digits(std::string_view& rest, std::size_t width, int& value) noexcept {
  if (rest.size() < width) return false;
  value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (!is_digit(rest[i])) return false;
    value = value * 10 + (rest[i] - '0');
  }
  rest.remove_prefix(width);
  return true;
}

bool take(std::string_view& rest, char c) noexcept {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

/// Takes the digits of a fraction as a whole number of 10^-places; digits beyond are cut. At least one digit must stand
/// there.
bool take_fraction(std::string_view& rest, std::size_t places, std::int64_t& fraction) noexcept {
  std::size_t n = 0;
  fraction = 0;
  while (n < rest.size() && is_digit(rest[n])) {
    if (n < places) fraction = fraction * 10 + (rest[n] - '0');
    ++n;
  }
  if (n == 0) return false;
  if (n < places) fraction *= whole_powers[places - n];
  rest.remove_prefix(n);
  return true;
}

/// Takes one of two marks, the one that is not `other`.
bool take_either(std::string_view& rest, char c, char other) noexcept { return take(rest, c) || take(rest, other); }

/// Takes a zone: a name of UTC, or how far it is from UTC.
bool parse_zone(std::string_view rest, int& offset_minutes) noexcept {
  take(rest, ' ');
  if (rest == "Z" || rest == "UTC" || rest == "GMT") return true;
  const int sign = rest.starts_with('+') ? 1 : -1;
  if (!take_either(rest, '+', '-')) return false;
  int hour = 0, minute = 0;
  if (!take_digits(rest, 2, hour)) return false;
  take(rest, ':');
  if (!rest.empty() && !take_digits(rest, 2, minute)) return false;
  offset_minutes = sign * (hour * 60 + minute);
  return rest.empty() && hour <= 23 && minute <= 59;
}

/// Takes the rest of an hour of twelve, such as `-PM`; 12-AM is midnight.
bool parse_half_day(std::string_view rest, int& hour) noexcept {
  const bool afternoon = take(rest, 'P');
  if ((!afternoon && !take(rest, 'A')) || rest != "M" || hour < 1 || hour > 12) return false;
  hour = hour % 12 + (afternoon ? 12 : 0);
  return true;
}

/// Takes what follows a date: a clock, to the minute or finer, or an hour of twelve such as `01-PM`; and a zone.
bool parse_clock(std::string_view rest, int& hour, int& minute, int& second, std::int64_t& nanoseconds,
                 int& offset_minutes) noexcept {
  if (!take(rest, 'T') && !take(rest, 'D') && !take(rest, ' ')) return false;
  if (!take_digits(rest, 2, hour)) return false;
  if (take(rest, '-')) return parse_half_day(rest, hour);
  if (!take(rest, ':') || !take_digits(rest, 2, minute)) return false;
  if (take(rest, ':')) {
    if (!take_digits(rest, 2, second)) return false;
    if (take_either(rest, '.', ',') && !take_fraction(rest, 9, nanoseconds)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  return rest.empty() || parse_zone(rest, offset_minutes);
}

bool parse_iso(std::string_view rest, std::int64_t& ts_ns) noexcept {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset_minutes = 0;
  std::int64_t nanoseconds = 0;
  if (!take_digits(rest, 4, year) || rest.empty()) return false;
  const char mark = rest.front();
  if ((mark != '-' && mark != '/') || !take(rest, mark) || !take_digits(rest, 2, month) || !take(rest, mark) ||
      !take_digits(rest, 2, day))
    return false;
  if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return false;
  if (!rest.empty() && !parse_clock(rest, hour, minute, second, nanoseconds, offset_minutes)) return false;
  const std::int64_t minutes =
      days_from_civil(year, month, day) * 1440 + std::int64_t{60} * hour + minute - offset_minutes;
  ts_ns = (minutes * 60 + second) * 1'000'000'000 + nanoseconds;
  return true;
}

/// Where the fields of a row stand, up to the last one that is wanted.
class Row {
 public:
  static constexpr int max_columns = 64;

  /// Splits until column `last` is found; false if the row has fewer fields, or a quote is not closed before its end.
  bool split(const char* begin, const char* end, char delimiter, int last) noexcept {
    const char* p = begin;
    for (int column = 0; column <= last; ++column) {
      while (p != end && *p == ' ' && delimiter != ' ') ++p;
      const char* first = p;
      const char* stop = nullptr;
      if (p != end && *p == '"') {
        first = ++p;
        for (;;) {
          p = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end - p)));
          if (p == nullptr) return false;
          if (p + 1 == end || p[1] != '"') break;
          p += 2;  // a doubled quote belongs to the text
        }
        stop = p++;
        while (p != end && *p == ' ' && delimiter != ' ') ++p;
        if (p != end && *p != delimiter) return false;
      } else {
        p = find_byte(p, end, delimiter);
        stop = p;
        while (stop != first && stop[-1] == ' ') --stop;
      }
      fields_[static_cast<std::size_t>(column)] = {first, static_cast<std::size_t>(stop - first)};
      if (p == end) return column == last;
      ++p;
    }
    return true;
  }

  [[nodiscard]] std::string_view operator[](int column) const noexcept {
    return fields_[static_cast<std::size_t>(column)];
  }

 private:
  std::array<std::string_view, max_columns> fields_;
};

/// Calls `each(row begin, row end)` for every row that is not blank.
template <class Each>
void for_each_row(std::string_view bytes, Each&& each) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p != end) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    const char* stop = newline == nullptr ? end : newline;
    const char* const next = newline == nullptr ? end : newline + 1;
    while (stop != p && stop[-1] == '\r') --stop;
    if (std::any_of(p, stop, [](char c) { return c != ' ' && c != '\t'; })) each(p, stop);
    p = next;
  }
}

bool in_range(int column) noexcept { return column < Row::max_columns; }

/// Hands over each row that can be read, has a time and is of the symbol wanted; counts all of them, and why not.
///
/// Columns are counted from 0; `last` is the last one that `use(row, ts_ns, counts, unreadable)` reads. A negative
/// `symbol_column` or an empty symbol takes every row.
template <class Use>
RowCounts for_each_dated_row(std::string_view bytes, char delimiter, int last, int time_column, int symbol_column,
                             std::string_view symbol, Use use) {
  RowCounts counts;
  const bool filter = symbol_column >= 0 && !symbol.empty();
  Row row;
  for_each_row(bytes, [&](const char* begin, const char* end) {
    ++counts.rows;
    const auto lost = [&](std::int64_t& reason) {
      ++reason;
      if (counts.first_lost < 0) counts.first_lost = begin - bytes.data();
    };
    const auto unreadable = [&](std::int64_t& reason) {
      lost(reason);
      if (counts.first_unreadable < 0) counts.first_unreadable = begin - bytes.data();
    };
    if (!in_range(last) || !row.split(begin, end, delimiter, last)) return unreadable(counts.unreadable_row);
    if (filter && row[symbol_column] != symbol) {
      ++counts.other_symbol;
      return;
    }
    std::int64_t ts_ns = 0;
    TimeForm form{};
    if (!parse_time(row[time_column], ts_ns, form)) return unreadable(counts.unreadable_time);
    ++counts.times[static_cast<std::size_t>(form)];
    use(std::as_const(row), ts_ns, counts, unreadable, lost);
  });
  return counts;
}

}  // namespace

bool parse_time(std::string_view field, std::int64_t& ts_ns, TimeForm& form) noexcept {
  if (field.size() > 4 && (field[4] == '-' || field[4] == '/')) {
    form = TimeForm::text;
    return parse_iso(field, ts_ns);
  }
  std::uint64_t number = 0;
  const char* const end = field.data() + field.size();
  const auto digits = static_cast<std::size_t>(read_digits(field.data(), end, number) - field.data());
  if (digits > 19 || number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  const auto whole = static_cast<std::int64_t>(number);
  std::int64_t unit_ns = 1;
  std::size_t places = 0;
  if (whole < 100'000'000) return false;
  if (whole < 100'000'000'000) {
    form = TimeForm::seconds, unit_ns = 1'000'000'000, places = 9;
    if (whole > 9'223'372'035) return false;  // the last second that fits into int64 nanoseconds: year 2262
  } else if (whole < 100'000'000'000'000) {
    form = TimeForm::milliseconds, unit_ns = 1'000'000, places = 6;
    if (whole > 9'223'372'036'853) return false;
  } else if (whole < 100'000'000'000'000'000) {
    form = TimeForm::microseconds, unit_ns = 1'000, places = 3;
    if (whole > 9'223'372'036'854'774) return false;
  } else {
    form = TimeForm::nanoseconds;
  }
  std::int64_t fraction = 0;
  field.remove_prefix(digits);
  if (take(field, '.') && !take_fraction(field, places, fraction)) return false;
  ts_ns = whole * unit_ns + fraction;
  return field.empty();
}

bool parse_decimal(std::string_view field, double& value, int& decimals) noexcept {
  // Fast path: digits, a point, digits. With a mantissa below 2^53 and a power of ten up to 22 both are exact doubles,
  // so their quotient is correctly rounded (Clinger 1990), as std::from_chars is.
  std::uint64_t mantissa = 0;
  const char* const begin = field.data();
  const char* const end = begin + field.size();
  const char* p = read_digits(begin, end, mantissa);
  std::ptrdiff_t digits = p - begin;
  std::ptrdiff_t fraction = 0;
  if (p != end && *p == '.') {
    const char* const first = p + 1;
    const char* last = end;
    while (last != first && last[-1] == '0') --last;
    p = read_digits(first, last, mantissa);
    fraction = p - first;
    digits += end - first;
    if (p == last) p = end;  // only zeros follow
  }
  // 18 digits cannot overflow the mantissa.
  if (p == end && digits > 0 && digits <= 18 && mantissa < (std::uint64_t{1} << 53U)) {
    value = static_cast<double>(mantissa) / powers_of_ten[static_cast<std::size_t>(fraction)];
    decimals = static_cast<int>(fraction);
    return true;
  }
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (error != std::errc{} || stop != end || field.empty()) return false;
  decimals = 0;
  if (!std::isfinite(value)) return true;
  std::size_t exponent_at = field.find_first_of("eE");
  int exponent = 0;
  if (exponent_at == std::string_view::npos) {
    exponent_at = field.size();
  } else {
    std::string_view text = field.substr(exponent_at + 1);
    take(text, '+');
    std::from_chars(text.data(), text.data() + text.size(), exponent);
    exponent = std::clamp(exponent, -400, 400);
  }
  std::string_view number = field.substr(0, exponent_at);
  const std::size_t point = number.find('.');
  const std::size_t after = point == std::string_view::npos ? number.size() : point;
  const std::size_t last = number.find_last_not_of("0.-");
  // Place of the last digit that is not zero, counted from the point.
  if (last != std::string_view::npos) {
    const auto place = last > after ? static_cast<int>(last - after) : -static_cast<int>(after - last - 1);
    decimals = std::max(0, place - exponent);
  }
  return true;
}

namespace {

bool is_any(std::string_view field, std::span<const std::string_view> words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return is_word(field, word); });
}

/// What venues, libraries and people write beside buy and sell. Bid and ask are none of them: in files of order books
/// they say where an order rests.
constexpr std::array<std::string_view, 14> buy_words = {"buyer",  "taker_buy", "market_buy", "buy_estimated", "买",
                                                        "买入",   "買",        "買い",       "買入",          "매수",
                                                        "compra", "achat",     "kauf",       "покупка"};
constexpr std::array<std::string_view, 15> sell_words = {
    "seller", "taker_sell", "market_sell", "sell_estimated", "卖",    "卖出",    "賣",     "賣出",
    "売",     "売り",       "매도",        "venta",          "vente", "verkauf", "продажа"};
constexpr std::array<std::string_view, 4> unknown_words = {"unknown", "no_aggressor", "null", "nan"};

Side parse_long_side(std::string_view field) noexcept {
  if (is_any(field, buy_words)) return Side::buy;
  if (is_any(field, sell_words)) return Side::sell;
  return is_any(field, unknown_words) ? Side::unknown : Side::unreadable;
}

}  // namespace

Side parse_side(std::string_view field, SideCode code) noexcept {
  const bool numbered = code == SideCode::one_is_sell_two_is_buy || code == SideCode::one_is_buy_two_is_sell;
  const bool true_is_sell = code == SideCode::true_is_sell || code == SideCode::one_is_sell_two_is_buy;
  const Side when_true = true_is_sell ? Side::sell : Side::buy;
  const Side when_false = true_is_sell ? Side::buy : Side::sell;
  switch (field.size()) {
    case 0:
      return Side::unknown;
    case 1:
      switch (field[0]) {
        case '0':
          return numbered ? Side::unknown : when_false;
        case '1':
          return when_true;
        case '2':
          return numbered ? when_false : Side::unreadable;
        case 'b':
        case 'B':
          return Side::buy;
        case 's':
        case 'S':
        case 'a':  // Hyperliquid, Databento: A and B
        case 'A':
          return Side::sell;
        case 'n':  // Databento: no side
        case 'N':
          return Side::unknown;
        default:
          return Side::unreadable;
      }
    case 3:
      return is_word(field, "buy") ? Side::buy : parse_long_side(field);
    case 4:
      if (is_word(field, "true")) return when_true;
      if (is_word(field, "sell")) return Side::sell;
      return is_word(field, "none") ? Side::unknown : parse_long_side(field);
    case 5:
      return is_word(field, "false") ? when_false : parse_long_side(field);
    default:
      return parse_long_side(field);
  }
}

std::int64_t parse_id(std::string_view field) noexcept {
  const char* const end = field.data() + field.size();
  std::uint64_t number = 0;
  if (!field.empty() && field.size() <= 19 && read_digits(field.data(), end, number) == end &&
      number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return static_cast<std::int64_t>(number);
  if (field.find_first_not_of("0-") == std::string_view::npos) return no_id;
  std::uint64_t hash = 0x9E37'79B9'7F4A'7C15U ^ field.size();
  for (const char* p = field.data(); p != end;) {
    std::uint64_t word = 0;
    const auto n = std::min<std::size_t>(8, static_cast<std::size_t>(end - p));
    std::memcpy(&word, p, n);
    hash = (hash ^ word) * 0xFF51'AFD7'ED55'8CCDU;
    hash ^= hash >> 32U;
    p += n;
  }
  hash = (hash ^ (hash >> 29U)) * 0xC4CE'B9FE'1A85'EC53U;
  const auto id = static_cast<std::int64_t>((hash ^ (hash >> 32U)) | (std::uint64_t{1} << 63U));
  return id == no_id ? no_id + 1 : id;
}

int find_word(std::string_view field, std::span<const std::string> words) noexcept {
  const auto found =
      std::find_if(words.begin(), words.end(), [&](const std::string& word) { return is_word(field, word); });
  return found == words.end() ? -1 : static_cast<int>(found - words.begin());
}

std::size_t count_lines(std::string_view bytes) noexcept {
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n')) +
         (!bytes.empty() && bytes.back() != '\n' ? 1 : 0);
}

RowCounts parse_trades(std::string_view bytes, const TradeColumns& columns, std::string_view symbol,
                       const TradeArrays& out) noexcept {
  int last = std::max({columns.time, columns.price, columns.quantity, columns.side, columns.id, columns.symbol});
  for (const int column : columns.word_columns) last = std::max(last, column);
  const bool ids = columns.id >= 0 && !out.id.empty();
  std::size_t used = 0;
  const auto use = [&, ids](const Row& row, std::int64_t ts_ns, RowCounts& counts, const auto& unreadable,
                            const auto& lost) {
    double price = 0.0, quantity = 0.0;
    int price_decimals = 0, quantity_decimals = 0;
    if (!parse_decimal(row[columns.price], price, price_decimals)) return unreadable(counts.unreadable_price);
    if (!parse_decimal(row[columns.quantity], quantity, quantity_decimals))
      return unreadable(counts.unreadable_quantity);
    const Side side =
        columns.side < 0 ? (quantity < 0.0 ? Side::sell : Side::buy) : parse_side(row[columns.side], columns.code);
    if (columns.side < 0) quantity = std::abs(quantity);
    if (side == Side::unreadable) return unreadable(counts.unreadable_side);
    if (!std::isfinite(price) || !std::isfinite(quantity)) return lost(counts.not_finite);
    if (quantity == 0.0) {
      ++counts.not_positive;
      ++counts.nothing;
      return;
    }
    if (!(price > 0.0 && quantity > 0.0)) return lost(counts.not_positive);
    if (side == Side::unknown) return lost(counts.unknown_side);
    out.ts_ns[used] = ts_ns;
    out.price[used] = price;
    out.quantity[used] = quantity;
    out.taker_sell[used] = side == Side::sell;
    if (ids) out.id[used] = parse_id(row[columns.id]);
    for (std::size_t j = 0; j < columns.word_columns.size(); ++j)
      out.word[j * out.ts_ns.size() + used] =
          static_cast<std::int8_t>(find_word(row[columns.word_columns[j]], columns.words));
    counts.price_decimals = std::max(counts.price_decimals, price_decimals);
    counts.quantity_decimals = std::max(counts.quantity_decimals, quantity_decimals);
    ++used;
  };
  RowCounts counts = for_each_dated_row(bytes, columns.delimiter, last, columns.time, columns.symbol, symbol, use);
  counts.used = static_cast<std::int64_t>(used);
  return counts;
}

RowCounts parse_columns(std::string_view bytes, char delimiter, int time, std::span<const int> columns,
                        int symbol_column, std::string_view symbol, std::span<std::int64_t> ts_ns,
                        std::span<double> values) {
  int last = std::max(time, symbol_column);
  for (const int column : columns) last = std::max(last, column);
  const std::size_t stride = ts_ns.size();
  std::size_t used = 0;
  const auto use = [&](const Row& row, std::int64_t ts, RowCounts& counts, const auto& unreadable, const auto& lost) {
    int finest = 0;
    bool finite = true, empty = false;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const std::string_view field = row[columns[j]];
      double& value = values[j * stride + used];
      int decimals = 0;
      if (field.empty()) {
        empty = true;
        continue;
      }
      if (!parse_decimal(field, value, decimals)) return unreadable(counts.unreadable_price);
      finite = finite && std::isfinite(value);
      finest = std::max(finest, decimals);
    }
    if (!finite) return lost(counts.not_finite);
    if (empty) {
      ++counts.not_finite;
      ++counts.nothing;
      return;
    }
    ts_ns[used] = ts;
    counts.price_decimals = std::max(counts.price_decimals, finest);
    ++used;
  };
  RowCounts counts = for_each_dated_row(bytes, delimiter, last, time, symbol_column, symbol, use);
  counts.used = static_cast<std::int64_t>(used);
  return counts;
}

std::vector<std::string> distinct_values(std::string_view bytes, char delimiter, int column, std::size_t limit,
                                         int last) {
  last = std::max(last, column);
  std::vector<std::string> found;
  Row row;
  for_each_row(bytes, [&](const char* begin, const char* end) {
    if (found.size() >= limit || !in_range(last) || !row.split(begin, end, delimiter, last)) return;
    if (std::find(found.rbegin(), found.rend(), row[column]) == found.rend()) found.emplace_back(row[column]);
  });
  return found;
}

int finest_decimals(std::span<const double> values, int at_least) noexcept {
  constexpr auto sign_bit = std::uint64_t{1} << 63;
  auto decimals = static_cast<std::size_t>(at_least);
  while (!values.empty() && decimals < max_decimals) {
    // A run is tested as a whole; only one that does not fit is tested again. On the bits, because compilers do not
    // vectorise comparisons of doubles.
    const auto run = values.first(std::min<std::size_t>(values.size(), 512));
    const double scale = powers_of_ten[decimals];
    std::uint64_t misfits = 0;
    for (const double x : run) {
      const double scaled = x * scale;
      const double whole = (scaled + 0x1.8p52) - 0x1.8p52;  // rint, for what is below 2^51
      const auto differs = std::bit_cast<std::uint64_t>(whole / scale) ^ std::bit_cast<std::uint64_t>(x);
      // Beyond that the rounded product may be one off: no more digits can be told. NaN and infinity are not below.
      const auto size = std::bit_cast<std::uint64_t>(scaled) & ~sign_bit;
      const auto is_below = (size - std::bit_cast<std::uint64_t>(0x1p51)) >> 63;
      misfits |= (differs & ~sign_bit) & (0 - is_below);  // -0 fits like 0
    }
    if (misfits != 0)
      ++decimals;
    else
      values = values.subspan(run.size());
  }
  return static_cast<int>(decimals);
}

}  // namespace liqcore::text
