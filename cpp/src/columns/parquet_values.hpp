/// The values of Parquet's pages: read from bytes that may be anything.
///
/// Private to the bindings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace liqcore::columns {

/// Reads as many whole numbers as `out` has room for, in the format's mixture of runs and packed bits: levels, places
/// in a dictionary, truths.
/// @param width  bits of each, 0 to 32
/// @param limit  what each must lie below
/// @return how many of the bytes they take
/// @throws DataError  if they end early, a run is longer, or one is not below the limit
std::size_t read_runs(std::span<const std::byte> bytes, int width, std::uint32_t limit, std::span<std::uint32_t> out);

/// Where texts lie that stand one after another, each behind its length.
/// @throws DataError  if they end early
[[nodiscard]] std::vector<std::string_view> read_words(std::span<const std::byte> bytes, std::size_t count);

}  // namespace liqcore::columns
