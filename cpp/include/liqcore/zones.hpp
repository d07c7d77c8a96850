/// Zones: neighbouring price rows of one side that hold the most, at one instant.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "liqcore/engine.hpp"

namespace liqcore::inline abi1 {

class LiveRows;

/// What counts as a zone; the defaults are those of Heatmap.zones() in Python.
struct ZoneOptions {
  std::int64_t bins_per_row = 5;  ///< book bins in a row of a zone, counted from price zero; 1 to 2^20
  double percentile = 90.0;       ///< of the rows of both sides that hold something: a row at or above this one is part
                                  ///< of a zone (nearest rank, compared as float); 0 to 100
};

/// Neighbouring rows of one side, each at or above the threshold.
struct Zone {
  Side side;
  double low;    ///< lower edge of the lowest row, price
  double high;   ///< upper edge of the highest row, price
  double usd;    ///< live in it at the profile's weights; USD, or the quote currency of a linear contract
  double share;  ///< of all that is live on its side: 0 to 1
  /// From the last traded price to the nearer edge, percent of the price: negative below it, 0 where the price lies in
  /// the zone's own rows; NaN where nothing has traded yet.
  double distance_percent;
};

/// Finds the zones of engines, in memory of its own: it allocates on its first use, and where a book has become wider
/// or has more zones than ever before. One thread at a time; reading an engine is a use of it, too.
class LIQCORE_EXPORT ZoneFinder {
 public:
  /// @throws InvalidConfig if an option breaks its rule
  explicit ZoneFinder(ZoneOptions options = {});
  ZoneFinder(ZoneFinder&&) noexcept;
  ZoneFinder& operator=(ZoneFinder&&) noexcept;
  ~ZoneFinder();

  /// The zones of this moment, by lower edge, rising; at one edge longs first. None before the first price. They lie in
  /// the finder until it is used again.
  std::span<const Zone> find(const Engine& engine);
  /// What each row of the last zones found holds at least, USD; 0 where nothing is live.
  [[nodiscard]] double threshold() const noexcept { return threshold_; }
  [[nodiscard]] const ZoneOptions& options() const noexcept { return options_; }

 private:
  friend class FeatureReader;
  std::span<const Zone> find(const Engine& engine, const LiveRows& rows);

  ZoneOptions options_;
  double threshold_ = 0.0;
  std::unique_ptr<LiveRows> rows_;
  std::vector<float> sums_[2];
  std::vector<float> live_;
  std::vector<Zone> zones_;
};

/// The zones of an engine at this moment: ZoneFinder for a single use.
/// @throws InvalidConfig if an option breaks its rule
[[nodiscard]] LIQCORE_EXPORT std::vector<Zone> find_zones(const Engine& engine, const ZoneOptions& options = {});

}  // namespace liqcore::inline abi1
