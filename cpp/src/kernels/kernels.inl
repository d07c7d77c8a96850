// The loops themselves, in GCC's vector types. Included once by each target's file, which sets LIQCORE_LANES and
// LIQCORE_TARGET; everything is in an unnamed namespace and calls nothing that is shared between targets, so that no
// code compiled for a newer CPU can end up where the baseline runs.
#include "kernels/kernels.hpp"

#if LIQCORE_LANES > 2
#include <immintrin.h>
#endif

namespace liqcore::inline abi1::kernels {
namespace {

constexpr std::size_t kLanes = LIQCORE_LANES;
using Doubles = double __attribute__((vector_size(8 * kLanes)));
using Longs = std::int64_t __attribute__((vector_size(8 * kLanes)));
using Bits = std::uint64_t __attribute__((vector_size(8 * kLanes)));  // of rows that may hold anything

constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves no bits below one
constexpr std::int64_t kShiftBits = 0x4338000000000000;

template <class Vector, class T>
inline Vector load(const T* from) noexcept {
  Vector out;
  __builtin_memcpy(&out, from, sizeof out);
  return out;
}

template <class Vector, class T>
inline void store(T* to, const Vector& value) noexcept {
  __builtin_memcpy(to, &value, sizeof value);
}

/// 1 where a byte is not 0.
inline Longs flags(const std::uint8_t* bytes) noexcept {
  // GCC 12 would widen the bytes of a vector one by one.
#if LIQCORE_LANES == 8
  const __m128i narrow = _mm_cvtsi64_si128(load<std::int64_t>(bytes));
  const Longs wide = reinterpret_cast<Longs>(_mm512_cvtepu8_epi64(narrow));
#elif LIQCORE_LANES == 4
  const Longs wide = reinterpret_cast<Longs>(_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(load<std::int32_t>(bytes))));
#else
  return Longs{bytes[0] != 0, bytes[1] != 0};
#endif
#if LIQCORE_LANES > 2
  return (wide != 0) & 1;
#endif
}

inline Doubles absolute(Doubles x) noexcept {
  return reinterpret_cast<Doubles>(reinterpret_cast<Longs>(x) & std::int64_t{0x7fffffffffffffff});
}

inline bool any(Longs mask) noexcept {
  std::int64_t all = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) all |= mask[lane];
  return all != 0;
}

inline bool rises_from(const std::int64_t* ts_ns, std::size_t n) noexcept {
  bool fine = true;
  std::size_t i = 1;
#if LIQCORE_LANES > 2  // baseline CPUs cannot compare 64-bit lanes
  Longs back = {};
  for (; i + kLanes <= n; i += kLanes) back |= load<Longs>(ts_ns + i) < load<Longs>(ts_ns + i - 1);
  fine = !any(back);
#endif
  for (; i < n; ++i) fine &= ts_ns[i] >= ts_ns[i - 1];
  return fine;
}

bool rises(const std::int64_t* ts_ns, std::size_t n) {
  // Four stretches side by side: one alone is read at half the speed that memory has for several.
  constexpr std::size_t kStretches = 4;
  constexpr std::size_t kStep = 64;
  const std::size_t stretch = n == 0 ? 0 : (n - 1) / kStretches / kStep * kStep;
  bool fine = true;
  for (std::size_t i = 0; i < stretch; i += kStep)
    for (std::size_t s = 0; s < kStretches; ++s) fine &= rises_from(ts_ns + s * stretch + i, kStep + 1);
  const std::size_t rest = kStretches * stretch;
  return fine && rises_from(ts_ns + rest, n - rest);
}

/// What the rows of a block have in common, gathered as the block is converted.
struct Gathered {
  Doubles low_tick = Doubles{} + kNear;
  Doubles high_tick = Doubles{};
  Doubles low_lots = Doubles{} + kNear;
  Doubles off_grid = Doubles{};  // the furthest from the grid, in steps; of prices alone where quantities may be off
  Bits bits = {};                // of all whole ticks and lots together: none from bit 31 up if every row was a number,
                                 // not negative and in bounds
  Longs rounded = {};
};

inline Doubles least(Doubles a, Doubles b) noexcept { return a < b ? a : b; }
inline Doubles most(Doubles a, Doubles b) noexcept { return a > b ? a : b; }

/// @tparam kProduct  multiply by the reciprocals, several times as fast as dividing; good for rows that are plainly on
///                   both grids, and says so of the others
template <bool kProduct>
inline void convert_rows(Doubles price, Doubles qty, Longs sell, const Grid& grid, Gathered& seen, std::int64_t* keys,
                         std::int64_t* lots) noexcept {
  const Doubles x = kProduct ? price * grid.per_tick : price / grid.tick_size;
  const Doubles y = kProduct ? qty * grid.per_lot : qty / grid.lot_size;
  const Doubles x_shifted = x + kShift;
  const Doubles y_shifted = y + kShift;
  const Doubles tick = x_shifted - kShift;
  const Doubles lot = y_shifted - kShift;
  const Doubles off_tick = absolute(x - tick);
  const Doubles off_lot = absolute(y - lot);
  const Bits whole_tick = reinterpret_cast<Bits>(x_shifted) - static_cast<std::uint64_t>(kShiftBits);
  const Bits whole_lots = reinterpret_cast<Bits>(y_shifted) - static_cast<std::uint64_t>(kShiftBits);
  seen.bits |= whole_tick | whole_lots;
  seen.low_tick = least(tick, seen.low_tick);
  seen.high_tick = most(tick, seen.high_tick);
  if constexpr (kProduct) {
    seen.low_lots = least(lot, seen.low_lots);
    seen.off_grid = most(most(off_tick, off_lot), seen.off_grid);
  } else {
    seen.low_lots = least(qty > 0.0 ? lot + 1.0 : lot, seen.low_lots);  // less than half a lot is a quantity, too
    seen.off_grid = most(off_tick, seen.off_grid);
    seen.rounded -= off_lot > kGridTolerance;
  }
  store(keys, whole_tick + whole_tick + reinterpret_cast<Bits>(sell));
  store(lots, whole_lots);
}

template <bool kProduct>
inline Block convert_block(const double* price, const double* qty, const std::uint8_t* taker_sell, std::size_t n,
                           const Grid& grid, std::int64_t* keys, std::int64_t* lots) noexcept {
  Gathered seen;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    convert_rows<kProduct>(load<Doubles>(price + i), load<Doubles>(qty + i), flags(taker_sell + i), grid, seen,
                           keys + i, lots + i);
  const Longs rounded_before = seen.rounded;
  if (i < n) {
    // The rest as one more vector, its other lanes filled with the last row.
    double rest_price[kLanes];
    double rest_qty[kLanes];
    std::uint8_t rest_sell[kLanes];
    std::int64_t out[2][kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t row = i + lane < n ? i + lane : n - 1;
      rest_price[lane] = price[row];
      rest_qty[lane] = qty[row];
      rest_sell[lane] = taker_sell[row];
    }
    convert_rows<kProduct>(load<Doubles>(rest_price), load<Doubles>(rest_qty), flags(rest_sell), grid, seen, out[0],
                           out[1]);
    for (std::size_t lane = 0; i + lane < n; ++lane) {
      keys[i + lane] = out[0][lane];
      lots[i + lane] = out[1][lane];
    }
    for (std::size_t lane = n - i; lane < kLanes; ++lane) seen.rounded[lane] = rounded_before[lane];
  }
  double low = seen.low_tick[0];
  double high = 0.0;
  double low_lots = seen.low_lots[0];
  double off_grid = 0.0;
  std::uint64_t bits = 0;
  std::int64_t rounded = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    low = seen.low_tick[lane] < low ? seen.low_tick[lane] : low;
    high = seen.high_tick[lane] > high ? seen.high_tick[lane] : high;
    low_lots = seen.low_lots[lane] < low_lots ? seen.low_lots[lane] : low_lots;
    off_grid = seen.off_grid[lane] > off_grid ? seen.off_grid[lane] : off_grid;
    bits |= seen.bits[lane];
    rounded += seen.rounded[lane];
  }
  const bool clean = bits >> 31 == 0 && low >= 1.0 && high <= kNear && low_lots >= 1.0 &&
                     off_grid <= (kProduct ? kOnGrid : kGridTolerance);
  if (!clean) return {false, 0, 0, 0};
  return {true, static_cast<std::uint64_t>(rounded), static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)};
}

Block convert(const double* price, const double* qty, const std::uint8_t* taker_sell, std::size_t n, const Grid& grid,
              std::int64_t* keys, std::int64_t* lots) {
  const Block block = convert_block<true>(price, qty, taker_sell, n, grid, keys, lots);
  return block.clean ? block : convert_block<false>(price, qty, taker_sell, n, grid, keys, lots);
}

void sum(const std::int64_t* __restrict keys, const std::int64_t* __restrict lots, std::size_t n, Tables tables) {
  static_assert(kTables == 4);
  std::int64_t* __restrict const a = tables.cells;
  std::int64_t* __restrict const b = a + tables.stride;
  std::int64_t* __restrict const c = b + tables.stride;
  std::int64_t* __restrict const d = c + tables.stride;
  std::size_t i = 0;
  for (; i + kTables <= n; i += kTables) {
    a[keys[i]] += lots[i];
    b[keys[i + 1]] += lots[i + 1];
    c[keys[i + 2]] += lots[i + 2];
    d[keys[i + 3]] += lots[i + 3];
  }
  for (; i < n; ++i) a[keys[i]] += lots[i];
}

void range(const std::int64_t* keys, std::size_t n, std::int64_t* low, std::int64_t* high) {
  std::int64_t least_key = keys[0];
  std::int64_t most_key = keys[0];
  std::size_t i = 1;
#if LIQCORE_LANES > 2  // baseline CPUs cannot compare 64-bit lanes
  if (n >= kLanes) {
    Longs below = load<Longs>(keys);
    Longs above = below;
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      const Longs here = load<Longs>(keys + i);
      below = here < below ? here : below;
      above = here > above ? here : above;
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      least_key = below[lane] < least_key ? below[lane] : least_key;
      most_key = above[lane] > most_key ? above[lane] : most_key;
    }
  }
#endif
  for (; i < n; ++i) {
    least_key = keys[i] < least_key ? keys[i] : least_key;
    most_key = keys[i] > most_key ? keys[i] : most_key;
  }
  *low = least_key;
  *high = most_key;
}

void open_prefix(Tables tables, std::int64_t low, std::size_t ticks, std::int64_t made, double* longs, double* shorts) {
  const double share = static_cast<double>(made) / 1024.0;
  const std::int64_t* cell = tables.cells + 2 * low;
  std::int64_t all_bought = 0;
  std::int64_t all_sold = 0;
  longs[0] = shorts[0] = 0.0;
  for (std::size_t i = 0; i < ticks; ++i, cell += 2) {
    for (std::size_t t = 0; t < tables.count; ++t) {
      all_bought += cell[t * tables.stride];
      all_sold += cell[t * tables.stride + 1];
    }
    const auto bought = static_cast<double>(all_bought);
    const auto sold = static_cast<double>(all_sold);
    longs[i + 1] = bought + share * sold;
    shorts[i + 1] = sold + share * bought;
  }
}

inline Doubles level_of(Doubles tick, double k) noexcept { return (tick * k + kShift) - kShift; }

double project(const Projection& layer, std::int64_t low, const double* prefix, std::int64_t first_bin,
               std::size_t bins, double* cells, double below) {
  // Levels rise with the entry, so a bin gets what opened from the first tick whose level is in it up to the first tick
  // of the next bin. That tick is guessed by dividing and found among the guess and its neighbours, exactly.
  Doubles lane;
  for (std::size_t i = 0; i < kLanes; ++i) lane[i] = static_cast<double>(i);
  for (std::size_t bin = 0; bin < bins; bin += kLanes) {
    const Doubles edge =
        (static_cast<double>(first_bin + static_cast<std::int64_t>(bin) + 1) + lane) * layer.ticks_per_bin;
    const Doubles guess = ((edge - 0.5) * layer.inverse + kShift) - kShift;
    const Longs before = (level_of(guess - 1.0, layer.k) < edge) + (level_of(guess, layer.k) < edge) +
                         (level_of(guess + 1.0, layer.k) < edge);
    const Longs next = (reinterpret_cast<Longs>(guess + kShift) - kShiftBits) - 1 - before - low;
    const std::size_t here = bins - bin < kLanes ? bins - bin : kLanes;
    for (std::size_t i = 0; i < here; ++i) {
      const double up_to = prefix[next[i]];
      cells[bin + i] += up_to - below;
      below = up_to;
    }
  }
  return below;
}

}  // namespace

const Kernels LIQCORE_TARGET = {LIQCORE_TARGET_NAME, rises, convert, sum, range, open_prefix, project};

}  // namespace liqcore::inline abi1::kernels
