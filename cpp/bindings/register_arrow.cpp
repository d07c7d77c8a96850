#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "columns/arrow.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

using columns::ArrowBatch;
using columns::ArrowColumn;
using columns::ArrowError;
using columns::ArrowField;
using columns::ArrowReader;
using columns::ArrowTable;

// --- in ----------------------------------------------------------------------------------------------------------

template <class Struct>
Struct& in_capsule(const py::object& capsule, const char* name) {
  auto* inside = static_cast<Struct*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (inside == nullptr) throw py::error_already_set();
  return *inside;
}

py::dtype dtype_of(const std::string& format) {
  if (format.size() > 1) return py::dtype::of<std::int64_t>();  // a timestamp
  constexpr std::pair<char, const char*> names[] = {{'c', "i1"}, {'C', "u1"}, {'s', "i2"}, {'S', "u2"}, {'i', "i4"},
                                                    {'I', "u4"}, {'L', "u8"}, {'f', "f4"}, {'g', "f8"}};
  for (const auto& [code, name] : names)
    if (format[0] == code) return py::dtype(name);
  return py::dtype::of<std::int64_t>();
}

/// A batch and the schema that says what its columns are.
struct PyBatch {
  ArrowBatch batch;
  std::vector<ArrowField> fields;

  void check(std::size_t column) const {
    if (column >= fields.size())
      throw py::index_error("column must lie within the " + std::to_string(fields.size()) + " there are, was " +
                            std::to_string(column));
  }
};

py::object values(const py::object& self, std::size_t column) {
  const auto& [batch, fields] = self.cast<const PyBatch&>();
  self.cast<const PyBatch&>().check(column);
  if (batch.width(column) == 0) return py::none();
  const py::dtype type = dtype_of(fields[column].format);
  if (batch.size() == 0) return py::array(type, std::vector<py::ssize_t>{0});
  py::array out(type, {static_cast<py::ssize_t>(batch.size())}, {type.itemsize()}, batch.values(column), self);
  out.attr("setflags")(false);
  return out;
}

py::object sides(const PyBatch& self, std::size_t column, bool true_is_sell) {
  self.check(column);
  if (!self.batch.has_sides(column)) return py::none();
  py::array_t<bool> out(static_cast<py::ssize_t>(self.batch.size()));
  const std::span rows(reinterpret_cast<std::uint8_t*>(out.mutable_data()), self.batch.size());
  const auto counts = [&] {
    const py::gil_scoped_release unlocked;
    return self.batch.sides(column, true_is_sell, rows);
  }();
  return py::make_tuple(out, counts.unknown, counts.example);
}

py::object words(const PyBatch& self, std::size_t column, const std::vector<std::string>& known) {
  self.check(column);
  if (known.size() > 127) throw py::value_error("words must be at most 127");
  if (!self.batch.has_sides(column)) return py::none();
  py::array_t<std::int8_t> out(static_cast<py::ssize_t>(self.batch.size()));
  const std::span rows(out.mutable_data(), self.batch.size());
  const py::gil_scoped_release unlocked;
  self.batch.words(column, known, rows);
  return std::move(out);
}

py::object distinct(const PyBatch& self, std::size_t column, std::size_t most) {
  self.check(column);
  if (!self.batch.has_sides(column)) return py::none();
  std::vector<std::string> found;
  {
    const py::gil_scoped_release unlocked;
    found = self.batch.distinct(column, most);
  }
  return py::cast(found);
}

// --- out ---------------------------------------------------------------------------------------------------------

/// Keeps Python objects for a receiver that may let them go on any thread, also when the interpreter is gone.
std::shared_ptr<const void> keep(py::object object) {
  return {new py::object(std::move(object)), [](const void* kept) {
            if (Py_IsInitialized() == 0) return;
            const py::gil_scoped_acquire locked;
            delete static_cast<const py::object*>(kept);
          }};
}

ArrowTable table_of(const py::list& given, std::int64_t rows, const py::dict& metadata) {
  ArrowTable table;
  table.rows = rows;
  for (const py::handle row : given) {
    const auto [name, format, array, list_size, offsets] =
        row.cast<std::tuple<std::string, std::string, py::array, std::int64_t, std::optional<py::array>>>();
    if ((static_cast<unsigned>(array.flags()) & py::array::c_style) == 0)
      throw py::value_error("column " + name + " must be C-contiguous");
    table.columns.push_back({name, format, array.data(), list_size, offsets ? offsets->data() : nullptr});
  }
  for (const auto& [key, value] : metadata)
    table.metadata.emplace_back(key.cast<std::string>(), value.cast<std::string>());
  table.owner = keep(given);
  return table;
}

template <class Struct>
py::capsule to_capsule(std::unique_ptr<Struct> made, const char* name) {
  PyObject* capsule = PyCapsule_New(made.get(), name, [](PyObject* self) {
    auto* mine = static_cast<Struct*>(PyCapsule_GetPointer(self, PyCapsule_GetName(self)));
    if (mine->release != nullptr) mine->release(mine);  // nobody took it
    delete mine;
  });
  if (capsule == nullptr) throw py::error_already_set();
  static_cast<void>(made.release());
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace

void register_arrow(py::module_& m) {
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const ArrowError& error) {
      py::set_error(py::module_::import("liqcore.errors").attr("DataError"), error.what());
    }
  });

  py::class_<PyBatch>(m, "ArrowBatch", "Rows of an Arrow stream; liqcore.arrow reads them.")
      .def("__len__", [](const PyBatch& self) { return self.batch.size(); })
      .def("null_rows", [](const PyBatch& self) { return self.batch.null_rows(); })
      .def(
          "nulls",
          [](const PyBatch& self, std::size_t column) {
            self.check(column);
            return self.batch.nulls(column);
          },
          py::arg("column"))
      .def("values", &values, py::arg("column"),
           "Numbers or timestamps in place: a read-only view that keeps the batch; None for other types.")
      .def("sides", &sides, py::arg("column"), py::arg("true_is_sell"),
           "Whether each row is a sell (a new array of bool), how many rows say neither, and what the first of them "
           "says; None for types that cannot say sides.")
      .def("words", &words, py::arg("column"), py::arg("words"),
           "Which of the words (lower case) stands in each row, -1: none of them; None for types that hold no words.")
      .def("distinct", &distinct, py::arg("column"), py::arg("most"),
           "The first different words of a column without nulls; None for types that hold no words.");

  py::class_<ArrowReader>(m, "ArrowReader", "An Arrow stream that is being read; liqcore.arrow makes it.",
                          py::release_gil_before_calling_cpp_dtor())
      .def_static(
          "of_stream",
          [](const py::object& stream) {
            auto& from = in_capsule<ArrowArrayStream>(stream, "arrow_array_stream");
            const py::gil_scoped_release unlocked;
            return ArrowReader(from);
          },
          py::arg("stream"))
      .def_static(
          "of_array",
          [](const py::object& schema, const py::object& array) {
            return ArrowReader(in_capsule<ArrowSchema>(schema, "arrow_schema"),
                               in_capsule<ArrowArray>(array, "arrow_array"));
          },
          py::arg("schema"), py::arg("array"))
      .def_property_readonly(
          "fields",
          [](const ArrowReader& self) {
            std::vector<std::tuple<std::string, std::string, std::string>> out;
            for (const ArrowField& field : self.fields()) out.emplace_back(field.name, field.format, field.words);
            return out;
          },
          "Name, format and format of the dictionary's values (or \"\") of each column.")
      .def(
          "next",
          [](ArrowReader& self) -> std::optional<PyBatch> {
            auto batch = [&] {
              const py::gil_scoped_release unlocked;  // a producer may need it on another thread
              return self.next();
            }();
            if (!batch) return std::nullopt;
            return PyBatch{std::move(*batch), self.fields()};
          },
          "The next batch; None at the end.");

  m.def(
      "arrow_stream",
      [](const py::list& columns, std::int64_t rows, const py::dict& metadata) {
        auto made = std::make_unique<ArrowArrayStream>();
        export_stream(std::make_shared<const ArrowTable>(table_of(columns, rows, metadata)), *made);
        return to_capsule(std::move(made), "arrow_array_stream");
      },
      py::arg("columns"), py::arg("rows"), py::arg("metadata"),
      "A PyCapsule; liqcore.arrow.export_table documents it.");
  m.def(
      "arrow_schema",
      [](const py::list& columns, std::int64_t rows, const py::dict& metadata) {
        auto made = std::make_unique<ArrowSchema>();
        export_schema(table_of(columns, rows, metadata), *made);
        return to_capsule(std::move(made), "arrow_schema");
      },
      py::arg("columns"), py::arg("rows"), py::arg("metadata"),
      "A PyCapsule; liqcore.arrow.export_schema documents it.");
}

}  // namespace liqcore::bindings
