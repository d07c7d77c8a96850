// Numbers in error messages.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
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

}  // namespace liqcore::inline abi1
