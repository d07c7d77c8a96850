#include "liqcore/archive.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "check_state.hpp"
#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr int kNone = -1;
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

struct CandleRow {
  RowKind kind;
  std::int64_t Candle::* field;
};
constexpr CandleRow kCandleRows[] = {
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

void push_accounts(ArchiveRows& rows, std::int64_t time, const std::vector<Account>& accounts, std::size_t tiers) {
  for (std::size_t layer = 0; layer < accounts.size(); ++layer)
    for (const AccountField& account : kAccountFields)
      // Whole lots and fraction apart: their sum in one double would be rounded.
      for (const double part :
           {static_cast<double>((accounts[layer].*account.field).whole()), (accounts[layer].*account.field).fraction()})
        if (part != 0.0)
          rows.push(time, account.kind, static_cast<int>(layer / tiers), static_cast<int>(layer % tiers), kNone, part);
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

  /// The cells so far, in memory of their size; the builder starts anew, in its own.
  Cells take() {
    Cells out;
    if (cells_.bins.empty()) return out;
    out.offsets.reserve(counts_.size() + 1);
    out.offsets.push_back(0);
    for (std::uint32_t& count : counts_) {
      out.offsets.push_back(out.offsets.back() + count);
      count = 0;
    }
    out.bins.assign(cells_.bins.begin(), cells_.bins.end());
    out.lots.assign(cells_.lots.begin(), cells_.lots.end());
    cells_.bins.clear();
    cells_.lots.clear();
    return out;
  }

 private:
  Cells cells_;
  std::vector<std::uint32_t> counts_;
  std::size_t last_layer_ = 0;
};

/// Reads the rows of one window after the other.
class RowReader {
 public:
  RowReader(std::size_t tiers, const ArchiveColumns& rows)
      : rows_(rows), tiers_(tiers), base_(2 * tiers), added_(2 * tiers), liquidated_(2 * tiers) {}

  /// The window that starts with `segment`, which is empty but for its times.
  /// Read a window that begins at segment.start_ns; as how many of the `left` windows it stands there.
  std::size_t read(Segment& segment, std::int64_t window_ns, std::size_t left) {
    segment.accounts.resize(2 * tiers_);
    alike_ = without_rows(segment.start_ns, window_ns, left);
    for (; row_ < rows_.size() && rows_.time_ns[row_] == segment.start_ns; ++row_) read_row(segment);
    check_tiers(segment);
    segment.additions = added_.take();
    segment.liquidated = liquidated_.take();
    segment.last_ns = last_ns_;
    segment.mark_price = mark_;
    segment.open_interest = open_interest_;
    if (alike_ < 1 || alike_ > left || (alike_ > 1 && !segment.idle()))
      throw InvalidConfig(
          "a window of an archive must repeat within its windows, and only if it is idle: that of row " +
          std::to_string(row_) + " was there " + std::to_string(alike_) + " times");
    return alike_;
  }

  /// What was live before the first window, once all of them are read.
  Cells finish(std::size_t windows) {
    if (row_ != rows_.size())
      throw InvalidConfig("rows of an archive must be in window order and within its " + std::to_string(windows) +
                          " windows; row " + std::to_string(row_) + " is not");
    return base_.take();
  }

 private:
  [[nodiscard]] InvalidConfig error(const std::string& text) const {
    return InvalidConfig("row " + std::to_string(row_) + " of an archive " + text);
  }

  [[nodiscard]] std::size_t side() const {
    if (rows_.side[row_] < 0 || rows_.side[row_] > 1) throw error("must name a side");
    return static_cast<std::size_t>(rows_.side[row_]);
  }

  [[nodiscard]] std::size_t layer() const {
    const int side = rows_.side[row_];
    const int tier = rows_.tier[row_];
    if (side < 0 || side > 1 || tier < 0 || static_cast<std::size_t>(tier) >= tiers_)
      throw error("must name a side and one of " + std::to_string(tiers_) + " tiers");
    return static_cast<std::size_t>(side) * tiers_ + static_cast<std::size_t>(tier);
  }

  /// How many windows from one on have no rows; 1 if this one has.
  [[nodiscard]] std::size_t without_rows(std::int64_t start_ns, std::int64_t window_ns, std::size_t left) const {
    if (row_ == rows_.size() || rows_.time_ns[row_] < start_ns) return left;
    if (rows_.time_ns[row_] == start_ns) return 1;
    return std::min(left, static_cast<std::size_t>((rows_.time_ns[row_] - start_ns - 1) / window_ns + 1));
  }

  void read_row(Segment& segment) {
    const auto kind = static_cast<RowKind>(rows_.kind[row_]);
    const double value = rows_.value[row_];
    if (!std::isfinite(value) || (std::fabs(value) >= kMaxStored && kind != RowKind::open_interest))
      throw error("must hold a number below 2^62, was " + text_of(value));
    switch (kind) {
      case RowKind::base:
        return read_cell(base_);
      case RowKind::added:
        return read_cell(added_);
      case RowKind::liquidated:
        return read_cell(liquidated_);
      case RowKind::touched:
        return read_touch(segment.touched[side()]);
      case RowKind::scale:
        segment.scale[side()].push_back(value);
        return;
      case RowKind::last_event:
        if (value > static_cast<double>(segment.end_ns - segment.start_ns) ||
            value < -static_cast<double>(segment.start_ns))
          throw error("must tell of an event before its window's end, was " + text_of(value) + " ns after its start");
        last_ns_ = segment.start_ns + static_cast<std::int64_t>(value);
        return;
      case RowKind::mark_price:
        mark_ = value;
        return;
      case RowKind::open_interest:
        open_interest_ = value;
        return;
      case RowKind::repeated:
        alike_ = static_cast<std::size_t>(std::max(value, 0.0));
        return;
      default:
        if (!read_candle(kind, segment.candle)) read_account(kind, segment.accounts);
    }
  }

  void read_cell(CellBuilder& cells) const {
    if (rows_.bin[row_] < 0) throw error("must name a bin");
    cells.add(layer(), rows_.bin[row_], rows_.value[row_]);
  }

  void read_touch(std::vector<TouchStep>& steps) const {
    if (steps.empty() || steps.back().bin != rows_.bin[row_]) steps.push_back({rows_.bin[row_], {}});
    if (rows_.tier[row_] >= 0) steps.back().scale.push_back(rows_.value[row_]);
  }

  /// Whether it is a row of a candle.
  [[nodiscard]] bool read_candle(RowKind kind, Candle& candle) const {
    const double value = rows_.value[row_];
    for (const CandleRow& price : kCandleRows)
      if (price.kind == kind) {
        candle.*price.field = static_cast<std::int64_t>(value);
        return true;
      }
    if (kind == RowKind::buy_lots)
      candle.buy_lots = value;
    else if (kind == RowKind::sell_lots)
      candle.sell_lots = value;
    else
      return false;
    return true;
  }

  void read_account(RowKind kind, std::vector<Account>& accounts) const {
    for (const AccountField& account : kAccountFields)
      if (account.kind == kind) return (accounts[layer()].*account.field).add(rows_.value[row_]);
    throw error("has the unknown kind " + std::to_string(rows_.kind[row_]));
  }

  void check_tiers(const Segment& segment) const {
    for (const auto& scale : segment.scale)
      if (!scale.empty() && scale.size() != tiers_)
        throw InvalidConfig("an archive must scale all tiers of a side or none, had " + std::to_string(scale.size()));
    for (const auto& steps : segment.touched)
      for (const TouchStep& step : steps)
        if (!step.scale.empty() && step.scale.size() != tiers_)
          throw InvalidConfig("a touch step of an archive must scale all tiers or none, had " +
                              std::to_string(step.scale.size()));
  }

  ArchiveColumns rows_;
  std::size_t tiers_;
  std::size_t row_ = 0;
  std::size_t alike_ = 1;  // windows that the rows of this one stand for
  CellBuilder base_, added_, liquidated_;
  // What a window says where it does not say otherwise.
  std::int64_t last_ns_ = kNoEvent;
  double mark_ = std::numeric_limits<double>::quiet_NaN();
  double open_interest_ = std::numeric_limits<double>::quiet_NaN();
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
  push_cells(rows, history.start_ns(0), RowKind::base, base, tiers);

  double mark = std::numeric_limits<double>::quiet_NaN();
  double open_interest = mark;
  for (std::size_t i = 0; i < history.entries(); ++i) {
    const History::Entry entry = history.entry(i);
    const Segment& segment = entry.window;
    const std::int64_t time = history.start_ns(entry.first);
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
    if (entry.count > 1 && !(segment.scale[0].empty() && segment.scale[1].empty()))
      number(RowKind::repeated, static_cast<double>(entry.count));
    if (!candle.empty()) {
      for (const CandleRow& price : kCandleRows) number(price.kind, static_cast<double>(candle.*price.field));
      number(RowKind::buy_lots, candle.buy_lots);
      number(RowKind::sell_lots, candle.sell_lots);
    }
    // Before the first window: the rows before it are not here to say so.
    if (segment.last_ns >= time || (i == 0 && segment.last_ns != kNoEvent))
      number(RowKind::last_event, static_cast<double>(segment.last_ns - time));
    if (!same(segment.mark_price, mark)) number(RowKind::mark_price, mark = segment.mark_price);
    if (!same(segment.open_interest, open_interest))
      number(RowKind::open_interest, open_interest = segment.open_interest);
    push_accounts(rows, time, segment.accounts, tiers);
  }
  return rows;
}

History from_rows(const Terms& terms, std::int64_t first_ns, std::size_t windows, const ArchiveColumns& rows) {
  check_terms(terms);
  History history(terms, std::nullopt);
  RowReader reader(terms.tiers, rows);
  if (first_ns < 0 || windows > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - first_ns) /
                                    static_cast<std::uint64_t>(terms.window_ns))
    throw InvalidConfig("windows of an archive must end before the year 2262, " + std::to_string(windows) + " from " +
                        std::to_string(first_ns) + " ns do not");
  std::size_t alike = 0;
  for (std::size_t window = 0; window < windows; window += alike) {
    Segment segment;
    segment.start_ns = first_ns + static_cast<std::int64_t>(window) * terms.window_ns;
    segment.end_ns = segment.start_ns + terms.window_ns;
    alike = reader.read(segment, terms.window_ns, windows - window);
    history.append(std::move(segment), alike);
  }
  history.set_base(reader.finish(windows));
  check_history(history);
  return history;
}

}  // namespace liqcore::inline abi1
