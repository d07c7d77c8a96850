#include <pybind11/pybind11.h>

#include "liqcore/version.hpp"
#include "register.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native engine of liqcore. Use it through the package: import liqcore as lq.";
  m.attr("__version__") = liqcore::version();
  liqcore::bindings::register_text(m);
}
