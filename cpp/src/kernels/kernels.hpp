// The hot loops: plain pointers and sizes, compiled once for every CPU target and chosen at run time.
//
// Every target gives the same bits: sums are whole numbers, and each product and rounding is done on its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "liqcore/limits.hpp"
#include "liqcore/version.hpp"

namespace liqcore::inline abi1::kernels {

/// The grid of an instrument, with its reciprocals.
struct Grid {
  double tick_size;
  double lot_size;
  double per_tick;
  double per_lot;
};

/// What a block of trades came to.
struct Block {
  bool clean;             ///< every row is usable and of at most 2^30 lots; otherwise look at the rows one by one
  std::uint64_t rounded;  ///< quantities that were off the lot grid
  std::int64_t low;       ///< lowest and highest tick
  std::int64_t high;
};

/// Neighbours often share tick and side; in tables of their own their sums need not wait for each other's store.
inline constexpr std::size_t kTables = 4;

/// A run of trades summed into tables that lie `stride` cells apart; cell 2 * tick + taker_sell.
struct Tables {
  std::int64_t* cells;  ///< where tick 0 of the first table would be
  std::size_t stride;
  std::size_t count = kTables;  ///< how many of them are in use
};

/// How the levels of one layer follow from entries: rint(tick * k), in bins of ticks_per_bin.
struct Projection {
  double k;
  double inverse;  ///< 1 / k
  double ticks_per_bin;
};

/// One CPU target's versions of all of them.
struct Kernels {
  const char* name;

  /// Whether times never step back.
  bool (*rises)(const std::int64_t* ts_ns, std::size_t n);

  /// Prices and quantities onto their grids: keys[i] = 2 * tick + taker_sell, lots[i] whole.
  Block (*convert)(const double* price, const double* qty, const std::uint8_t* taker_sell, std::size_t n,
                   const Grid& grid, std::int64_t* keys, std::int64_t* lots);

  /// Add a block's lots to the tables, row i to table i % kTables.
  void (*sum)(const std::int64_t* keys, const std::int64_t* lots, std::size_t n, Tables tables);

  /// The lowest and the highest of n >= 1 keys.
  void (*range)(const std::int64_t* keys, std::size_t n, std::int64_t* low, std::int64_t* high);

  /// Quantity opened below each tick of [low, low + ticks]: prefix[0] = 0, prefix[i + 1] = prefix[i] + what opens at
  /// low + i, in lots, of `taken` lots of a trade on its taker's side and `made` / 1024 on the other's.
  void (*open_prefix)(Tables tables, std::int64_t low, std::size_t ticks, std::int64_t made, double* longs,
                      double* shorts);

  /// Add what a run opens to some cells of one layer, of the bins from first_bin on, all of them below that of the
  /// run's highest tick. prefix as above; `below` is what opens in bins below first_bin.
  /// @return what opens in bins up to the last of these
  double (*project)(const Projection& layer, std::int64_t low, const double* prefix, std::int64_t first_bin,
                    std::size_t bins, double* cells, double below);
};

extern const Kernels kBaseline;
#if defined(LIQCORE_X86_TARGETS)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif

/// The target in use.
[[nodiscard]] const Kernels& active() noexcept;

}  // namespace liqcore::inline abi1::kernels
