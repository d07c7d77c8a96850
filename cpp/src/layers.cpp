#include "liqcore/layers.hpp"

#include <limits>
#include <utility>

#include "pass.hpp"
#include "zeros.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::size_t kShortRange = 48;  // cells that are looked at one by one

template <class Use>
void each_filled(const double* cells, std::size_t n, Use&& use) {
  for (std::size_t i = skip_zeros(cells, 0, n); i < n; i = skip_zeros(cells, i + 1, n)) use(i);
}

/// The cells of one layer of Layers, for pass().
struct LayerCells {
  Layers& layers;
  const std::size_t layer;
  Layers* const liquidated;
  const bool flushes;
  double lost = 0.0;

  template <class Scale>
  void touch(Layers::Range bins, Scale&& scale_of) {
    layers.each_page(layer, bins, [&](std::int64_t first, double* cells, std::size_t n) {
      each_filled(cells, n, [&](std::size_t i) {
        const std::int64_t bin = first + static_cast<std::int64_t>(i);
        const double taken = cells[i] * scale_of(bin);
        if (liquidated != nullptr) liquidated->add(layer, bin, taken);
        lost += cells[i] - taken;
        cells[i] = 0.0;
      });
    });
  }
  void scale(double by) {
    layers.each_page(layer, layers.range(layer), [&](std::int64_t, double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const double kept = cells[i] * by;
        lost += cells[i] - kept;
        cells[i] = kept;
      }
    });
  }
  void add(const Cells& cells) {
    const auto bins = cells.layer_bins(layer);
    const auto lots = cells.layer_lots(layer);
    layers.add(layer, bins, lots);
    for (std::size_t i = 0; i < bins.size(); ++i)
      if (lots[i] < 0.0) layers.cell(layer, bins[i]) = left_of(layers.cell(layer, bins[i]), lots[i]);
  }
  void flush() {
    if (!flushes) return;
    Layers::Range& range = layers.range(layer);
    layers.each_page(layer, range, [&](std::int64_t, double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        if (!(cells[i] < Layers::kDustLots)) continue;
        lost += cells[i];
        cells[i] = 0.0;
      }
    });
    range = layers.filled(layer, range);
  }
};

}  // namespace

// --- memory ------------------------------------------------------------------------------------------------------

Layers::Layers(const Layers& other)
    : tiers_(other.tiers_),
      first_bin_(other.first_bin_),
      width_(other.width_),
      ranges_(other.ranges_),
      directory_(other.directory_.size()),
      first_group_(other.first_group_),
      groups_(other.groups_) {
  // What has been reserved there is here, too.
  group_memory_.reserve(other.group_memory_.room());
  memory_.reserve(other.memory_.room());
  const Range all{first_group_ * kGroup, (first_group_ + static_cast<std::int64_t>(groups_)) * kGroup};
  for (std::size_t layer = 0; layer < layers(); ++layer)
    other.each_page(layer, all, [&](std::int64_t bin, const double* cells, std::size_t n) {
      std::copy_n(cells, n, &cell(layer, bin));
    });
}

Layers& Layers::operator=(const Layers& other) {
  Layers copied(other);
  *this = std::move(copied);
  return *this;
}

void Layers::widen(Range bins) {
  const std::int64_t low = bins.low >> 14;
  const std::int64_t end = ((bins.high - 1) >> 14) + 1;
  const std::int64_t old_end = first_group_ + static_cast<std::int64_t>(groups_);
  if (groups_ > 0 && low >= first_group_ && end <= old_end) return;
  // At least twice as many as before, so that a walk of the price costs no more than twice its width.
  std::int64_t first = groups_ > 0 ? std::min(low, first_group_) : low;
  std::int64_t size = groups_ > 0 ? std::max(end, old_end) - first : end - low;
  if (const std::int64_t more = 2 * static_cast<std::int64_t>(groups_) - size; more > 0) {
    size += more;
    if (low < first_group_) first = std::max(std::min<std::int64_t>(low, 0), first - more);
  }
  std::vector<double**> wider(layers() * static_cast<std::size_t>(size));
  for (std::size_t layer = 0; layer < layers(); ++layer)
    std::copy_n(directory_.begin() + static_cast<std::ptrdiff_t>(layer * groups_), groups_,
                wider.begin() + static_cast<std::ptrdiff_t>(layer) * size + (first_group_ - first));
  directory_ = std::move(wider);
  first_group_ = first;
  groups_ = static_cast<std::size_t>(size);
}

void Layers::hold(std::size_t layer, Range bins) {
  if (bins.empty()) return;
  widen(bins);
  for (std::int64_t bin = bins.low; bin < bins.high; bin = page_end(bin)) {
    if (page(layer, bin) != nullptr) continue;
    group_memory_.reserve(group_memory_.taken() + 1);
    memory_.reserve(memory_.taken() + 1);
    static_cast<void>(cell(layer, bin));
  }
}

void Layers::hold(std::size_t layer, std::span<const std::int32_t> bins) {
  while (!bins.empty()) {
    const std::int64_t bin = bins.front();
    if (page(layer, bin) == nullptr) hold(layer, Range{bin, bin + 1});
    if (const std::int64_t end = page_end(bin); bins.back() < end)
      return;
    else
      bins = bins.subspan(static_cast<std::size_t>(std::lower_bound(bins.begin(), bins.end(), end) - bins.begin()));
  }
}

void Layers::hold(const Cells& cells) {
  if (cells.size() == 0) return;
  for (std::size_t layer = 0; layer < layers(); ++layer) hold(layer, cells.layer_bins(layer));
}

void Layers::hold(const Layers& other) {
  for (std::size_t layer = 0; layer < layers(); ++layer)
    other.each_page(layer, other.range(layer),
                    [&](std::int64_t bin, const double*, std::size_t) { hold(layer, Range{bin, bin + 1}); });
}

void Layers::room_for(const Layers& other) {
  group_memory_.reserve(other.group_memory_.taken());
  memory_.reserve(other.memory_.taken());
  if (other.groups_ > 0)
    widen({other.first_group_ * kGroup, (other.first_group_ + static_cast<std::int64_t>(other.groups_)) * kGroup});
}

void Layers::room_for(Range bins) {
  if (bins.empty()) return;
  const auto blocks = [&](std::int64_t size) {
    return layers() * static_cast<std::size_t>((bins.high - 1) / size - bins.low / size + 1);
  };
  group_memory_.reserve(blocks(kGroup));
  memory_.reserve(blocks(kPage));
  widen(bins);
}

void Layers::cover(std::int64_t low, std::int64_t high) noexcept {
  if (low >= high || covers(low, high)) return;
  if (width_ > 0) {
    low = std::min(low, first_bin_);
    high = std::max(high, first_bin_ + width_);
  }
  first_bin_ = low / kExtentStep * kExtentStep;
  width_ = (high + kExtentStep - 1) / kExtentStep * kExtentStep - first_bin_;
}

// --- cells -------------------------------------------------------------------------------------------------------

std::int64_t Layers::next_in_page(std::size_t layer, std::int64_t bin) const noexcept {
  const Range& range = ranges_[layer];
  for (bin = std::max(bin, range.low); bin < range.high; bin = page_end(bin))
    if (page(layer, bin) != nullptr) return bin;
  return kNone;
}

Layers::Range Layers::filled(std::size_t layer, Range bins, const Layers* with) const noexcept {
  const auto zero = [&](std::int64_t bin) {
    return page(layer, bin)[within(bin)] == 0.0 && (with == nullptr || with->at(layer, bin) == 0.0);
  };
  while (!bins.empty() && (page(layer, bins.low) == nullptr || zero(bins.low)))
    bins.low = page(layer, bins.low) == nullptr ? page_end(bins.low) : bins.low + 1;
  while (!bins.empty() && (page(layer, bins.high - 1) == nullptr || zero(bins.high - 1)))
    bins.high = page(layer, bins.high - 1) == nullptr ? page_end(bins.high - 1) - kPage : bins.high - 1;
  return bins.empty() ? Range{bins.low, bins.low} : bins;
}

void Layers::apply(const Segment& segment, Dust dust, Layers* liquidated, std::span<Tally> closed,
                   std::uint64_t windows) {
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    LayerCells cells{*this, layer, liquidated, dust == Dust::flush};
    pass(segment, layer, tiers_, ranges_[layer], cells, windows);
    if (!closed.empty() && cells.lost != 0.0) closed[layer].add(cells.lost);
  }
}

void Layers::add(std::size_t layer, std::int64_t bin, double lots) {
  if (page(layer, bin) == nullptr) hold(layer, Range{bin, bin + 1});
  cover(bin, bin + 1);
  cell(layer, bin) += lots;
  range(layer).include(bin);
}

void Layers::add(std::size_t layer, std::span<const std::int32_t> bins, std::span<const double> lots) {
  if (bins.empty()) return;
  cover(bins.front(), std::int64_t{bins.back()} + 1);
  for (std::size_t i = 0; i < bins.size();) {
    const std::int64_t bin = bins[i];
    if (page(layer, bin) == nullptr) hold(layer, Range{bin, bin + 1});
    double* const cells = &cell(layer, bin) - within(bin);
    for (const std::int64_t end = page_end(bin); i < bins.size() && bins[i] < end; ++i)
      cells[within(bins[i])] += lots[i];
  }
  range(layer).include(bins.front());
  range(layer).include(bins.back());
}

void Layers::add(const Cells& cells) {
  if (cells.size() == 0) return;
  for (std::size_t layer = 0; layer < layers(); ++layer) add(layer, cells.layer_bins(layer), cells.layer_lots(layer));
}

void Layers::clear() noexcept {
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    Range& range = ranges_[layer];
    if (range.empty()) continue;
    each_page(layer, range, [](std::int64_t, double* cells, std::size_t n) { std::fill_n(cells, n, 0.0); });
    range = Range{};
  }
}

void Layers::copy(std::size_t layer, std::span<double> out) const noexcept {
  assert(out.size() == static_cast<std::size_t>(width_));
  std::fill(out.begin(), out.end(), 0.0);
  each_page(layer, range(layer), [&](std::int64_t first, const double* cells, std::size_t n) {
    std::copy_n(cells, n, out.begin() + (first - first_bin_));
  });
}

std::size_t Layers::filled_cells() const noexcept {
  std::size_t filled = 0;
  for (std::size_t layer = 0; layer < layers(); ++layer)
    each_page(layer, range(layer), [&](std::int64_t, const double* cells, std::size_t n) {
      if (n <= kShortRange)
        for (std::size_t i = 0; i < n; ++i) filled += cells[i] != 0.0 ? 1 : 0;
      else
        each_filled(cells, n, [&](std::size_t) { ++filled; });
    });
  return filled;
}

void Layers::room_to_extract(Cells& out) const {
  const std::size_t cells = filled_cells();
  if (cells == 0) return;
  out.offsets.reserve(layers() + 1);
  out.bins.reserve(cells + 1);
  out.lots.reserve(cells + 1);
}

void Layers::extract(Cells& out) const {
  const std::size_t filled = filled_cells();
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
    each_page(layer, range(layer), [&](std::int64_t first, const double* cells, std::size_t n) {
      const auto write = [&](std::size_t i) {
        out.bins[end] = static_cast<std::int32_t>(first + static_cast<std::int64_t>(i));
        out.lots[end] = cells[i];
      };
      if (n <= kShortRange) {
        // Every cell is written and only a filled one moves the end, which spares a branch that nobody can foresee.
        for (std::size_t i = 0; i < n; ++i) {
          write(i);
          end += cells[i] != 0.0 ? 1 : 0;
        }
      } else {
        each_filled(cells, n, [&](std::size_t i) {
          write(i);
          ++end;
        });
      }
    });
  }
  out.offsets[layers()] = static_cast<std::uint32_t>(end);
  out.bins.resize(filled);
  out.lots.resize(filled);
}

}  // namespace liqcore::inline abi1
