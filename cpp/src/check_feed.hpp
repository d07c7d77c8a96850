// Whether the columns of a feed go together; the same for everything that takes one.
#pragma once

#include "liqcore/engine.hpp"

namespace liqcore::inline abi1 {

/// @throws InvalidConfig if columns of one stream differ in length, or the candles' interval breaks its rule
void check_lengths(const Feed& feed);

}  // namespace liqcore::inline abi1
