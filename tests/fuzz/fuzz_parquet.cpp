// The metadata of Parquet files: a footer, and the pages of a chunk of the sizes it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "columns/parquet.hpp"
#include "liqcore/error.hpp"
#include "take.hpp"

using namespace liqcore::columns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Take take(data, size);
  const std::uint64_t pages_end = take.value<std::uint32_t>();
  try {
    const ParquetFooter footer = read_footer(take.bytes(), pages_end);
    for (const ParquetGroup& group : footer.groups) {
      if (group.chunks.size() != footer.columns.size()) std::abort();
      for (const ParquetChunk& chunk : group.chunks)
        if (chunk.begin < 4 || chunk.begin + chunk.size > pages_end) std::abort();
    }
  } catch (const liqcore::DataError&) {
  }
  ParquetChunk said{.unpacked = 1 << 16, .values = static_cast<std::uint64_t>(take.below(100))};
  said.size = take.bytes().size();
  try {
    std::uint64_t values = 0;
    for (const ParquetPage& page : read_pages(take.bytes(), said)) {
      if (page.begin + page.size > said.size || page.unpacked > said.unpacked) std::abort();
      if (page.kind != PageKind::dictionary) values += page.values;
    }
    if (values != said.values) std::abort();
  } catch (const liqcore::DataError&) {
  }
  return 0;
}
