// An engine's state as plain numbers and lists, to be stored beside its history.
#pragma once

#include <pybind11/pybind11.h>

#include "liqcore/history.hpp"
#include "python_engine.hpp"

namespace liqcore::bindings {

/// What the history of an engine does not say of its state.
pybind11::dict state(PyEngine& self);
/// Take up where an engine stood; the last of `windows` is the unfinished one.
void restore(PyEngine& self, const History& windows, const pybind11::dict& state);

}  // namespace liqcore::bindings
