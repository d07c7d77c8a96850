#include "suffix.hpp"

#include <algorithm>
#include <bit>

#include "power.hpp"

namespace liqcore::inline abi1 {

std::size_t Span::bytes() const noexcept {
  return sizeof *this + scale.capacity() * sizeof scale[0] +
         additions.offsets.capacity() * sizeof additions.offsets[0] +
         additions.bins.capacity() * sizeof additions.bins[0] + additions.lots.capacity() * sizeof additions.lots[0];
}

void Suffix::add(std::size_t layer, const Cells& cells, std::vector<Undo>* undo) {
  auto bins = cells.layer_bins(layer);
  auto lots = cells.layer_lots(layer);
  // Cells are sorted by bin, so those that a later touch reached are at one end.
  if (layer < live_.tiers()) {
    const auto end = std::lower_bound(bins.begin(), bins.end(), touched_[0]);
    bins = bins.first(static_cast<std::size_t>(end - bins.begin()));
    lots = lots.first(bins.size());
  } else {
    const auto begin = std::upper_bound(bins.begin(), bins.end(), touched_[1]);
    bins = bins.subspan(static_cast<std::size_t>(begin - bins.begin()));
    lots = lots.last(bins.size());
  }
  const double scale = scale_[layer];
  if (bins.empty() || scale == 0.0) return;
  live_.hold(layer, bins);
  live_.cover(bins.front(), std::int64_t{bins.back()} + 1);
  live_.range(layer).include(bins.front());
  live_.range(layer).include(bins.back());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    double& cell = live_.cell(layer, bins[i]);
    if (undo != nullptr) undo->push_back({static_cast<std::uint32_t>(layer), bins[i], cell});
    cell += lots[i] * scale;
  }
}

void Suffix::prepend(const Segment& segment, std::uint64_t windows, std::vector<Undo>* undo) {
  const std::size_t tiers = live_.tiers();
  for (std::size_t layer = 0; layer < 2 * tiers; ++layer) add(layer, segment.additions, undo);
  if (const auto& steps = segment.touched[0]; !steps.empty()) touched_[0] = std::min(touched_[0], steps.back().bin);
  if (const auto& steps = segment.touched[1]; !steps.empty()) touched_[1] = std::max(touched_[1], steps.back().bin);
  for (std::size_t side = 0; side < 2; ++side)
    for (std::size_t tier = 0; tier < segment.scale[side].size(); ++tier) {
      scale_[side * tiers + tier] *= power(segment.scale[side][tier], windows);
      scaled_ = true;
    }
}

void Suffix::prepend(const Span& span) {
  for (std::size_t layer = 0; layer < live_.layers(); ++layer) add(layer, span.additions, nullptr);
  touched_[0] = std::min(touched_[0], span.touched[0]);
  touched_[1] = std::max(touched_[1], span.touched[1]);
  for (std::size_t layer = 0; layer < span.scale.size(); ++layer) {
    scale_[layer] *= span.scale[layer];
    scaled_ = true;
  }
}

bool Suffix::empty() const noexcept {
  for (std::size_t layer = 0; layer < live_.layers(); ++layer)
    if (!live_.range(layer).empty()) return false;
  return true;
}

void Suffix::reset() noexcept {
  live_.clear();
  std::copy_n(Span{}.touched, 2, touched_);
  std::fill(scale_.begin(), scale_.end(), 1.0);
  scaled_ = false;
}

void Suffix::flush() noexcept {
  for (std::size_t layer = 0; layer < live_.layers(); ++layer) {
    if (scale_[layer] == 1.0) continue;
    live_.each_page(layer, live_.range(layer), [](std::int64_t, double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) cells[i] = cells[i] < Layers::kDustLots ? 0.0 : cells[i];
    });
  }
}

Span Suffix::span() const {
  Span out;
  out.touched[0] = touched_[0];
  out.touched[1] = touched_[1];
  if (scaled_) out.scale = scale_;
  live_.extract(out.additions);
  out.additions.bins.shrink_to_fit();
  out.additions.lots.shrink_to_fit();
  return out;
}

void SpanTree::prepend(const History& history, std::size_t first, std::size_t end, Suffix& to) {
  forget_before(history.ordinal(0));
  while (end > first) {
    const std::size_t e = history.entry_of(end - 1);
    const History::Entry last = history.entry(e);
    const std::size_t begin = std::max(first, last.first);
    if (begin > last.first || end < last.first + last.count || last.folded > 0) {  // a part of an entry, at an edge
      to.prepend(last.window, end - begin);
      end = begin;
      continue;
    }
    std::size_t whole = history.entry_of(first);
    if (const History::Entry at = history.entry(whole); at.first < first || at.folded > 0) ++whole;
    prepend_entries(history, history.ordinal(whole), history.ordinal(e + 1), to);
    end = history.entry(whole).first;
  }
}

void SpanTree::prepend_entries(const History& history, std::uint64_t first, std::uint64_t end, Suffix& to) {
  const std::uint64_t oldest = history.ordinal(0);
  while (end > first) {
    const unsigned level =
        std::min(static_cast<unsigned>(std::countr_zero(end)), static_cast<unsigned>(std::bit_width(end - first)) - 1U);
    if (level < kSmallest) {
      const History::Entry entry = history.entry(static_cast<std::size_t>(--end - oldest));
      to.prepend(entry.window, entry.count);
    } else {
      end -= std::uint64_t{1} << level;
      to.prepend(span(history, level, end >> level));
    }
  }
}

const Span& SpanTree::span(const History& history, unsigned level, std::uint64_t index) {
  const std::uint64_t oldest = history.ordinal(0);
  const std::uint64_t end = (index + 1) << level;
  const EntryMark last(history, static_cast<std::size_t>(end - 1 - oldest));
  Node& node = levels_[level - kSmallest][index];
  if (node.last != last) {
    Suffix made(history.terms().tiers);
    if (level == kSmallest) {
      for (std::uint64_t i = end; i > index << level; --i) {
        const History::Entry entry = history.entry(static_cast<std::size_t>(i - 1 - oldest));
        made.prepend(entry.window, entry.count);
      }
    } else {
      made.prepend(span(history, level - 1, 2 * index + 1));
      made.prepend(span(history, level - 1, 2 * index));
    }
    node.span = made.span();
    node.last = last;
  }
  return node.span;
}

void SpanTree::forget_before(std::uint64_t ordinal) {
  for (unsigned i = 0; i < std::size(levels_); ++i) {
    auto& level = levels_[i];
    const std::uint64_t first = (ordinal + (std::uint64_t{1} << (i + kSmallest)) - 1) >> (i + kSmallest);
    level.erase(level.begin(), level.lower_bound(first));
  }
}

std::size_t SpanTree::bytes() const noexcept {
  std::size_t out = 0;
  for (const auto& level : levels_)
    for (const auto& [index, node] : level) out += sizeof node + node.span.bytes();
  return out;
}

}  // namespace liqcore::inline abi1
