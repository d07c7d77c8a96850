// What a call from Python costs before any work: a pybind11 method with the arguments of Engine.trade that does
// nothing. Compiled by bench/test_calls.py; no part of the library.
#include <pybind11/pybind11.h>

#include <cstdint>

namespace {

struct Empty {
  bool used = true;
};

}  // namespace

PYBIND11_MODULE(empty_call, m) {
  namespace py = pybind11;
  py::class_<Empty>(m, "Empty")
      .def(py::init<>())
      .def(
          "trade", [](Empty& self, std::int64_t, double, double, bool) { return self.used; }, py::arg("ts"),
          py::arg("price"), py::arg("qty"), py::arg("taker_sell"));
}
