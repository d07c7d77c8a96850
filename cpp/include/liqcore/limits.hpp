/// The numbers that prices, quantities and sums stay within, so that every one of them is exact.
#pragma once

#include <cstdint>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Distance, in steps, from which on a number counts as off its grid.
inline constexpr double kGridTolerance = 1e-6;
/// Prices above this many ticks are rejected: beyond, a double cannot tell on-grid from off-grid to the tolerance.
inline constexpr double kMaxTicks = 2147483647.0;  // 2^31 - 1
/// Quantities above this many lots are rejected, so that totals stay within 64 bits.
inline constexpr double kMaxLots = 281474976710656.0;  // 2^48
/// No axis reaches beyond this tick, and no level is placed from it on.
inline constexpr std::int64_t kLastTick = std::int64_t{1} << 40;
/// The most bins of an axis.
inline constexpr std::int64_t kMaxAxisBins = std::int64_t{1} << 22;
/// Whole lots are exact in a double up to here.
inline constexpr double kWholeLimit = 9007199254740992.0;  // 2^53
/// Multiples of 1/1024 lot are exact in a double up to here.
inline constexpr double kSharedLimit = kWholeLimit / 1024.0;
/// Values of stored segments lie below: sums of a few are whole numbers of 64 bits.
inline constexpr double kMaxStored = 4611686018427387904.0;  // 2^62

// A product with 1/step and a division by step are within 1.5 * 2^-52 of each other, relatively: below kNear steps
// within 3.6e-7. So where the product is within kOnGrid of a whole number, the division is within kGridTolerance of the
// same one, and says the same of the row.
inline constexpr double kNear = 1073741824.0;  // 2^30
inline constexpr double kOnGrid = 5e-7;

}  // namespace liqcore::inline abi1
