// The C++ benchmarks: one trade at a time, arrays, and the fold into columns, beside a straightforward loop.
//
//     liqcore_bench [--trades=FILE] [Google Benchmark's options]
//
// FILE is written by write_trades.py; without it a seeded walk is used. Answers are compared before anything is timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "liqcore/engine.hpp"
#include "liqcore/version.hpp"
#include "loop.hpp"
#include "trades.hpp"

namespace bench {
namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::LeverageProfile;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTicksPerBin = 15;
constexpr std::int64_t kBins = 2000;
constexpr std::int64_t kColumns = 240;
constexpr double kRate = 0.004;
constexpr std::size_t kWalk = 2'000'000;
constexpr std::size_t kKeep = 600;  // closed windows of a live engine: ten minutes of seconds

// --- the input -------------------------------------------------------------------------------------------------------

liqcore::Instrument instrument(const Trades& trades) {
  return {"BTC",           "",  liqcore::Contract::linear,           trades.tick_size,
          trades.lot_size, 1.0, liqcore::MarginSchedule::flat(kRate)};
}

/// Job J's tiers, or `n` leverages from 5x to 100x; equal shares.
LeverageProfile profile(std::size_t n) {
  std::vector<double> tiers;
  if (n == 5)
    tiers = {10, 25, 50, 75, 100};
  else
    for (std::size_t i = 0; i < n; ++i)
      tiers.push_back(5.0 + 95.0 * static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(n - 1, 1)));
  return {tiers, std::vector<double>(tiers.size(), 1.0 / static_cast<double>(tiers.size()))};
}

liqcore::PriceAxis axis(const Trades& trades) {
  const auto [low, high] = std::minmax_element(trades.price.begin(), trades.price.end());
  const auto middle = static_cast<std::int64_t>((*low + *high) / 2 / trades.tick_size);
  return {std::max<std::int64_t>(0, middle / kTicksPerBin - kBins / 2) * kTicksPerBin, kTicksPerBin, kBins};
}

/// The window that divides the input into job J's columns.
std::int64_t job_window(const Trades& trades) {
  return ((trades.ts_ns.back() - trades.ts_ns.front()) / kColumns / kSecond + 1) * kSecond;
}

Engine engine(const Trades& trades, std::size_t tiers, std::int64_t window_ns, std::optional<std::size_t> keep = {}) {
  EngineOptions options;
  options.axis = axis(trades);
  options.window_ns = window_ns;
  options.keep = keep;
  return {instrument(trades), profile(tiers), options};
}

Loop loop(const Trades& trades, std::size_t tiers) {
  std::vector<double> factors;
  const LeverageProfile leverage = profile(tiers);
  for (const auto side : {liqcore::Side::long_, liqcore::Side::short_})
    for (const double tier : leverage.tiers())
      factors.push_back(liqcore::MarginSchedule::flat(kRate).level_factor(side, liqcore::Contract::linear, tier));
  return {factors, axis(trades).first_bin(), kBins, kTicksPerBin};
}

/// Whole ticks and lots, which the loop gets ready-made.
struct Grid {
  std::vector<std::int64_t> ticks;
  std::vector<double> lots;

  explicit Grid(const Trades& trades) {
    ticks.reserve(trades.size());
    lots.reserve(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
      ticks.push_back(std::llrint(trades.price[i] / trades.tick_size));
      lots.push_back(std::nearbyint(trades.qty[i] / trades.lot_size));
    }
  }
};

// --- answers first ---------------------------------------------------------------------------------------------------

void require(bool equal, const std::string& what) {
  if (!equal) throw std::runtime_error("wrong answer, nothing timed: " + what);
}

/// Live lots of all layers over the fixed axis, in the loop's layout.
std::vector<double> book_of(const Engine& engine) {
  const liqcore::LevelBook& book = *engine.book();
  const auto width = static_cast<std::size_t>(book.width());
  const auto skip = static_cast<std::size_t>(engine.options().axis->first_bin() - book.first_bin());
  std::vector<double> out;
  std::vector<double> side(book.tiers() * width);
  for (const auto which : {liqcore::Side::long_, liqcore::Side::short_}) {
    book.snapshot(which, side);
    for (std::size_t tier = 0; tier < book.tiers(); ++tier) {
      const auto row = side.begin() + static_cast<std::ptrdiff_t>(tier * width + skip);
      out.insert(out.end(), row, row + kBins);
    }
  }
  return out;
}

/// @param one_by_one  also feed an engine trade by trade
void compare(const Trades& trades, const Grid& grid, std::size_t tiers, std::int64_t window_ns, bool one_by_one) {
  const std::string where =
      std::to_string(tiers) + " tiers, windows of " + std::to_string(window_ns / kSecond) + " s: ";
  Engine batch = engine(trades, tiers, window_ns, kKeep);
  batch.trades(trades.arrays());
  require(batch.stats().used == trades.size(), where + "trades were rejected");
  Loop plain = loop(trades, tiers);
  for (std::size_t i = 0; i < trades.size(); ++i) plain.trade(grid.ticks[i], grid.lots[i], trades.taker_sell[i] != 0);
  require(book_of(batch) == plain.book(), where + "the loop's levels differ from the batch");
  if (one_by_one) {
    Engine single = engine(trades, tiers, window_ns, kKeep);
    for (std::size_t i = 0; i < trades.size(); ++i)
      single.trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0);
    require(single.stats() == batch.stats(), where + "accounts of one by one and batch differ");
    require(book_of(single) == plain.book(), where + "the loop's levels differ from one by one");
  }
  const auto accounts = batch.stats().accounts;
  for (std::size_t layer = 0; layer < accounts.size(); ++layer) {
    const liqcore::Account& a = accounts[layer];
    require(a.liquidated.value() == plain.liquidated(layer), where + "the loop liquidated something else");
    require(
        a.no_price.value() + a.underflow.value() + a.overflow.value() + a.unresolved.value() == plain.dropped(layer),
        where + "the loop dropped something else");
  }
}

// --- one trade at a time ---------------------------------------------------------------------------------------------

void rate(benchmark::State& state, const Trades& trades) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * trades.size()));
  state.counters["per_trade"] = benchmark::Counter(static_cast<double>(state.iterations() * trades.size()),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void trade(benchmark::State& state, const Trades& trades, std::int64_t window_ns) {
  for ([[maybe_unused]] auto _ : state) {
    Engine eng = engine(trades, 5, window_ns, kKeep);
    for (std::size_t i = 0; i < trades.size(); ++i)
      eng.trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0);
    benchmark::DoNotOptimize(eng.book());
  }
  rate(state, trades);
}

void trade_loop(benchmark::State& state, const Trades& trades, const Grid& grid, std::size_t tiers) {
  for ([[maybe_unused]] auto _ : state) {
    Loop plain = loop(trades, tiers);
    for (std::size_t i = 0; i < trades.size(); ++i) plain.trade(grid.ticks[i], grid.lots[i], trades.taker_sell[i] != 0);
    benchmark::DoNotOptimize(plain.book().data());
  }
  rate(state, trades);
}

/// A clock for single calls: the processor's counter where there is one, with fences so that nothing moves across.
struct Clock {
#if defined(__x86_64__)
  static constexpr const char* kName = "rdtsc";
  static std::uint64_t start() noexcept {
    _mm_lfence();
    const std::uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
  }
  static std::uint64_t stop() noexcept {
    unsigned processor;
    const std::uint64_t now = __rdtscp(&processor);
    _mm_lfence();
    return now;
  }
#else
  static constexpr const char* kName = "steady_clock";
  static std::uint64_t start() noexcept {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  static std::uint64_t stop() noexcept { return start(); }
#endif

  /// Nanoseconds of one tick of this clock.
  static double period_ns() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t first = start();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(50)) {
    }
    const std::uint64_t last = start();
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - begin;
    return passed.count() / static_cast<double>(last - first);
  }

  /// Ticks between two readings with nothing between them: the median of many.
  static std::uint64_t overhead() {
    std::vector<std::uint64_t> samples(10'001);
    for (std::uint64_t& sample : samples) {
      const std::uint64_t begin = start();
      sample = stop() - begin;
    }
    std::nth_element(samples.begin(), samples.begin() + 5'000, samples.end());
    return samples[5'000];
  }
};

void percentiles(benchmark::State& state, std::vector<std::uint32_t>& samples, double period, const char* suffix) {
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    const auto i = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
    return static_cast<double>(samples[i]) * period;
  };
  state.counters[std::string("p50_ns") + suffix] = at(0.5);
  state.counters[std::string("p99_ns") + suffix] = at(0.99);
  state.counters[std::string("p99.9_ns") + suffix] = at(0.999);
  state.counters[std::string("max_ns") + suffix] = at(1.0);
}

/// Each call timed by itself, the clock's own cost subtracted. "inside": calls that close no window.
void latency(benchmark::State& state, const Trades& trades, std::int64_t window_ns) {
  const double period = Clock::period_ns();
  const std::uint64_t overhead = Clock::overhead();
  std::vector<std::uint32_t> all(trades.size());
  std::vector<std::uint32_t> inside;
  for ([[maybe_unused]] auto _ : state) {
    Engine eng = engine(trades, 5, window_ns, kKeep);
    inside.clear();
    inside.reserve(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
      const std::uint64_t begin = Clock::start();
      eng.trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0);
      const std::uint64_t took = Clock::stop() - begin;
      all[i] = static_cast<std::uint32_t>(std::min<std::uint64_t>(took > overhead ? took - overhead : 0, UINT32_MAX));
      if (i > 0 && trades.ts_ns[i] / window_ns == trades.ts_ns[i - 1] / window_ns) inside.push_back(all[i]);
    }
  }
  state.counters["clock_ns"] = static_cast<double>(overhead) * period;
  state.counters["closing"] = 1.0 - static_cast<double>(inside.size()) / static_cast<double>(trades.size());
  percentiles(state, all, period, "");
  percentiles(state, inside, period, "_inside");
}

// --- arrays ----------------------------------------------------------------------------------------------------------

void batch(benchmark::State& state, const Trades& trades, std::size_t rows) {
  const auto tiers = static_cast<std::size_t>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    Engine eng = engine(trades, tiers, job_window(trades));
    const liqcore::TradeArrays all = trades.arrays();
    for (std::size_t i = 0; i < trades.size(); i += rows) {
      const std::size_t n = std::min(rows, trades.size() - i);
      eng.trades(
          {all.ts_ns.subspan(i, n), all.price.subspan(i, n), all.qty.subspan(i, n), all.taker_sell.subspan(i, n)});
    }
    benchmark::DoNotOptimize(eng.book());
  }
  rate(state, trades);
}

/// The closed windows of job J into columns of all bins.
void fold(benchmark::State& state, const Trades& trades) {
  Engine eng = engine(trades, 5, job_window(trades));
  eng.trades(trades.arrays());
  const liqcore::History& history = *eng.history();
  liqcore::Picture picture;
  picture.weights[0] = picture.weights[1] = eng.leverage().weights();
  picture.first_bin = eng.options().axis->first_bin();
  picture.rows = kBins;
  picture.columns = history.size();
  std::vector<float> out[4];
  for (auto& values : out) values.resize(picture.rows * picture.columns);
  for ([[maybe_unused]] auto _ : state) {
    history.columns(picture, out[0], out[1], out[2], out[3]);
    benchmark::DoNotOptimize(out[0].data());
  }
  state.counters["columns"] = static_cast<double>(picture.columns);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * picture.columns * picture.rows));
}

/// What one thread of this machine reads, for comparison.
void read_memory(benchmark::State& state) {
  std::vector<std::uint64_t> values(std::size_t{1} << 25, 1);
  for ([[maybe_unused]] auto _ : state) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * values.size() * sizeof values[0]));
}

int run(int argc, char** argv) {
  // Our defaults come first, so that the caller's options win.
  std::string file;
  std::vector<std::string> words = {argv[0], "--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true",
                                    "--benchmark_report_aggregates_only=true", "--benchmark_min_time=0.05"};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--trades="))
      file = word.substr(std::string_view("--trades=").size());
    else
      words.emplace_back(word);
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  const Trades trades = file.empty() ? walk(kWalk, 7) : read_trades(file);
  if (trades.size() < 2)
    throw std::runtime_error("at least two trades are needed, had " + std::to_string(trades.size()));
  const Trades busy = at_rate(trades, 200.0);
  const Grid grid(trades);
  const std::int64_t window = job_window(trades);
  for (const std::size_t tiers : {1, 5, 25, 100}) compare(trades, grid, tiers, window, tiers == 5);
  compare(busy, grid, 5, kSecond, true);

  benchmark::AddCustomContext("liqcore", std::string(liqcore::version()));
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("input", trades.source + ", " + std::to_string(trades.size()) + " trades");
  benchmark::AddCustomContext("clock of single calls", Clock::kName);
  benchmark::AddCustomContext("answers", "equal: one by one, batch and the loop");

  const auto add = [](const char* name, auto&& function) {
    return benchmark::RegisterBenchmark(name, function)->Unit(benchmark::kMillisecond);
  };
  add("trade/5_tiers/job_windows", [&](benchmark::State& s) { trade(s, trades, window); });
  add("trade/5_tiers/1s_windows_200_per_s", [&](benchmark::State& s) { trade(s, busy, kSecond); });
  add("loop/5_tiers", [&](benchmark::State& s) { trade_loop(s, trades, grid, 5); });
  for (const std::int64_t tiers : {1, 5, 25, 100})
    add("batch", [&](benchmark::State& s) { batch(s, trades, trades.size()); })->Arg(tiers)->ArgName("tiers");
  add("batch_calls_of_1000", [&](benchmark::State& s) { batch(s, trades, 1000); })->Arg(5)->ArgName("tiers");
  for (const std::size_t tiers : {1, 25, 100})
    add(("loop/" + std::to_string(tiers) + "_tiers").c_str(),
        [&, tiers](benchmark::State& s) { trade_loop(s, trades, grid, tiers); });
  add("fold_into_columns", [&](benchmark::State& s) { fold(s, trades); });
  add("read_memory", read_memory);
  add("latency/1s_windows_200_per_s", [&](benchmark::State& s) { latency(s, busy, kSecond); })->Iterations(1);
  add("latency/1s_windows_own_time", [&](benchmark::State& s) { latency(s, trades, kSecond); })->Iterations(1);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr bool kForTesting = true;
#else
  constexpr bool kForTesting = false;
#endif
  if (kForTesting) {
    std::fprintf(stderr, "liqcore_bench: built with asserts or sanitizers on: benchmark the preset \"release\"\n");
    return 2;
  }
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "liqcore_bench: %s\n", error.what());
    return 2;
  }
}
