/// Which share of what is opened uses which leverage.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Whether a tier is no leverage but the distance of its level from the entry, as a share of it: 0.002 is 0.2 %.
///
/// Beyond the leverage at which maintenance margin takes the whole margin (1/L <= m + f) no position exists, though
/// levels do lie nearer: of positions that were opened earlier, or were hedged, or have lost. A distance places such
/// levels at rint(entry x (1 -/+ d)), without margin terms.
[[nodiscard]] constexpr bool is_distance(double tier) noexcept { return tier < 1.0; }

/// How a tier is shown: "25x", or "0.2 %".
[[nodiscard]] LIQCORE_EXPORT std::string tier_name(double tier);

/// The tier that a text names: "25", "25x", "0.2%" or "0.2 %".
/// @throws InvalidConfig if it names none
[[nodiscard]] LIQCORE_EXPORT double tier_of(std::string_view text);

/// Leverage tiers and the share of the opened quantity in each; a tier may also be a distance from the entry.
///
/// Weights are applied when a book is read, never inside it (a book's layer holds the whole quantity as if everybody
/// used that tier), so another profile over the same tiers costs no second pass over the trades.
/// Immutable; safe to share between threads.
class LIQCORE_EXPORT LeverageProfile {
 public:
  /// @param tiers      leverages, finite, >= 1, or distances from the entry, above 0 and below 1 (is_distance()); all
  ///                   different; at most 1,024. Kept in rising order, distances first
  /// @param shares     share of each; finite, >= 0, summing to 1 within 1e-9
  /// @param intensity  scales all shares: 1 for an assumed profile, otherwise what a fit says; finite, > 0
  /// @throws InvalidConfig if a value breaks its rule
  LeverageProfile(std::vector<double> tiers, std::vector<double> shares, double intensity = 1.0);

  /// "default": 5x 30 %, 10x 30 %, 25x 20 %, 50x 12 %, 100x 8 %, an assumption between the published statistics
  /// (docs/theory/leverage.md). "integer-125": every whole leverage from 1 to 125 in the proportions that the
  /// best-known commercial map uses, L up to 25 and 1.2 ln L above.
  /// @throws InvalidConfig for another name
  static LeverageProfile preset(std::string_view name);

  [[nodiscard]] std::size_t size() const noexcept { return tiers_.size(); }
  [[nodiscard]] const std::vector<double>& tiers() const noexcept { return tiers_; }
  [[nodiscard]] const std::vector<double>& shares() const noexcept { return shares_; }
  [[nodiscard]] double intensity() const noexcept { return intensity_; }
  /// Number of the tier of a leverage.
  /// @throws InvalidConfig if it is none of the tiers
  [[nodiscard]] std::size_t index(double leverage) const;
  /// share x intensity of tier i.
  [[nodiscard]] double weight(std::size_t i) const noexcept { return shares_[i] * intensity_; }
  /// The same of each tier.
  [[nodiscard]] std::vector<double> weights() const;
  bool operator==(const LeverageProfile&) const noexcept = default;

 private:
  std::vector<double> tiers_;
  std::vector<double> shares_;
  double intensity_;
};

}  // namespace liqcore::inline abi1
