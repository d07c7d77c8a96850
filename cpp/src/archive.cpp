#include "liqcore/archive.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr int kNone = -1;
constexpr double kMaxValue = 4611686018427387904.0;  // 2^62: whole numbers of 64 bits are made of some values
constexpr std::int64_t kNoEvent = std::numeric_limits<std::int64_t>::min();

struct AccountField {
  RowKind kind;
  Tally Account::* field;
};
constexpr AccountField kAccountFields[] = {
    {RowKind::opened, &Account::opened},
    {RowKind::live, &Account::live},
    {RowKind::account_liquidated, &Account::liquidated},
    {RowKind::closed, &Account::closed},
    {RowKind::underflow, &Account::underflow},
    {RowKind::overflow, &Account::overflow},
    {RowKind::unresolved, &Account::unresolved},
    {RowKind::no_price, &Account::no_price},
};

struct CandlePrice {
  RowKind kind;
  std::int64_t Candle::* field;
};
constexpr CandlePrice kCandlePrices[] = {
    {RowKind::open, &Candle::open},
    {RowKind::high, &Candle::high},
    {RowKind::low, &Candle::low},
    {RowKind::close, &Candle::close},
};

void push_cells(ArchiveRows& rows, std::int64_t time, RowKind kind, const Cells& cells, std::size_t tiers) {
  for (std::size_t layer = 0; layer < 2 * tiers; ++layer) {
    const auto bins = cells.layer_bins(layer);
    const auto lots = cells.layer_lots(layer);
    for (std::size_t i = 0; i < bins.size(); ++i)
      rows.push(time, kind, static_cast<int>(layer / tiers), static_cast<int>(layer % tiers), bins[i], lots[i]);
  }
}

bool same(double a, double b) noexcept { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Gathers the cells of one window, which must come sorted by side, tier and bin.
class CellBuilder {
 public:
  explicit CellBuilder(std::size_t layers) : counts_(layers) {}

  void add(std::size_t layer, std::int32_t bin, double lots) {
    if (!cells_.bins.empty() && (layer < last_layer_ || (layer == last_layer_ && bin <= cells_.bins.back())))
      throw InvalidConfig("cells of an archive must be sorted by side, tier and bin, bin " + std::to_string(bin) +
                          " came late");
    last_layer_ = layer;
    ++counts_[layer];
    cells_.bins.push_back(bin);
    cells_.lots.push_back(lots);
  }

  /// The cells so far; the builder starts anew.
  Cells take() {
    if (!cells_.bins.empty()) {
      cells_.offsets.push_back(0);
      for (std::uint32_t& count : counts_) {
        cells_.offsets.push_back(cells_.offsets.back() + count);
        count = 0;
      }
    }
    return std::exchange(cells_, {});
  }

 private:
  Cells cells_;
  std::vector<std::uint32_t> counts_;
  std::size_t last_layer_ = 0;
};

}  // namespace

void ArchiveRows::push(std::int64_t time, RowKind row_kind, int row_side, int row_tier, std::int64_t row_bin,
                       double row_value) {
  time_ns.push_back(time);
  kind.push_back(static_cast<std::uint8_t>(row_kind));
  side.push_back(static_cast<std::int8_t>(row_side));
  tier.push_back(static_cast<std::int16_t>(row_tier));
  bin.push_back(static_cast<std::int32_t>(row_bin));
  value.push_back(row_value);
}

ArchiveRows to_rows(const History& history) {
  ArchiveRows rows;
  const std::size_t tiers = history.terms().tiers;
  if (history.size() == 0) return rows;
  Cells base;
  history.base().extract(base);
  push_cells(rows, history.segment(0).start_ns, RowKind::base, base, tiers);

  double mark = std::numeric_limits<double>::quiet_NaN();
  double open_interest = mark;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const Segment& segment = history.segment(i);
    const std::int64_t time = segment.start_ns;
    push_cells(rows, time, RowKind::added, segment.additions, tiers);
    push_cells(rows, time, RowKind::liquidated, segment.liquidated, tiers);
    for (int side = 0; side < 2; ++side) {
      for (const TouchStep& step : segment.touched[side]) {
        if (step.scale.empty()) rows.push(time, RowKind::touched, side, kNone, step.bin, 1.0);
        for (std::size_t tier = 0; tier < step.scale.size(); ++tier)
          rows.push(time, RowKind::touched, side, static_cast<int>(tier), step.bin, step.scale[tier]);
      }
      for (std::size_t tier = 0; tier < segment.scale[side].size(); ++tier)
        rows.push(time, RowKind::scale, side, static_cast<int>(tier), kNone, segment.scale[side][tier]);
    }
    const Candle& candle = segment.candle;
    const auto number = [&](RowKind kind, double value) { rows.push(time, kind, kNone, kNone, kNone, value); };
    if (!candle.empty()) {
      for (const CandlePrice& price : kCandlePrices) number(price.kind, static_cast<double>(candle.*price.field));
      number(RowKind::buy_lots, candle.buy_lots);
      number(RowKind::sell_lots, candle.sell_lots);
    }
    // Before the first window: the rows before it are not here to say so.
    if (segment.last_ns >= time || (i == 0 && segment.last_ns != kNoEvent))
      number(RowKind::last_event, static_cast<double>(segment.last_ns - time));
    if (!same(segment.mark_price, mark)) number(RowKind::mark_price, mark = segment.mark_price);
    if (!same(segment.open_interest, open_interest))
      number(RowKind::open_interest, open_interest = segment.open_interest);
    for (std::size_t layer = 0; layer < segment.accounts.size(); ++layer)
      for (const AccountField& account : kAccountFields)
        // Whole lots and fraction apart: their sum in one double would be rounded.
        for (const double part : {static_cast<double>((segment.accounts[layer].*account.field).whole()),
                                  (segment.accounts[layer].*account.field).fraction()})
          if (part != 0.0)
            rows.push(time, account.kind, static_cast<int>(layer / tiers), static_cast<int>(layer % tiers), kNone,
                      part);
  }
  return rows;
}

History from_rows(const Terms& terms, std::int64_t first_ns, std::size_t windows, const ArchiveRows& rows) {
  History history(terms, std::nullopt);
  const std::size_t tiers = terms.tiers;
  CellBuilder base(2 * tiers);
  CellBuilder added(2 * tiers);
  CellBuilder liquidated(2 * tiers);
  Segment* segment = nullptr;
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::min();
  double mark = std::numeric_limits<double>::quiet_NaN();
  double open_interest = mark;
  std::int64_t start = first_ns;

  const auto finish = [&] {
    segment->additions = added.take();
    segment->liquidated = liquidated.take();
    segment->last_ns = last_ns;
    segment->mark_price = mark;
    segment->open_interest = open_interest;
  };
  std::size_t row = 0;
  for (std::size_t window = 0; window < windows; ++window, start += terms.window_ns) {
    segment = &history.append();
    segment->start_ns = start;
    segment->end_ns = start + terms.window_ns;
    segment->accounts.resize(2 * tiers);
    for (; row < rows.size() && rows.time_ns[row] == start; ++row) {
      const auto kind = static_cast<RowKind>(rows.kind[row]);
      const double value = rows.value[row];
      const int side = rows.side[row];
      const int tier = rows.tier[row];
      const bool has_layer = side >= 0 && side < 2 && tier >= 0 && static_cast<std::size_t>(tier) < tiers;
      const auto layer = [&]() -> std::size_t {
        if (!has_layer)
          throw InvalidConfig("row " + std::to_string(row) + " of an archive must name a side and one of " +
                              std::to_string(tiers) + " tiers");
        return static_cast<std::size_t>(side) * tiers + static_cast<std::size_t>(tier);
      };
      const auto only_side = [&]() -> std::size_t {
        if (side < 0 || side > 1) throw InvalidConfig("row " + std::to_string(row) + " of an archive must name a side");
        return static_cast<std::size_t>(side);
      };
      const auto cell = [&](CellBuilder& cells) {
        if (rows.bin[row] < 0) throw InvalidConfig("row " + std::to_string(row) + " of an archive must name a bin");
        cells.add(layer(), rows.bin[row], value);
      };
      if (!std::isfinite(value) || (std::fabs(value) >= kMaxValue && kind != RowKind::open_interest))
        throw InvalidConfig("row " + std::to_string(row) + " of an archive must hold a number below 2^62, was " +
                            text_of(value));
      switch (kind) {
        case RowKind::base:
          cell(base);
          break;
        case RowKind::added:
          cell(added);
          break;
        case RowKind::liquidated:
          cell(liquidated);
          break;
        case RowKind::touched: {
          auto& steps = segment->touched[only_side()];
          if (steps.empty() || steps.back().bin != rows.bin[row]) steps.push_back({rows.bin[row], {}});
          if (tier >= 0) steps.back().scale.push_back(value);
          break;
        }
        case RowKind::scale:
          segment->scale[only_side()].push_back(value);
          break;
        case RowKind::open:
        case RowKind::high:
        case RowKind::low:
        case RowKind::close:
          for (const CandlePrice& price : kCandlePrices)
            if (price.kind == kind) segment->candle.*price.field = static_cast<std::int64_t>(value);
          break;
        case RowKind::buy_lots:
          segment->candle.buy_lots = value;
          break;
        case RowKind::sell_lots:
          segment->candle.sell_lots = value;
          break;
        case RowKind::last_event:
          last_ns = start + static_cast<std::int64_t>(value);
          break;
        case RowKind::mark_price:
          mark = value;
          break;
        case RowKind::open_interest:
          open_interest = value;
          break;
        default: {
          const AccountField* found = nullptr;
          for (const AccountField& account : kAccountFields)
            if (account.kind == kind) found = &account;
          if (found == nullptr)
            throw InvalidConfig("row " + std::to_string(row) + " of an archive has the unknown kind " +
                                std::to_string(rows.kind[row]));
          (segment->accounts[layer()].*found->field).add(value);
        }
      }
    }
    for (const auto& scale : segment->scale)
      if (!scale.empty() && scale.size() != tiers)
        throw InvalidConfig("an archive must scale all tiers of a side or none, had " + std::to_string(scale.size()));
    for (const auto& steps : segment->touched)
      for (const TouchStep& step : steps)
        if (!step.scale.empty() && step.scale.size() != tiers)
          throw InvalidConfig("a touch step of an archive must scale all tiers or none, had " +
                              std::to_string(step.scale.size()));
    finish();
  }
  if (row != rows.size())
    throw InvalidConfig("rows of an archive must be in window order and within its " + std::to_string(windows) +
                        " windows; row " + std::to_string(row) + " is not");
  history.set_base(base.take());
  return history;
}

}  // namespace liqcore::inline abi1
