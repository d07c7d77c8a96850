// Engines as bytes: docs/reference/engine-file.md is the format.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "check_rows.hpp"
#include "check_state.hpp"
#include "engine_parts.hpp"
#include "file_bytes.hpp"
#include "liqcore/checksum.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"

namespace liqcore::inline abi1 {
namespace saved {

// Of every format: 8 bytes of magic, format (4), size of the whole (8), checksum of these 20 bytes (4).
constexpr std::string_view kMagic("\x89LIQENG\n", 8);
constexpr std::size_t kSizeAt = 12;
constexpr std::size_t kHead = 24;
constexpr std::uint32_t kFormat = 2;  // 2: the model presence

constexpr Part kInstrument{"INST", "instrument"};
constexpr Part kLeverage{"LEVR", "leverage"};
constexpr Part kOptions{"OPTS", "options"};
constexpr Part kHistory{"HIST", "history"};
constexpr Part kState{"STAT", "state"};
constexpr Part kNotes{"NOTE", "notes"};

template <>
inline constexpr Contract kLast<Contract> = Contract::inverse;
template <>
inline constexpr MarginBasis kLast<MarginBasis> = MarginBasis::entry;
template <>
inline constexpr TierUnit kLast<TierUnit> = TierUnit::quantity;
template <>
inline constexpr Model kLast<Model> = Model::presence;
template <>
inline constexpr Trigger kLast<Trigger> = Trigger::candle;
template <>
inline constexpr CandlePrice kLast<CandlePrice> = CandlePrice::hl2;

// --- what an engine is -------------------------------------------------------------------------------------------

template <class File>
void fields(File& file, Is<RiskTier> auto& tier) {
  auto& [floor, cap, rate, amount, max_leverage] = tier;
  file(floor, cap, rate, amount, max_leverage);
}

template <class File, class A, class B>
void fields(File& file, std::pair<A, B>& pair) {
  file(pair.first, pair.second);
}
template <class File, class A, class B>
void fields(File& file, const std::pair<A, B>& pair) {
  file(pair.first, pair.second);
}

/// An instrument's members; equal to what they were taken of, or it is none.
struct PlainInstrument {
  std::string symbol, venue;
  Contract contract{};
  double tick_size{}, lot_size{}, multiplier{};
  std::vector<std::string> assumed;
  std::vector<RiskTier> tiers;
  bool amounts{};
  double fee{};
  MarginBasis basis{};
  TierUnit unit{};
  double slope{};
  std::vector<std::pair<double, double>> sizes;

  static PlainInstrument of(const Instrument& from) {
    const MarginSchedule& margin = from.margin();
    return {from.symbol(),     from.venue(),   from.contract(),     from.tick_size(),      from.lot_size(),
            from.multiplier(), from.assumed(), margin.risk_tiers(), margin.has_amounts(),  margin.fee(),
            margin.basis(),    margin.unit(),  margin.slope(),      margin.assumed_sizes()};
  }
  [[nodiscard]] Instrument made() const {
    if (tiers.empty()) throw InvalidConfig("risk tiers must be at least one, were none");
    MarginSchedule margin = slope != 0.0
                                ? MarginSchedule::sloped(tiers[0].rate, slope, tiers[0].max_leverage, fee, basis)
                                : MarginSchedule::tiers(tiers, amounts, fee, basis, unit, symbol);
    margin = margin.assuming(sizes);
    Instrument instrument(symbol, venue, contract, tick_size, lot_size, multiplier, std::move(margin), assumed);
    const auto terms = [](const PlainInstrument& one) { return std::tie(one.tiers, one.amounts, one.unit, one.sizes); };
    if (const PlainInstrument again = of(instrument); terms(again) != terms(*this))
      throw InvalidConfig("margin terms must be what a schedule holds, were not");
    return instrument;
  }
};

template <class File>
void fields(File& file, Is<PlainInstrument> auto& instrument) {
  auto& [symbol, venue, contract, tick_size, lot_size, multiplier, assumed, tiers, amounts, fee, basis, unit, slope,
         sizes] = instrument;
  file(symbol, venue, contract, tick_size, lot_size, multiplier, assumed, tiers, amounts, fee, basis, unit, slope,
       sizes);
}

struct PlainLeverage {
  std::vector<double> tiers, shares;
  double intensity{};
};

template <class File>
void fields(File& file, Is<PlainLeverage> auto& leverage) {
  auto& [tiers, shares, intensity] = leverage;
  file(tiers, shares, intensity);
}

struct PlainAxis {
  std::int64_t low_tick{}, ticks_per_bin{}, size{};
};

template <class File>
void fields(File& file, Is<PlainAxis> auto& axis) {
  auto& [low_tick, ticks_per_bin, size] = axis;
  file(low_tick, ticks_per_bin, size);
}

template <class File>
void fields(File& file, Is<ModelOptions> auto& options) {
  auto& [taker_tilt, churn, event_threshold, reconciled, exponent] = options;
  file(taker_tilt, churn, event_threshold, reconciled);
  if (file.format() >= 2) file(exponent);
}

template <class File>
void fields(File& file, Is<EngineOptions> auto& options) {
  auto& [axis, ticks_per_bin, window_ns, model, trigger, maker_share, half_life_ns, keep, threads, model_options,
         axis_limit, candle_price, outlier] = options;  // threads are the machine's: results do not depend on them
  std::optional<PlainAxis> plain;
  std::optional<std::uint64_t> kept = keep;
  if (axis) plain = PlainAxis{axis->low_tick(), axis->ticks_per_bin(), axis->size()};
  file(plain, ticks_per_bin, window_ns, model, trigger, maker_share, half_life_ns, kept, model_options, axis_limit,
       candle_price, outlier);
  if constexpr (File::kReads) {
    if (plain) axis.emplace(plain->low_tick, plain->ticks_per_bin, plain->size);
    if (kept) keep = static_cast<std::size_t>(*kept);
  }
}

// --- its windows -------------------------------------------------------------------------------------------------

template <class File>
void fields(File& file, Is<Candle> auto& candle) {
  auto& [open, high, low, close, buy_lots, sell_lots] = candle;
  file(open, high, low, close, buy_lots, sell_lots);
}

template <class File>
void fields(File& file, Is<Cells> auto& cells) {
  auto& [offsets, bins, lots] = cells;
  file(offsets, bins, lots);
}

template <class File>
void fields(File& file, Is<TouchStep> auto& step) {
  auto& [bin, scale] = step;
  file(bin, scale);
}

/// A total; without its fraction where that is known to be 0.
template <class File>
void tally(File& file, Is<Tally> auto& total, bool has_fraction) {
  std::int64_t whole = total.whole();
  double fraction = total.fraction();
  file(whole);
  if (has_fraction) file(fraction);
  if constexpr (File::kReads) {
    if (!(fraction >= 0.0 && fraction < 1.0)) file.fail("a total's fraction must lie in [0, 1)");
    total = Tally{};
    total.add(whole);
    total.add(fraction);
  }
}

template <class File>
void fields(File& file, Is<Tally> auto& total) {
  tally(file, total, true);
}

/// Without half-lives and scales no account has a fraction, and one yes or no says so for all.
template <class File>
void accounts(File& file, Is<std::vector<Account>> auto& list) {
  const auto each = [](auto& account, auto&& use) {
    auto& [opened, live, liquidated, closed, underflow, overflow, unresolved, no_price] = account;
    for (auto* total : {&opened, &live, &liquidated, &closed, &underflow, &overflow, &unresolved, &no_price})
      use(*total);
  };
  bool fractions = false;
  std::uint64_t count = list.size();
  if constexpr (File::kReads) {
    count = file.count(8 * sizeof(std::int64_t));
    list.assign(static_cast<std::size_t>(count), Account{});
  } else {
    for (const Account& account : list)
      each(account, [&](const Tally& total) { fractions = fractions || total.fraction() != 0.0; });
    file(count);
  }
  file(fractions);
  for (auto& account : list) each(account, [&](auto& total) { tally(file, total, fractions); });
}

/// Start and end are not written: they follow from its place.
template <class File>
void fields(File& file, Is<Segment> auto& segment) {
  auto& [start_ns, end_ns, candle, touched, scale, additions, liquidated, booked, last_ns, mark_price, open_interest] =
      segment;
  file(candle, touched[0], touched[1], scale[0], scale[1], additions, liquidated);
  accounts(file, booked);
  file(last_ns, mark_price, open_interest);
}

// --- its state ---------------------------------------------------------------------------------------------------

template <class File>
void fields(File& file, Is<TickRange> auto& range) {
  auto& [low, high] = range;
  file(low, high);
}

template <class File>
void fields(File& file, Is<Layers::Range> auto& range) {
  auto& [low, high] = range;
  file(low, high);
}

template <class File>
void fields(File& file, Is<Traded> auto& at) {
  auto& [tick, bought, sold] = at;
  file(tick, bought, sold);
}

template <class File>
void fields(File& file, Is<Interval> auto& interval) {
  auto& [profile, hull, prices] = interval;
  file(profile, hull, prices);
}

template <class File>
void fields(File& file, Is<SampledState> auto& sampled) {
  auto& [before, interval, liquidated, spared, capped] = sampled;
  file(before, interval, liquidated, spared, capped);
}

template <class File>
void fields(File& file, Is<PriceBelief> auto& belief) {
  auto& [tick, at_ns, times, suspect, suspect_since_ns, suspect_at_ns, suspect_times] = belief;
  file(tick, at_ns, times, suspect, suspect_since_ns, suspect_at_ns, suspect_times);
}

/// A reason that came later than the file has no rows yet.
template <class File>
void fields(File& file, Is<RowCounts> auto& counts) {
  auto& [rows, used, rounded_qty, rejected] = counts;
  std::vector<std::uint64_t> reasons(rejected.begin(), rejected.end());
  file(rows, used, rounded_qty, reasons);
  if constexpr (File::kReads) {
    if (reasons.size() > rejected.size()) file.fail("has rows rejected for more reasons than there are");
    rejected = {};
    std::copy(reasons.begin(), reasons.end(), rejected.begin());
  }
}

struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};
template <class T>
concept FourMembers = requires { T{RowCounts{}, false, std::vector<Account>{}, Anything{}}; };
static_assert(!FourMembers<Stats>, "a new member of Stats must be in the file");

template <class File>
void fields(File& file, Is<Stats> auto& stats) {
  using Counts = std::conditional_t<File::kReads, RowCounts, const RowCounts>;
  file(static_cast<Counts&>(stats), stats.inexact);
  accounts(file, stats.accounts);
}

template <class File>
void fields(File& file, Is<PresenceState> auto& presence) {
  auto& [end_ns, taken, opened] = presence;
  file(end_ns, taken[0], taken[1], opened[0], opened[1]);
}

/// All but the windows, which are a part of their own.
template <class File>
void fields(File& file, Is<Checkpoint> auto& checkpoint) {
  auto& [history, open, stats, clock_ns, axis, triggered, used_trades, used_candle_volumes, sampled, last_price,
         began_ns, liquidated_usd, earlier, kind, run, run_tick, price, thinned, beliefs, idle_windows, presence] =
      checkpoint;
  file(stats, clock_ns, axis, triggered, used_trades, used_candle_volumes, sampled, last_price, began_ns,
       liquidated_usd);
  accounts(file, earlier);
  file(kind, run, run_tick, price, thinned);
  for (auto& belief : beliefs) file(belief);
  file(idle_windows);
  if (file.format() >= 2) file(presence);
}

void write_history(Writer& file, const Checkpoint& checkpoint) {
  const History& history = checkpoint.history;
  Cells base;
  history.entry_base().extract(base);
  const std::size_t entries = history.entries();
  const std::size_t folded = entries > 0 ? history.entry(0).folded : 0;
  const std::int64_t start = entries > 0 ? history.entry(0).window.start_ns : checkpoint.open->start_ns;
  file(history.terms().ticks_per_bin, history.total(), base, std::uint64_t{folded}, start, std::uint64_t{entries});
  for (std::size_t e = 0; e < entries; ++e) {
    const History::Entry entry = history.entry(e);
    file(std::uint64_t{entry.folded + entry.count}, history.segment(entry.first));
  }
  file(*checkpoint.open);
}

/// The least that a window takes: its count, candle, lists, flag and boundary.
constexpr std::size_t kLeastWindow = 8 + 6 * 8 + (4 + 2 * 3 + 1) * 8 + 1 + 3 * 8;

/// Read the closed windows and the unfinished one into `out`. Idle windows that are alike are there once, with their
/// number; the first of the oldest may be folded away already.
void read_history(Reader& file, Terms terms, const EngineOptions& options, std::optional<Checkpoint>& out) {
  std::uint64_t total = 0;
  Cells base;
  std::uint64_t folded = 0;
  std::int64_t start = 0;
  file(terms.ticks_per_bin, total, base, folded, start);
  if (terms.ticks_per_bin < 0 || terms.ticks_per_bin > kLastTick)
    file.fail("ticks_per_bin must be from 0, before the first price, to 2^40, was " +
              std::to_string(terms.ticks_per_bin));
  check_cells(base, 2 * terms.tiers, bins_of(options), false);
  History history(terms, std::nullopt);
  const std::size_t records = file.count(kLeastWindow);
  const auto read_window = [&](Segment& window) {
    if (start < 0 || start > kMaxTime) file.fail("windows must lie between 1970 and 2116");
    window.start_ns = start;
    window.end_ns = start += terms.window_ns;
    file(window);
  };
  for (std::size_t i = 0; i < records; ++i) {
    std::uint64_t count = 0;
    file(count);
    Segment window;
    read_window(window);
    if (count < 1 || (count > 1 && !window.idle()))
      file.fail("a window in which something happened must be there once, was " + std::to_string(count) + " times");
    if (start > kMaxTime || count - 1 > static_cast<std::uint64_t>((kMaxTime - start) / terms.window_ns))
      file.fail("windows must lie between 1970 and 2116");
    start += static_cast<std::int64_t>(count - 1) * terms.window_ns;
    history.append(std::move(window), count);
  }
  const std::size_t windows = history.size();
  if (total < windows) file.fail("must count the windows that it holds");
  if (folded > 0 && (records == 0 || folded >= history.entry(0).count))
    file.fail("must hold more idle windows than are folded away");
  history.set_base(base, total - windows);
  if (folded > 0) {
    history = History(history, windows - folded);
    history.keep_all();
  }
  Segment open;
  read_window(open);
  out.emplace(Checkpoint{.history = std::move(history), .open = std::move(open)});
}

void check_head(Reader& file, std::span<const std::byte> bytes) {
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMagic.size()));
  if (begin != kMagic.substr(0, begin.size())) throw DataError("this is no engine that liqcore saved");
  if (bytes.size() < kHead)
    throw DataError("a saved engine is cut off: of its head, " + std::to_string(bytes.size()) + " of " +
                    std::to_string(kHead) + " bytes are there");
  std::uint32_t format = 0;
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;
  std::array<char, kMagic.size()> magic{};
  file.values(magic);
  file(format, size, checksum);
  if (checksum != crc32c(bytes.first(kHead - kChecksum))) throw DataError("a saved engine is damaged in its head");
  if (format > kFormat || format == 0)
    throw DataError("a saved engine is of format " + std::to_string(format) + ", of a later liqcore: this one reads " +
                    std::to_string(kFormat));
  if (size != bytes.size())
    throw DataError("a saved engine is " + std::string(size > bytes.size() ? "cut off" : "too long") + ": of " +
                    std::to_string(size) + " bytes, " + std::to_string(bytes.size()) + " are there");
  file.set_format(format);
}

}  // namespace saved

std::size_t Engine::save_to(std::span<std::byte> out, std::string_view notes) const {
  const Checkpoint checkpoint = this->checkpoint();
  saved::Writer file(out, saved::kFormat);
  file.raw(saved::kMagic.data(), saved::kMagic.size());
  file(saved::kFormat, std::uint64_t{0}, std::uint32_t{0});
  file.part(saved::kInstrument, [&] { file(saved::PlainInstrument::of(instrument_)); });
  file.part(saved::kLeverage, [&] { file(leverage_.tiers(), leverage_.shares(), leverage_.intensity()); });
  file.part(saved::kOptions, [&] { file(options_); });
  file.part(saved::kHistory, [&] { saved::write_history(file, checkpoint); });
  file.part(saved::kState, [&] { file(checkpoint); });
  file.part(saved::kNotes, [&] { file.text(notes); });
  file.put_at(saved::kSizeAt, std::uint64_t{file.size()});
  file.put_at(saved::kHead - saved::kChecksum, file.checksum_of_first(saved::kHead - saved::kChecksum));
  return file.size();
}

std::vector<std::byte> Engine::save(std::string_view notes) const {
  std::vector<std::byte> out(save_to({}, notes));
  static_cast<void>(save_to(out, notes));
  return out;
}

Engine Engine::load(std::span<const std::byte> bytes, std::size_t threads, std::string* notes) {
  check_threads(threads);
  saved::Reader file(bytes, "a saved engine");
  saved::check_head(file, bytes);
  std::optional<Instrument> instrument;
  std::optional<LeverageProfile> leverage;
  std::optional<Engine> engine;
  std::optional<Checkpoint> checkpoint;
  std::string text;
  file.part(saved::kInstrument, [&] {
    saved::PlainInstrument plain;
    file(plain);
    instrument = plain.made();
  });
  file.part(saved::kLeverage, [&] {
    saved::PlainLeverage plain;
    file(plain);
    leverage.emplace(plain.tiers, plain.shares, plain.intensity);
    if (leverage->tiers() != plain.tiers) file.fail("tiers must rise, did not");
  });
  file.part(saved::kOptions, [&] {
    EngineOptions options;
    file(options);
    options.threads = threads;
    engine.emplace(*instrument, *leverage, std::move(options));
  });
  file.part(saved::kHistory, [&] {
    saved::read_history(file,
                        {instrument->contract(), instrument->tick_size(), instrument->lot_size(),
                         instrument->multiplier(), 1, engine->options().window_ns, leverage->size()},
                        engine->options(), checkpoint);
  });
  file.part(saved::kState, [&] { file(*checkpoint); });
  file.part(saved::kNotes, [&] { file(text); });
  file.within("windows and state", [&] {
    if (file.left() > 0) file.fail("more follows");
    engine->restore(*checkpoint);
  });
  if (notes != nullptr) *notes = std::move(text);
  return std::move(*engine);
}

}  // namespace liqcore::inline abi1
