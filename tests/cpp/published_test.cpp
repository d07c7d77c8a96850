// What other threads read while an engine is fed: rows and snapshots of one instant each, which stay as they are.
// The preset tsan runs this, too; LIQCORE_SOAK=1 gives it its long sizes there.

#include "liqcore/published.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "latest.hpp"
#include "support.hpp"

namespace {

using liqcore::Cells;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::FeatureReader;
using liqcore::History;
using liqcore::Layers;
using liqcore::Publisher;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Snapshot;
using support::Tape;

constexpr std::int64_t kWindow = 1'000;
constexpr std::int64_t kNoClock = std::numeric_limits<std::int64_t>::min();

/// How often; five times as many where LIQCORE_SOAK=1 asks for it.
std::int64_t rounds(std::int64_t few, std::int64_t many) {
  static const bool soak = std::getenv("LIQCORE_SOAK") != nullptr;
  return soak ? 5 * many : support::long_sizes() ? many : few;
}

Engine engine_of(EngineOptions options = {}) {
  options.window_ns = kWindow;
  return {support::whole(0.004), support::tiers({2, 10, 50}), options};
}

std::vector<std::uint64_t> bits(const std::vector<double>& row) {
  std::vector<std::uint64_t> out;
  for (const double value : row) out.push_back(std::bit_cast<std::uint64_t>(value));
  return out;
}

std::vector<std::uint64_t> features(const Engine& engine) {
  FeatureReader reader;
  std::vector<double> row(reader.size());
  reader.read(engine, row);
  return bits(row);
}

/// The levels at the end of a history.
Cells folded(const History& history) {
  Cells out;
  history.levels_after(history.size() - 1).extract(out);
  return out;
}

/// A snapshot says what an engine says.
void expect_is(const Snapshot& snapshot, const Engine& engine) {
  EXPECT_EQ(snapshot.clock_ns, engine.clock().value_or(kNoClock));
  EXPECT_EQ(snapshot.began_ns, engine.began());
  EXPECT_EQ(snapshot.sequential, engine.sequential());
  EXPECT_EQ(bits(snapshot.features), features(engine));
  EXPECT_EQ(bits({snapshot.last_price}), bits({engine.last_price()}));
  EXPECT_EQ(snapshot.stats, engine.stats());
  ASSERT_EQ(snapshot.history.has_value(), engine.history() != nullptr);
  Segment open;
  ASSERT_EQ(snapshot.open.has_value(), engine.peek(open));
  EXPECT_EQ(snapshot.open.value_or(Segment{}), open);
  if (!snapshot.history) return;
  const History& own = *engine.history();
  ASSERT_EQ(snapshot.history->size(), own.size());
  EXPECT_EQ(snapshot.history->total(), own.total());
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_EQ(snapshot.history->segment(i), own.segment(i)) << i;
  Cells base, own_base;
  snapshot.history->base().extract(base);
  own.base().extract(own_base);
  EXPECT_EQ(base, own_base);
  for (const Side side : {Side::long_, Side::short_}) {
    ASSERT_EQ(snapshot.axis, engine.axis());
    std::vector<double> levels(engine.book()->tiers() * static_cast<std::size_t>(engine.book()->width()));
    std::vector<double> own_levels(levels.size());
    snapshot.write_levels(side, levels);
    engine.book()->snapshot(side, own_levels);
    EXPECT_EQ(levels, own_levels);
  }
}

/// What must hold within any snapshot of an engine without half-lives.
void check_whole(const Snapshot& snapshot) {
  if (!snapshot.history) return;
  const auto all = snapshot.history_so_far();
  ASSERT_TRUE(all && all->size() > 0);
  ASSERT_EQ(folded(*all), snapshot.levels);
  for (std::size_t layer = 0; layer < snapshot.stats.accounts.size(); ++layer) {
    double lots = 0.0;
    for (const double cell : snapshot.levels.layer_lots(layer)) lots += cell;
    ASSERT_EQ(lots, snapshot.stats.accounts[layer].live.value());
    ASSERT_EQ(snapshot.stats.accounts[layer].imbalance(), 0.0);
  }
  ASSERT_TRUE(!snapshot.open || snapshot.clock_ns < snapshot.open->end_ns);
}

/// Threads that do something again and again until they are told to end; each has done it once before this returns.
class Beside {
 public:
  Beside(std::size_t threads, const std::function<void(std::size_t)>& look) {
    std::atomic<std::size_t> begun{0};
    for (std::size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this, i, look, &begun] {
        look(i);
        begun.fetch_add(1);
        while (!stop_.load(std::memory_order_relaxed)) look(i);
        look(i);
      });
    while (begun.load() < threads) std::this_thread::yield();
  }
  void end() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  ~Beside() { end(); }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

// --- what it is made of --------------------------------------------------------------------------------------------

TEST(LatestRow, IsOneThatWasWrittenAndNeverAnOlderOne) {
  liqcore::LatestRow row(37);
  struct Reader {
    std::uint64_t last = 0, seen = 0;
    std::vector<double> values = std::vector<double>(37);
  };
  std::vector<Reader> readers(3);
  const auto look = [&](std::size_t i) {
    Reader& me = readers[i];
    std::int64_t time = 0;
    const std::uint64_t number = row.read(time, me.values);
    ASSERT_GE(number, me.last);
    me.seen += number > me.last ? 1 : 0;
    me.last = number;
    if (number == 0) return;
    ASSERT_EQ(time, static_cast<std::int64_t>(number) * 3);
    for (std::size_t k = 0; k < me.values.size(); ++k) ASSERT_EQ(me.values[k], static_cast<double>(number * 1'000 + k));
  };
  const auto last = static_cast<std::uint64_t>(rounds(20'000, 200'000));
  Beside beside(readers.size(), look);
  std::vector<double> values(37);
  for (std::uint64_t number = 1; number <= last; ++number) {
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<double>(number * 1'000 + k);
    row.write(number, static_cast<std::int64_t>(number) * 3, values);
  }
  beside.end();
  for (const Reader& reader : readers) EXPECT_EQ(reader.last, last);
}

TEST(Latest, IsNeverWrittenToWhileAnybodyHasIt) {
  struct Value {
    std::uint64_t number = 0;
    std::vector<std::uint64_t> all;
  };
  liqcore::Latest<Value> latest;
  struct Reader {
    std::uint64_t last = 0;
    std::vector<std::shared_ptr<const Value>> kept;
    support::Random random{0};
  };
  std::vector<Reader> readers(4);
  for (std::size_t i = 0; i < readers.size(); ++i) readers[i].random = support::Random(i);
  const auto check = [](const Value& value) {
    for (const std::uint64_t one : value.all) ASSERT_EQ(one, value.number);
  };
  Beside beside(readers.size(), [&](std::size_t i) {
    Reader& me = readers[i];
    const auto value = latest.take();
    if (value == nullptr) return;
    ASSERT_GE(value->number, me.last);
    me.last = value->number;
    check(*value);
    if (me.random.one_in(5)) me.kept.push_back(value);
    if (me.kept.size() == 7) {
      for (const auto& old : me.kept) check(*old);
      me.kept.clear();
    }
  });
  std::uint64_t reused = 0;
  const auto last = static_cast<std::uint64_t>(rounds(10'000, 100'000));
  for (std::uint64_t number = 1; number <= last; ++number) {
    std::shared_ptr<Value> next = latest.spare();
    reused += next != nullptr ? 1 : 0;
    if (next == nullptr) next = std::make_shared<Value>();
    next->number = number;
    next->all.assign(64, number);
    latest.make_room();
    latest.publish(std::move(next));
  }
  beside.end();
  EXPECT_EQ(latest.take()->number, last);
  EXPECT_GT(reused, 0U);
}

TEST(Latest, IsWrittenOverInTurnWhereNobodyReads) {
  liqcore::Latest<int> latest;
  std::vector<const int*> at;
  for (int i = 0; i < 6; ++i) {
    std::shared_ptr<int> next = latest.spare();
    if (!next) next = std::make_shared<int>();
    *next = i;
    latest.make_room();
    latest.publish(next);
    at.push_back(next.get());
  }
  EXPECT_EQ(at[2], at[0]);
  EXPECT_EQ(at[5], at[1]);
  const std::shared_ptr<const int> held = latest.take();
  latest.make_room();
  latest.publish(std::make_shared<int>(6));
  EXPECT_EQ(*held, 5);
}

TEST(History, FollowsOneThatWentOnAndCopiesAnyOther) {
  for (const std::optional<std::size_t> keep : {std::optional<std::size_t>(), std::optional<std::size_t>(3)}) {
    EngineOptions options;
    options.keep = keep;
    Engine engine = engine_of(options);
    const Tape tape = support::random_tape(5, 400, false, {9'000, 11'000});
    engine.trades(tape.view(0, 10));
    History follower = *engine.history();
    Engine other = engine.clone();  // the same windows so far
    for (std::size_t i = 10; i < tape.size(); i += 13) {
      engine.trades(tape.view(i, std::min(i + 13, tape.size())));
      other.trades(tape.view(i + 2, std::min(i + 11, tape.size())));
      const Engine& from = i % 5 == 0 ? other : engine;  // now and then one that went another way
      follower.follow(*from.history());
      ASSERT_EQ(follower.size(), from.history()->size());
      ASSERT_EQ(follower.total(), from.history()->total());
      ASSERT_EQ(follower.entries(), from.history()->entries());
      for (std::size_t e = 0; e < follower.entries(); ++e) {
        ASSERT_EQ(follower.share_entry(e), from.history()->share_entry(e));
        ASSERT_EQ(follower.entry(e).count, from.history()->entry(e).count);
        ASSERT_EQ(follower.entry(e).folded, from.history()->entry(e).folded);
      }
      Cells base, wanted;
      follower.entry_base().extract(base);
      from.history()->entry_base().extract(wanted);
      ASSERT_EQ(base, wanted);
    }
  }
}

// --- what is published ---------------------------------------------------------------------------------------------

TEST(Publisher, HasNothingBeforeItPublishes) {
  const Publisher publisher;
  std::vector<double> row(publisher.size(), 7.0);
  const Publisher::Moment moment = publisher.read(row);
  EXPECT_EQ(moment.sequence, 0U);
  EXPECT_EQ(moment.clock_ns, kNoClock);
  EXPECT_EQ(row, std::vector<double>(publisher.size(), 7.0));
  EXPECT_EQ(publisher.snapshot(), nullptr);
  EXPECT_EQ(support::refusal([&] { static_cast<void>(publisher.read({})); }), "out must hold 22 values, had 0");
  EXPECT_EQ(publisher.names(), FeatureReader().names());
}

TEST(Publisher, PublishesAnEngineWithoutAPriceAtOnce) {
  Engine engine = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);
  expect_is(*publisher->snapshot(), engine);
  EXPECT_EQ(publisher->snapshot()->sequence, 1U);
  std::vector<double> none;
  publisher->snapshot()->write_levels(Side::long_, none);
}

TEST(Publisher, PublishesAtAWindowsEndWhatAdvanceToItLeaves) {
  const Tape tape = support::random_tape(11, 1'500, true, {9'000, 11'000});
  for (const double half_life : {0.0, 20'000.0})
    for (const std::optional<std::size_t> keep : {std::optional<std::size_t>(), std::optional<std::size_t>(4)}) {
      EngineOptions options;
      options.keep = keep;
      if (half_life > 0.0) options.half_life_ns.assign(3, half_life);
      Engine engine = engine_of(options), twin = engine_of(options);
      const auto publisher = std::make_shared<Publisher>();
      engine.publish_to(publisher);
      std::vector<double> row(publisher->size());
      std::uint64_t sequence = 1;
      for (std::size_t i = 0; i < tape.size(); ++i) {
        engine.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
        const Publisher::Moment moment = publisher->read(row);
        if (moment.sequence != sequence) {
          ASSERT_EQ(moment.sequence, sequence + 1) << "once, however many windows";
          sequence = moment.sequence;
          twin.advance(moment.clock_ns);
          ASSERT_EQ(moment.clock_ns % kWindow, 0);
          ASSERT_EQ(bits(row), features(twin));
          const auto snapshot = publisher->snapshot();
          ASSERT_EQ(snapshot->sequence, sequence);
          expect_is(*snapshot, twin);
          if (half_life == 0.0) check_whole(*snapshot);
        }
        twin.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
      }
      EXPECT_GT(sequence, 20U);
    }
}

TEST(Publisher, PublishesARowAloneAtWindowEndsIfSnapshotsAreNotWanted) {
  Engine engine = engine_of();
  liqcore::PublisherOptions options;
  options.snapshot_at_window_end = false;
  const auto publisher = std::make_shared<Publisher>(options);
  engine.publish_to(publisher);
  engine.trade(10, 10'000.0, 5.0, false);
  engine.advance(3'500);
  std::vector<double> row(publisher->size());
  EXPECT_EQ(publisher->read(row).sequence, 2U);
  EXPECT_EQ(bits(row), features([] {
              Engine twin = engine_of();
              twin.trade(10, 10'000.0, 5.0, false);
              twin.advance(3'000);
              return twin;
            }()));
  EXPECT_EQ(publisher->snapshot()->sequence, 1U);
  publisher->publish(engine);
  EXPECT_EQ(publisher->snapshot()->sequence, 3U);
}

TEST(Publisher, PublishesThisMomentWhenItIsTold) {
  Engine engine = engine_of();
  Publisher publisher;  // not even attached
  const Tape tape = support::random_tape(3, 300, false, {9'000, 11'000});
  for (std::size_t i = 0; i < tape.size(); i += 7) {
    engine.trades(tape.view(i, std::min(i + 7, tape.size())));
    publisher.publish(engine);
    expect_is(*publisher.snapshot(), engine);
    check_whole(*publisher.snapshot());
    publisher.publish_row(engine);
    std::vector<double> row(publisher.size());
    EXPECT_EQ(publisher.read(row).sequence, publisher.snapshot()->sequence + 1);
    EXPECT_EQ(bits(row), features(engine));
  }
}

TEST(Publisher, SaysWhenTheBookBeganAndWhetherItIsSequentialOfThen) {
  Engine engine = engine_of();
  Publisher publisher;
  publisher.publish(engine);
  const auto none = publisher.snapshot();
  engine.trade(1'234, 10'000.0, 5.0, false);
  engine.trade(2'345, 10'000.0, 5.0, true);
  publisher.publish(engine);
  const auto begun = publisher.snapshot();
  engine.scale(std::vector<double>(6, 0.5), 9'000.0, 11'000.0);
  publisher.publish(engine);
  const auto scaled = publisher.snapshot();
  EXPECT_EQ(none->began_ns, std::nullopt);
  EXPECT_EQ(begun->began_ns, 1'234);
  EXPECT_FALSE(none->sequential || begun->sequential);
  EXPECT_TRUE(scaled->sequential);
}

TEST(Publisher, WorksBesideAHookWhichMayPublishToo) {
  Engine engine = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);
  std::vector<std::vector<std::uint64_t>> in_hook;
  engine.on_column([&](const Segment&) {
    publisher->publish_row(engine);
    in_hook.push_back(features(engine));
  });
  engine.trade(10, 10'000.0, 5.0, false);
  engine.trade(2'500, 9'990.0, 5.0, true);  // two windows
  ASSERT_EQ(in_hook.size(), 2U);
  std::vector<double> row(publisher->size());
  EXPECT_EQ(publisher->read(row).sequence, 5U);  // as it was attached, then twice by the hook and twice by itself
  EXPECT_EQ(bits(row), in_hook.back());
}

TEST(Publisher, SurvivesAMovedEngineAndIsNotTakenAlongByAClone) {
  Engine first = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  first.publish_to(publisher);
  first.trade(10, 10'000.0, 5.0, false);
  Engine second = std::move(first);
  second.advance(1'000);
  EXPECT_EQ(publisher->snapshot()->clock_ns, 1'000);
  Engine copy = second.clone();
  copy.advance(5'000);
  EXPECT_EQ(publisher->snapshot()->clock_ns, 1'000);
  second.publish_to(nullptr);
  second.advance(5'000);
  EXPECT_EQ(publisher->snapshot()->clock_ns, 1'000);
}

TEST(Publisher, PublishesWhatWasRestored) {
  Engine engine = engine_of();
  const Tape tape = support::random_tape(8, 200, false, {9'000, 11'000});
  engine.trades(tape.all());
  Engine other = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  other.publish_to(publisher);
  other.restore(engine.checkpoint());
  expect_is(*publisher->snapshot(), other);
}

TEST(Publisher, AnswersWhoAsksAtTheNextArrayOrOtherEvent) {
  Engine engine = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);
  std::uint64_t sequence = 1;
  const auto expect_answer = [&](const char* what, const std::function<void()>& event) {
    event();
    ASSERT_EQ(publisher->snapshot()->sequence, sequence) << what << ": nobody asked";
    publisher->ask();
    event();
    ASSERT_EQ(publisher->snapshot()->sequence, ++sequence) << what;
    expect_is(*publisher->snapshot(), engine);
  };
  engine.trade(10, 10'000.0, 5.0, false);
  expect_answer("trades", [&] {
    const std::int64_t ts[] = {20, 20};
    const double price[] = {10'000.0, 10'001.0}, qty[] = {1.0, 1.0};
    const std::uint8_t sell[] = {0, 1};
    engine.trades({ts, price, qty, sell});
  });
  expect_answer("mark", [&] { engine.mark(30, 10'000.0); });
  expect_answer("open interest", [&] { engine.open_interest(30, 10.0); });
  expect_answer("advance", [&] { engine.advance(40); });
  double price = 10'000.0;
  expect_answer("a trade far away", [&] { engine.trade(40, price += 900.0, 1.0, false); });
}

TEST(Publisher, PublishesStretchesOfWindowsThatThreadsTook) {
  EngineOptions options;
  options.threads = 2;
  Engine engine = engine_of(options);
  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);
  Tape tape;
  for (std::int64_t i = 0; i < 150'000; ++i)
    tape.push(i / 2, 10'000.0 + static_cast<double>((i * 37) % 61), static_cast<double>(i % 7 + 1), i % 3 == 0);
  std::uint64_t last = 0;
  Beside beside(2, [&, look = publisher](std::size_t i) {
    const auto snapshot = look->snapshot();
    check_whole(*snapshot);
    if (i > 0) return;
    ASSERT_GE(snapshot->sequence, last);
    last = snapshot->sequence;
  });
  engine.trades(tape.all());
  beside.end();
  EXPECT_GT(last, 3U);
  Engine twin = engine_of();
  twin.trades(tape.all());
  publisher->publish(engine);
  expect_is(*publisher->snapshot(), twin);
}

// --- readers beside a feeder ---------------------------------------------------------------------------------------

namespace {

/// What a reader has seen, to be compared with what the feeder wrote down.
struct Read {
  std::uint64_t last_row = 0;
  std::uint64_t last_snapshot = 0;
  std::int64_t last_clock = kNoClock;
  std::vector<std::pair<std::uint64_t, std::vector<std::uint64_t>>> rows;
  std::vector<std::pair<std::shared_ptr<const Snapshot>, Cells>> kept;
  support::Random random{0};
};

void look(const Publisher& publisher, Read& me) {
  std::vector<double> row(publisher.size());
  const Publisher::Moment moment = publisher.read(row);
  ASSERT_GE(moment.sequence, me.last_row);
  ASSERT_GE(moment.clock_ns, me.last_clock);
  if (moment.sequence != me.last_row) me.rows.emplace_back(moment.sequence, bits(row));
  me.last_row = moment.sequence;
  me.last_clock = moment.clock_ns;

  const auto snapshot = publisher.snapshot();
  ASSERT_GE(snapshot->sequence, me.last_snapshot);
  if (snapshot->sequence == me.last_snapshot && !me.random.one_in(20)) return;
  me.last_snapshot = snapshot->sequence;
  if (me.random.one_in(3)) check_whole(*snapshot);
  me.rows.emplace_back(snapshot->sequence, bits(snapshot->features));
  if (snapshot->history && snapshot->history->size() > 0 && me.random.one_in(3)) {
    liqcore::Picture picture;  // uses what all copies of a history share
    picture.weights[0] = picture.weights[1] = std::vector<double>(3, 1.0);
    picture.columns = snapshot->history->size();
    static_cast<void>(snapshot->history->extent(picture));
  }
  if (me.random.one_in(4)) me.kept.emplace_back(snapshot, snapshot->levels);
  if (me.kept.size() < 6) return;
  for (const auto& [old, levels] : me.kept) ASSERT_EQ(old->levels, levels) << "it stays as it was";
  check_whole(*me.kept.front().first);
  me.kept.clear();
}

}  // namespace

TEST(Publisher, ReadersBesideAFeederReadWhatItPublishedInOrder) {
  const auto seeds = static_cast<std::uint64_t>(rounds(2, 4));
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    support::Random random{seed};
    EngineOptions options;
    if (seed % 2 == 0) options.keep = 3;
    std::optional<Engine> engine = engine_of(options);
    const auto publisher = std::make_shared<Publisher>();
    std::vector<std::vector<std::uint64_t>> written(1);  // by sequence
    std::vector<double> row(publisher->size());
    const auto write_down = [&] { written.push_back(features(*engine)); };
    const auto attach = [&] {
      write_down();
      engine->publish_to(publisher);
      engine->on_column([&](const Segment&) { write_down(); });  // and then the window's end is published
    };
    attach();
    std::vector<Read> readers(3);
    for (std::size_t i = 0; i < readers.size(); ++i) readers[i].random = support::Random(100 * seed + i);
    Beside beside(readers.size(), [&, from = publisher](std::size_t i) { look(*from, readers[i]); });

    const Tape tape = support::random_tape(seed, support::long_sizes() ? 1'500 : 600, false, {9'000, 11'000});
    for (std::size_t i = 0; i < tape.size();) {
      const auto step = [&](std::int64_t most) {
        return std::min(tape.size(), i + static_cast<std::size_t>(random(1, most)));
      };
      switch (random(0, 5)) {
        case 0:
          for (const std::size_t end = step(40); i < end; ++i)
            engine->trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
          break;
        case 1: {
          const std::size_t end = step(60);
          engine->trades(tape.view(i, end));
          i = end;
          break;
        }
        case 2:
          engine->mark(engine->clock().value_or(tape.ts[i]), tape.price[i]);
          break;
        case 3:
          write_down();
          publisher->publish_row(*engine);
          break;
        case 4:
          write_down();
          publisher->publish(*engine);
          break;
        default:
          if (!random.one_in(20) || engine->book() == nullptr) break;
          Engine again = engine_of(options);  // a restart, and the engine goes elsewhere
          again.restore(engine->checkpoint());
          engine.emplace(std::move(again));
          attach();
          break;
      }
    }
    beside.end();
    ASSERT_EQ(publisher->read(row).sequence + 1, written.size());
    for (const Read& reader : readers) {
      EXPECT_EQ(reader.last_row + 1, written.size());
      EXPECT_GT(reader.rows.size(), 2U);
      for (const auto& [sequence, read] : reader.rows) ASSERT_EQ(read, written[sequence]) << sequence;
    }
    EXPECT_EQ(publisher->missed(), 0U);
  }
}

TEST(Publisher, ReadersThatAskAreAnswered) {
  Engine engine = engine_of();
  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);
  Beside beside(2, [&, from = publisher](std::size_t) {
    check_whole(*from->snapshot());
    from->ask();
  });
  const auto events = rounds(3'000, 60'000);
  for (std::int64_t i = 0; i < events; ++i) engine.mark(i, 10'000.0 + static_cast<double>(i % 50));
  beside.end();
  engine.mark(events, 10'000.0);
  EXPECT_GT(publisher->snapshot()->sequence, static_cast<std::uint64_t>(events / kWindow) + 1);
}

TEST(History, WindowsAreReadAndGivenUpOnAnotherThreadWhileTheEngineWritesOverOthers) {
  EngineOptions options;
  options.keep = 3;
  Engine engine = engine_of(options);
  std::mutex mutex;
  std::vector<std::shared_ptr<const Segment>> handed;
  double lots = 0.0;
  Beside beside(1, [&](std::size_t) {
    std::vector<std::shared_ptr<const Segment>> windows;
    {
      const std::lock_guard lock(mutex);
      windows.swap(handed);
    }
    for (const auto& window : windows)
      for (const double value : window->additions.lots) lots += value;
  });
  const auto trades = rounds(10'000, 50'000);
  for (std::int64_t i = 0; i < trades; ++i) {
    engine.trade(i * 100, 10'000.0 + static_cast<double>(i % 50), 1.0, i % 2 == 0);
    if (i % 15 != 14) continue;
    const std::lock_guard lock(mutex);
    handed.push_back(engine.history()->share(engine.history()->size() - 1));
  }
  beside.end();
  EXPECT_GT(lots, 0.0);
}
