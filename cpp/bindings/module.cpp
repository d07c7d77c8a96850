#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>

#include "liqcore/version.hpp"
#include "register.hpp"

namespace {

namespace py = pybind11;

/// An object that was made without __init__ holds nothing; pybind11 would hand out memory that nobody has written to.
void* refuse_unmade(std::size_t) { throw py::type_error("__init__() of this object was not called"); }

/// What protocols 0 and 1 of pickle would call otherwise, pybind11 does not survive; and objects of classes that do not
/// say how they are pickled would come back as ones that hold nothing.
py::tuple reduce(const py::object& self) {
  const auto cls = py::type::of(self);
  if (!py::hasattr(cls, "__setstate__"))
    throw py::type_error("cannot pickle '" + cls.attr("__qualname__").cast<std::string>() + "' object");
  const py::object make = py::module_::import("copyreg").attr("__newobj__");
  return py::make_tuple(make, py::make_tuple(cls), self.attr("__getstate__")());
}

void guard_classes(const py::module_& m) {
  for (const auto& [name, value] : m.attr("__dict__").cast<py::dict>()) {
    if (PyType_Check(value.ptr()) == 0) continue;
    auto* info = py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(value.ptr()));
    if (info == nullptr) continue;  // an exception
    info->operator_new = &refuse_unmade;
    value.attr("__reduce__") = py::cpp_function(&reduce, py::is_method(value), py::name("__reduce__"));
  }
}

}  // namespace

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
  liqcore::bindings::register_pictures(m);
  guard_classes(m);
}
