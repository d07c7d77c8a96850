#include "liqcore/sampled_model.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "liqcore/error.hpp"
#include "rounding.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kShareSteps = 1024.0;
constexpr std::size_t kSlack = 4096;  // unsorted entries of a profile that are always fine

double in_steps(double share) { return round_half_even(share * kShareSteps) / kShareSteps; }

void require_share(const char* argument, double value) {
  if (!(value >= 0.0 && value <= 1.0))
    throw InvalidConfig(std::string(argument) + " must lie in [0, 1], was " + text_of(value));
}

}  // namespace

SampledModel::SampledModel(Model model, const ModelOptions& options, std::size_t tiers, double lot_size)
    : model_(model), options_(options), threshold_lots_(std::numeric_limits<double>::infinity()) {
  require_share("taker_tilt", options.taker_tilt);
  if (options.taker_tilt != 0.0 && model != Model::oi && model != Model::blend)
    throw InvalidConfig("taker_tilt needs the model oi or blend, was " + text_of(options.taker_tilt));
  if (options.churn) {
    require_share("churn", *options.churn);
    if (model != Model::blend) throw InvalidConfig("churn needs the model blend, was " + text_of(*options.churn));
  }
  if (options.event_threshold) {
    if (model != Model::vendor)
      throw InvalidConfig("event_threshold needs the model vendor, was " + text_of(*options.event_threshold));
    if (!(std::isfinite(*options.event_threshold) && *options.event_threshold >= 0.0))
      throw InvalidConfig("event_threshold must be finite and at least 0, was " + text_of(*options.event_threshold));
    threshold_lots_ = *options.event_threshold / lot_size;
  }
  if (options.reconciled && model == Model::none) throw InvalidConfig("reconciled needs a model, which was none");
  options_.taker_tilt = in_steps(options.taker_tilt);
  options_.churn = in_steps(options.churn.value_or(kDefaultChurn));
  watches_ = model == Model::oi || model == Model::blend || options.event_threshold.has_value();
  state_.liquidated.resize(2 * tiers);
  state_.spared.resize(2 * tiers);
  state_.capped.resize(2 * tiers);
  factors_.resize(2 * tiers);
}

// --- the interval --------------------------------------------------------------------------------------------------

void SampledModel::traded(std::int64_t tick, double bought, double sold) {
  auto& profile = state_.interval.profile;
  if (!profile.empty() && profile.back().tick == tick) {
    profile.back().bought += bought;
    profile.back().sold += sold;
    return;
  }
  profile.push_back({tick, bought, sold});
  if (profile.size() > 2 * compacted_ + kSlack) compact();
}

void SampledModel::room_to_trade(std::size_t ticks) {
  auto& profile = state_.interval.profile;
  if (profile.size() + ticks > profile.capacity())
    profile.reserve(std::max(profile.size() + ticks, 2 * profile.capacity()));
}

void SampledModel::traded(const Footprint& run) {
  for (std::int64_t tick = run.low(); tick <= run.high(); ++tick) {
    const std::int64_t bought = run.bought(tick);
    const std::int64_t sold = run.sold(tick);
    if (bought + sold > 0) traded(tick, static_cast<double>(bought), static_cast<double>(sold));
  }
}

void SampledModel::compact() {
  auto& profile = state_.interval.profile;
  std::sort(profile.begin(), profile.end(), [](const Traded& a, const Traded& b) { return a.tick < b.tick; });
  // Sums of whole lots are exact, so the order of adding leaves no trace.
  std::size_t kept = 0;
  for (std::size_t i = 1; i < profile.size(); ++i) {
    if (profile[i].tick == profile[kept].tick) {
      profile[kept].bought += profile[i].bought;
      profile[kept].sold += profile[i].sold;
    } else {
      profile[++kept] = profile[i];
    }
  }
  if (!profile.empty()) profile.resize(kept + 1);
  compacted_ = profile.size();
}

void SampledModel::touched(TickRange range) noexcept {
  auto& hull = state_.interval.hull;
  if (!hull)
    hull = range;
  else
    hull = TickRange{std::min(hull->low, range.low), std::max(hull->high, range.high)};
}

void SampledModel::append(const SampledModel& later) {
  const Interval& interval = later.state_.interval;
  for (const Traded& at : interval.profile) traded(at.tick, at.bought, at.sold);
  if (interval.hull) touched(*interval.hull);
  if (!interval.prices.empty()) priced(interval.prices);
}

// --- a sample ------------------------------------------------------------------------------------------------------

double SampledModel::opens(double before, double now) const {
  const double rise = std::max(now - before, 0.0);
  if (model_ == Model::oi) return rise;
  if (model_ != Model::blend) return now - before > threshold_lots_ ? rise : 0.0;
  const Candle& prices = state_.interval.prices;
  const double turnover = prices.buy_lots + prices.sell_lots;
  return rise + std::min({round_half_even(*options_.churn * turnover), before, now});
}

std::int64_t SampledModel::event_tick(const Market& market) const {
  const Candle& prices = state_.interval.prices;
  if (prices.empty()) return market.last_price;
  const auto sum = static_cast<double>(prices.open + prices.high + prices.low + prices.close);
  return static_cast<std::int64_t>(std::max(1.0, round_half_even(sum / 4.0)));
}

void SampledModel::room_for(double lots, LevelBook* book, const Market& market) {
  if (!state_.before || book == nullptr) return;
  book->room_to_touch();
  const double opened = opens(*state_.before, lots);
  if (opened == 0.0) return;
  compact();
  Layers::Range bins;
  for (const Side side : {Side::long_, Side::short_}) {
    if (model_ == Model::oi || model_ == Model::blend)
      open_side(side, opened, market,
                [&](std::int64_t tick, double part) { book->room_to_open(side, tick, part, market.reached, bins); });
    else
      book->room_to_open(side, event_tick(market), opened, std::nullopt, bins);
  }
  book->make_room(bins);
}

void SampledModel::sample(double lots, LevelBook* book, const Market& market) {
  assert(lots >= 0.0 && lots == round_half_even(lots));
  if (state_.before && book != nullptr) {
    const double before = *state_.before;
    const double opened = opens(before, lots);
    compact();
    if (model_ == Model::oi || model_ == Model::blend) {
      close(before, lots, opened - std::max(lots - before, 0.0), *book);
      open(opened, *book, market);
    } else if (opened > 0.0) {
      event(opened, event_tick(market), *book);
      touch_hull(state_.interval, *book, market);
    }
    if (options_.reconciled) cap(lots, *book);
  }
  state_.before = lots;
  state_.interval.profile.clear();
  state_.interval.hull.reset();
  state_.interval.prices = Candle{};
  compacted_ = 0;
  if (options_.reconciled && book != nullptr)
    for (std::size_t layer = 0; layer < factors_.size(); ++layer)
      state_.liquidated[layer] = book->account(layer).liquidated;
}

void SampledModel::close(double before, double now, double renewed, LevelBook& book) {
  if (before == 0.0) return;  // nothing was open
  const double kept = std::min(before, now) - renewed;
  const double plain = kept / before;
  std::fill(factors_.begin(), factors_.end(), plain);
  if (options_.reconciled)
    for (std::size_t layer = 0; layer < factors_.size(); ++layer) {
      Tally liquidated = book.account(layer).liquidated;
      liquidated -= state_.liquidated[layer];
      const double rest = before - std::min(liquidated.value(), std::max(before - now, 0.0));
      factors_[layer] = rest > 0.0 ? kept / rest : 1.0;
      state_.spared[layer] += (factors_[layer] - plain) * book.live_lots(layer);
    }
  book.scale(factors_);
}

void SampledModel::open(double lots, LevelBook& book, const Market& market) {
  if (lots == 0.0) return;
  for (const Side side : {Side::long_, Side::short_})
    open_side(side, lots, market, [&](std::int64_t tick, double part) { book.open(side, tick, part, market.reached); });
  touch_hull(state_.interval, book, market);
}

template <class Open>
void SampledModel::open_side(Side side, double lots, const Market& market, Open&& open_level) const {
  const auto& profile = state_.interval.profile;
  double tilt = side == Side::long_ ? options_.taker_tilt : -options_.taker_tilt;
  const auto weight = [&](const Traded& at) { return (at.bought + at.sold) + tilt * (at.bought - at.sold); };
  const auto total_weight = [&] {
    double total = 0.0;
    for (const Traded& at : profile) total += weight(at);
    return total;
  };
  double total = total_weight();
  if (total == 0.0) {  // all volume was of aggressors on the other side
    tilt = 0.0;
    total = total_weight();
  }
  if (total == 0.0) {
    open_level(market.last_price, lots);
    return;
  }
  // Rounding the running sum, not the shares: what is opened adds up to `lots`.
  double so_far = 0.0;
  double given = 0.0;
  for (const Traded& at : profile) {
    so_far += weight(at);
    const double up_to = round_half_even(lots * (so_far / total));
    open_level(at.tick, up_to - given);
    given = up_to;
  }
  assert(given == lots);
}

void SampledModel::touch_hull(const Interval& interval, LevelBook& book, const Market& market) {
  if (const auto& hull = interval.hull ? interval.hull : market.last_touch) book.touch(hull->low, hull->high);
}

void SampledModel::cap(double now, LevelBook& book) {
  for (std::size_t layer = 0; layer < factors_.size(); ++layer) {
    const double live = book.live_lots(layer);
    const double excess = live - now;
    // Half a lot, because rounding in a total must not decide whether a layer is scaled.
    factors_[layer] = excess >= 0.5 ? now / live : 1.0;
    if (excess >= 0.5) state_.capped[layer] += excess;
  }
  book.scale(factors_);
}

void SampledModel::event(double lots, std::int64_t tick, LevelBook& book) {
  book.open(Side::long_, tick, lots);
  book.open(Side::short_, tick, lots);
}

// --- its state -----------------------------------------------------------------------------------------------------

SampledState SampledModel::state() const {
  SampledModel copy = *this;
  copy.compact();
  return std::move(copy.state_);
}

void SampledModel::restore(SampledState state) {
  for (const std::size_t layers : {state.liquidated.size(), state.spared.size(), state.capped.size()})
    if (layers != factors_.size())
      throw InvalidConfig("a model must be restored with its own leverage tiers (" +
                          std::to_string(factors_.size() / 2) + ")");
  state_ = std::move(state);
  compacted_ = state_.interval.profile.size();
}

}  // namespace liqcore::inline abi1
