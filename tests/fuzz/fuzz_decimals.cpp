// Fields: numbers, times, sides and ids.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "take.hpp"
#include "text/csv.hpp"

namespace text = liqcore::text;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Take take(data, size);
  const auto code = static_cast<text::SideCode>(take.below(4));
  const std::string_view field = take.text();
  double value = 0.0;
  int decimals = 0;
  if (text::parse_decimal(field, value, decimals)) {
    // The nearest double to what stands there: the C library reads the same of what it reads whole.
    const std::string whole(field);
    char* end = nullptr;
    const double other = std::strtod(whole.c_str(), &end);
    if (end == whole.c_str() + whole.size() && std::isfinite(value) && value != other) std::abort();
    if (decimals < 0) std::abort();
  }
  std::int64_t ts = 0;
  text::TimeForm form{};
  if (text::parse_time(field, ts, form) && ts < 0) std::abort();
  static_cast<void>(text::parse_side(field, code));
  static_cast<void>(text::parse_id(field));
  return 0;
}
