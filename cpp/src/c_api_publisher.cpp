// The C interface to what other threads read.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "c_api_parts.hpp"
#include "liqcore/liqcore.h"
#include "liqcore/published.hpp"

namespace {

using namespace liqcore::c_api;
using liqcore::History;
using liqcore::InvalidConfig;
using liqcore::Publisher;
using liqcore::Snapshot;

using SharedPublisher = std::shared_ptr<Publisher>;
using SharedSnapshot = std::shared_ptr<const Snapshot>;

constexpr std::size_t kPublisher1 = up_to(offsetof(liq_publisher_options, reserved), &liq_publisher_options::reserved);

const SharedPublisher& publisher_of(const liq_publisher* publisher) {
  return given(reinterpret_cast<const SharedPublisher*>(publisher), "publisher");
}

const Snapshot& snapshot_of(const liq_snapshot* snapshot) {
  return *given(reinterpret_cast<const SharedSnapshot*>(snapshot), "snapshot");
}

const History& history_of(const Snapshot& snapshot) {
  if (!snapshot.history) throw NoPrice();
  return *snapshot.history;
}

Market market_of(const Snapshot& snapshot) { return {*snapshot.instrument, *snapshot.leverage}; }

liq_grid grid_of(const Snapshot& snapshot) {
  const liqcore::Terms& terms = history_of(snapshot).terms();
  const double step = static_cast<double>(terms.ticks_per_bin) * terms.tick_size;
  const std::int64_t first = snapshot.axis ? snapshot.axis->first_bin() : 0;
  const std::int64_t bins = snapshot.axis ? snapshot.axis->size() : 0;
  return {0, terms.tiers, static_cast<std::size_t>(bins), first, static_cast<double>(first) * step, step};
}

}  // namespace

extern "C" {

void liq_publisher_options_init(liq_publisher_options* options, size_t size) {
  init_sized(options, size, liq_publisher_options{});
}

liq_status liq_publisher_create(const liq_publisher_options* options, liq_publisher** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    const liq_publisher_options chosen =
        options == nullptr ? liq_publisher_options{} : sized(options, "options", kPublisher1, liq_publisher_options{});
    if (chosen.reserved != 0) throw InvalidConfig("options.reserved must be 0, was " + std::to_string(chosen.reserved));
    const liqcore::PublisherOptions made{feature_options_of(chosen.features), chosen.rows_only == 0};
    *out = reinterpret_cast<liq_publisher*>(new SharedPublisher(std::make_shared<Publisher>(made)));
  });
}

void liq_publisher_destroy(liq_publisher* publisher) { delete reinterpret_cast<SharedPublisher*>(publisher); }

liq_status liq_engine_publish_to(liq_engine* engine, liq_publisher* publisher) {
  return guarded([&] { engine_of(engine).publish_to(publisher == nullptr ? nullptr : publisher_of(publisher)); });
}

liq_status liq_publisher_publish(liq_publisher* publisher, const liq_engine* engine) {
  return guarded([&] { publisher_of(publisher)->publish(engine_of(engine)); });
}

liq_status liq_publisher_publish_row(liq_publisher* publisher, const liq_engine* engine) {
  return guarded([&] { publisher_of(publisher)->publish_row(engine_of(engine)); });
}

size_t liq_publisher_count(const liq_publisher* publisher) {
  return publisher == nullptr ? 0 : publisher_of(publisher)->size();
}

const char* liq_publisher_name(const liq_publisher* publisher, size_t index) {
  if (index >= liq_publisher_count(publisher)) return nullptr;
  return publisher_of(publisher)->names()[index].c_str();
}

liq_status liq_publisher_row(const liq_publisher* publisher, double* out, size_t capacity, liq_moment* moment) {
  return guarded([&] {
    const Publisher& from = *publisher_of(publisher);
    need("out", from.size(), capacity);
    const Publisher::Moment read = from.read({&given(out, "out"), from.size()});
    if (moment != nullptr) *moment = {read.sequence, read.clock_ns};
  });
}

liq_status liq_publisher_ask(liq_publisher* publisher) {
  return guarded([&] { publisher_of(publisher)->ask(); });
}

uint64_t liq_publisher_missed(const liq_publisher* publisher) {
  return publisher == nullptr ? 0 : publisher_of(publisher)->missed();
}

liq_status liq_publisher_snapshot(const liq_publisher* publisher, liq_snapshot** out) {
  return guarded([&] {
    given(out, "out") = nullptr;
    if (SharedSnapshot taken = publisher_of(publisher)->snapshot())
      *out = reinterpret_cast<liq_snapshot*>(new SharedSnapshot(std::move(taken)));
  });
}

void liq_snapshot_release(liq_snapshot* snapshot) { delete reinterpret_cast<SharedSnapshot*>(snapshot); }

liq_status liq_snapshot_moment(const liq_snapshot* snapshot, liq_moment* moment) {
  return guarded([&] {
    const Snapshot& from = snapshot_of(snapshot);
    given(moment, "moment") = {from.sequence, from.clock_ns};
  });
}

liq_status liq_snapshot_row(const liq_snapshot* snapshot, double* out, size_t capacity) {
  return guarded([&] {
    const std::vector<double>& from = snapshot_of(snapshot).features;
    need("out", from.size(), capacity);
    std::copy(from.begin(), from.end(), &given(out, "out"));
  });
}

liq_status liq_snapshot_counts(const liq_snapshot* snapshot, liq_counts* counts) {
  return guarded([&] { write(snapshot_of(snapshot).stats, counts); });
}

liq_status liq_snapshot_grid(const liq_snapshot* snapshot, liq_grid* grid) {
  return guarded([&] { write_sized(grid, "grid", kGrid1, grid_of(snapshot_of(snapshot))); });
}

liq_status liq_snapshot_levels(const liq_snapshot* snapshot, int32_t side, double* out, size_t capacity,
                               liq_grid* grid) {
  return guarded([&] {
    const Snapshot& from = snapshot_of(snapshot);
    const liqcore::Side which = side_of(side);
    const liq_grid found = grid_of(from);
    if (grid != nullptr) write_sized(grid, "grid", kGrid1, found);
    const std::size_t cells = found.tiers * found.bins;
    need("out", cells, capacity);
    if (cells == 0) return;
    from.write_levels(which, {&given(out, "out"), cells});
    const double lot = from.history->terms().lot_size;
    for (std::size_t i = 0; i < cells; ++i) out[i] *= lot;
  });
}

liq_status liq_snapshot_picture(const liq_snapshot* snapshot, liq_picture* picture, size_t size, int64_t bins_per_row) {
  return guarded([&] {
    const Snapshot& from = snapshot_of(snapshot);
    write_picture(history_of(from), market_of(from), picture, size, bins_per_row);
  });
}

liq_status liq_snapshot_columns(const liq_snapshot* snapshot, const liq_picture* picture, float* longs, float* shorts,
                                float* liquidated_longs, float* liquidated_shorts, size_t capacity) {
  return guarded([&] {
    const Snapshot& from = snapshot_of(snapshot);
    write_columns(history_of(from), market_of(from), picture, longs, shorts, liquidated_longs, liquidated_shorts,
                  capacity);
  });
}

liq_status liq_snapshot_map(const liq_snapshot* snapshot, const liq_picture* picture, double* out, size_t capacity) {
  return guarded([&] {
    const Snapshot& from = snapshot_of(snapshot);
    const auto history = from.history_so_far();
    if (!history || history->size() == 0) throw NoPrice();
    write_map(*history, market_of(from), picture, out, capacity);
  });
}

liq_status liq_snapshot_windows(const liq_snapshot* snapshot, uint64_t* kept, uint64_t* total) {
  return guarded([&] {
    const auto& history = snapshot_of(snapshot).history;
    if (kept != nullptr) *kept = history ? history->size() : 0;
    if (total != nullptr) *total = history ? history->total() : 0;
  });
}

liq_status liq_snapshot_window(const liq_snapshot* snapshot, uint64_t index, liq_window* window) {
  return guarded([&] { write_sized(window, "window", kWindow1, window_at(history_of(snapshot_of(snapshot)), index)); });
}

}  // extern "C"
