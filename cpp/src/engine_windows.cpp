// What is read of an engine, and what is told of its windows when they end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "engine_parts.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "liqcore/published.hpp"

namespace liqcore::inline abi1 {

std::optional<std::int64_t> Engine::clock() const noexcept {
  if (clock_ns_ == kNever) return std::nullopt;
  return clock_ns_;
}

std::optional<PriceAxis> Engine::axis() const {
  if (options_.axis) return options_.axis;
  apply_run();
  if (!live_.book || live_.book->width() == 0) return std::nullopt;
  const std::int64_t step = live_.book->bin_rule().ticks_per_bin();
  return PriceAxis(live_.book->first_bin() * step, step, live_.book->width());
}

double Engine::last_price() const {
  apply_run();
  return live_.last_price == 0 ? std::numeric_limits<double>::quiet_NaN()
                               : static_cast<double>(live_.last_price) * instrument_.tick_size();
}

std::optional<std::int64_t> Engine::began() const noexcept {
  if (!live_.book) return std::nullopt;
  return began_ns_;
}

bool Engine::peek(Segment& out) const {
  if (!live_.book || window_end_ns_ == kNever) return false;
  apply_run();
  live_.book->peek(out);
  write_boundary(out);
  return true;
}

std::optional<History> Engine::history_so_far() const {
  if (!history_) return std::nullopt;
  History out = *history_;
  out.keep_all();  // the unfinished window comes on top of what is kept
  if (Segment open; peek(open)) out.append(std::move(open));
  return out;
}

Stats Engine::stats() const {
  Stats out = counts_;
  apply_run();
  if (live_.book) {
    out.accounts = live_.book->accounts();
    out.inexact = counts_.inexact || live_.book->inexact();
  }
  return out;
}

// --- windows that end -----------------------------------------------------------------------------------------------

void Engine::write_boundary(Segment& segment) const noexcept {
  segment.start_ns = window_start_ns_;
  segment.end_ns = window_end_ns_;
  segment.candle = live_.candle;
  segment.last_ns = last_event_ns_;
  segment.mark_price = mark_price_;
  segment.open_interest = open_interest_;
}

void Engine::end_windows(Segment& window, std::size_t windows) {
  write_boundary(window);
  live_.book->end_window(window, windows, history_->joins(window));
  value_liquidated();
  end_windows_of(history_->put(window, room_, windows), windows);
}

void Engine::end_windows_of(const Segment& window, std::size_t windows) {
  live_.candle = Candle{};
  const std::int64_t end = window_start_ns_ + static_cast<std::int64_t>(windows) * options_.window_ns;
  clock_ns_ = std::max(clock_ns_, end);
  begin_window(end);
  if (hook_) call_hook(window);
  live_.book->begin_window();
}

void Engine::call_hook(const Segment& segment) {
  // Kept alive while it runs, for it may replace or remove itself.
  const std::shared_ptr<const Hook> hook = hook_;
  struct Calling {
    Engine& engine;
    explicit Calling(Engine& of) : engine(of) {
      engine.in_hook_ = true;
      engine.plain_end_ns_ = kNever;  // no trade is plain now: checked_trade() refuses it
    }
    ~Calling() {
      engine.in_hook_ = false;
      engine.begin_window(engine.window_start_ns_);
    }
  };
  const Calling calling(*this);
  try {
    (*hook)(segment);
  } catch (...) {
    live_.book->begin_window();
    throw;
  }
}

void Engine::on_column(Hook hook) { hook_ = hook ? std::make_shared<const Hook>(std::move(hook)) : nullptr; }

void Engine::publish_to(std::shared_ptr<Publisher> publisher) {
  if (publisher) publisher->publish(*this);
  publisher_ = std::move(publisher);
}

void Engine::publish_windows_ended() const noexcept {
  if (publisher_) publisher_->windows_ended(*this);
}

void Engine::answer_readers() const noexcept {
  if (publisher_) publisher_->answer(*this);
}

void Engine::value_liquidated() noexcept {
  const Layers& liquidated = live_.book->liquidated();
  const Terms& terms = history_->terms();
  liquidated_usd_.resize(liquidated.layers());
  for (std::size_t layer = 0; layer < liquidated.layers(); ++layer) {
    double usd = 0.0;
    liquidated.each_page(layer, liquidated.range(layer), [&](std::int64_t first, const double* cells, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) usd += cells[i] * terms.usd_per_lot(first + static_cast<std::int64_t>(i));
    });
    liquidated_usd_[layer] = usd;
  }
}

}  // namespace liqcore::inline abi1
