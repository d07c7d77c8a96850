/// A function of floats that rises in whole steps, looked up in place of being computed.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace liqcore::pictures {

/// Floats from 2^From to 2^To in buckets of the bits above the lowest `Shift`: a bucket has the step of
/// its first float, and the place from which on it is the next one. Exact, whatever the function: it was asked at every
/// bucket, and between the two floats where it steps.
template <std::int32_t From, std::int32_t To, int Shift>
class StepTable {
 public:
  /// @param step  never falls, is below 2^(30 - Shift), and rises by at most 1 within a bucket
  template <class Step>
  explicit StepTable(const Step& step) noexcept {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(kBuckets); ++i) {
      const std::int32_t begin = kFirst + (i << Shift);
      const std::int32_t value = step(std::bit_cast<float>(begin));
      std::int32_t low = 0;  // the last place that is known to be of this step
      std::int32_t high = kPlaces;
      while (high - low > 1) {
        const std::int32_t middle = (low + high) / 2;
        const std::int32_t found = step(std::bit_cast<float>(begin + middle));
        assert(found == value || found == value + 1);
        (found == value ? low : high) = middle;
      }
      buckets_[static_cast<std::size_t>(i)] = value << (Shift + 1) | high;
    }
  }

  /// The step of a float, given by its bits.
  [[nodiscard]] std::int32_t of(std::int32_t bits) const noexcept {
    const std::int32_t found = buckets_[static_cast<std::size_t>((bits - kFirst) >> Shift)];
    const std::int32_t place = bits & (kPlaces - 1);
    return (found >> (Shift + 1)) + static_cast<std::int32_t>(place >= (found & (2 * kPlaces - 1)));
  }

 private:
  static constexpr std::int32_t bits_of(std::int32_t exponent) noexcept { return (exponent + 127) << 23; }

  static constexpr std::int32_t kFirst = bits_of(From);
  static constexpr std::int32_t kPlaces = 1 << Shift;
  static constexpr std::size_t kBuckets = static_cast<std::size_t>((bits_of(To) - kFirst) >> Shift) + 1;
  std::array<std::int32_t, kBuckets> buckets_;
};

}  // namespace liqcore::pictures
