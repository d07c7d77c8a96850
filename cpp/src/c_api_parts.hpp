// What the files of the C interface share: checks what C cannot, converts, and lets no exception out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "liqcore/features.hpp"
#include "liqcore/liqcore.h"

namespace liqcore::inline abi1::c_api {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Keeps the message for liq_error_message().
liq_status fail(liq_status status, const char* message) noexcept;

/// A buffer that is too small; the message says how many values it must have room for.
class TooSmall : public Error {
 public:
  TooSmall(const char* argument, std::size_t needed, std::size_t capacity)
      : Error(std::string(argument) + " must have room for " + std::to_string(needed) + " values, had for " +
              std::to_string(capacity)) {}
};

class NoPrice : public Error {
 public:
  NoPrice() : Error("the engine has seen no price yet: there is nothing to read") {}
};

template <class Call>
liq_status guarded(Call&& call) noexcept {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
      call();
      return LIQ_OK;
    } else {
      return call();
    }
  } catch (const InvalidConfig& error) {
    return fail(LIQ_INVALID, error.what());
  } catch (const DataError& error) {
    return fail(LIQ_DAMAGED, error.what());
  } catch (const TooSmall& error) {
    return fail(LIQ_TOO_SMALL, error.what());
  } catch (const NoPrice& error) {
    return fail(LIQ_NO_PRICE, error.what());
  } catch (const std::bad_alloc&) {
    return fail(
        LIQ_NO_MEMORY,
        "memory ran out: the event did not happen (of arrays, the rows that liq_engine_counts has counted did)");
  } catch (const std::exception& error) {
    return fail(LIQ_FAILED, error.what());
  } catch (...) {
    return fail(LIQ_FAILED, "an unknown exception");
  }
}

template <class T>
T& given(T* pointer, const char* argument) {
  if (pointer == nullptr) throw InvalidConfig(std::string(argument) + " must not be NULL");
  return *pointer;
}

inline Engine& engine_of(liq_engine* engine) { return given(reinterpret_cast<Engine*>(engine), "engine"); }
inline const Engine& engine_of(const liq_engine* engine) {
  return given(reinterpret_cast<const Engine*>(engine), "engine");
}

template <class Enum>
Enum choice(const char* argument, std::int32_t value, Enum last) {
  if (value < 0 || value > static_cast<std::int32_t>(last))
    throw InvalidConfig(std::string(argument) + " must be from 0 to " +
                        std::to_string(static_cast<std::int32_t>(last)) + ", was " + std::to_string(value));
  return static_cast<Enum>(value);
}

inline Side side_of(std::int32_t side) { return choice("side", side, Side::short_); }

/// Read a struct that may be older (shorter) or newer (longer) than ours. `defaults` stand for what it lacks; what we
/// do not know must be zero, or it would be ignored in silence.
template <class Struct>
Struct sized(const Struct* from, const char* argument, std::size_t first_version, const Struct& defaults) {
  const std::size_t size = given(from, argument).size;
  if (size < first_version || size > (std::size_t{1} << 16))
    throw InvalidConfig(std::string(argument) + ".size must be sizeof the struct (" + std::to_string(sizeof(Struct)) +
                        "), was " + std::to_string(size));
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  for (std::size_t i = sizeof(Struct); i < size; ++i)
    if (bytes[i] != 0)
      throw InvalidConfig(std::string(argument) + " must not use what this version of the library (" + version() +
                          ") does not know, byte " + std::to_string(i) + " did");
  Struct out = defaults;
  std::memcpy(&out, from, std::min(size, sizeof(Struct)));
  return out;
}

/// Write as much of a struct as the caller knows; its size stays.
template <class Struct>
void write_sized(Struct* to, const char* argument, std::size_t first_version, Struct values) {
  const std::size_t size = given(to, argument).size;
  if (size < first_version)
    throw InvalidConfig(std::string(argument) + ".size must be sizeof the struct (" + std::to_string(sizeof(Struct)) +
                        "), was " + std::to_string(size));
  values.size = size;
  std::memcpy(to, &values, std::min(size, sizeof(Struct)));
}

template <class Struct>
void init_sized(Struct* to, std::size_t size, Struct values) noexcept {
  if (to == nullptr) return;
  std::memset(to, 0, size);
  values.size = size;
  std::memcpy(to, &values, std::min(size, sizeof(Struct)));
}

// Sizes of the first versions, which end with these members whatever is added behind.
template <class Struct, class Member>
constexpr std::size_t up_to(std::size_t offset, Member Struct::*) noexcept {
  return offset + sizeof(Member);
}
inline constexpr std::size_t kCounts1 = offsetof(liq_counts, rejected) + 7 * sizeof(std::uint64_t);
inline constexpr std::size_t kGrid1 = up_to(offsetof(liq_grid, step), &liq_grid::step);
inline constexpr std::size_t kPicture1 = up_to(offsetof(liq_picture, reserved), &liq_picture::reserved);
inline constexpr std::size_t kWindow1 = up_to(offsetof(liq_window, open_interest), &liq_window::open_interest);
inline constexpr std::size_t kFeatures1 =
    up_to(offsetof(liq_feature_options, density_percent), &liq_feature_options::density_percent);

/// A count that is wrong would be read beyond the caller's array: what can never be right is refused before.
inline void at_most(const char* argument, std::size_t count, std::size_t most) {
  if (count > most)
    throw InvalidConfig(std::string(argument) + " must be at most " + std::to_string(most) + ", was " +
                        std::to_string(count));
}

inline void need(const char* argument, std::size_t needed, std::size_t capacity) {
  if (capacity < needed) throw TooSmall(argument, needed, capacity);
}

inline void write(const RowCounts& from, liq_counts* to) {
  liq_counts out{};
  out.rows = from.rows;
  out.used = from.used;
  out.rounded_qty = from.rounded_qty;
  std::copy(from.rejected.begin(), from.rejected.end(), out.rejected);
  write_sized(to, "counts", kCounts1, out);
}

inline liq_picture default_picture() noexcept {
  liq_picture out{};
  out.bins_per_row = 1;
  return out;
}

/// What gives the cells of a history their weights.
struct Market {
  const Instrument& instrument;
  const LeverageProfile& leverage;
};

inline Picture picture_of(const liq_picture* given_picture, const Market& market) {
  const liq_picture from = sized(given_picture, "picture", kPicture1, default_picture());
  for (const std::int32_t reserved : {from.reserved, from.reserved2})
    if (reserved != 0) throw InvalidConfig("picture.reserved must be 0, was " + std::to_string(reserved));
  if (from.value != LIQ_AT_LEVEL && from.value != LIQ_AT_ENTRY)
    throw InvalidConfig("picture.value must be 0 or 1, was " + std::to_string(from.value));
  Picture out;
  for (const Side side : {Side::long_, Side::short_})
    out.weights[static_cast<std::size_t>(side)] = from.value == LIQ_AT_ENTRY && from.unit == LIQ_USD
                                                      ? entry_weights(market.instrument, market.leverage, side)
                                                      : market.leverage.weights();
  out.first_bin = from.first_bin;
  out.bins_per_row = from.bins_per_row;
  out.rows = from.rows;
  out.first_column = from.first_column;
  out.columns = from.columns;
  out.opened_within = from.opened_within;
  enum class Unit { usd = LIQ_USD, quantity = LIQ_QUANTITY };
  out.usd = choice("picture.unit", from.unit, Unit::quantity) == Unit::usd;
  return out;
}

inline liq_window window_of(const Segment& segment, double tick_size, double lot_size) noexcept {
  const Candle& candle = segment.candle;
  const auto price = [&](std::int64_t tick) { return candle.empty() ? kNaN : static_cast<double>(tick) * tick_size; };
  return {0,
          segment.start_ns,
          segment.end_ns,
          segment.last_ns,
          price(candle.open),
          price(candle.high),
          price(candle.low),
          price(candle.close),
          candle.buy_lots * lot_size,
          candle.sell_lots * lot_size,
          segment.mark_price,
          segment.open_interest};
}

inline liq_feature_options default_feature_options() noexcept {
  const ZoneOptions zones;
  liq_feature_options out{};
  out.bins_per_row = zones.bins_per_row;
  out.zone_percentile = zones.percentile;
  out.density_percent = kDefaultDensityPercent;
  return out;
}

inline FeatureOptions feature_options_of(const liq_feature_options* options) {
  const liq_feature_options chosen =
      options == nullptr ? default_feature_options() : sized(options, "options", kFeatures1, default_feature_options());
  at_most("options.reach_count", chosen.reach_count, 64);
  FeatureOptions out;
  if (chosen.reaches_percent != nullptr)
    out.reaches_percent.assign(chosen.reaches_percent, chosen.reaches_percent + chosen.reach_count);
  out.zones = {chosen.bins_per_row, chosen.zone_percentile};
  out.density_percent = chosen.density_percent;
  return out;
}

/// Every window of a history, and the rows in which something is or was live in them.
inline void write_picture(const History& history, const Market& market, liq_picture* picture, std::size_t size,
                          std::int64_t bins_per_row) {
  static_cast<void>(given(picture, "picture"));
  if (size < kPicture1)
    throw InvalidConfig("size must be sizeof(liq_picture) (" + std::to_string(sizeof(liq_picture)) + "), was " +
                        std::to_string(size));
  Picture all;
  all.weights[0] = all.weights[1] = market.leverage.weights();
  all.columns = history.size();
  all.bins_per_row = bins_per_row;  // which extent() checks
  liq_picture out = default_picture();
  out.bins_per_row = bins_per_row;
  out.columns = history.size();
  if (const Layers::Range extent = history.extent(all); !extent.empty()) {
    const std::int64_t first = extent.low / bins_per_row;
    out.first_bin = first * bins_per_row;
    out.rows = static_cast<std::size_t>((extent.high + bins_per_row - 1) / bins_per_row - first);
  }
  init_sized(picture, size, out);
}

/// What lies in the columns of a picture.
inline void write_columns(const History& history, const Market& market, const liq_picture* picture, float* longs,
                          float* shorts, float* liquidated_longs, float* liquidated_shorts, std::size_t capacity) {
  const Picture wanted = picture_of(picture, market);
  const std::size_t cells = history.column_count(wanted) * wanted.rows;
  need("each output", cells, capacity);
  if (cells == 0) return;
  const auto span = [&](float* out) { return std::span<float>(out, out == nullptr ? 0 : cells); };
  history.columns(wanted, span(longs), span(shorts), span(liquidated_longs), span(liquidated_shorts));
}

/// The map after a history's last window.
inline void write_map(const History& history, const Market& market, const liq_picture* picture, double* out,
                      std::size_t capacity) {
  Picture wanted = picture_of(picture, market);
  wanted.first_column = wanted.columns = 0;
  static_cast<void>(history.column_count(wanted));  // refuses what would overflow below
  const std::size_t cells = 2 * market.leverage.size() * wanted.rows;
  need("out", cells, capacity);
  if (cells > 0) static_cast<void>(given(out, "out"));
  history.map(history.size() - 1, wanted, {out, cells});
}

inline liq_window window_at(const History& history, std::uint64_t index) {
  if (index >= history.size())
    throw InvalidConfig("index must be below the number of windows kept (" + std::to_string(history.size()) +
                        "), was " + std::to_string(index));
  const Terms& terms = history.terms();
  liq_window out = window_of(history.entry(history.entry_of(index)).window, terms.tick_size, terms.lot_size);
  out.start_ns = history.start_ns(index);  // idle windows are all like the first of them
  out.end_ns = out.start_ns + terms.window_ns;
  return out;
}

}  // namespace liqcore::inline abi1::c_api
