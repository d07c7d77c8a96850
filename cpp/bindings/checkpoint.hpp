// An engine's state as plain numbers and lists, as it was stored in Parquet files: read, and not written any more.
#pragma once

#include <pybind11/pybind11.h>

#include "liqcore/history.hpp"
#include "python_engine.hpp"

namespace liqcore::bindings {

/// Take up where an engine stood; the last of `windows` is the unfinished one.
void restore(PyEngine& self, const History& windows, const pybind11::dict& state);

}  // namespace liqcore::bindings
