// Trades that were summed into runs beforehand, in place of the trades themselves.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "check_feed.hpp"
#include "check_rows.hpp"
#include "engine_parts.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "liqcore/footprint_stream.hpp"
#include "price_watch.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

std::string describe(const FootprintStream::Run& run, const FootprintTerms& terms) {
  return "run from " + text_of_time(run.start_ns) + " to " + text_of_time(run.last_ns) + " at " +
         text_of_price(run.low, terms.tick_size) + " to " + text_of_price(run.high, terms.tick_size);
}

/// Refuses runs for whose trades the order matters to a tier.
class Orders {
 public:
  Orders(const FootprintTerms& terms, const LeverageProfile& leverage, double maker_share)
      : terms_(terms), leverage_(leverage), maker_share_(maker_share) {}

  void refuse(const FootprintStream::Run& run, const LevelBook& book) {
    if (is_calm(run)) return;
    calm_ = book.calm_range(run.first);
    if (is_calm(run)) return;
    summed_.reset(run.low, run.high);
    summed_.add(run.tick.data(), run.bought.data(), run.sold.data(), run.tick.size(), run.first, run.last);
    if (const auto layer = book.order_needed(summed_, maker_share_))
      throw InvalidConfig("footprints must not need the order of their trades: leverage " +
                          text_of(leverage_.tiers()[*layer % leverage_.size()]) +
                          (*layer < leverage_.size() ? "x long" : "x short") + " would need it in the " +
                          describe(run, terms_) + "; cut them finer than " + text_of(terms_.span_bps) +
                          " bp, or feed the trades");
  }

 private:
  [[nodiscard]] bool is_calm(const FootprintStream::Run& run) const {
    return run.low >= calm_.low && run.high <= calm_.high;
  }

  const FootprintTerms& terms_;
  const LeverageProfile& leverage_;
  double maker_share_;
  Footprint summed_;
  TickRange calm_{1, 0};
};

/// Runs in place of trades, as merge() takes them.
Feed with_runs(const FootprintStream& footprints, const Feed& beside) {
  Feed out = beside;
  out.trades.ts_ns = footprints.columns().start_ns;
  return out;
}

}  // namespace

// --- replaying footprints ------------------------------------------------------------------------------------------

Stats Engine::replay(const FootprintStream& footprints, const Feed& beside) {
  refuse_in_hook();
  check_lengths(beside);
  refuse_replay(footprints, beside);
  const std::int64_t began_ns = std::max<std::int64_t>(clock_ns_, 0);
  // What comes while a run lasts takes effect at its end: only what does not depend on its trades gets there.
  const auto now = [&](std::int64_t ts) { return ts >= began_ns ? std::max(ts, clock_ns_) : ts; };
  const LookedAhead looked_ahead(looked_ahead_);
  return account_for(*this, [&] {
    merge(
        with_runs(footprints, beside), true,
        [&](std::size_t begin, std::size_t end) { use_footprints(footprints, begin, end); },
        [&](std::size_t i) {
          const std::int64_t ts = beside.marks.ts_ns[i];
          static_cast<void>(mark_seen(now(ts), beside.marks.value[i], ts));
        },
        [](std::size_t) {},
        [&](std::size_t i) {
          // Within a run only one that is rejected; it is not late because of the run.
          if (const Reject reject = check_candle(beside.candles, i, began_ns); reject != Reject::none)
            static_cast<void>(count(reject));
          else
            static_cast<void>(candle(beside.candles, i));
        },
        [&](std::size_t i) {
          static_cast<void>(open_interest(now(beside.open_interest.ts_ns[i]), beside.open_interest.value[i]));
        });
    const FootprintCounts& counts = footprints.counts();
    counts_.rounded_qty += counts.rounded_qty;
    for (std::size_t i = 0; i < kRejectReasons; ++i) {
      counts_.rejected[i] += counts.rejected[i];
      counts_.rows += counts.rejected[i];
    }
    answer_readers();
  });
}

void Engine::use_footprints(const FootprintStream& footprints, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const FootprintStream::Run run = footprints[i];
    if (off_range(run.low)) {
      counts_.rows += static_cast<std::uint64_t>(run.trades);
      counts_.rejected[static_cast<std::size_t>(Reject::off_range)] += static_cast<std::uint64_t>(run.trades);
      if (watches()) believe_trade(settled_at(run.last, PriceStream::trades));
      continue;
    }
    if (live_.book && (!live_.run.takes(run.low) || !live_.run.takes(run.high))) apply_run();
    const std::int64_t before = clock_ns_;
    move_clock(run.start_ns, run.first);
    if (!live_.run.takes(run.low) || !live_.run.takes(run.high)) begin_run(run.first);
    const bool alone = !live_.run.takes(run.low) || !live_.run.takes(run.high);
    if (alone) live_.run.reset(run.low, run.high);
    live_.run.add(run.tick.data(), run.bought.data(), run.sold.data(), run.tick.size(), run.first, run.last);
    if (alone) {
      // Its order does not matter, but that of what follows could.
      try {
        apply_run();
      } catch (...) {
        live_.run.clear();
        clock_ns_ = std::max(before, window_start_ns_);
        throw;
      }
      live_.run.reset(run.last, run.last);
    }
    used_trades_ = true;
    if (watches()) believe_trade(settled_at(run.last, PriceStream::trades));
    clock_ns_ = last_event_ns_ = run.last_ns;
    counts_.rows += static_cast<std::uint64_t>(run.trades);
    counts_.used += static_cast<std::uint64_t>(run.trades);
  }
}

void Engine::refuse_replay(const FootprintStream& footprints, const Feed& beside) const {
  const FootprintTerms& terms = footprints.terms();
  if (!beside.trades.ts_ns.empty())
    throw InvalidConfig("trades must not be given beside footprints, which stand for them: were");
  if ((options_.model != Model::flow && options_.model != Model::none) || live_.sampled.acts())
    throw InvalidConfig(
        "footprints need the model flow or none, not reconciled: the others go by when each trade was, or samples of "
        "open interest were, so feed the trades");
  if (!beside.vendor_events.ts_ns.empty()) throw InvalidConfig("vendor events need the model vendor");
  if (terms.tick_size != instrument_.tick_size() || terms.lot_size != instrument_.lot_size())
    throw InvalidConfig("footprints must have the instrument's tick and lot size (" + text_of(instrument_.tick_size()) +
                        " and " + text_of(instrument_.lot_size()) + "), had " + text_of(terms.tick_size) + " and " +
                        text_of(terms.lot_size));
  refuse_double_volumes(beside, footprints.size() > 0);
  for (const auto& [name, times] : {std::pair{"marks", beside.marks.ts_ns},
                                    {"candles", beside.candles.ts_open_ns},
                                    {"open interest", beside.open_interest.ts_ns}})
    if (!kernels::active().rises(times.data(), times.size()))
      throw InvalidConfig("times (of " + std::string(name) + ") must not fall beside footprints, did");

  if (footprints.size() > 0 && footprints[0].start_ns < clock_ns_)
    throw InvalidConfig("footprints must not begin before the engine's clock (" + text_of_time(clock_ns_) +
                        "): " + describe(footprints[0], terms));
  const Feed all = with_runs(footprints, beside);
  refuse_jumps(all, true);  // a run lies within a window: its start says where it is
  refuse_runs(footprints, all);
}

/// Whether a price lies beyond the end of the axis; `book`: null before the first price.
bool Engine::beyond_axis(std::int64_t tick, const LevelBook* book) const noexcept {
  const std::int64_t last = book == nullptr || options_.axis ? last_tick_ : last_tick(book->bin_rule().ticks_per_bin());
  return last == 0 ? off_range(tick) : tick > last;
}

void Engine::refuse_runs(const FootprintStream& footprints, const Feed& all) const {
  const FootprintTerms& terms = footprints.terms();
  const bool ordered = options_.trigger == Trigger::last && options_.model == Model::flow;
  const bool may_go_over_windows = options_.window_ns % terms.cut_ns != 0;
  Orders orders(terms, leverage_, options_.maker_share);
  std::optional<LevelBook> own;  // like the one that the first price will start
  const auto book = [&](std::int64_t tick) -> const LevelBook& {
    if (live_.book) return *live_.book;
    return own ? *own : own.emplace(new_book(tick));
  };
  std::optional<FootprintStream::Run> before;
  const auto look = [&](const FootprintStream::Run& run) {
    const LevelBook* const begun = live_.book ? &*live_.book : own ? &*own : nullptr;
    if (beyond_axis(run.low, begun)) return;
    if (beyond_axis(run.high, begun))
      throw InvalidConfig("footprints must lie within the axis, which ends at " + text_of(options_.axis_limit) +
                          " bins (axis_limit), or wholly beyond: feed the trades for the " + describe(run, terms));
    const LevelBook& of_first = book(run.first);
    before = run;
    if (may_go_over_windows && run.start_ns / options_.window_ns != run.last_ns / options_.window_ns)
      throw InvalidConfig("window must be a whole multiple of the cut of the footprints (" + text_of(terms.cut_ns) +
                          " ns), was " + text_of(options_.window_ns) + " ns: the " + describe(run, terms) +
                          " goes over the end of a window");
    if (ordered) orders.refuse(run, of_first);
  };
  const std::int64_t began_ns = clock_ns_;
  merge(
      all, true,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) look(footprints[i]);
      },
      [&](std::size_t i) {
        const std::int64_t ts = all.marks.ts_ns[i];
        if (check_mark(ts, all.marks.value[i], began_ns) != Reject::none) return;
        if (options_.trigger == Trigger::mark && before && ts <= before->last_ns)
          throw InvalidConfig("footprints must end at every mark that liquidates: the " + describe(*before, terms) +
                              " goes over that of " + text_of_time(ts));
        static_cast<void>(book(instrument_.to_ticks(all.marks.value[i]).units));
      },
      [](std::size_t) {},
      [&](std::size_t i) {
        if (check_candle(all.candles, i, began_ns) != Reject::none) return;
        const std::int64_t ts = all.candles.ts_open_ns[i] + all.candles.interval_ns - 1;
        if (before && ts < before->last_ns)
          throw InvalidConfig("footprints must end where candles do: the " + describe(*before, terms) +
                              " goes over the end of one at " + text_of_time(ts));
        static_cast<void>(book(instrument_.to_ticks(all.candles.open[i]).units));
      },
      [](std::size_t) {});
}

}  // namespace liqcore::inline abi1
