#include <exception>

#include "liqcore/error.hpp"
#include "register.hpp"

namespace py = pybind11;

namespace liqcore::bindings {

void register_errors(py::module_&) {
  // The classes are Python's own (liqcore.errors), so that they can be ValueErrors as well.
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const InvalidConfig& error) {
      py::set_error(py::module_::import("liqcore.errors").attr("InvalidConfigError"), error.what());
    } catch (const DataError& error) {
      py::set_error(py::module_::import("liqcore.errors").attr("DataError"), error.what());
    } catch (const Error& error) {
      py::set_error(py::module_::import("liqcore.errors").attr("LiqcoreError"), error.what());
    }
  });
}

}  // namespace liqcore::bindings
