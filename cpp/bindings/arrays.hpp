// numpy arrays in and out. Nothing is converted silently: a wrong dtype or layout is an error that names the argument.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace liqcore::bindings {

namespace py = pybind11;

inline bool is_native(const py::array& array, char kind, py::ssize_t size) {
  const py::dtype type = array.dtype();
  return type.kind() == kind && type.itemsize() == size && (type.byteorder() == '=' || type.byteorder() == '|');
}

inline constexpr std::int64_t least_time_ns = 100'000'000'000'000'000;

inline bool is_time(const py::array& array) {
  return is_native(array, 'i', 8) ||
         (is_native(array, 'M', 8) && std::string(py::str(array.dtype())) == "datetime64[ns]");
}

/// The array's memory if it is a one-dimensional, C-contiguous, aligned numpy array of a type that `accepts` takes.
template <class T, class Accepts>
std::span<const T> view(py::handle object, const char* argument, const char* wanted, Accepts&& accepts) {
  const std::string rule =
      std::string(argument) + " must be a numpy array of " + wanted + " (nothing is converted silently), was ";
  if (!py::isinstance<py::array>(object)) throw py::type_error(rule + "a " + Py_TYPE(object.ptr())->tp_name);
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (Py_TYPE(array.ptr())->tp_name == std::string_view("MaskedArray"))
    throw py::type_error(std::string(argument) + " must not be masked (a mask would not be looked at): fill or drop");
  if (!accepts(array)) throw py::type_error(rule + std::string(py::str(array.dtype())));
  if (array.ndim() != 1)
    throw py::value_error(std::string(argument) + " must be one-dimensional, had " + std::to_string(array.ndim()) +
                          " dimensions");
  const auto flags = static_cast<unsigned>(array.flags());
  if ((flags & py::array::c_style) == 0 || (flags & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
    throw py::type_error(std::string(argument) +
                         " must be C-contiguous and aligned (numpy.ascontiguousarray makes a copy that is)");
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

inline std::span<const double> doubles(py::handle object, const char* argument) {
  return view<double>(object, argument, "float64", [](const py::array& a) { return is_native(a, 'f', 8); });
}

/// int64 nanoseconds of any size, or datetime64[ns], which has the same bits.
inline std::span<const std::int64_t> any_times(py::handle object, const char* argument) {
  if (py::isinstance<py::array>(object)) {
    const auto array = py::reinterpret_borrow<py::array>(object);
    if (array.dtype().kind() == 'M' && !is_time(array))
      throw py::type_error(std::string(argument) +
                           " must be int64 or datetime64[ns] (nothing is converted silently), was " +
                           std::string(py::str(array.dtype())) + ": .astype(\"datetime64[ns]\") makes it so");
  }
  return view<std::int64_t>(object, argument, "int64 (or datetime64[ns])", is_time);
}

/// Times of data: below 10^17 ns, in March 1973, lie all that are in s, ms or us by mistake. The first tells: a later
/// row that is before it counts as late.
inline std::span<const std::int64_t> times(py::handle object, const char* argument) {
  const std::span<const std::int64_t> out = any_times(object, argument);
  if (out.empty() || out.front() >= least_time_ns) return out;
  const std::int64_t odd = out.front();
  std::string seems = "no time since 1973";
  if (odd >= 100'000'000'000'000)
    seems = "microseconds: multiply by 1_000";
  else if (odd >= 100'000'000'000)
    seems = "milliseconds: multiply by 1_000_000";
  else if (odd >= 100'000'000)
    seems = "seconds: multiply by 1_000_000_000";
  py::set_error(py::module_::import("liqcore.errors").attr("DataError"),
                (std::string(argument) + " must be nanoseconds since the UNIX epoch, found " + std::to_string(odd) +
                 ", which seems to be " + seems)
                    .c_str());
  throw py::error_already_set();
}

inline std::span<const std::uint8_t> bools(py::handle object, const char* argument) {
  return view<std::uint8_t>(object, argument, "bool", [](const py::array& a) { return is_native(a, 'b', 1); });
}

template <class T>
std::span<const T> integers(py::handle object, const char* argument) {
  constexpr char kind = std::is_signed_v<T> ? 'i' : 'u';
  const std::string wanted = std::string(kind == 'i' ? "int" : "uint") + std::to_string(8 * sizeof(T));
  return view<T>(object, argument, wanted.c_str(), [](const py::array& a) { return is_native(a, kind, sizeof(T)); });
}

/// A new array that takes the vector over.
template <class T>
py::array_t<T> to_array(std::vector<T>&& values) {
  auto* owner = new std::vector<T>(std::move(values));
  const py::capsule free(owner, [](void* memory) { delete static_cast<std::vector<T>*>(memory); });
  return py::array_t<T>(static_cast<py::ssize_t>(owner->size()), owner->data(), free);
}

template <class T>
py::array_t<T> copy_to_array(std::span<const T> values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

}  // namespace liqcore::bindings
