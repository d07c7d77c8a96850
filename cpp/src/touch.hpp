// What the touch steps of a segment mean for one level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// What is left of a level when the first step that reaches it comes; negative if none does.
inline double scale_when_touched(bool is_long, const std::vector<TouchStep>& steps, std::size_t tier,
                                 std::int64_t bin) noexcept {
  for (const TouchStep& step : steps)
    if (is_long ? bin >= step.bin : bin <= step.bin) return step.scale.empty() ? 1.0 : step.scale[tier];
  return -1.0;
}

}  // namespace liqcore::inline abi1
