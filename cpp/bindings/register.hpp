// One function per binding file, called in this order by module.cpp.
#pragma once

#include <pybind11/pybind11.h>

namespace liqcore::bindings {

void register_errors(pybind11::module_& m);
void register_cpu(pybind11::module_& m);
void register_margin(pybind11::module_& m);
void register_instrument(pybind11::module_& m);
void register_leverage(pybind11::module_& m);
void register_axis(pybind11::module_& m);
void register_stats(pybind11::module_& m);
void register_history(pybind11::module_& m);
void register_footprints(pybind11::module_& m);
void register_engine(pybind11::module_& m);
void register_features(pybind11::module_& m);
void register_published(pybind11::module_& m);
void register_cfunc(pybind11::module_& m);
void register_parquet(pybind11::module_& m);
void register_text(pybind11::module_& m);
void register_columns(pybind11::module_& m);
void register_arrow(pybind11::module_& m);
void register_pictures(pybind11::module_& m);

}  // namespace liqcore::bindings
