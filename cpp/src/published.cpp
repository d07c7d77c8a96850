#include "liqcore/published.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "latest.hpp"
#include "liqcore/error.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::int64_t kNoClock = std::numeric_limits<std::int64_t>::min();

/// The live levels of a book.
void write_cells(const LevelBook& book, Cells& out) {
  out.clear();
  for (std::size_t layer = 0; layer < 2 * book.tiers(); ++layer) {
    out.offsets.push_back(static_cast<std::uint32_t>(out.size()));
    const std::int64_t high = book.live_range(layer).high;
    std::int64_t end = 0;
    for (std::int64_t bin = book.next_live(layer, 0); bin < high; bin = book.next_live(layer, end)) {
      end = std::min(high, Layers::page_end(bin));
      double lots[Layers::kPage];
      book.live(layer, bin, {lots, static_cast<std::size_t>(end - bin)});
      for (std::int64_t i = 0; i < end - bin; ++i)
        if (lots[i] != 0.0) {
          out.bins.push_back(static_cast<std::int32_t>(bin + i));
          out.lots.push_back(lots[i]);
        }
    }
  }
  out.offsets.push_back(static_cast<std::uint32_t>(out.size()));
  if (out.bins.empty()) out.offsets.clear();
}

}  // namespace

void Snapshot::write_levels(Side side, std::span<double> out) const {
  const std::size_t tiers = stats.accounts.size() / 2;
  const std::size_t bins = axis ? static_cast<std::size_t>(axis->size()) : 0;
  if (out.size() != tiers * bins)
    throw InvalidConfig("out must hold " + std::to_string(tiers * bins) + " values, had " + std::to_string(out.size()));
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t tier = 0; tier < tiers; ++tier) {
    const std::size_t layer = static_cast<std::size_t>(side) * tiers + tier;
    const auto at = levels.layer_bins(layer);
    const auto lots = levels.layer_lots(layer);
    for (std::size_t i = 0; i < at.size(); ++i)
      out[tier * bins + static_cast<std::size_t>(at[i] - axis->first_bin())] = lots[i];
  }
}

std::optional<History> Snapshot::history_so_far() const {
  if (!history) return std::nullopt;
  History out = *history;
  out.keep_all();  // the unfinished window comes on top of what is kept
  if (open) out.append(*open);
  return out;
}

struct Publisher::State {
  explicit State(PublisherOptions from)
      : options(std::move(from)),
        reader(options.features),
        row(reader.size()),
        features(reader.size()),
        names(reader.names()) {}

  void write(Snapshot& out, const Engine& engine) {
    out.sequence = sequence + 1;
    out.clock_ns = engine.clock().value_or(kNoClock);
    out.began_ns = engine.began();
    out.last_price = engine.last_price();
    out.sequential = engine.sequential();
    out.features = features;
    out.instrument = engine.instrument();
    out.leverage = engine.leverage();
    out.axis = engine.axis();
    out.stats = engine.stats();
    if (const LevelBook* book = engine.book())
      write_cells(*book, out.levels);
    else
      out.levels.clear();
    if (const History* history = engine.history(); history == nullptr)
      out.history.reset();
    else if (out.history)
      out.history->follow(*history);
    else
      out.history = *history;
    if (!out.open) out.open.emplace();
    if (!engine.peek(*out.open)) out.open.reset();
  }

  void publish_row(const Engine& engine) noexcept {
    row.write(++sequence, engine.clock().value_or(kNoClock), features);
  }

  PublisherOptions options;
  // Of the publishing thread.
  FeatureReader reader;
  std::uint64_t sequence = 0;
  std::size_t levels = 0;  // of the last snapshot
  // Of all.
  LatestRow row;
  Latest<Snapshot> snapshots;
  // Of the publishing thread: scratch.
  std::vector<double> features;
  // Never changes.
  const std::vector<std::string> names;
};

Publisher::Publisher(PublisherOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Publisher::~Publisher() = default;

const std::vector<std::string>& Publisher::names() const noexcept { return state_->names; }
std::size_t Publisher::size() const noexcept { return state_->names.size(); }

void Publisher::publish(const Engine& engine) {
  State& state = *state_;
  state.reader.read(engine, state.features);
  std::shared_ptr<Snapshot> next = state.snapshots.spare();
  if (next == nullptr) {
    next = std::make_shared<Snapshot>();
    next->levels.bins.reserve(state.levels);  // about as many as there were: growing costs more than all the rest
    next->levels.lots.reserve(state.levels);
  }
  state.write(*next, engine);
  state.levels = next->levels.bins.capacity();
  state.snapshots.make_room();
  // From here on nothing can fail.
  state.publish_row(engine);
  state.snapshots.publish(std::move(next));
}

void Publisher::publish_row(const Engine& engine) {
  state_->reader.read(engine, state_->features);
  state_->publish_row(engine);
}

Publisher::Moment Publisher::read(std::span<double> out) const {
  if (out.size() != size())
    throw InvalidConfig("out must hold " + std::to_string(size()) + " values, had " + std::to_string(out.size()));
  Moment moment;
  moment.sequence = state_->row.read(moment.clock_ns, out);
  return moment;
}

std::shared_ptr<const Snapshot> Publisher::snapshot() const noexcept { return state_->snapshots.take(); }

void Publisher::windows_ended(const Engine& engine) noexcept {
  try {
    if (state_->options.snapshot_at_window_end)
      publish(engine);
    else
      publish_row(engine);
  } catch (...) {  // memory ran out
    missed_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Publisher::publish_asked(const Engine& engine) noexcept {
  asked_.store(false, std::memory_order_relaxed);
  try {
    publish(engine);
  } catch (...) {  // memory ran out
    missed_.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace liqcore::inline abi1
