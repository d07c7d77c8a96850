#include "pictures/colouring.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "pictures/step_table.hpp"

namespace liqcore::pictures {
namespace {

/// How shares of the range between two values become entries: none where a value lies below the cut.
struct Range {
  float steps;   ///< entries above the lowest one
  float lowest;  ///< of a share of 0, with the half that rounds
};
constexpr Range kWhole{255.0F, 0.5F};
constexpr Range kFromCut{254.0F, 1.5F};

std::int32_t entry_of(float place, const Range& range) noexcept {
  return static_cast<std::int32_t>(place * range.steps + range.lowest);
}

/// Entries of logarithms. Below 2^-17 they are the lowest one; neighbours are at least 2.7 % apart, buckets 0.4 %.
class Logarithms {
 public:
  explicit Logarithms(const Range& range) noexcept
      : table_([&range](float share) {
          const double place = std::log1p(static_cast<double>(share) * 1000.0) / std::log1p(1000.0);
          return entry_of(static_cast<float>(place), range);
        }) {}

  [[nodiscard]] std::int32_t of(float share) const noexcept {
    return table_.of(std::max(std::bit_cast<std::int32_t>(share), std::bit_cast<std::int32_t>(0x1p-17F)));
  }

 private:
  StepTable<-17, 0, 15> table_;
};

struct Scaling {
  float least;  ///< values below it get entry 0
  float origin;
  float per_value;

  /// Of NaN 0.
  [[nodiscard]] float share(float value) const noexcept {
    const float share = (value - origin) * per_value;
    const float above = share > 0.0F ? share : 0.0F;
    return above < 1.0F ? above : 1.0F;
  }
};

template <class Entry>
void write(const float* values, std::size_t n, const Scaling& scaling, std::uint8_t* entries, Entry&& entry) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t found = entry(scaling.share(values[i]));
    entries[i] = static_cast<std::uint8_t>(values[i] >= scaling.least ? found : 0);
  }
}

}  // namespace

void colour_entries(const float* values, std::size_t n, double maximum, ColourScale scale, double cut,
                    std::uint8_t* entries) noexcept {
  const bool is_cut = cut > 0.0;
  const Range& range = is_cut ? kFromCut : kWhole;
  const float least = is_cut ? static_cast<float>(cut) : -std::numeric_limits<float>::infinity();
  const double width = is_cut ? std::max(maximum - cut, 1e-6 * cut) : maximum;
  const Scaling scaling{least, is_cut ? least : 0.0F, static_cast<float>(1.0 / width)};
  switch (scale) {
    case ColourScale::sqrt:
      return write(values, n, scaling, entries, [range](float share) { return entry_of(std::sqrt(share), range); });
    case ColourScale::linear:
      return write(values, n, scaling, entries, [range](float share) { return entry_of(share, range); });
    case ColourScale::log: {
      static const Logarithms whole(kWhole);
      static const Logarithms from_cut(kFromCut);
      const Logarithms& logarithms = is_cut ? from_cut : whole;
      return write(values, n, scaling, entries, [&logarithms](float share) { return logarithms.of(share); });
    }
  }
}

}  // namespace liqcore::pictures
