// Rows of saved heatmaps: what they make is a history that can be read in every way and gives the same rows again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "liqcore/archive.hpp"
#include "liqcore/error.hpp"
#include "take.hpp"

using namespace liqcore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Take take(data, size);
  const Terms terms{take.below(2) == 0 ? Contract::linear : Contract::inverse,
                    take.below(8) == 0 ? take.value<double>() : 0.5,
                    take.below(8) == 0 ? take.value<double>() : 0.001,
                    1.0,
                    take.below(8) == 0 ? take.value<std::int64_t>() : 2,
                    take.below(8) == 0 ? take.value<std::int64_t>() : 1000,
                    static_cast<std::size_t>(take.below(4))};
  const std::int64_t first = take.below(4) == 0 ? take.value<std::int64_t>() : 1'000'000;
  const auto windows = static_cast<std::size_t>(take.below(16));
  ArchiveRows rows;
  std::int64_t time = first;
  while (!take.empty()) {
    if (take.below(4) == 0) {  // as unsigned numbers, which may go round
      const auto step = take.below(8) == 0 ? static_cast<std::int64_t>(take.value<std::int32_t>()) : 1000;
      time = static_cast<std::int64_t>(static_cast<std::uint64_t>(time) + static_cast<std::uint64_t>(step));
    }
    const auto kind = static_cast<RowKind>(take.below(24));
    const int side = take.below(3) - 1;
    const int tier = take.below(5) - 1;
    const std::int32_t bin = take.below(4) == 0 ? take.value<std::int32_t>() : take.below(200);
    rows.push(time, kind, side, tier, bin, take.below(4) == 0 ? take.value<double>() : take.below(50));
  }
  try {
    const History history = from_rows(terms, first, windows, rows);
    if (history.size() != windows) std::abort();
    for (std::size_t i = 0; i < history.size(); ++i) static_cast<void>(history.segment(i));
    const ArchiveRows again = to_rows(history);
    const ArchiveRows third = to_rows(from_rows(terms, first, windows, again));
    if (again.kind != third.kind || again.bin != third.bin || again.time_ns != third.time_ns) std::abort();
  } catch (const InvalidConfig&) {
  }
  return 0;
}
