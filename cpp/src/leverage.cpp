#include "liqcore/leverage.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {

LeverageProfile::LeverageProfile(std::vector<double> tiers, std::vector<double> shares, double intensity)
    : intensity_(intensity) {
  if (tiers.empty() || tiers.size() > 1024)
    throw InvalidConfig("leverage must have between 1 and 1,024 tiers, had " + std::to_string(tiers.size()));
  if (tiers.size() != shares.size())
    throw InvalidConfig("leverage must have one share for each of its " + std::to_string(tiers.size()) +
                        " tiers, had " + std::to_string(shares.size()));
  if (!(std::isfinite(intensity) && intensity > 0.0))
    throw InvalidConfig("intensity must be finite and above 0, was " + text_of(intensity));

  std::vector<std::size_t> order(tiers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return tiers[a] < tiers[b]; });
  double sum = 0.0;
  for (const std::size_t i : order) {
    if (!(std::isfinite(tiers[i]) && tiers[i] >= 1.0))
      throw InvalidConfig("leverage must be finite and at least 1, was " + text_of(tiers[i]));
    if (!tiers_.empty() && tiers_.back() == tiers[i])
      throw InvalidConfig("leverage must list each tier once, had " + text_of(tiers[i]) + " twice");
    if (!(std::isfinite(shares[i]) && shares[i] >= 0.0))
      throw InvalidConfig("share of leverage " + text_of(tiers[i]) + " must be finite and at least 0, was " +
                          text_of(shares[i]));
    tiers_.push_back(tiers[i]);
    shares_.push_back(shares[i]);
    sum += shares[i];
  }
  if (std::fabs(sum - 1.0) > 1e-9)
    throw InvalidConfig("leverage shares must sum to 1 (within 1e-9), summed to " + text_of(sum));
}

LeverageProfile LeverageProfile::preset(std::string_view name) {
  if (name == "default") return {{5, 10, 25, 50, 100}, {0.30, 0.30, 0.20, 0.12, 0.08}};
  if (name == "integer-125") {
    std::vector<double> tiers(125);
    std::vector<double> shares(125);
    double sum = 0.0;
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      const double leverage = static_cast<double>(i + 1);
      tiers[i] = leverage;
      shares[i] = leverage <= 25.0 ? leverage : 1.2 * std::log(leverage);
      sum += shares[i];
    }
    for (double& share : shares) share /= sum;
    return {std::move(tiers), std::move(shares)};
  }
  throw InvalidConfig("leverage preset must be \"default\" or \"integer-125\", was \"" + std::string(name) + "\"");
}

std::size_t LeverageProfile::index(double leverage) const {
  const auto found = std::lower_bound(tiers_.begin(), tiers_.end(), leverage);
  if (found != tiers_.end() && *found == leverage) return static_cast<std::size_t>(found - tiers_.begin());
  std::string all;
  for (const double tier : tiers_) all += (all.empty() ? "" : ", ") + text_of(tier);
  throw InvalidConfig("leverage must be one of the tiers (" + all + "), was " + text_of(leverage));
}

std::vector<double> LeverageProfile::weights() const {
  std::vector<double> weights = shares_;
  for (double& weight : weights) weight *= intensity_;
  return weights;
}

}  // namespace liqcore::inline abi1
