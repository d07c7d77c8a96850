#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "liqcore/cpu.hpp"
#include "register.hpp"

namespace py = pybind11;

namespace liqcore::bindings {

void register_cpu(py::module_& m) {
  m.def("cpu_target", [] { return std::string(cpu_target()); }, "The CPU target in use.");
  m.def(
      "cpu_targets",
      [] {
        std::vector<std::string> names;
        for (const std::string_view name : cpu_targets()) names.emplace_back(name);
        return names;
      },
      "The CPU targets that this machine runs, slowest first.");
  m.def("set_cpu_target", &set_cpu_target, "Use another CPU target from now on.", py::arg("name"));
}

}  // namespace liqcore::bindings
