#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "register.hpp"
#include "text/csv.hpp"

namespace liqcore::bindings {
namespace {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<T> span_of(Array<T>& array, const char* name, std::size_t room) {
  if (array.ndim() != 1 || static_cast<std::size_t>(array.size()) < room)
    throw py::value_error(std::string(name) + " must be one-dimensional and hold at least " + std::to_string(room) +
                          " entries, one a line");
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

void check_columns(std::initializer_list<std::pair<const char*, int>> columns) {
  for (const auto& [name, column] : columns)
    if (column < 0) throw py::value_error(std::string(name) + " must be at least 0, was " + std::to_string(column));
}

text::SideCode side_code(const std::string& code) {
  if (code == "true_is_sell") return text::SideCode::true_is_sell;
  if (code == "true_is_buy") return text::SideCode::true_is_buy;
  if (code == "one_is_sell_two_is_buy") return text::SideCode::one_is_sell_two_is_buy;
  if (code == "one_is_buy_two_is_sell") return text::SideCode::one_is_buy_two_is_sell;
  throw py::value_error(
      "side_code must be true_is_sell, true_is_buy, one_is_sell_two_is_buy or "
      "one_is_buy_two_is_sell, was " +
      code);
}

text::RowCounts parse_trades(const py::buffer& data, Array<std::int64_t>& ts, Array<double>& price, Array<double>& qty,
                             Array<bool>& taker_sell, Array<std::int64_t>& id, int time_column, int price_column,
                             int qty_column, int side_column, int id_column, int symbol_column, const std::string& code,
                             const std::string& symbol, char delimiter, const std::vector<int>& word_columns,
                             const std::vector<std::string>& words, std::optional<Array<std::int8_t>>& word) {
  check_columns({{"time_column", time_column}, {"price_column", price_column}, {"qty_column", qty_column}});
  for (const int column : word_columns) check_columns({{"word_columns", column}});
  if (words.size() > 127) throw py::value_error("words must be at most 127");
  const Bytes bytes{data};
  const std::size_t lines = text::count_lines(bytes.view());
  std::span<std::int8_t> found;
  if (!word_columns.empty()) {
    if (!word || word->ndim() != 2 || static_cast<std::size_t>(word->shape(0)) != word_columns.size() ||
        word->shape(1) != ts.size())
      throw py::value_error("word must have the shape (word_columns, entries of ts)");
    found = {word->mutable_data(), static_cast<std::size_t>(word->size())};
  }
  const text::TradeArrays out{span_of(ts, "ts", lines),
                              span_of(price, "price", lines),
                              span_of(qty, "qty", lines),
                              span_of(taker_sell, "taker_sell", lines),
                              span_of(id, "id", id_column < 0 ? 0 : lines),
                              found};
  const text::TradeColumns columns{.delimiter = delimiter,
                                   .time = time_column,
                                   .price = price_column,
                                   .quantity = qty_column,
                                   .side = side_column,
                                   .id = id_column,
                                   .symbol = symbol_column,
                                   .code = side_code(code),
                                   .word_columns = word_columns,
                                   .words = words};
  const py::gil_scoped_release unlocked;
  return text::parse_trades(bytes.view(), columns, symbol, out);
}

text::RowCounts parse_columns(const py::buffer& data, Array<std::int64_t>& ts, Array<double>& values, int time_column,
                              const std::vector<int>& columns, int symbol_column, const std::string& symbol,
                              char delimiter) {
  check_columns({{"time_column", time_column}});
  for (const int column : columns) check_columns({{"columns", column}});
  const Bytes bytes{data};
  const auto times = span_of(ts, "ts", text::count_lines(bytes.view()));
  if (values.ndim() != 2 || static_cast<std::size_t>(values.shape(0)) != columns.size() ||
      static_cast<std::size_t>(values.shape(1)) != times.size())
    throw py::value_error("values must have the shape (columns, entries of ts)");
  const std::span<double> numbers{values.mutable_data(), static_cast<std::size_t>(values.size())};
  const py::gil_scoped_release unlocked;
  return text::parse_columns(bytes.view(), delimiter, time_column, columns, symbol_column, symbol, times, numbers);
}

}  // namespace

void register_text(py::module_& m) {
  using text::RowCounts;
  py::class_<RowCounts>(m, "RowCounts", "What became of the rows of one piece of text.")
      .def_readonly("rows", &RowCounts::rows)
      .def_readonly("used", &RowCounts::used)
      .def_readonly("unreadable_row", &RowCounts::unreadable_row)
      .def_readonly("unreadable_time", &RowCounts::unreadable_time)
      .def_readonly("unreadable_price", &RowCounts::unreadable_price)
      .def_readonly("unreadable_quantity", &RowCounts::unreadable_quantity)
      .def_readonly("unreadable_side", &RowCounts::unreadable_side)
      .def_readonly("not_finite", &RowCounts::not_finite)
      .def_readonly("not_positive", &RowCounts::not_positive)
      .def_readonly("nothing", &RowCounts::nothing)
      .def_readonly("unknown_side", &RowCounts::unknown_side)
      .def_readonly("other_symbol", &RowCounts::other_symbol)
      .def_readonly("price_decimals", &RowCounts::price_decimals)
      .def_readonly("quantity_decimals", &RowCounts::quantity_decimals)
      .def_readonly("first_unreadable", &RowCounts::first_unreadable)
      .def_readonly("first_lost", &RowCounts::first_lost)
      .def_readonly("times", &RowCounts::times);

  m.attr("NO_ID") = text::no_id;

  m.def(
      "count_lines", [](const py::buffer& data) { return text::count_lines(Bytes{data}.view()); }, py::arg("data"),
      "Lines in the bytes: the room that the parsers' arrays need.");

  m.def("parse_trades", &parse_trades,
        "Parse delimited trades into the given arrays; the first `used` entries are set.", py::arg("data"),
        py::arg("ts").noconvert(), py::arg("price").noconvert(), py::arg("qty").noconvert(),
        py::arg("taker_sell").noconvert(), py::arg("id").noconvert(), py::kw_only(), py::arg("time_column"),
        py::arg("price_column"), py::arg("qty_column"), py::arg("side_column"), py::arg("id_column") = -1,
        py::arg("symbol_column") = -1, py::arg("side_code") = "true_is_sell", py::arg("symbol") = "",
        py::arg("delimiter") = ',', py::arg("word_columns") = std::vector<int>(),
        py::arg("words") = std::vector<std::string>(), py::arg("word").noconvert() = py::none());

  m.def("parse_columns", &parse_columns,
        "Parse a time and some numbers of each row; values[j, i] is number j of the i-th used row.", py::arg("data"),
        py::arg("ts").noconvert(), py::arg("values").noconvert(), py::kw_only(), py::arg("time_column"),
        py::arg("columns"), py::arg("symbol_column") = -1, py::arg("symbol") = "", py::arg("delimiter") = ',');

  m.def(
      "parse_side",
      [](std::string_view word, const std::string& code) {
        return static_cast<int>(text::parse_side(word, side_code(code)));
      },
      "Read a taker side: 0 buy, 1 sell, 2 unknown, 3 unreadable.", py::arg("word"), py::kw_only(),
      py::arg("side_code") = "true_is_sell");

  m.def("parse_id", &text::parse_id, "Read a trade id: digits are the number, other text a negative hash or NO_ID.",
        py::arg("word"));

  m.def(
      "distinct_values",
      [](const py::buffer& data, int column, std::size_t limit, char delimiter, int last) {
        check_columns({{"column", column}});
        py::list found;  // venues may print any bytes: never fail on them
        for (const std::string& value : text::distinct_values(Bytes{data}.view(), delimiter, column, limit, last))
          found.append(py::reinterpret_steal<py::str>(
              PyUnicode_DecodeUTF8(value.data(), static_cast<py::ssize_t>(value.size()), "replace")));
        return found;
      },
      "The different values of one column, in order of appearance, at most `limit`.", py::arg("data"), py::kw_only(),
      py::arg("column"), py::arg("limit") = 1000, py::arg("delimiter") = ',', py::arg("last") = -1);

  m.def(
      "finest_decimals",
      [](const Array<double>& values) {
        const std::span<const double> all{values.data(), static_cast<std::size_t>(values.size())};
        const py::gil_scoped_release unlocked;
        return text::finest_decimals(all);
      },
      "The digits after the point that the finest of the values needs, at most 15 (not on a decimal grid).",
      py::arg("values").noconvert());
}

}  // namespace liqcore::bindings
