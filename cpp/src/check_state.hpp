// What the state of an engine must be like, wherever it comes from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "liqcore/engine.hpp"

namespace liqcore::inline abi1 {

/// Widest bins of an automatic axis, ticks; every axis ends by tick 2^40.
inline constexpr std::int64_t kMaxAutomaticStep = std::int64_t{1} << 20;
[[nodiscard]] inline bool ends_in_time(const EngineOptions& options, std::int64_t ticks_per_bin) noexcept {
  return ticks_per_bin <= kLastTick / options.axis_limit;
}

/// Bins that levels of an engine can lie in.
[[nodiscard]] Layers::Range bins_of(const EngineOptions& options) noexcept;

/// The bins between the lowest and the highest of cells.
/// @throws InvalidConfig unless they are cells of so many layers within `bins`: counted right, bins rising, lots above
/// 0 (of windows of an engine that is `thinned`: not 0)
Layers::Range check_cells(const Cells& cells, std::size_t layers, Layers::Range bins, bool thinned);

/// @throws InvalidConfig naming the term, unless a history can be of them
void check_terms(const Terms& terms);

/// The windows of a history that was read from somewhere, of an engine of any axis.
/// @throws InvalidConfig naming the window, the part and its rule
void check_history(const History& history);

/// Everything that reading and going on relies on. That the checkpoint is of the engine's kind is checked elsewhere.
/// @throws InvalidConfig naming the part and its rule
void check_state(const Checkpoint& checkpoint, const EngineOptions& options);

/// Refuses cells that lie further apart than an axis reaches: pages are held for all between.
void check_reach(Layers::Range reach);

/// What an engine knows before its first price, which has no book: its history counts bins of 0 ticks.
void check_unbegun(const Checkpoint& checkpoint, std::size_t layers);

}  // namespace liqcore::inline abi1
