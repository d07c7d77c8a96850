#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "columns/parquet.hpp"
#include "columns/parquet_values.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

namespace py = pybind11;
using namespace columns;

std::optional<py::bytes> bytes_or_none(const std::optional<std::string>& stored) {
  return stored ? std::optional<py::bytes>(*stored) : std::nullopt;
}

/// Text of a file: what is no UTF-8 in it is replaced, not refused.
py::str text_of(const std::string& bytes) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "replace"));
}

}  // namespace

void register_parquet(py::module_& m) {
  py::class_<ParquetColumn>(m, "ParquetColumn")
      .def_property_readonly("path", [](const ParquetColumn& self) { return text_of(self.path); })
      .def_readonly("type", &ParquetColumn::type)
      .def_readonly("length", &ParquetColumn::length)
      .def_readonly("converted", &ParquetColumn::converted)
      .def_readonly("scale", &ParquetColumn::scale)
      .def_readonly("levels", &ParquetColumn::levels)
      .def_readonly("repeated", &ParquetColumn::repeated)
      .def_readonly("is_text", &ParquetColumn::is_text)
      .def_readonly("time_digits", &ParquetColumn::time_digits);

  py::class_<ParquetChunk>(m, "ParquetChunk")
      .def_readonly("begin", &ParquetChunk::begin)
      .def_readonly("size", &ParquetChunk::size)
      .def_readonly("unpacked", &ParquetChunk::unpacked)
      .def_readonly("values", &ParquetChunk::values)
      .def_readonly("codec", &ParquetChunk::codec)
      .def_property_readonly("least", [](const ParquetChunk& self) { return bytes_or_none(self.least); })
      .def_property_readonly("greatest", [](const ParquetChunk& self) { return bytes_or_none(self.greatest); });

  py::class_<ParquetGroup>(m, "ParquetGroup")
      .def_readonly("rows", &ParquetGroup::rows)
      .def_readonly("chunks", &ParquetGroup::chunks);

  py::class_<ParquetFooter>(m, "ParquetFooter")
      .def_readonly("columns", &ParquetFooter::columns)
      .def_readonly("groups", &ParquetFooter::groups)
      .def_property_readonly("metadata", [](const ParquetFooter& self) {
        py::dict out;
        for (const auto& [key, value] : self.metadata) out[text_of(key)] = text_of(value);
        return out;
      });

  py::class_<ParquetPage>(m, "ParquetPage")
      .def_property_readonly("kind", [](const ParquetPage& self) { return static_cast<int>(self.kind); })
      .def_readonly("begin", &ParquetPage::begin)
      .def_readonly("size", &ParquetPage::size)
      .def_readonly("unpacked", &ParquetPage::unpacked)
      .def_readonly("values", &ParquetPage::values)
      .def_property_readonly(
          "checksum",
          [](const ParquetPage& self) { return self.checksum < 0 ? std::optional<std::int64_t>() : self.checksum; })
      .def_readonly("encoding", &ParquetPage::encoding)
      .def_readonly("level_encoding", &ParquetPage::level_encoding)
      .def_readonly("nulls", &ParquetPage::nulls)
      .def_readonly("repetition_bytes", &ParquetPage::repetition_bytes)
      .def_readonly("definition_bytes", &ParquetPage::definition_bytes)
      .def_readonly("is_packed", &ParquetPage::is_packed);

  m.def(
      "parquet_footer",
      [](const py::buffer& data, std::uint64_t pages_end, std::uint64_t columns, std::uint64_t groups) {
        return read_footer(Bytes(data).span(), pages_end, {.columns = columns, .groups = groups});
      },
      py::arg("data"), py::arg("pages_end"), py::kw_only(), py::arg("columns"), py::arg("groups"));
  m.def(
      "parquet_pages",
      [](const py::buffer& data, const ParquetChunk& chunk) { return read_pages(Bytes(data).span(), chunk); },
      py::arg("data"), py::arg("chunk"));
  m.def(
      "parquet_runs",
      [](const py::buffer& data, int width, std::uint32_t limit, py::array_t<std::uint32_t>& out) {
        const Bytes bytes(data);
        const std::span<std::uint32_t> room(out.mutable_data(), static_cast<std::size_t>(out.size()));
        const py::gil_scoped_release unlocked;
        return read_runs(bytes.span(), width, limit, room);
      },
      py::arg("data"), py::arg("width"), py::arg("limit"), py::arg("out").noconvert());
  m.def(
      "parquet_words",
      [](const py::buffer& data, std::size_t count) {
        const Bytes bytes(data);
        py::list out;
        for (const std::string_view word : read_words(bytes.span(), count)) out.append(py::bytes(word));
        return out;
      },
      py::arg("data"), py::arg("count"));
}

}  // namespace liqcore::bindings
