// One function per binding file, called in this order by module.cpp.
#pragma once

#include <pybind11/pybind11.h>

namespace liqcore::bindings {

}  // namespace liqcore::bindings
