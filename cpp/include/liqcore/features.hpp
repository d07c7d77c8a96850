/// What a strategy wants to know of a book at one instant, as a row of numbers; live and in a backtest the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "liqcore/zones.hpp"

namespace liqcore::inline abi1 {

inline constexpr double kDefaultDensityPercent = 1.0;

/// Which features.
struct FeatureOptions {
  std::vector<double> reaches_percent = {0.5, 1.0, 2.0, 5.0};  ///< rising, above 0 and below 100; 1 to 64 of them
  ZoneOptions zones = {};
  /// half-width of the density's kernel, percent of the price; above 0, below 100
  double density_percent = kDefaultDensityPercent;
};

/// Reads an engine's features as a row of doubles.
///
/// | name | meaning |
/// |---|---|
/// | `price` | last traded price, or the last candle's close |
/// | `long_usd_{x}pct`, `short_usd_{x}pct` for each reach x | live longs that a fall by x % of the price reaches,
/// |   | live shorts that a rise reaches; the whole book bin in which the moved price lies counts |
/// | `long_zone_low`, `_high`, `_usd`, `_percent` | the highest zone of longs (the one that a fall meets first): its
/// |   | edges, what is live in it, and Zone::distance_percent; NaN where there is none |
/// | `short_zone_low`, `_high`, `_usd`, `_percent` | the lowest zone of shorts |
/// | `imbalance` | (shorts - longs) / (shorts + longs) within the widest reach, -1 to 1: above 0 a rise would reach
/// |   | more than a fall; NaN where there is neither |
/// | `liquidated_long_usd`, `liquidated_short_usd` | liquidated in the last window that has closed; NaN before one has
/// | | `density_usd_per_pct` | sum over bins of both sides of USD * (1 - d/h)/h, with the distance d < h of the bin's
/// |   | middle from the price and the half-width h, both in percent of the price |
/// | `age_s` | time from the book's first event to the engine's clock, seconds |
///
/// Amounts are USD (linear: quote currency) at the profile's weights and the bin's mid price, as everywhere. Before the
/// first traded price (or candle) all of them are NaN; from then on sums over nothing are 0.
///
/// A value is as of the engine's clock and of what it has been fed; whoever wants it as of a time advances the engine
/// to that time first. It allocates on its first use, and where a book has become wider or has more zones than ever
/// before. One thread at a time; reading an engine is a use of it, too. A reader may read any number of engines.
class LIQCORE_EXPORT FeatureReader {
 public:
  /// @throws InvalidConfig if an option breaks its rule
  explicit FeatureReader(FeatureOptions options = {});
  FeatureReader(FeatureReader&&) noexcept;
  FeatureReader& operator=(FeatureReader&&) noexcept;
  ~FeatureReader();

  /// Names of the columns, in order: as above.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  [[nodiscard]] const FeatureOptions& options() const noexcept { return options_; }

  /// Write the features of this moment.
  /// @param out  size() values
  /// @throws InvalidConfig if `out` has another size
  void read(const Engine& engine, std::span<double> out);

  /// Feed streams and read the features as of every closing time: what is dated before it counts, nothing else does.
  /// The engine is advanced to each, so windows that have ended by then are closed; what comes at or after the last
  /// is fed at the end. The rows of a stream are taken in their order: one that comes after a later one is fed with it.
  /// @param closes_ns  strictly rising; none before the engine's clock
  /// @param out        closes_ns.size() rows of size() values
  /// @throws InvalidConfig if closes_ns or the size of `out` breaks its rule, before anything has happened; or as
  /// Engine::feed() and Engine::advance(), which may be in between
  void feed(Engine& engine, const Feed& feed, std::span<const std::int64_t> closes_ns, std::span<double> out);

 private:
  FeatureOptions options_;
  std::vector<std::string> names_;
  ZoneFinder zones_;
  std::unique_ptr<LiveRows> rows_;
};

}  // namespace liqcore::inline abi1
