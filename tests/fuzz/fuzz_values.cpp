// The values of Parquet's pages: whatever the bytes, what comes out lies below the limit, and nothing else is read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "columns/parquet_values.hpp"
#include "liqcore/error.hpp"
#include "take.hpp"

using namespace liqcore::columns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Take take(data, size);
  const int width = take.below(40) - 2;
  const std::uint32_t limit = take.below(2) == 0 ? take.value<std::uint32_t>() : 4;
  std::vector<std::uint32_t> out(take.value<std::uint16_t>() % 600);
  // On the heap by itself, so that a read behind its end is seen.
  const std::vector<std::byte> bytes(take.bytes().begin(), take.bytes().end());
  try {
    if (read_runs(bytes, width, limit, out) > bytes.size()) std::abort();
    for (const std::uint32_t value : out)
      if (value >= limit) std::abort();
  } catch (const liqcore::DataError&) {
  }
  try {
    std::size_t total = 0;
    for (const std::string_view word : read_words(bytes, out.size())) total += 4 + word.size();
    if (total > bytes.size()) std::abort();
  } catch (const liqcore::DataError&) {
  }
  return 0;
}
