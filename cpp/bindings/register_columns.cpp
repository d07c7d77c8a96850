#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>
#include <vector>

#include "arrays.hpp"
#include "columns/check.hpp"
#include "columns/merge.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

columns::TradeRun run_of(const py::tuple& given) {
  if (given.size() != 7) throw py::value_error("a run must be ts, price, qty, taker_sell, id, numbering, ordered");
  columns::TradeRun run{any_times(given[0], "ts"),
                        doubles(given[1], "price"),
                        doubles(given[2], "qty"),
                        bools(given[3], "taker_sell"),
                        {},
                        given[5].cast<int>(),
                        given[6].cast<bool>()};
  if (!given[4].is_none()) run.id = integers<std::int64_t>(given[4], "id");
  const std::size_t rows = run.ts.size();
  if (run.price.size() != rows || run.qty.size() != rows || run.taker_sell.size() != rows ||
      (!given[4].is_none() && run.id.size() != rows))
    throw py::value_error("the columns of a run must have one length");
  return run;
}

py::tuple merge_trades(const py::list& given) {
  std::vector<columns::TradeRun> runs;
  std::size_t rows = 0;
  for (const py::handle run : given) {
    runs.push_back(run_of(py::reinterpret_borrow<py::tuple>(run)));
    rows += runs.back().ts.size();
  }
  const auto room = static_cast<py::ssize_t>(rows);
  py::array_t<std::int64_t> ts(room);
  py::array_t<double> price(room), qty(room);
  py::array_t<bool> taker_sell(room);
  std::vector<columns::RunCounts> counts(runs.size());
  const columns::MergedTrades out{ts.mutable_data(), price.mutable_data(), qty.mutable_data(),
                                  reinterpret_cast<std::uint8_t*>(taker_sell.mutable_data())};
  std::size_t used = 0;
  {
    const py::gil_scoped_release unlocked;
    used = columns::merge_trades(runs, out, counts);
  }
  return py::make_tuple(used, ts, price, qty, taker_sell, counts);
}

}  // namespace

void register_columns(py::module_& m) {
  py::class_<columns::TradeCheck>(m, "TradeCheck", "What `check_trades` found.")
      .def_readonly("usable", &columns::TradeCheck::usable, "Every price and quantity is finite and above zero.")
      .def_readonly("in_order", &columns::TradeCheck::in_order, "The times never fall.")
      .def_readonly("low", &columns::TradeCheck::low, "Least time; 0 if there are no rows.")
      .def_readonly("high", &columns::TradeCheck::high, "Greatest time.")
      .def_readonly("price_decimals", &columns::TradeCheck::price_decimals,
                    "Digits after the point that the finest price needs; meaningless where not usable.")
      .def_readonly("qty_decimals", &columns::TradeCheck::qty_decimals, "The same of the quantities.");

  m.def(
      "check_trades",
      [](const py::object& ts, const py::object& price, const py::object& qty) {
        const auto times_ns = any_times(ts, "ts");
        const auto prices = doubles(price, "price");
        const auto quantities = doubles(qty, "qty");
        if (times_ns.size() != prices.size() || prices.size() != quantities.size())
          throw py::value_error("ts, price and qty must have one length");
        const py::gil_scoped_release unlocked;
        return columns::check_trades(times_ns, prices, quantities);
      },
      "Look once over columns of trades: are they in order and usable, and how fine are their grids?", py::arg("ts"),
      py::arg("price"), py::arg("qty"));

  using columns::RunCounts;
  py::class_<RunCounts>(m, "RunCounts", "What became of the rows of one run that `merge_trades` took.")
      .def_readonly("same_id", &RunCounts::same_id)
      .def_readonly("same_contents", &RunCounts::same_contents)
      .def_readonly("shared", &RunCounts::shared)
      .def_readonly("sells", &RunCounts::sells)
      .def_readonly("twins", &RunCounts::twins)
      .def_readonly("looked", &RunCounts::looked)
      .def_readonly("regrouped", &RunCounts::regrouped)
      .def_readonly("first", &RunCounts::first)
      .def_readonly("last", &RunCounts::last)
      .def_readonly("other", &RunCounts::other);

  m.def("merge_trades", &merge_trades,
        "Merge runs of trades (ts, price, qty, taker_sell, id or None, numbering, ordered), each in order of time: how "
        "many rows there are, the columns, of which so many are set, and the counts of each run.",
        py::arg("runs"));
}

}  // namespace liqcore::bindings
