#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "arrays.hpp"
#include "liqcore/leverage.hpp"
#include "liqcore/model.hpp"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

using Tier = std::variant<double, std::string>;

double tier_from(const Tier& tier) {
  const auto* const text = std::get_if<std::string>(&tier);
  return text != nullptr ? tier_of(*text) : std::get<double>(tier);
}

LeverageProfile from_shares(const std::map<Tier, double>& shares, double intensity) {
  std::vector<double> tiers;
  std::vector<double> parts;
  for (const auto& [tier, share] : shares) {
    tiers.push_back(tier_from(tier));
    parts.push_back(share);
  }
  return {std::move(tiers), std::move(parts), intensity};
}

std::map<double, double> shares_of(const LeverageProfile& profile) {
  std::map<double, double> shares;
  for (std::size_t i = 0; i < profile.size(); ++i) shares[profile.tiers()[i]] = profile.shares()[i];
  return shares;
}

}  // namespace

void register_leverage(py::module_& m) {
  py::class_<LeverageProfile>(m, "LeverageProfile", R"(
Leverage tiers and the share of the opened quantity in each.

Weights are applied when a book is read, never inside it, so another profile over the same tiers costs no second pass
over the trades. Immutable, safe to share between threads.

Parameters
----------
shares : dict of float or str to float
    Share by leverage, at least 1, or by distance from the entry: "0.2%", or the number 0.002. Shares at least 0 and
    summing to 1 (within 1e-9); at most 1,024 tiers. A distance d has its levels at entry x (1 - d) for longs and
    entry x (1 + d) for shorts, without margin terms: nearer than any leverage that a venue offers.
intensity : float
    Scales all shares: 1 for an assumed profile, otherwise what a fit says. Above 0.

Raises
------
InvalidConfigError
    If leverages, shares or intensity break a rule above.

Examples
--------
>>> import liqcore as lq
>>> profile = lq.LeverageProfile({10: 0.5, 50: 0.3, 100: 0.2})
>>> profile.tiers
array([ 10.,  50., 100.])
>>> lq.LeverageProfile.preset("integer-125").tiers.size
125
>>> near = lq.LeverageProfile({"0.2%": 0.25, "0.3%": 0.25, 25: 0.5})
>>> near.tiers, near.names
(array([2.0e-03, 3.0e-03, 2.5e+01]), ['0.2 %', '0.3 %', '25x'])
)")
      .def(py::init(&from_shares), py::arg("shares"), py::kw_only(), py::arg("intensity") = 1.0)
      .def_static("preset", &LeverageProfile::preset, py::arg("name"), R"(
A documented profile: "default" (5x 30 %, 10x 30 %, 25x 20 %, 50x 12 %, 100x 8 %: an assumption) or "integer-125"
(every whole leverage from 1 to 125 in the proportions the best-known commercial map uses).
)")
      .def_property_readonly(
          "tiers", [](const LeverageProfile& self) { return copy_to_array(std::span(self.tiers())); },
          "Leverages in rising order, float64; below 1, and so first, distances from the entry as a share of it.")
      .def_property_readonly(
          "names",
          [](const LeverageProfile& self) {
            std::vector<std::string> names;
            for (const double tier : self.tiers()) names.push_back(tier_name(tier));
            return names;
          },
          "How the tiers are shown: \"25x\", or \"0.2 %\" for a distance.")
      .def_property_readonly(
          "shares", [](const LeverageProfile& self) { return copy_to_array(std::span(self.shares())); },
          "Share of each tier, float64, summing to 1.")
      .def_property_readonly("intensity", &LeverageProfile::intensity, "Scale of all shares.")
      .def_property_readonly(
          "weights", [](const LeverageProfile& self) { return to_array(self.weights()); },
          "share x intensity of each tier, float64.")
      .def("to_dict", &shares_of, "Share by leverage.")
      .def(
          "index", [](const LeverageProfile& self, const Tier& leverage) { return self.index(tier_from(leverage)); },
          py::arg("leverage"),
          "Number of the tier of a leverage, which is its row in arrays; InvalidConfigError if it is none.")
      .def(
          "default_half_life_ns", [](const LeverageProfile& self) { return to_array(default_half_life_ns(self)); }, R"(
The flow model's default half-life of each tier, float64 ns: 1 day from 100x, 3 days from 50x, 7 days from 25x,
30 days below, and 1 day for distances from the entry. An assumption: high leverage is held shortest.
)")
      .def("__len__", &LeverageProfile::size)
      .def(
          "__eq__", [](const LeverageProfile& a, const LeverageProfile& b) { return a == b; }, py::is_operator())
      .def("__hash__", [](const LeverageProfile& self) { return py::hash(py::str(py::cast(shares_of(self)))); })
      .def("__repr__",
           [](const LeverageProfile& self) {
             return "LeverageProfile(" + std::string(py::repr(py::cast(shares_of(self)))) +
                    ", intensity=" + std::string(py::repr(py::float_(self.intensity()))) + ")";
           })
      .def(py::pickle([](const LeverageProfile& self) { return py::make_tuple(shares_of(self), self.intensity()); },
                      [](const py::tuple& state) {
                        return from_shares(state[0].cast<std::map<Tier, double>>(), state[1].cast<double>());
                      }));
  m.def("tier_of", [](const Tier& tier) { return tier_from(tier); }, py::arg("tier"), R"(
The tier as a number: of a number as it is, of "25", "25x" or "0.2%"; a distance from the entry is below 1.
)");
  m.def("tier_name", &tier_name, py::arg("tier"), R"(How a tier is shown: "25x", or "0.2 %" for a distance.)");
}

}  // namespace liqcore::bindings
