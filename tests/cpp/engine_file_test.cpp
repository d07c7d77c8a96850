// Engines as bytes: Engine::save, save_to and load.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "liqcore/checksum.hpp"
#include "liqcore/features.hpp"
#include "support.hpp"

namespace {

using liqcore::DataError;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Model;
using liqcore::Trigger;
using support::seen;
using support::Tape;

using Bytes = std::vector<std::byte>;

constexpr std::string_view kNotes("noted \0 by somebody", 20);

std::string damage(std::span<const std::byte> bytes) {
  try {
    static_cast<void>(Engine::load(bytes));
  } catch (const DataError& error) {
    return error.what();
  }
  return {};
}

// --- a file taken apart, to be changed and sealed again -----------------------------------------------------------

constexpr std::size_t kHead = 24;

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<std::byte>(value >> 8 * i);
}

std::uint64_t number(const Bytes& bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out |= std::to_integer<std::uint64_t>(bytes[at + i]) << 8 * i;
  return out;
}

/// Its parts without their checksums, each with letters and size.
std::vector<Bytes> parts_of(const Bytes& bytes) {
  std::vector<Bytes> parts;
  for (std::size_t at = kHead; at < bytes.size();) {
    const std::size_t size = 12 + number(bytes, at + 4, 8);
    parts.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                       bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size + 4;
  }
  return parts;
}

/// A file of these parts whose sizes and checksums are right.
Bytes sealed(std::vector<Bytes> parts, const Bytes& head, std::uint32_t format = 2) {
  Bytes out(head.begin(), head.begin() + kHead);
  std::uint32_t checksum = 0;
  for (Bytes& part : parts) {
    put(part, 4, static_cast<std::uint64_t>(part.size() - 12));
    checksum = liqcore::crc32c(part, checksum);
    out.insert(out.end(), part.begin(), part.end());
    out.resize(out.size() + 4);
    put(out, out.size() - 4, checksum);
  }
  put(out, 8, format);
  put(out, 12, static_cast<std::uint64_t>(out.size()));
  put(out, 20, liqcore::crc32c(std::span(out).first(20)));
  return out;
}

// --- engines of every kind ----------------------------------------------------------------------------------------

liqcore::Instrument instrument_with_everything() {
  return {
      "XRPUSD_PERP",
      "binance-coinm",
      liqcore::Contract::linear,
      0.5,
      0.25,
      2.0,
      liqcore::MarginSchedule::tiers({{0.0, 5e4, 0.004, 0.0, 125.0}, {5e4, INFINITY, 0.005, 50.0, 100.0}}, true, 0.001)
          .assuming({{5.0, 1e3}, {10.0, 6e4}}),
      {"lot_size", "multiplier"}};
}

struct Case {
  const char* name;
  EngineOptions options;
  bool candles = false;  // with volumes, in place of trades
  bool scales = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

EngineOptions with(Model model, Trigger trigger = Trigger::last, bool decays = false,
                   std::optional<std::size_t> keep = std::nullopt) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.model = model;
  options.trigger = trigger;
  if (decays) options.half_life_ns = {1e5, INFINITY, 5e3};
  options.keep = keep;
  return options;
}

EngineOptions changed(EngineOptions options, void (*change)(EngineOptions&)) {
  change(options);
  return options;
}

const Case kCases[] = {
    {"flow", with(Model::flow)},
    {"kept", with(Model::flow, Trigger::last, false, 3)},
    {"decays", with(Model::flow, Trigger::last, true)},
    {"decays_kept", with(Model::flow, Trigger::last, true, 3)},
    {"scaled", with(Model::flow), false, true},
    {"mark_shared", changed(with(Model::flow, Trigger::mark), [](EngineOptions& o) { o.maker_share = 0.25; })},
    {"candle",
     changed(with(Model::flow, Trigger::candle), [](EngineOptions& o) { o.candle_price = liqcore::CandlePrice::hl2; }),
     true},
    {"candles_last", with(Model::flow, Trigger::last, true, 2), true},
    {"fixed", changed(with(Model::flow), [](EngineOptions& o) { o.axis = liqcore::PriceAxis(8'000, 10, 500); })},
    {"limited", changed(with(Model::flow), [](EngineOptions& o) { o.axis_limit = 15'000; })},
    {"watched", changed(with(Model::flow), [](EngineOptions& o) { o.outlier = 0.001; })},
    {"wide_bins", changed(with(Model::flow), [](EngineOptions& o) { o.ticks_per_bin = 7; })},
    {"oi", changed(with(Model::oi), [](EngineOptions& o) { o.model_options.taker_tilt = 0.5; })},
    {"oi_decays", with(Model::oi, Trigger::mark, true)},
    {"blend", changed(with(Model::blend, Trigger::last, false, 4),
                      [](EngineOptions& o) {
                        o.model_options.churn = 0.75;
                        o.model_options.reconciled = true;
                      })},
    {"vendor",
     changed(with(Model::vendor, Trigger::candle), [](EngineOptions& o) { o.model_options.event_threshold = 20.0; }),
     true},
    {"reconciled",
     changed(with(Model::flow, Trigger::last, true), [](EngineOptions& o) { o.model_options.reconciled = true; })},
    {"presence", changed(with(Model::presence),
                         [](EngineOptions& o) {
                           o.model_options.exponent = 0.5;
                           o.window_ns = 1'000'000;
                         })},
    {"none", with(Model::none)},
};

Engine make(const EngineOptions& options) {
  return {instrument_with_everything(), {{2, 10, 50}, {0.25, 0.25, 0.5}, 0.7}, options};
}

/// Step i of a market that has everything that an engine of this kind takes.
void feed(Engine& engine, const Tape& tape, std::size_t i, const Case& way) {
  const std::int64_t ts = tape.ts[i];
  const double price = tape.price[i] / 2;
  const Model model = engine.options().model;
  if (i % 37 == 0) engine.mark(ts, price + 3.0);
  if (i % 11 == 0) engine.open_interest(ts, 300.0 + static_cast<double>(i * 7 % 90));
  if (i % 41 == 0 && model == Model::vendor) engine.vendor_event(ts, price, 30.0);
  if (i % 53 == 7 && model == Model::none) engine.open(liqcore::Side::long_, price, 9.0);
  if (way.scales && i % 71 == 0) engine.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.3, 0.9});
  if (way.scales && i % 83 == 5) engine.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.3, 0.9}, price - 900.0, price + 500.0);
  if (way.scales && i % 97 == 9) static_cast<void>(engine.close(liqcore::Side::short_, price, price * 2, 7.0));
  if (!way.candles) {
    engine.trade(ts, price, tape.qty[i] / 4, tape.sell[i] != 0);
  } else if (i % 5 == 0) {
    const std::int64_t ts_open[] = {ts};
    const double open[] = {price}, high[] = {price + 20.0}, low[] = {price - 10.0}, volume[] = {tape.qty[i]};
    engine.candles({ts_open, open, high, low, open, volume, volume, 100});
  }
}

Tape tape_of(std::size_t rows) { return support::random_tape(77, rows, true, {8'500, 11'500}); }

class EngineFile : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, EngineFile, ::testing::ValuesIn(kCases),
                         [](const auto& of) { return std::string(of.param.name); });

/// Everything that an engine was made of; `threads` apart.
void expect_same_making(const Engine& a, const Engine& b) {
  EXPECT_EQ(a.instrument(), b.instrument());
  EXPECT_EQ(a.instrument().assumed(), b.instrument().assumed());
  EXPECT_EQ(a.leverage(), b.leverage());
  const EngineOptions &x = a.options(), &y = b.options();
  EXPECT_EQ(x.axis, y.axis);
  EXPECT_EQ(x.ticks_per_bin, y.ticks_per_bin);
  EXPECT_EQ(x.axis_limit, y.axis_limit);
  EXPECT_EQ(x.candle_price, y.candle_price);
  EXPECT_EQ(x.outlier, y.outlier);
  EXPECT_EQ(x.window_ns, y.window_ns);
  EXPECT_EQ(x.model, y.model);
  EXPECT_EQ(x.trigger, y.trigger);
  EXPECT_EQ(x.maker_share, y.maker_share);
  EXPECT_EQ(x.half_life_ns, y.half_life_ns);
  EXPECT_EQ(x.keep, y.keep);
  EXPECT_EQ(x.model_options.taker_tilt, y.model_options.taker_tilt);
  EXPECT_EQ(x.model_options.churn, y.model_options.churn);
  EXPECT_EQ(x.model_options.event_threshold, y.model_options.event_threshold);
  EXPECT_EQ(x.model_options.reconciled, y.model_options.reconciled);
}

}  // namespace

TEST_P(EngineFile, GoesOnBitForBitFromAnyMomentAndSavesTheSameBytes) {
  const Case& way = GetParam();
  const Tape tape = tape_of(700);
  for (const std::size_t stop : {1U, 2U, 40U, 333U, 699U}) {
    Engine engine = make(way.options);
    for (std::size_t i = 0; i < stop; ++i) feed(engine, tape, i, way);
    const Bytes bytes = engine.save(kNotes);
    std::string notes;
    Engine loaded = Engine::load(bytes, 1, &notes);
    EXPECT_EQ(notes, kNotes);
    expect_same_making(loaded, engine);
    ASSERT_EQ(seen(loaded), seen(engine)) << stop;
    ASSERT_EQ(loaded.history_so_far()->total(), engine.history_so_far()->total());
    ASSERT_EQ(loaded.save(notes), bytes) << stop;
    for (std::size_t i = stop; i < tape.size(); ++i) {
      feed(engine, tape, i, way);
      feed(loaded, tape, i, way);
    }
    ASSERT_EQ(seen(loaded), seen(engine)) << stop;
    ASSERT_EQ(loaded.save(), engine.save()) << stop;
  }
}

TEST_P(EngineFile, SavingIsAReadLikeAnyOther) {
  const Case& way = GetParam();
  const Tape tape = tape_of(400);
  Engine engine = make(way.options), saved = engine.clone();
  for (std::size_t i = 0; i < tape.size(); ++i) {
    feed(engine, tape, i, way);
    feed(saved, tape, i, way);
    if (i % 10 != 0) continue;
    static_cast<void>(engine.stats());
    if (saved.book() != nullptr) static_cast<void>(saved.save());
  }
  EXPECT_EQ(seen(saved), seen(engine));
}

TEST(EngineFile, ARunIsTakenUpWhereItsPricesAreNear) {
  EngineOptions options;
  options.window_ns = 1'000;
  Engine believing{support::whole(0.004), support::tiers({5, 20}), options};
  for (std::int64_t i = 0; i < 4; ++i)
    static_cast<void>(believing.trade(100 * i, 202.0 + static_cast<double>(i % 2), 1.0, false));
  liqcore::Checkpoint checkpoint = believing.checkpoint();
  ASSERT_TRUE(checkpoint.run.has_value());
  checkpoint.run->high = 2'000;
  for (const bool used : {true, false}) {
    checkpoint.used_trades = used;
    options.outlier = 0.01;
    Engine doubting{support::whole(0.004), support::tiers({5, 20}), options};
    doubting.restore(checkpoint);
    static_cast<void>(doubting.trade(400, 202.0, 1.0, false));
    const Bytes bytes = doubting.save();
    EXPECT_EQ(Engine::load(bytes).save(), bytes);
  }
}

TEST(EngineFile, OfEveryMarginScheduleAndContract) {
  using liqcore::MarginSchedule;
  for (const liqcore::Contract contract : {liqcore::Contract::linear, liqcore::Contract::inverse})
    for (const MarginSchedule& margin :
         {MarginSchedule::flat(0.0), MarginSchedule::flat(0.004, 0.001),
          MarginSchedule::flat(0.004, 0.0, liqcore::MarginBasis::entry),
          MarginSchedule::sloped(0.004, 1e-6, 100.0, 0.0005), MarginSchedule::sloped(0.004, 0.0, 50.0),
          MarginSchedule::tiers({{0.0, 1e3, 0.01, 0.0, 50.0}, {1e3, 1e5, 0.02}}, false, 0.0, liqcore::MarginBasis::mark,
                                liqcore::TierUnit::quantity),
          MarginSchedule::flat(0.004).assuming({{10.0, 3.0}})}) {
      Engine engine({"", "", contract, 0.1, 1.0, 100.0, margin}, support::tiers({2, 10}));
      engine.trade(1, 100.0, 5.0, true);
      const Engine loaded = Engine::load(engine.save());
      expect_same_making(loaded, engine);
      EXPECT_EQ(seen(loaded), seen(engine));
    }
}

TEST(EngineFile, IsTheSameForAnyNumberOfThreads) {
  EngineOptions options = with(Model::flow);
  options.threads = 3;
  Engine many = make(options), one = make(with(Model::flow));
  for (Engine* engine : {&many, &one}) engine->trade(5'000, 5'000.0, 1.0, false);
  const Bytes bytes = many.save();
  EXPECT_EQ(bytes, one.save());
  EXPECT_EQ(Engine::load(bytes).options().threads, 1U);
  EXPECT_EQ(Engine::load(bytes, 2).options().threads, 2U);
  EXPECT_EQ(support::refusal([&] { static_cast<void>(Engine::load(bytes, 0)); }),
            "threads must be between 1 and 256, was 0");
}

TEST(EngineFile, OfACheckpointedRunOfWindowsCountsOnFromThoseBefore) {
  Engine engine = make(with(Model::flow, Trigger::last, false, 2));
  for (std::int64_t i = 0; i < 50; ++i) engine.trade(i * 500, 5'000.0, 1.0, false);
  const Engine loaded = Engine::load(engine.save());
  EXPECT_EQ(loaded.history()->total(), engine.history()->total());
  EXPECT_EQ(loaded.history()->size(), 2U);
}

TEST(EngineFile, BeforeTheFirstPriceHoldsWhatIsKnown) {
  for (const Model model : {Model::flow, Model::oi, Model::blend})
    for (const double outlier : {0.0, 0.1}) {
      EngineOptions options = with(model);
      options.outlier = outlier;
      Engine engine = make(options);
      Engine fresh = Engine::load(engine.save());
      EXPECT_EQ(fresh.save(), engine.save());
      EXPECT_FALSE(fresh.clock());
      engine.open_interest(1'000, 500.0);
      engine.trade(1'100, -1.0, 1.0, false);
      engine.advance(1'200);
      Engine loaded = Engine::load(engine.save());
      EXPECT_EQ(loaded.save(), engine.save());
      EXPECT_EQ(loaded.clock(), engine.clock());
      EXPECT_EQ(loaded.counts(), engine.counts());
      EXPECT_FALSE(loaded.history());
      for (Engine* each : {&engine, &loaded})
        for (std::int64_t i = 0; i < 20; ++i) {
          each->trade(1'300 + i * 400, 5'000.0 + static_cast<double>(i % 3), 2.0, i % 2 == 0);
          each->open_interest(1'300 + i * 400, 510.0 + static_cast<double>(i));
        }
      EXPECT_EQ(loaded.save(), engine.save());
    }
}

TEST(EngineFile, InABufferOfTheCallerSaysHowMuchItNeeds) {
  Engine engine = make(with(Model::flow, Trigger::last, true));
  for (std::int64_t i = 0; i < 50; ++i) engine.trade(i * 500, 5'000.0 + static_cast<double>(i % 9), 1.0, i % 2 == 0);
  const Bytes bytes = engine.save("x");
  for (const std::size_t room :
       {std::size_t{0}, std::size_t{1}, std::size_t{100}, bytes.size() - 1, bytes.size(), bytes.size() + 10}) {
    Bytes out(room + 1, std::byte{0x5a});
    ASSERT_EQ(engine.save_to(std::span(out).first(room), "x"), bytes.size());
    EXPECT_EQ(out[room], std::byte{0x5a}) << "written beyond the end";
    if (room >= bytes.size()) {
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), out.begin()));
    }
  }
}

TEST(EngineFile, InAHookIsThatOfTheWindowsEnd) {
  Engine engine = make(with(Model::flow));
  const Tape tape = tape_of(300);
  std::vector<std::pair<std::size_t, Bytes>> saved;
  std::size_t next = 0;
  engine.on_column([&](const liqcore::Segment&) { saved.emplace_back(next, engine.save()); });
  for (; next < tape.size(); ++next) feed(engine, tape, next, kCases[0]);
  ASSERT_GT(saved.size(), 5U);
  for (const auto& [from, bytes] : saved) {
    Engine loaded = Engine::load(bytes);
    for (std::size_t i = from; i < tape.size(); ++i) feed(loaded, tape, i, kCases[0]);
    ASSERT_EQ(seen(loaded).state.live, seen(engine).state.live);
    ASSERT_EQ(seen(loaded).state.closed, seen(engine).state.closed);
  }
}

// --- damage -------------------------------------------------------------------------------------------------------

namespace {

const Case& blend() {  // reconciled, too: it has most to save
  return *std::find_if(std::begin(kCases), std::end(kCases),
                       [](const Case& c) { return c.name == std::string_view("blend"); });
}

Bytes small_file() {
  Engine engine = make(blend().options);
  const Tape tape = tape_of(16);
  for (std::size_t i = 0; i < tape.size(); ++i) feed(engine, tape, i, blend());
  return engine.save("{\"a\": 1}");
}

}  // namespace

TEST(EngineFileDamaged, EveryFlippedBitIsFoundAndThePartNamed) {
  const Bytes whole = small_file();
  std::set<std::string> named;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bytes = whole;
      bytes[i] ^= static_cast<std::byte>(1 << bit);
      const std::string text = damage(bytes);
      ASSERT_NE(text, "") << "byte " << i << " bit " << bit;
      if (const auto at = text.find("damaged in its "); at != std::string::npos)
        named.insert(text.substr(at + 15, text.find(':') - at - 15));
    }
  EXPECT_EQ(named, (std::set<std::string>{"head", "instrument", "leverage", "options", "history", "state", "notes"}));
}

TEST(EngineFileDamaged, CutOffAnywhereOrTooLongIsFound) {
  const Bytes whole = small_file();
  for (std::size_t size = 0; size < whole.size(); ++size) ASSERT_NE(damage(std::span(whole).first(size)), "") << size;
  Bytes longer = whole;
  longer.resize(whole.size() + 3);
  const std::string size = std::to_string(whole.size());
  EXPECT_EQ(damage(std::span(whole).first(100)), "a saved engine is cut off: of " + size + " bytes, 100 are there");
  EXPECT_EQ(damage(longer),
            "a saved engine is too long: of " + size + " bytes, " + std::to_string(longer.size()) + " are there");
  EXPECT_EQ(damage(std::span(whole).first(5)), "a saved engine is cut off: of its head, 5 of 24 bytes are there");
  EXPECT_EQ(damage({}), "a saved engine is cut off: of its head, 0 of 24 bytes are there");
  EXPECT_EQ(damage(std::as_bytes(std::span("PAR1 and more"))), "this is no engine that liqcore saved");
}

TEST(EngineFileDamaged, PartsOfTwoFilesAreFound) {
  Engine engine = make(with(Model::flow));
  engine.trade(0, 5'000.0, 1.0, false);
  const Bytes one = engine.save();
  engine.trade(5, 5'000.0, 2.0, false);
  const Bytes two = engine.save();
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = kHead; i < one.size(); ++i) {
    Bytes mixed(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(i));
    mixed.insert(mixed.end(), two.begin() + static_cast<std::ptrdiff_t>(i), two.end());
    if (mixed == one || mixed == two) continue;
    ASSERT_NE(damage(mixed), "") << i;
  }
}

TEST(EngineFileDamaged, ALaterFormatIsRefusedByNumber) {
  const Bytes whole = small_file();
  EXPECT_EQ(sealed(parts_of(whole), whole), whole);
  EXPECT_EQ(damage(sealed(parts_of(whole), whole, 3)),
            "a saved engine is of format 3, of a later liqcore: this one reads 2");
}

TEST(EngineFileDamaged, PartsMissingTwiceOrInAnotherOrderAreFound) {
  const Bytes whole = small_file();
  const std::vector<Bytes> parts = parts_of(whole);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<Bytes> without = parts, twice = parts, other = parts;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), parts[i]);
    std::swap(other[i], other[(i + 1) % other.size()]);
    for (const auto& wrong : {without, twice, other}) EXPECT_NE(damage(sealed(wrong, whole)), "") << i;
  }
}

TEST(EngineFileDamaged, SaysWhatIsWrongBehindARightChecksum) {
  Engine engine = make(with(Model::flow));
  engine.trade(100, 5'000.0, 1.0, false);
  const Bytes whole = engine.save();
  const auto with_number = [&](std::size_t part, std::size_t at, std::uint64_t value) {
    std::vector<Bytes> parts = parts_of(whole);
    put(parts[part], 12 + at, value);
    return damage(sealed(parts, whole));
  };
  const std::uint64_t many = std::uint64_t{1} << 60;
  EXPECT_EQ(with_number(0, 0, many).substr(0, 77),
            "a saved engine is damaged in its instrument: it counts 1152921504606846976 wh");
  EXPECT_EQ(with_number(0, 8 + 11 + 8 + 13 + 1, std::bit_cast<std::uint64_t>(-1.0)),
            "a saved engine is damaged in its instrument: tick_size must be finite and above 0, was -1");
  EXPECT_EQ(with_number(1, 8, std::bit_cast<std::uint64_t>(11.0)),
            "a saved engine is damaged in its leverage: tiers must rise, did not");
  EXPECT_EQ(with_number(2, 9, 0),
            "a saved engine is damaged in its options: window must be at least 1 ns and below 2^62 ns, was 0");
  EXPECT_EQ(with_number(3, 0, 0),
            "a saved engine is damaged in its windows and state: an engine without a price must have touched nothing");
  EXPECT_EQ(with_number(4, 0, 99),
            "a saved engine is damaged in its windows and state: rows must be those used and rejected, was 99");
}

namespace {

/// What a program may do with an engine that it has read.
void use(Engine& engine) {
  if (engine.history() == nullptr) return;        // it has seen no price
  if (engine.history()->size() > 10'000) return;  // a gap is saved as its length, and takes long to look through
  static_cast<void>(seen(engine));
  const auto history = engine.history_so_far();
  liqcore::Picture picture;
  picture.weights[0] = picture.weights[1] = engine.leverage().weights();
  picture.columns = history->size();
  picture.bins_per_row = 100;
  picture.rows = 64;
  std::vector<float> cells(picture.columns * picture.rows);
  history->columns(picture, cells, cells, cells, cells);
  picture.opened_within = 2;
  if (history->whole()) history->columns(picture, cells, cells, cells, cells);
  liqcore::FeatureReader reader;
  std::vector<double> row(reader.size());
  reader.read(engine, row);
  const Bytes bytes = engine.save();
  ASSERT_EQ(Engine::load(bytes).save(), bytes);
  const std::int64_t clock = *engine.clock();
  const double tick = engine.instrument().tick_size(), lot = engine.instrument().lot_size();
  const std::int64_t step = std::min<std::int64_t>(engine.options().window_ns, std::int64_t{1} << 50) / 7 + 1;
  for (std::int64_t i = 1; i < 25; ++i) {
    const double price = tick * static_cast<double>(10'000 + i * 53 % 90);
    if (i == 12 && engine.options().model != Model::none)
      engine.scale(std::vector<double>(2 * engine.leverage().size(), 0.5));
    try {
      engine.mark(clock + i * step, price);
      engine.open_interest(clock + i * step, lot * static_cast<double>(300 + i));
      if (engine.options().model == Model::vendor) engine.vendor_event(clock + i * step, price, lot * 30.0);
      engine.trade(clock + i * step, price, lot * 3.0, i % 2 == 0);
    } catch (const liqcore::InvalidConfig&) {  // candles had volumes
    }
  }
  static_cast<void>(seen(engine));
  // A wild total just below 2^62 lots may be beyond by now.
  if (const std::string text = damage(engine.save()); text.find("2^62") == std::string::npos) {
    ASSERT_EQ(text, "");
  }
}

/// A number that somebody might have hoped is never there.
std::uint64_t wild(support::Random& random) {
  constexpr double kDoubles[] = {NAN, INFINITY, -INFINITY, -1.0, 0.0, 0.5, 1.5, 1e300, 1e-300, 9.3e18, -9.3e18, 4e9};
  constexpr std::uint64_t kWhole[] = {0,        1,          2,          3,     255,        1u << 16,
                                      1u << 20, 0x7fffffff, 0xffffffff, ~0ull, 1ull << 62, 1ull << 63};
  switch (random(0, 3)) {
    case 0:
      return std::bit_cast<std::uint64_t>(kDoubles[random(0, std::size(kDoubles) - 1)]);
    case 1:
      return kWhole[random(0, std::size(kWhole) - 1)];
    case 2:
      return static_cast<std::uint64_t>(random(0, 40));
    default:
      return static_cast<std::uint64_t>(random(0, INT64_MAX - 1)) << random(0, 8);
  }
}

}  // namespace

TEST(EngineFileDamaged, NothingBehindARightChecksumDoesHarm) {  // --gtest_random_seed=N makes other ones
  support::Random random{static_cast<std::uint64_t>(::testing::GTEST_FLAG(random_seed))};
  const Tape tape = tape_of(60);
  const int rounds = support::long_sizes() ? 400 : 60;
  std::size_t loaded = 0, refused = 0;
  for (const Case& way : kCases) {
    if (way.options.axis) continue;  // one of 2^22 bins is allowed, and slow
    Engine engine(support::whole(0.004), support::tiers({2, 10, 50}), way.options);
    for (std::size_t i = 0; i < tape.size(); ++i) feed(engine, tape, i, way);
    const Bytes whole = engine.save("notes");
    const std::vector<Bytes> parts = parts_of(whole);
    for (int round = 0; round < rounds; ++round) {
      std::vector<Bytes> changed = parts;
      for (std::int64_t changes = random(1, 3); changes > 0; --changes) {
        Bytes& part = changed[random(0, changed.size() - 1)];
        const auto at = static_cast<std::size_t>(random(12, std::max<std::int64_t>(12, part.size() - 9)));
        switch (random(0, 5)) {
          case 0:
            part[at] ^= static_cast<std::byte>(1 << random(0, 7));
            break;
          case 1:
            part[at] = static_cast<std::byte>(random(0, 255));
            break;
          case 2:
            part.erase(part.begin() + static_cast<std::ptrdiff_t>(at));
            break;
          case 3:
            part.insert(part.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::size_t>(random(1, 16)),
                        std::byte{0});
            break;
          default:
            if (at + 8 <= part.size()) put(part, at, wild(random));
        }
      }
      const Bytes bytes = sealed(changed, whole);
      std::optional<Engine> made;
      try {
        made = Engine::load(bytes);
      } catch (const DataError&) {
        ++refused;
      }
      if (!made) continue;
      ++loaded;
      use(*made);
    }
  }
  EXPECT_GT(loaded, static_cast<std::size_t>(rounds) / 4);
  EXPECT_GT(refused, static_cast<std::size_t>(rounds));
}
