#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "arrays.hpp"
#include "pictures/codes.hpp"
#include "pictures/colouring.hpp"
#include "pictures/pooling.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

using pictures::Cells;
using pictures::PixelCells;

/// The memory of columns of cells, which may lie apart, such as some rows of a whole heatmap.
Cells cells_of(const py::array& array, const char* argument) {
  const std::string name(argument);
  if (!is_native(array, 'f', 4))
    throw py::type_error(name + " must be a numpy array of float32 (nothing is converted silently), was " +
                         std::string(py::str(array.dtype())));
  if (array.ndim() != 2)
    throw py::value_error(name + " must have two dimensions (columns, rows), had " + std::to_string(array.ndim()));
  constexpr auto size = static_cast<py::ssize_t>(sizeof(float));
  const auto flags = static_cast<unsigned>(array.flags());
  const bool apart = (array.shape(1) > 1 && array.strides(1) != size) || array.strides(0) % size != 0;
  if (array.size() > 0 && (apart || (flags & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0))
    throw py::type_error(name + " must hold the cells of a column side by side (numpy.ascontiguousarray does)");
  return {static_cast<const float*>(array.data()), static_cast<std::size_t>(array.shape(0)),
          static_cast<std::size_t>(array.shape(1)), array.strides(0) / size};
}

PixelCells pixels_of(const py::object& first, const py::object& stop) {
  const PixelCells out{integers<std::int64_t>(first, "first"), integers<std::int64_t>(stop, "stop")};
  if (out.first.size() != out.stop.size())
    throw py::value_error("first and stop must have one length, had " + std::to_string(out.first.size()) + " and " +
                          std::to_string(out.stop.size()));
  return out;
}

void pool_columns(const py::array& cells, const std::optional<py::array>& other, std::int64_t begin,
                  const py::object& first, const py::object& stop, const py::array& largest) {
  const Cells one = cells_of(cells, "cells");
  std::optional<Cells> two;
  if (other) {
    two = cells_of(*other, "other");
    if (two->columns != one.columns || two->rows != one.rows)
      throw py::value_error("other must have the shape of cells");
  }
  if (begin < 0) throw py::value_error("begin must be at least 0, was " + std::to_string(begin));
  const PixelCells across = pixels_of(first, stop);
  const Cells out = cells_of(largest, "largest");
  if (out.columns != across.first.size() || out.rows != one.rows)
    throw py::value_error("largest must have the shape (pixels, rows of cells)");
  if (!largest.writeable() || (largest.flags() & py::array::c_style) == 0)
    throw py::value_error("largest must be writable and C-contiguous");
  const py::gil_scoped_release unlocked;
  pictures::pool_columns(one, two ? &*two : nullptr, begin, across, const_cast<float*>(out.values));
}

py::array_t<float> pool_rows(const py::array& largest, const py::object& first, const py::object& stop) {
  const Cells cells = cells_of(largest, "largest");
  const PixelCells down = pixels_of(first, stop);
  for (std::size_t i = 0; i < down.first.size(); ++i) {
    const bool inside = down.first[i] >= 0 && down.stop[i] <= static_cast<std::int64_t>(cells.rows);
    if (down.first[i] < down.stop[i] && !inside)
      throw py::value_error("first and stop must lie in 0 to " + std::to_string(cells.rows) + " (rows), were " +
                            std::to_string(down.first[i]) + " and " + std::to_string(down.stop[i]));
  }
  py::array_t<float> out({static_cast<py::ssize_t>(cells.columns), static_cast<py::ssize_t>(down.first.size())});
  float* const values = out.mutable_data();
  const py::gil_scoped_release unlocked;
  pictures::pool_rows(cells, down, values);
  return out;
}

pictures::ColourScale scale_of(const std::string& name) {
  if (name == "sqrt") return pictures::ColourScale::sqrt;
  if (name == "linear") return pictures::ColourScale::linear;
  if (name == "log") return pictures::ColourScale::log;
  throw py::value_error("scale must be sqrt, linear or log, was " + name);
}

py::array_t<std::uint8_t> colour_entries(const py::array& pixels, double maximum, const std::string& scale,
                                         double cut) {
  if (!is_native(pixels, 'f', 4) || (pixels.flags() & py::array::c_style) == 0)
    throw py::type_error("pixels must be a C-contiguous numpy array of float32 (nothing is converted silently), was " +
                         std::string(py::str(pixels.dtype())));
  if (!(maximum > 0.0)) throw py::value_error("maximum must be above 0, was " + std::to_string(maximum));
  if (std::isnan(cut)) throw py::value_error("cut must be a number, was nan");
  const pictures::ColourScale which = scale_of(scale);
  py::array_t<std::uint8_t> out(py::array::ShapeContainer(pixels.shape(), pixels.shape() + pixels.ndim()));
  const auto* const values = static_cast<const float*>(pixels.data());
  std::uint8_t* const entries = out.mutable_data();
  const auto n = static_cast<std::size_t>(pixels.size());
  const py::gil_scoped_release unlocked;
  pictures::colour_entries(values, n, maximum, which, cut, entries);
  return out;
}

py::tuple pack_cells(const py::array& values) {
  const Cells cells = cells_of(values, "values");
  py::array_t<float> tops(static_cast<py::ssize_t>(cells.columns));
  py::array_t<std::uint16_t> codes({values.shape(0), values.shape(1)});
  float* const top = tops.mutable_data();
  std::uint16_t* const code = codes.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    for (std::size_t i = 0; i < cells.columns; ++i)
      top[i] = pictures::pack_column(cells.column(i), cells.rows, code + i * cells.rows);
  }
  return py::make_tuple(tops, codes);
}

}  // namespace

void register_pictures(py::module_& m) {
  m.def("pool_columns", &pool_columns, py::arg("cells"), py::arg("other"), py::arg("begin"), py::arg("first"),
        py::arg("stop"), py::arg("largest"), R"(
Raise what each pixel across shows to the largest cell of a block of columns; liqcore.render.raster documents it.
)");
  m.def("pool_rows", &pool_rows, py::arg("largest"), py::arg("first"), py::arg("stop"), R"(
Return the largest of the rows that each pixel down shows, float32 (columns, pixels); 0 where there is none.
)");
  m.def("colour_entries", &colour_entries, py::arg("pixels"), py::arg("maximum"), py::arg("scale"), py::arg("cut"), R"(
Return the place of each value on a colour table of 256 entries; liqcore.render.raster documents it.
)");
  m.def("pack_cells", &pack_cells, py::arg("values"), R"(
Return the largest value of each column, and a code of 16 bits for each; liqcore.tables.packed documents it.
)");
  m.attr("CODES_AN_OCTAVE") = pictures::kOctave;
  m.attr("LARGEST_CODE") = pictures::kLargest;
}

}  // namespace liqcore::bindings
