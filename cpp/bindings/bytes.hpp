// Bytes that Python hands over.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace liqcore::bindings {

namespace py = pybind11;

/// The bytes of any contiguous buffer object, held while in use.
class Bytes {
 public:
  explicit Bytes(const py::buffer& buffer) : info_(buffer.request()) {
    if (info_.ndim != 1 || info_.itemsize != 1 || (info_.size > 1 && info_.strides[0] != 1))
      throw py::value_error("data must be contiguous bytes");
  }
  [[nodiscard]] std::string_view view() const {
    return {static_cast<const char*>(info_.ptr), static_cast<std::size_t>(info_.size)};
  }
  [[nodiscard]] std::span<const std::byte> span() const { return std::as_bytes(std::span(view())); }

 private:
  py::buffer_info info_;
};

}  // namespace liqcore::bindings
