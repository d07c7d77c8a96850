// Feeds a day of trades one by one and writes everything that can be read of the engine: see test_same_bits.py.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <liqcore/engine.hpp>
#include <liqcore/features.hpp>
#include <vector>

namespace {

template <class T>
std::vector<T> column(std::ifstream& in, std::size_t n) {
  std::vector<T> out(n);
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(n * sizeof(T)));
  return out;
}

template <class T>
void write(std::ofstream& out, const std::vector<T>& values) {
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

}  // namespace

int main(int, char** argv) {
  std::ifstream in(argv[1], std::ios::binary);
  const auto n = static_cast<std::size_t>(std::atoll(argv[3]));
  const auto ts = column<std::int64_t>(in, n);
  const auto price = column<double>(in, n);
  const auto qty = column<double>(in, n);
  const auto sell = column<std::uint8_t>(in, n);

  const liqcore::Instrument instrument("BTC", "", liqcore::Contract::linear, std::atof(argv[4]), std::atof(argv[5]),
                                       1.0, liqcore::MarginSchedule::flat(0.004));
  liqcore::EngineOptions options;
  const auto leverage = liqcore::LeverageProfile::preset("default");
  options.window_ns = 60'000'000'000;
  options.half_life_ns = liqcore::default_half_life_ns(leverage);
  liqcore::Engine engine(instrument, leverage, options);
  for (std::size_t i = 0; i < n; ++i) engine.trade(ts[i], price[i], qty[i], sell[i] != 0);
  engine.advance((ts.back() / options.window_ns + 1) * options.window_ns);

  std::ofstream out(argv[2], std::ios::binary);
  const auto cells = engine.book()->tiers() * static_cast<std::size_t>(engine.book()->width());
  for (const auto side : {liqcore::Side::long_, liqcore::Side::short_}) {
    std::vector<double> levels(cells);
    engine.book()->snapshot(side, levels);
    for (double& cell : levels) cell *= instrument.lot_size();
    write(out, levels);
  }
  liqcore::FeatureReader reader;
  std::vector<double> features(reader.size());
  reader.read(engine, features);
  write(out, features);

  const liqcore::History& history = *engine.history();
  liqcore::Picture picture;
  picture.weights[0] = picture.weights[1] = leverage.weights();
  picture.columns = history.size();
  const auto extent = history.extent(picture);
  picture.bins_per_row = 5;
  picture.first_bin = extent.low / 5 * 5;
  picture.rows = static_cast<std::size_t>((extent.high + 4) / 5 - extent.low / 5);
  std::vector<float> columns[4];
  for (auto& one : columns) one.resize(picture.columns * picture.rows);
  history.columns(picture, columns[0], columns[1], columns[2], columns[3]);
  for (const auto& one : columns) write(out, one);
}
