#include "liqcore/leverage.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>

#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {

std::string tier_name(double tier) {
  if (!is_distance(tier)) return text_of(tier) + "x";
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.12g %%", 100.0 * tier);
  return percent;
}

double tier_of(std::string_view text) {
  const auto fail = [&] {
    throw InvalidConfig(
        "a leverage tier must be a leverage of at least 1 such as \"25\", or a distance from the entry "
        "above 0 % and below 100 % such as \"0.2%\", was \"" +
        std::string(text) + "\"");
  };
  std::string_view number = text;
  const auto trim = [&] {
    while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
    while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
  };
  trim();
  const bool percent = number.ends_with('%');
  if (percent || number.ends_with('x') || number.ends_with('X')) number.remove_suffix(1);
  trim();
  // A hundredth in decimals: 0.7 % is 0.007, where 0.7 / 100 would be a little less.
  const std::string decimal = std::string(number) + (percent ? "e-2" : "");
  double tier = 0.0;
  const auto [end, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), tier);
  if (error != std::errc{} || end != decimal.data() + decimal.size() || number.empty() || !std::isfinite(tier)) fail();
  if (!(tier > 0.0) || percent != is_distance(tier)) fail();  // "0.5" is more likely a slip than half of the entry
  return tier;
}

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
    if (!(std::isfinite(tiers[i]) && tiers[i] > 0.0))
      throw InvalidConfig("leverage must be finite and at least 1, or a distance from the entry above 0, was " +
                          text_of(tiers[i]));
    if (!tiers_.empty() && tiers_.back() == tiers[i])
      throw InvalidConfig("leverage must list each tier once, had " + tier_name(tiers[i]) + " twice");
    if (!(std::isfinite(shares[i]) && shares[i] >= 0.0))
      throw InvalidConfig("share of leverage " + tier_name(tiers[i]) + " must be finite and at least 0, was " +
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
  for (const double tier : tiers_) all += (all.empty() ? "" : ", ") + tier_name(tier);
  throw InvalidConfig("leverage must be one of the tiers (" + all + "), was " + tier_name(leverage));
}

std::vector<double> LeverageProfile::weights() const {
  std::vector<double> weights = shares_;
  for (double& weight : weights) weight *= intensity_;
  return weights;
}

}  // namespace liqcore::inline abi1
