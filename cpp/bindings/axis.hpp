// A price axis with the tick size that gives its ticks a price.
#pragma once

#include "liqcore/axis.hpp"

namespace liqcore::bindings {

struct Axis {
  PriceAxis axis;
  double tick_size;
};

}  // namespace liqcore::bindings
