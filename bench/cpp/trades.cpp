#include "trades.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>

namespace bench {
namespace {

constexpr char kMagic[8] = {'l', 'i', 'q', 't', 'r', 'd', '0', '1'};
constexpr std::int64_t kStart = 1'781'136'000'000'000'000;  // 2026-06-11

template <class T>
void read(std::ifstream& in, T* out, std::size_t n, const std::string& path) {
  if (!in.read(reinterpret_cast<char*>(out), static_cast<std::streamsize>(n * sizeof(T))))
    throw std::runtime_error(path + ": ends too early; write it again with write_trades.py");
}

}  // namespace

Trades read_trades(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot be opened");
  char magic[sizeof kMagic];
  read(in, magic, sizeof magic, path);
  if (std::memcmp(magic, kMagic, sizeof magic) != 0)
    throw std::runtime_error(path + ": is not a trade file of write_trades.py");
  Trades out;
  std::uint64_t n = 0;
  std::uint64_t source_size = 0;
  read(in, &n, 1, path);
  read(in, &out.tick_size, 1, path);
  read(in, &out.lot_size, 1, path);
  read(in, &source_size, 1, path);
  out.source.resize(source_size);
  read(in, out.source.data(), out.source.size(), path);
  out.ts_ns.resize(n);
  out.price.resize(n);
  out.qty.resize(n);
  out.taker_sell.resize(n);
  read(in, out.ts_ns.data(), n, path);
  read(in, out.price.data(), n, path);
  read(in, out.qty.data(), n, path);
  read(in, out.taker_sell.data(), n, path);
  return out;
}

Trades walk(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::normal_distribution<double> normal;
  std::exponential_distribution<double> gap{10.0};  // orders a second
  std::geometric_distribution<int> fills{0.4};      // fills of an order beyond the first
  std::lognormal_distribution<double> size{7.0, 2.0};
  std::bernoulli_distribution jumps{4.0 / 864'000.0};
  Trades out;
  out.source = "seeded walk, seed " + std::to_string(seed);
  for (auto* column : {&out.price, &out.qty}) column->reserve(n);
  out.ts_ns.reserve(n);
  out.taker_sell.reserve(n);
  double log_price = std::log(63'000.0);
  double seconds = 0.0;
  while (out.size() < n) {
    seconds += gap(random);
    // Ten orders a second, 2 % a day; the pull towards the start keeps the walk on a fixed axis.
    log_price += 2.2e-5 * normal(random) - 2e-7 * (log_price - std::log(63'000.0));
    if (jumps(random)) log_price += 0.005 * normal(random);
    const bool sell = random() % 2 == 0;
    const double tick = std::rint(std::exp(log_price));
    for (int k = fills(random); k >= 0 && out.size() < n; --k) {
      out.ts_ns.push_back(kStart + static_cast<std::int64_t>(seconds * 1e3) * 1'000'000);
      out.price.push_back(tick * out.tick_size);
      out.qty.push_back(std::rint(std::clamp(size(random), 1.0, 1e8)) * out.lot_size);
      out.taker_sell.push_back(sell ? 1 : 0);
    }
  }
  return out;
}

Trades at_rate(Trades trades, double per_second) {
  const std::int64_t start = trades.ts_ns.front();
  const double span = static_cast<double>(trades.ts_ns.back() - start);
  const double factor = static_cast<double>(trades.size()) / per_second * 1e9 / span;
  for (std::int64_t& ts : trades.ts_ns)
    ts = start + static_cast<std::int64_t>(static_cast<double>(ts - start) * factor);
  return trades;
}

}  // namespace bench
