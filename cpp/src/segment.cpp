#include "liqcore/segment.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "liqcore/error.hpp"
#include "liqcore/layers.hpp"

namespace liqcore::inline abi1 {
namespace {

bool further(Side side, std::int64_t bin, std::int64_t than) noexcept {
  return side == Side::long_ ? bin < than : bin > than;
}

/// Equal, or neither is a number.
bool same(double a, double b) noexcept { return a == b || (a != a && b != b); }

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  std::vector<double> out(a);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] *= b[i];
  return out;
}

}  // namespace

void Candle::extend(const Candle& later) noexcept {
  buy_lots += later.buy_lots;
  sell_lots += later.sell_lots;
  if (later.empty()) return;
  if (empty()) {
    open = later.open;
    high = later.high;
    low = later.low;
  } else {
    high = std::max(high, later.high);
    low = std::min(low, later.low);
  }
  close = later.close;
}

std::span<const std::int32_t> Cells::layer_bins(std::size_t layer) const noexcept {
  if (offsets.empty()) return {};
  return {bins.data() + offsets[layer], bins.data() + offsets[layer + 1]};
}

std::span<const double> Cells::layer_lots(std::size_t layer) const noexcept {
  if (offsets.empty()) return {};
  return {lots.data() + offsets[layer], lots.data() + offsets[layer + 1]};
}

void Cells::clear() noexcept {
  offsets.clear();
  bins.clear();
  lots.clear();
}

bool Segment::idle() const noexcept {
  return candle == Candle{} && touched[0].empty() && touched[1].empty() && additions.size() == 0 &&
         liquidated.size() == 0 &&
         std::all_of(accounts.begin(), accounts.end(), [](const Account& account) { return account == Account{}; });
}

bool Segment::operator==(const Segment& other) const noexcept {
  return start_ns == other.start_ns && end_ns == other.end_ns && candle == other.candle &&
         std::equal(std::begin(touched), std::end(touched), std::begin(other.touched)) &&
         std::equal(std::begin(scale), std::end(scale), std::begin(other.scale)) && additions == other.additions &&
         liquidated == other.liquidated && accounts == other.accounts && last_ns == other.last_ns &&
         same(mark_price, other.mark_price) && same(open_interest, other.open_interest);
}

Segment combine(const Segment& earlier, const Segment& later) {
  if (earlier.end_ns != later.start_ns)
    throw InvalidConfig("later must start where earlier ends (" + std::to_string(earlier.end_ns) + " ns), started at " +
                        std::to_string(later.start_ns) + " ns");
  if (earlier.accounts.size() != later.accounts.size())
    throw InvalidConfig("segments must have the same leverage tiers, had " +
                        std::to_string(earlier.accounts.size() / 2) + " and " +
                        std::to_string(later.accounts.size() / 2));
  const std::size_t tiers = earlier.accounts.size() / 2;

  Segment out;
  out.start_ns = earlier.start_ns;
  out.end_ns = later.end_ns;
  out.candle = earlier.candle;
  out.candle.extend(later.candle);
  for (const Side side : {Side::long_, Side::short_}) {
    const auto s = static_cast<std::size_t>(side);
    out.touched[s] = earlier.touched[s];
    for (const TouchStep& step : later.touched[s])
      if (out.touched[s].empty() || further(side, step.bin, out.touched[s].back().bin))
        out.touched[s].push_back({step.bin, product(earlier.scale[s], step.scale)});
    // Steps of equal scale are one step: the last of them reaches furthest.
    auto& steps = out.touched[s];
    for (std::size_t i = 1; i < steps.size();)
      if (steps[i].scale == steps[i - 1].scale)
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i) - 1);
      else
        ++i;
    out.scale[s] = product(earlier.scale[s], later.scale[s]);
  }

  // The additions of the earlier part live through the later one; what that liquidates of them is the segment's own.
  Layers live(tiers);
  Layers liquidated(tiers);
  std::vector<Tally> closed(2 * tiers);
  live.add(earlier.additions);
  live.apply(later, Layers::Dust::keep, &liquidated, closed);
  out.accounts = earlier.accounts;
  for (std::size_t layer = 0; layer < 2 * tiers; ++layer) {
    Tally taken;
    liquidated.each_page(layer, liquidated.range(layer), [&](std::int64_t, const double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) taken.add(cells[i]);
    });
    out.accounts[layer] += later.accounts[layer];
    out.accounts[layer].live -= taken;
    out.accounts[layer].live -= closed[layer];
    out.accounts[layer].liquidated += taken;
    out.accounts[layer].closed += closed[layer];
  }
  liquidated.add(earlier.liquidated);
  liquidated.add(later.liquidated);
  live.extract(out.additions);
  liquidated.extract(out.liquidated);

  out.last_ns = std::max(earlier.last_ns, later.last_ns);
  out.mark_price = later.mark_price == later.mark_price ? later.mark_price : earlier.mark_price;
  out.open_interest = later.open_interest == later.open_interest ? later.open_interest : earlier.open_interest;
  return out;
}

}  // namespace liqcore::inline abi1
