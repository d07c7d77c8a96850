// The engine of a job, made in C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "liqcore/engine.hpp"

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#error "benchmarks mean nothing with asserts or sanitizers on: build the preset \"release\""
#endif

namespace bench {

/// What bench/jobs.py says of a job; equal shares, one flat maintenance margin rate.
struct Setup {
  double tick_size = 1.0;
  double lot_size = 1.0;
  double mmr = 0.0;
  std::int64_t low_tick = 0;
  std::int64_t ticks_per_bin = 1;
  std::int64_t bins = 1;
  std::int64_t window_ns = 1;
  std::vector<double> tiers;
};

/// @param keep  closed windows kept; none: all
inline liqcore::Engine make_engine(const Setup& setup, std::optional<std::size_t> keep, double outlier = 0.0) {
  liqcore::EngineOptions options;
  options.axis = liqcore::PriceAxis{setup.low_tick, setup.ticks_per_bin, setup.bins};
  options.window_ns = setup.window_ns;
  options.keep = keep;
  options.outlier = outlier;
  const std::vector<double> shares(setup.tiers.size(), 1.0 / static_cast<double>(setup.tiers.size()));
  return {liqcore::Instrument{"BTC", "", liqcore::Contract::linear, setup.tick_size, setup.lot_size, 1.0,
                              liqcore::MarginSchedule::flat(setup.mmr)},
          liqcore::LeverageProfile{setup.tiers, shares}, options};
}

}  // namespace bench
