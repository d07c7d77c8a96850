// One function per binding file, called in this order by module.cpp.
#pragma once

#include <pybind11/pybind11.h>

namespace liqcore::bindings {

void register_text(pybind11::module_& m);

}  // namespace liqcore::bindings
