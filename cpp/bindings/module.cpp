#include <pybind11/pybind11.h>

#include "liqcore/version.hpp"
#include "register.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native engine of liqcore. Use it through the package: import liqcore as lq.";
  m.attr("__version__") = liqcore::version();
  liqcore::bindings::register_errors(m);
  liqcore::bindings::register_cpu(m);
  liqcore::bindings::register_margin(m);
  liqcore::bindings::register_instrument(m);
  liqcore::bindings::register_leverage(m);
  liqcore::bindings::register_axis(m);
  liqcore::bindings::register_stats(m);
  liqcore::bindings::register_history(m);
  liqcore::bindings::register_footprints(m);
  liqcore::bindings::register_engine(m);
  liqcore::bindings::register_features(m);
  liqcore::bindings::register_published(m);
  liqcore::bindings::register_cfunc(m);
  liqcore::bindings::register_parquet(m);
  liqcore::bindings::register_text(m);
  liqcore::bindings::register_columns(m);
  liqcore::bindings::register_arrow(m);
}
