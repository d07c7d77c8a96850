#include "liqcore/segment.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "liqcore/error.hpp"
#include "touch.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::size_t kShortRange = 48;  // cells of a layer that are looked at one by one
constexpr std::int64_t kBlock = 512;     // bins; storage grows by whole blocks, so its extent does not depend on order

bool is_long(std::size_t layer, std::size_t tiers) noexcept { return layer < tiers; }

bool further(Side side, std::int64_t bin, std::int64_t than) noexcept {
  return side == Side::long_ ? bin < than : bin > than;
}

double factor(const std::vector<double>& scale, std::size_t tier) noexcept { return scale.empty() ? 1.0 : scale[tier]; }

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

void Layers::cover(std::int64_t low, std::int64_t high) {
  if (low >= high || covers(low, high)) return;
  Layers wider = covering({low, high});
  cells_ = std::move(wider.cells_);  // ranges stay where they are: apply() holds on to one
  first_bin_ = wider.first_bin_;
  width_ = wider.width_;
}

Layers Layers::covering(Range bins) const {
  if (bins.empty() || covers(bins.low, bins.high)) return *this;
  if (width_ > 0) {
    bins.low = std::min(bins.low, first_bin_);
    bins.high = std::max(bins.high, first_bin_ + width_);
  }
  Layers out(tiers_);
  out.first_bin_ = bins.low / kBlock * kBlock;
  out.width_ = (bins.high + kBlock - 1) / kBlock * kBlock - out.first_bin_;
  out.cells_.resize(layers() * static_cast<std::size_t>(out.width_));
  out.ranges_ = ranges_;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    const Range& used = ranges_[layer];
    if (used.empty()) continue;
    std::copy_n(row(layer) + (used.low - first_bin_), used.high - used.low,
                out.row(layer) + (used.low - out.first_bin_));
  }
  return out;
}

void Layers::apply(const Segment& segment, Dust dust, Layers* liquidated, std::span<Tally> closed) {
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    const bool longs = is_long(layer, tiers_);
    const std::size_t side = longs ? 0 : 1;
    const std::size_t tier = longs ? layer : layer - tiers_;
    Range& range = ranges_[layer];
    double lost = 0.0;

    const std::vector<TouchStep>& steps = segment.touched[side];
    if (!steps.empty() && !range.empty()) {
      const std::int64_t furthest = steps.back().bin;
      const std::int64_t low = longs ? std::max(range.low, furthest) : range.low;
      const std::int64_t high = longs ? range.high : std::min(range.high, furthest + 1);
      for (std::int64_t bin = low; bin < high; ++bin) {
        double& cell = at(layer, bin);
        if (cell == 0.0) continue;
        const double taken = cell * scale_when_touched(longs, steps, tier, bin);
        if (liquidated != nullptr) liquidated->add(layer, bin, taken);
        lost += cell - taken;
        cell = 0.0;
      }
      if (longs)
        range.high = std::min(range.high, low);
      else
        range.low = std::max(range.low, high);
    }

    const double scale = factor(segment.scale[side], tier);
    if (scale != 1.0) {
      for (std::int64_t bin = range.low; bin < range.high; ++bin) {
        double& cell = at(layer, bin);
        const double kept = cell * scale;
        lost += cell - kept;
        cell = kept;
      }
    }

    add(layer, segment.additions.layer_bins(layer), segment.additions.layer_lots(layer));

    if (scale != 1.0 && dust == Dust::flush) {
      for (std::int64_t bin = range.low; bin < range.high; ++bin) {
        double& cell = at(layer, bin);
        if (cell < kDustLots) {
          lost += cell;
          cell = 0.0;
        }
      }
      while (!range.empty() && at(layer, range.low) == 0.0) ++range.low;
      while (!range.empty() && at(layer, range.high - 1) == 0.0) --range.high;
    }
    if (!closed.empty() && lost != 0.0) closed[layer].add(lost);
  }
}

void Layers::add(std::size_t layer, std::int64_t bin, double lots) {
  if (!covers(bin, bin + 1)) cover(bin, bin + 1);
  at(layer, bin) += lots;
  ranges_[layer].include(bin);
}

void Layers::add(std::size_t layer, std::span<const std::int32_t> bins, std::span<const double> lots) {
  if (bins.empty()) return;
  if (!covers(bins.front(), bins.back() + 1)) cover(bins.front(), bins.back() + 1);
  double* const cells = row(layer) - first_bin_;
  for (std::size_t i = 0; i < bins.size(); ++i) cells[bins[i]] += lots[i];
  ranges_[layer].include(bins.front());
  ranges_[layer].include(bins.back());
}

void Layers::add(const Cells& cells) {
  if (cells.size() == 0) return;
  for (std::size_t layer = 0; layer < layers(); ++layer) add(layer, cells.layer_bins(layer), cells.layer_lots(layer));
}

void Layers::clear() noexcept {
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    Range& range = ranges_[layer];
    if (!range.empty()) std::fill_n(row(layer) + (range.low - first_bin_), range.high - range.low, 0.0);
    range = Range{};
  }
}

std::size_t Layers::filled() const noexcept {
  std::size_t filled = 0;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    const double* const cells = row(layer) + (ranges_[layer].low - first_bin_);
    const auto n = static_cast<std::size_t>(ranges_[layer].high - ranges_[layer].low);
    if (n <= kShortRange)
      for (std::size_t i = 0; i < n; ++i) filled += cells[i] != 0.0 ? 1 : 0;
    else
      for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) ++filled;
  }
  return filled;
}

void Layers::room_to_extract(Cells& out) const {
  const std::size_t cells = filled();
  if (cells == 0) return;
  out.offsets.reserve(layers() + 1);
  out.bins.reserve(cells + 1);
  out.lots.reserve(cells + 1);
}

void Layers::extract(Cells& out) const {
  const std::size_t filled = this->filled();
  if (filled == 0) {
    out.clear();
    return;
  }
  out.offsets.resize(layers() + 1);
  out.bins.resize(filled + 1);  // room for the one that is written and not kept, below
  out.lots.resize(filled + 1);
  std::size_t end = 0;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    out.offsets[layer] = static_cast<std::uint32_t>(end);
    const std::int64_t low = ranges_[layer].low;
    const double* const cells = row(layer) + (low - first_bin_);
    const auto n = static_cast<std::size_t>(ranges_[layer].high - low);
    const auto write = [&](std::size_t i) {
      out.bins[end] = static_cast<std::int32_t>(low + static_cast<std::int64_t>(i));
      out.lots[end] = cells[i];
    };
    if (n <= kShortRange) {
      // Every cell is written and only a filled one moves the end, which spares a branch that nobody can foresee.
      for (std::size_t i = 0; i < n; ++i) {
        write(i);
        end += cells[i] != 0.0 ? 1 : 0;
      }
    } else {
      for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) {
        write(i);
        ++end;
      }
    }
  }
  out.offsets[layers()] = static_cast<std::uint32_t>(end);
  out.bins.resize(filled);
  out.lots.resize(filled);
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
    for (std::int64_t bin = liquidated.range(layer).low; bin < liquidated.range(layer).high; ++bin)
      taken.add(liquidated.at(layer, bin));
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
