// The C interface over the engine: checks what C cannot, converts, and lets no exception out.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "c_api_parts.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "liqcore/features.hpp"
#include "liqcore/liqcore.h"
#include "text_of.hpp"

namespace {

using namespace liqcore::c_api;
using liqcore::Engine;
using liqcore::History;
using liqcore::InvalidConfig;
using liqcore::text_of;

// A fixed buffer: an error of a thread must not need memory.
thread_local char last_message[512] = "";

}  // namespace

liq_status liqcore::c_api::fail(liq_status status, const char* message) noexcept {
  std::snprintf(last_message, sizeof last_message, "%s", message);
  return status;
}

namespace {

liq_status status_of(liqcore::Reject reject) noexcept { return static_cast<liq_status>(reject); }
static_assert(static_cast<int>(liqcore::Reject::outlier) == LIQ_OUTLIER &&
              liqcore::kRejectReasons == LIQ_REJECT_REASONS);
static_assert(static_cast<int>(liqcore::Side::short_) == LIQ_SHORT &&
              static_cast<int>(liqcore::Contract::inverse) == LIQ_INVERSE &&
              static_cast<int>(liqcore::MarginBasis::entry) == LIQ_BASIS_ENTRY &&
              static_cast<int>(liqcore::TierUnit::quantity) == LIQ_TIER_QUANTITY &&
              static_cast<int>(liqcore::Model::presence) == LIQ_MODEL_PRESENCE &&
              static_cast<int>(liqcore::Trigger::candle) == LIQ_TRIGGER_CANDLE &&
              static_cast<int>(liqcore::CandlePrice::hl2) == LIQ_CANDLE_HL2);

constexpr std::size_t kInstrument1 = up_to(offsetof(liq_instrument, basis), &liq_instrument::basis);
constexpr std::size_t kOptions1 = up_to(offsetof(liq_engine_options, threads), &liq_engine_options::threads);
constexpr std::size_t kOpened1 = up_to(offsetof(liq_opened, unresolved), &liq_opened::unresolved);
constexpr std::size_t kOpens1 = up_to(offsetof(liq_opens, reserved), &liq_opens::reserved);
constexpr std::size_t kTouches1 = up_to(offsetof(liq_touches, count), &liq_touches::count);

liq_instrument default_instrument() noexcept {
  liq_instrument out{};
  out.multiplier = 1.0;
  out.mmr = 0.004;
  return out;
}

liq_engine_options default_options() noexcept {
  liq_engine_options out{};
  const liqcore::EngineOptions defaults;
  out.intensity = 1.0;
  out.window_ns = defaults.window_ns;
  out.churn = kNaN;
  out.event_threshold = kNaN;
  out.exponent = kNaN;
  out.model = static_cast<std::int32_t>(defaults.model);
  out.trigger = static_cast<std::int32_t>(defaults.trigger);
  out.threads = static_cast<std::int32_t>(defaults.threads);
  out.axis_limit = defaults.axis_limit;
  return out;
}

template <class T>
std::span<const T> column(const T* first, std::size_t count, const char* argument) {
  if (count > 0) static_cast<void>(given(first, argument));
  return {first, count};
}

liqcore::Instrument instrument_of(const liq_instrument& from) {
  const auto basis = choice("instrument.basis", from.basis, liqcore::MarginBasis::entry);
  const auto unit = choice("instrument.tier_unit", from.tier_unit, liqcore::TierUnit::quantity);
  std::vector<liqcore::RiskTier> tiers;
  at_most("instrument.risk_tier_count", from.risk_tier_count, 10'000);
  if (from.risk_tiers != nullptr)
    for (std::size_t i = 0; i < from.risk_tier_count; ++i) {
      const liq_risk_tier& tier = from.risk_tiers[i];
      tiers.push_back({tier.floor, tier.cap, tier.rate, tier.amount, tier.max_leverage});
    }
  const std::string symbol = from.symbol != nullptr ? from.symbol : "";
  return {symbol,
          from.venue != nullptr ? from.venue : "",
          choice("instrument.contract", from.contract, liqcore::Contract::inverse),
          from.tick_size,
          from.lot_size,
          from.multiplier,
          from.risk_tiers == nullptr
              ? liqcore::MarginSchedule::flat(from.mmr, from.fee, basis)
              : liqcore::MarginSchedule::tiers(std::move(tiers), from.has_amounts != 0, from.fee, basis, unit, symbol)};
}

liqcore::LeverageProfile profile_of(const liq_engine_options& from) {
  if (from.leverage == nullptr) {
    const auto preset = liqcore::LeverageProfile::preset("default");
    return {preset.tiers(), preset.shares(), from.intensity};
  }
  at_most("options.tier_count", from.tier_count, 1'024);
  const auto tiers = column(from.leverage, from.tier_count, "options.leverage");
  const auto shares = column(from.shares, from.tier_count, "options.shares");
  if (!std::is_sorted(tiers.begin(), tiers.end())) throw InvalidConfig("options.leverage must rise, did not");
  return {{tiers.begin(), tiers.end()}, {shares.begin(), shares.end()}, from.intensity};
}

liqcore::EngineOptions options_of(const liq_engine_options& from, const liqcore::Instrument& instrument,
                                  std::size_t tiers) {
  using liqcore::PriceAxis;
  const double tick = instrument.tick_size();
  liqcore::EngineOptions out;
  if ((from.axis_low != 0.0 || from.axis_high != 0.0) && !(from.book_step > 0.0))
    throw InvalidConfig("options.book_step must be given with axis_low and axis_high, was " + text_of(from.book_step));
  if (from.axis_low != 0.0 || from.axis_high != 0.0)
    out.axis = PriceAxis::from_prices(from.axis_low, from.axis_high, from.book_step, tick);
  else if (from.book_step != 0.0)
    out.ticks_per_bin = PriceAxis::from_prices(0.0, from.book_step, from.book_step, tick).ticks_per_bin();
  out.window_ns = from.window_ns;
  if (from.keep != 0) out.keep = from.keep;
  if (from.half_life_ns != nullptr) out.half_life_ns.assign(from.half_life_ns, from.half_life_ns + tiers);
  out.maker_share = from.maker_share;
  out.model_options.taker_tilt = from.taker_tilt;
  if (!std::isnan(from.churn)) out.model_options.churn = from.churn;
  if (!std::isnan(from.event_threshold)) out.model_options.event_threshold = from.event_threshold;
  out.model_options.reconciled = from.reconciled != 0;
  if (!std::isnan(from.exponent)) out.model_options.exponent = from.exponent;
  out.model = choice("options.model", from.model, liqcore::Model::presence);
  out.trigger = choice("options.trigger", from.trigger, liqcore::Trigger::candle);
  if (from.threads < 1) throw InvalidConfig("options.threads must be at least 1, was " + std::to_string(from.threads));
  out.threads = static_cast<std::size_t>(from.threads);
  out.axis_limit = from.axis_limit;
  out.candle_price = choice("options.candle_price", from.candle_price, liqcore::CandlePrice::hl2);
  out.outlier = from.outlier;
  if (from.reserved != 0) throw InvalidConfig("options.reserved must be 0, was " + std::to_string(from.reserved));
  return out;
}

liqcore::TradeArrays trades_of(const liq_trades* from) {
  if (from == nullptr) return {};
  const std::size_t n = from->count;
  return {column(from->ts_ns, n, "trades.ts_ns"), column(from->price, n, "trades.price"),
          column(from->qty, n, "trades.qty"), column(from->taker_sell, n, "trades.taker_sell")};
}

liqcore::SampleArrays samples_of(const liq_samples* from, const char* name) {
  if (from == nullptr) return {};
  return {column(from->ts_ns, from->count, name), column(from->value, from->count, name)};
}

liqcore::CandleArrays candles_of(const liq_candles* from) {
  if (from == nullptr) return {};
  const std::size_t n = from->count;
  liqcore::CandleArrays out;
  out.ts_open_ns = column(from->ts_open_ns, n, "candles.ts_open_ns");
  out.open = column(from->open, n, "candles.open");
  out.high = column(from->high, n, "candles.high");
  out.low = column(from->low, n, "candles.low");
  out.close = column(from->close, n, "candles.close");
  if (from->buy_qty != nullptr || from->sell_qty != nullptr) {
    out.buy_qty = column(from->buy_qty, n, "candles.buy_qty");
    out.sell_qty = column(from->sell_qty, n, "candles.sell_qty");
  }
  out.interval_ns = from->interval_ns;
  return out;
}

/// Feeds, and counts what became of the rows; `counts` is checked before anything is fed.
liq_status feed(liq_engine* engine, liq_counts* counts, const liqcore::Feed& rows) {
  if (counts != nullptr) write({}, counts);
  const liqcore::RowCounts made = engine_of(engine).feed_rows(rows);
  if (counts != nullptr) write(made, counts);
  return LIQ_OK;
}

void open_rows(liq_engine* engine, const liq_opens* rows, liq_opened* opened,
               liqcore::Opened (Engine::*open)(const liqcore::OpenArrays&)) {
  const liq_opens from = sized(rows, "rows", kOpens1, liq_opens{});
  if (from.reserved != 0) throw InvalidConfig("rows.reserved must be 0, was " + std::to_string(from.reserved));
  if (opened != nullptr) write_sized(opened, "opened", kOpened1, liq_opened{});
  const std::size_t n = from.count;
  if (n == 0) return;
  liqcore::OpenArrays out;
  if (from.ts_ns != nullptr) out.ts_ns = column(from.ts_ns, n, "rows.ts_ns");
  out.is_short = column(from.is_short, n, "rows.is_short");
  out.price = column(from.price, n, "rows.price");
  const std::size_t each = from.tiered != 0 ? engine_of(engine).leverage().size() : 1;
  out.qty = column(from.qty, n * each, "rows.qty");
  const liqcore::Opened done = (engine_of(engine).*open)(out);
  if (opened == nullptr) return;
  write_sized(opened, "opened", kOpened1,
              liq_opened{0, done.live, done.no_price, done.underflow, done.overflow, done.unresolved});
}

const History& history_of(const Engine& engine) {
  const History* history = engine.history();
  if (history == nullptr) throw NoPrice();
  return *history;
}

Market market_of(const Engine& engine) { return {engine.instrument(), engine.leverage()}; }

/// The grid of levels; none before there is one.
std::optional<liq_grid> grid_of(const Engine& engine) {
  const liqcore::LevelBook* book = engine.book();
  if (book == nullptr) return std::nullopt;
  const double step = static_cast<double>(book->bin_rule().ticks_per_bin()) * engine.instrument().tick_size();
  const std::int64_t first = book->first_bin();
  return liq_grid{0,   book->tiers(), static_cast<std::size_t>(book->width()), first, static_cast<double>(first) * step,
                  step};
}

liqcore::FeatureReader& reader_of(liq_features* features) {
  return given(reinterpret_cast<liqcore::FeatureReader*>(features), "features");
}

liq_tally tally_of(const liqcore::Tally& from) noexcept { return {from.whole(), from.fraction()}; }

}  // namespace

extern "C" {

const char* liq_error_message(void) { return last_message; }

const char* liq_status_name(liq_status status) {
  if (status >= 0 && status < LIQ_REJECT_REASONS)
    return status == LIQ_OK ? "ok" : liqcore::name(static_cast<liqcore::Reject>(status)).data();
  constexpr const char* errors[] = {"invalid", "too_small", "no_price", "no_memory", "failed", "damaged"};
  return status < 0 && status >= LIQ_DAMAGED ? errors[-1 - status] : "unknown";
}

const char* liq_version(void) { return liqcore::version(); }
int32_t liq_abi_version(void) { return LIQ_ABI_VERSION; }
static_assert(LIQ_ABI_VERSION == LIQCORE_ABI_VERSION);

void liq_instrument_init(liq_instrument* instrument, size_t size) {
  init_sized(instrument, size, default_instrument());
}

double liq_liquidation_price(int32_t side, double entry_price, double leverage, double mmr) {
  if (side != LIQ_LONG && side != LIQ_SHORT) return kNaN;
  return liqcore::liquidation_price(static_cast<liqcore::Side>(side), entry_price, leverage, mmr);
}

void liq_engine_options_init(liq_engine_options* options, size_t size) { init_sized(options, size, default_options()); }

liq_status liq_default_half_life_ns(const double* leverage, size_t count, double* half_life_ns) {
  return guarded([&] {
    const auto tiers = column(leverage, count, "leverage");
    if (count > 0) static_cast<void>(given(half_life_ns, "half_life_ns"));
    for (std::size_t i = 0; i < count; ++i)
      half_life_ns[i] = liqcore::default_half_life_ns(liqcore::LeverageProfile({tiers[i]}, {1.0})).front();
  });
}

liq_status liq_engine_create(const liq_instrument* instrument, const liq_engine_options* options, liq_engine** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    const liqcore::Instrument traded =
        instrument_of(sized(instrument, "instrument", kInstrument1, default_instrument()));
    const liq_engine_options chosen =
        options == nullptr ? default_options() : sized(options, "options", kOptions1, default_options());
    const liqcore::LeverageProfile profile = profile_of(chosen);
    *out = reinterpret_cast<liq_engine*>(new Engine(traded, profile, options_of(chosen, traded, profile.size())));
  });
}

void liq_engine_destroy(liq_engine* engine) { delete reinterpret_cast<Engine*>(engine); }

liq_status liq_engine_trade(liq_engine* engine, int64_t ts_ns, double price, double qty, int32_t taker_sell) {
  return guarded([&] { return status_of(engine_of(engine).trade(ts_ns, price, qty, taker_sell != 0)); });
}

liq_status liq_engine_mark(liq_engine* engine, int64_t ts_ns, double price) {
  return guarded([&] { return status_of(engine_of(engine).mark(ts_ns, price)); });
}

liq_status liq_engine_open_interest(liq_engine* engine, int64_t ts_ns, double quantity) {
  return guarded([&] { return status_of(engine_of(engine).open_interest(ts_ns, quantity)); });
}

liq_status liq_engine_vendor_event(liq_engine* engine, int64_t ts_ns, double price, double qty) {
  return guarded([&] { return status_of(engine_of(engine).vendor_event(ts_ns, price, qty)); });
}

liq_status liq_engine_trades(liq_engine* engine, const liq_trades* trades, liq_counts* counts) {
  return guarded([&] { return feed(engine, counts, {trades_of(&given(trades, "trades")), {}, {}, {}, {}}); });
}

liq_status liq_engine_feed(liq_engine* engine, const liq_trades* trades, const liq_samples* marks,
                           const liq_candles* candles, const liq_samples* open_interest, liq_counts* counts) {
  return guarded([&] {
    return feed(engine, counts,
                {trades_of(trades),
                 samples_of(marks, "marks"),
                 candles_of(candles),
                 samples_of(open_interest, "open_interest"),
                 {}});
  });
}

liq_status liq_engine_advance(liq_engine* engine, int64_t ts_ns) {
  return guarded([&] { engine_of(engine).advance(ts_ns); });
}

liq_status liq_engine_clock(const liq_engine* engine, int64_t* ts_ns) {
  return guarded([&] {
    int64_t& out = given(ts_ns, "ts_ns");
    const auto clock = engine_of(engine).clock();
    if (!clock) throw NoPrice();
    out = *clock;
  });
}

liq_status liq_engine_open(liq_engine* engine, int32_t side, double price, double qty) {
  return guarded([&] { static_cast<void>(engine_of(engine).open(side_of(side), price, qty)); });
}

liq_status liq_engine_open_level(liq_engine* engine, int32_t side, double level, double qty) {
  return guarded([&] { static_cast<void>(engine_of(engine).open_level(side_of(side), level, qty)); });
}

liq_status liq_engine_touch(liq_engine* engine, double low, double high) {
  return guarded([&] { engine_of(engine).touch(low, high); });
}

liq_status liq_engine_touch_last(liq_engine* engine, double low, double high, double last) {
  return guarded([&] { engine_of(engine).touch(low, high, last); });
}

liq_status liq_engine_opens(liq_engine* engine, const liq_opens* rows, liq_opened* opened) {
  return guarded([&] { open_rows(engine, rows, opened, &Engine::opens); });
}

liq_status liq_engine_open_levels(liq_engine* engine, const liq_opens* rows, liq_opened* opened) {
  return guarded([&] { open_rows(engine, rows, opened, &Engine::open_levels); });
}

liq_status liq_engine_touches(liq_engine* engine, const liq_touches* rows) {
  return guarded([&] {
    const liq_touches from = sized(rows, "rows", kTouches1, liq_touches{});
    const std::size_t n = from.count;
    liqcore::TouchArrays touches;
    if (from.ts_ns != nullptr) touches.ts_ns = column(from.ts_ns, n, "rows.ts_ns");
    touches.low = column(from.low, n, "rows.low");
    touches.high = column(from.high, n, "rows.high");
    if (from.last != nullptr) touches.last = column(from.last, n, "rows.last");
    if (n > 0) engine_of(engine).touches(touches);
  });
}

liq_status liq_engine_scale(liq_engine* engine, const double* factors, size_t count) {
  return guarded([&] { engine_of(engine).scale(column(factors, count, "factors")); });
}

liq_status liq_engine_scale_part(liq_engine* engine, const double* factors, size_t count, double low, double high) {
  return guarded([&] { engine_of(engine).scale(column(factors, count, "factors"), low, high); });
}

liq_status liq_engine_close(liq_engine* engine, int32_t side, double low, double high, const double* qty,
                            size_t qty_count, double* closed, size_t capacity) {
  return guarded([&] {
    Engine& of = engine_of(engine);
    at_most("qty_count", qty_count, of.leverage().size());
    if (closed != nullptr) need("closed", of.leverage().size(), capacity);
    const std::vector<double> done = of.close(side_of(side), low, high, column(qty, qty_count, "qty"));
    if (closed != nullptr) std::copy(done.begin(), done.end(), closed);
  });
}

liq_status liq_engine_counts(const liq_engine* engine, liq_counts* counts) {
  return guarded([&] { write(engine_of(engine).counts(), counts); });
}

liq_status liq_engine_accounts(const liq_engine* engine, liq_account* accounts, size_t capacity, size_t* count) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    const std::size_t layers = 2 * from.leverage().size();
    if (count != nullptr) *count = layers;
    need("accounts", layers, capacity);
    static_cast<void>(given(accounts, "accounts"));
    const liqcore::LevelBook* book = from.book();
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const liqcore::Account account = book != nullptr ? book->account(layer) : liqcore::Account{};
      accounts[layer] = {tally_of(account.opened),     tally_of(account.live),      tally_of(account.liquidated),
                         tally_of(account.closed),     tally_of(account.underflow), tally_of(account.overflow),
                         tally_of(account.unresolved), tally_of(account.no_price)};
    }
  });
}

liq_status liq_engine_leverage(const liq_engine* engine, double* tiers, double* weights, size_t capacity,
                               size_t* count) {
  return guarded([&] {
    const liqcore::LeverageProfile& profile = engine_of(engine).leverage();
    if (count != nullptr) *count = profile.size();
    if (tiers == nullptr && weights == nullptr) return;
    need("tiers and weights", profile.size(), capacity);
    if (tiers != nullptr) std::copy(profile.tiers().begin(), profile.tiers().end(), tiers);
    if (weights == nullptr) return;
    const std::vector<double> values = profile.weights();
    std::copy(values.begin(), values.end(), weights);
  });
}

liq_status liq_engine_grid(const liq_engine* engine, liq_grid* grid) {
  return guarded([&] {
    const auto found = grid_of(engine_of(engine));
    if (!found) throw NoPrice();
    write_sized(grid, "grid", kGrid1, *found);
  });
}

liq_status liq_engine_levels(const liq_engine* engine, int32_t side, double* out, size_t capacity, liq_grid* grid) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    const liqcore::Side which = side_of(side);
    const auto found = grid_of(from);
    if (!found) throw NoPrice();
    if (grid != nullptr) write_sized(grid, "grid", kGrid1, *found);
    const std::size_t cells = found->tiers * found->bins;
    need("out", cells, capacity);
    if (cells == 0) return;
    static_cast<void>(given(out, "out"));
    from.book()->snapshot(which, {out, cells});
    const double lot = from.instrument().lot_size();
    for (std::size_t i = 0; i < cells; ++i) out[i] *= lot;
  });
}

liq_status liq_engine_picture(const liq_engine* engine, liq_picture* picture, size_t size, int64_t bins_per_row) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    write_picture(history_of(from), market_of(from), picture, size, bins_per_row);
  });
}

liq_status liq_engine_columns(const liq_engine* engine, const liq_picture* picture, float* longs, float* shorts,
                              float* liquidated_longs, float* liquidated_shorts, size_t capacity) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    write_columns(history_of(from), market_of(from), picture, longs, shorts, liquidated_longs, liquidated_shorts,
                  capacity);
  });
}

liq_status liq_engine_map(const liq_engine* engine, const liq_picture* picture, double* out, size_t capacity) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    const auto history = from.history_so_far();
    if (!history || history->size() == 0) throw NoPrice();
    write_map(*history, market_of(from), picture, out, capacity);
  });
}

liq_status liq_engine_windows(const liq_engine* engine, uint64_t* kept, uint64_t* total) {
  return guarded([&] {
    const History* history = engine_of(engine).history();
    if (kept != nullptr) *kept = history != nullptr ? history->size() : 0;
    if (total != nullptr) *total = history != nullptr ? history->total() : 0;
  });
}

liq_status liq_engine_window(const liq_engine* engine, uint64_t index, liq_window* window) {
  return guarded([&] { write_sized(window, "window", kWindow1, window_at(history_of(engine_of(engine)), index)); });
}

liq_status liq_engine_on_column(liq_engine* engine, liq_column_hook hook, void* context) {
  return guarded([&] {
    Engine& to = engine_of(engine);
    if (hook == nullptr) {
      to.on_column(nullptr);
      return;
    }
    to.on_column([&to, hook, context](const liqcore::Segment& segment) {
      liq_window window = window_of(segment, to.instrument().tick_size(), to.instrument().lot_size());
      window.size = sizeof window;
      hook(context, &window);
    });
  });
}

liq_status liq_engine_zones(const liq_engine* engine, int64_t bins_per_row, double percentile, liq_zone* zones,
                            size_t capacity, size_t* count) {
  return guarded([&] {
    liqcore::ZoneFinder finder({bins_per_row, percentile});
    const auto found = finder.find(engine_of(engine));
    if (count != nullptr) *count = found.size();
    need("zones", found.size(), capacity);
    if (!found.empty()) static_cast<void>(given(zones, "zones"));
    std::transform(found.begin(), found.end(), zones, [](const liqcore::Zone& zone) {
      return liq_zone{
          zone.low, zone.high, zone.usd, zone.share, zone.distance_percent, static_cast<std::int32_t>(zone.side), 0};
    });
  });
}

void liq_feature_options_init(liq_feature_options* options, size_t size) {
  init_sized(options, size, default_feature_options());
}

liq_status liq_features_create(const liq_feature_options* options, liq_features** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    *out = reinterpret_cast<liq_features*>(new liqcore::FeatureReader(feature_options_of(options)));
  });
}

void liq_features_destroy(liq_features* features) { delete reinterpret_cast<liqcore::FeatureReader*>(features); }

size_t liq_features_count(const liq_features* features) {
  return features == nullptr ? 0 : reinterpret_cast<const liqcore::FeatureReader*>(features)->size();
}

const char* liq_features_name(const liq_features* features, size_t index) {
  if (index >= liq_features_count(features)) return nullptr;
  return reinterpret_cast<const liqcore::FeatureReader*>(features)->names()[index].c_str();
}

liq_status liq_features_read(liq_features* features, const liq_engine* engine, double* out, size_t capacity) {
  return guarded([&] {
    liqcore::FeatureReader& reader = reader_of(features);
    need("out", reader.size(), capacity);
    reader.read(engine_of(engine), {&given(out, "out"), reader.size()});
  });
}

liq_status liq_engine_save(const liq_engine* engine, void* bytes, size_t capacity, size_t* size) {
  return guarded([&] {
    const Engine& from = engine_of(engine);
    if (capacity > 0) static_cast<void>(given(static_cast<std::byte*>(bytes), "bytes"));
    const std::size_t needed = from.save_to({static_cast<std::byte*>(bytes), capacity});
    if (size != nullptr) *size = needed;
    need("bytes", needed, capacity);
  });
}

liq_status liq_engine_load(const void* bytes, size_t size, int32_t threads, liq_engine** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    if (threads < 1) throw InvalidConfig("threads must be at least 1, was " + std::to_string(threads));
    const auto all = column(static_cast<const std::byte*>(bytes), size, "bytes");
    *out = reinterpret_cast<liq_engine*>(new Engine(Engine::load(all, static_cast<std::size_t>(threads))));
  });
}

liq_status liq_engine_clone(const liq_engine* engine, liq_engine** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    *out = reinterpret_cast<liq_engine*>(new Engine(engine_of(engine).clone()));
  });
}

}  // extern "C"
