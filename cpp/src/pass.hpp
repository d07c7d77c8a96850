// What a stretch of time does to one layer: the rule, for whatever keeps the cells.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "liqcore/layers.hpp"
#include "liqcore/segment.hpp"
#include "power.hpp"

namespace liqcore::inline abi1 {

/// A scale of a segment for one tier.
inline double factor_of(const std::vector<double>& scale, std::size_t tier) noexcept {
  return scale.empty() ? 1.0 : scale[tier];
}

/// What is left of a level when the first step that reaches it comes; some step must.
inline double scale_when_touched(bool is_long, const std::vector<TouchStep>& steps, std::size_t tier,
                                 std::int64_t bin) noexcept {
  for (const TouchStep& step : steps)
    if (is_long ? bin >= step.bin : bin <= step.bin) return factor_of(step.scale, tier);
  return 1.0;
}

/// What is left of a cell once an addition has come: nothing where it took all of it away, since both were rounded.
inline double left_of(double cell, double added) noexcept {
  return added < 0.0 && std::fabs(cell) <= Layers::kRounding * -added ? 0.0 : cell;
}

/// Let a segment pass over a layer: what its touches reach is taken, the rest scaled, additions come on top, and last
/// what the scale left as dust goes. `range`, where the layer may hold something, shrinks by what was touched; the rest
/// of it is up to the cells.
///
/// @param cells  touch(bins, scale of a bin) takes what is there, each level at the scale that it was touched at;
///               scale(factor), add(additions of all layers), flush() after a scale
/// @param windows  how often an idle segment repeats: its scale is raised to that power, then dust is flushed once.
///                 Cells only fall, so those that are left are the same as if every window had flushed
template <class CellStore>
void pass(const Segment& segment, std::size_t layer, std::size_t tiers, Layers::Range& range, CellStore& cells,
          std::uint64_t windows = 1) {
  const bool longs = layer < tiers;
  const std::size_t side = longs ? 0 : 1;
  const std::size_t tier = longs ? layer : layer - tiers;
  if (const std::vector<TouchStep>& steps = segment.touched[side]; !steps.empty()) {
    const std::int64_t furthest = steps.back().bin;  // later steps reach further
    const Layers::Range reached = longs ? Layers::Range{std::max(range.low, furthest), range.high}
                                        : Layers::Range{range.low, std::min(range.high, furthest + 1)};
    if (!reached.empty()) {
      (longs ? range.high : range.low) = longs ? reached.low : reached.high;
      cells.touch(reached, [&](std::int64_t bin) { return scale_when_touched(longs, steps, tier, bin); });
    }
  }
  const double scale = power(factor_of(segment.scale[side], tier), windows);
  if (scale != 1.0) cells.scale(scale);
  cells.add(segment.additions);
  if (scale != 1.0) cells.flush();
}

}  // namespace liqcore::inline abi1
