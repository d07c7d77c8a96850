// Numbers in error messages.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

namespace liqcore::inline abi1 {

/// The shortest text that reads back as the same number.
inline std::string text_of(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

inline std::string text_of(std::int64_t value) { return std::to_string(value); }

}  // namespace liqcore::inline abi1
