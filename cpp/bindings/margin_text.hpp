// A margin schedule as Python text, shared by the binding files that show or pickle one.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "liqcore/margin.hpp"

namespace liqcore::bindings {

/// The Python call that makes the schedule.
std::string repr_of(const MarginSchedule& margin);

}  // namespace liqcore::bindings
