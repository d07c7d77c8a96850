// Numbers in error messages.
#pragma once

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace liqcore::inline abi1 {

/// The shortest text that reads back as the same number; without an exponent where prices and rates live.
inline std::string text_of(double value) {
  char buffer[32];
  const double size = std::fabs(value);
  const bool plain = size == 0.0 || (size >= 1e-6 && size < 1e15);
  const auto form = plain ? std::chars_format::fixed : std::chars_format::general;
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, form).ptr};
}

inline std::string text_of(std::int64_t value) { return std::to_string(value); }

/// A time (ns since the UNIX epoch, >= 0) as 2026-06-10T12:00:03.25Z.
inline std::string text_of_time(std::int64_t ts_ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(ts_ns)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<nanoseconds> clock{time - day};
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%09lld", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
  std::string text = buffer;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "Z";
}

/// A price of some ticks, in the decimals that a person would write.
inline std::string text_of_price(std::int64_t ticks, double tick_size) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.12g", static_cast<double>(ticks) * tick_size);
  return buffer;
}

}  // namespace liqcore::inline abi1
