#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>

#include "bytes.hpp"
#include "columns/parquet.hpp"
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
      .def_readonly("precision", &ParquetColumn::precision)
      .def_readonly("required", &ParquetColumn::required)
      .def_readonly("repeated", &ParquetColumn::repeated)
      .def_readonly("time_digits", &ParquetColumn::time_digits)
      .def_readonly("is_utc", &ParquetColumn::is_utc);

  py::class_<ParquetChunk>(m, "ParquetChunk")
      .def_readonly("begin", &ParquetChunk::begin)
      .def_readonly("size", &ParquetChunk::size)
      .def_readonly("unpacked", &ParquetChunk::unpacked)
      .def_readonly("values", &ParquetChunk::values)
      .def_readonly("codec", &ParquetChunk::codec)
      .def_readonly("nulls", &ParquetChunk::nulls)
      .def_property_readonly("least", [](const ParquetChunk& self) { return bytes_or_none(self.least); })
      .def_property_readonly("greatest", [](const ParquetChunk& self) { return bytes_or_none(self.greatest); });

  py::class_<ParquetGroup>(m, "ParquetGroup")
      .def_readonly("rows", &ParquetGroup::rows)
      .def_readonly("chunks", &ParquetGroup::chunks);

  py::class_<ParquetFooter>(m, "ParquetFooter")
      .def_readonly("columns", &ParquetFooter::columns)
      .def_readonly("groups", &ParquetFooter::groups)
      .def_property_readonly("metadata",
                             [](const ParquetFooter& self) {
                               py::dict out;
                               for (const auto& [key, value] : self.metadata) out[text_of(key)] = text_of(value);
                               return out;
                             })
      .def_property_readonly("created_by", [](const ParquetFooter& self) { return text_of(self.created_by); });

  py::class_<ParquetPage>(m, "ParquetPage")
      .def_property_readonly("kind", [](const ParquetPage& self) { return static_cast<int>(self.kind); })
      .def_readonly("begin", &ParquetPage::begin)
      .def_readonly("size", &ParquetPage::size)
      .def_readonly("unpacked", &ParquetPage::unpacked)
      .def_readonly("values", &ParquetPage::values)
      .def_property_readonly(
          "checksum",
          [](const ParquetPage& self) { return self.checksum < 0 ? std::optional<std::int64_t>() : self.checksum; })
      .def_readonly("encoding", &ParquetPage::encoding);

  m.def(
      "parquet_footer",
      [](const py::buffer& data, std::uint64_t pages_end) { return read_footer(Bytes(data).span(), pages_end); },
      py::arg("data"), py::arg("pages_end"));
  m.def(
      "parquet_pages",
      [](const py::buffer& data, const ParquetChunk& chunk) { return read_pages(Bytes(data).span(), chunk); },
      py::arg("data"), py::arg("chunk"));
}

}  // namespace liqcore::bindings
