// Runs one kernel once over a file of trades, for callgrind to count (bench/instructions.py writes the file):
//
//     valgrind --tool=callgrind --toggle-collect=measured liqcore_bench_instructions
//     batch|trade|watched_batch|watched_trade|loop FILE
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "loop.hpp"
#include "setup.hpp"

namespace {

struct Input {
  bench::Setup setup;
  std::vector<std::int64_t> ts_ns;
  std::vector<double> price, qty;
  std::vector<std::uint8_t> taker_sell;
};

template <class T>
std::vector<T> read(std::ifstream& in, std::size_t n) {
  std::vector<T> out(n);
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(n * sizeof(T)));
  if (!in) throw std::runtime_error("the file ends too early");
  return out;
}

/// Nine numbers as doubles (trades, tiers, tick size, lot size, rate, low tick, ticks per bin, bins, window), then the
/// tiers, then the four columns.
Input read_input(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  const auto head = read<double>(in, 9);
  const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(head[i]); };
  const auto n = static_cast<std::size_t>(whole(0));
  Input out;
  out.setup = {head[2],  head[3],  head[4],  whole(5),
               whole(6), whole(7), whole(8), read<double>(in, static_cast<std::size_t>(whole(1)))};
  out.ts_ns = read<std::int64_t>(in, n);
  out.price = read<double>(in, n);
  out.qty = read<double>(in, n);
  out.taker_sell = read<std::uint8_t>(in, n);
  return out;
}

/// Only what happens in here is counted.
template <class Work>
[[gnu::noinline]] void measured(Work&& work) {
  work();
}

void run(std::string_view kernel, const Input& in) {
  const bench::Setup& setup = in.setup;
  const std::size_t n = in.ts_ns.size();
  const bool watched = kernel.starts_with("watched_");
  if (watched) kernel.remove_prefix(std::string_view("watched_").size());
  const double outlier = watched ? 0.1 : 0.0;
  if (kernel == "batch") {
    liqcore::Engine engine = bench::make_engine(setup, {}, outlier);
    measured([&] { engine.trades({in.ts_ns, in.price, in.qty, in.taker_sell}); });
  } else if (kernel == "trade") {
    liqcore::Engine engine = bench::make_engine(setup, {}, outlier);
    measured([&] {
      for (std::size_t i = 0; i < n; ++i) engine.trade(in.ts_ns[i], in.price[i], in.qty[i], in.taker_sell[i] != 0);
    });
  } else if (kernel == "loop") {
    std::vector<double> factors;
    const auto margin = liqcore::MarginSchedule::flat(setup.mmr);
    for (const auto side : {liqcore::Side::long_, liqcore::Side::short_})
      for (const double tier : setup.tiers)
        factors.push_back(margin.level_factor(side, liqcore::Contract::linear, tier));
    bench::Loop loop(factors, setup.low_tick / setup.ticks_per_bin, setup.bins, setup.ticks_per_bin);
    std::vector<std::int64_t> ticks;
    std::vector<double> lots;
    for (std::size_t i = 0; i < n; ++i) {
      ticks.push_back(std::llrint(in.price[i] / setup.tick_size));
      lots.push_back(std::nearbyint(in.qty[i] / setup.lot_size));
    }
    measured([&] {
      for (std::size_t i = 0; i < n; ++i) loop.trade(ticks[i], lots[i], in.taker_sell[i] != 0);
    });
  } else {
    throw std::runtime_error("kernel must be batch, trade or loop, was " + std::string(kernel));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s batch|trade|watched_batch|watched_trade|loop FILE\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], read_input(argv[2]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}
