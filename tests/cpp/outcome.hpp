// What a way of feeding an engine shows, and how two of them differ: what streams_test.cpp compares.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "liqcore/archive.hpp"
#include "liqcore/features.hpp"
#include "random_stream.hpp"

namespace streams {

using liqcore::Account;
using liqcore::Engine;
using liqcore::RowCounts;
using liqcore::Segment;
using support::Seen;

/// What a hook reads.
struct Moment {
  Seen now;  // without the windows that are closed
  Segment closed;
  std::vector<double> features;
  bool operator==(const Moment&) const = default;
};

/// What a way of feeding shows.
struct Outcome {
  std::vector<std::uint8_t> rows;  // what became of each: a Reject, or kThrew
  std::vector<Moment> moments;
  Seen end;
  std::vector<double> features;
  bool operator==(const Outcome&) const = default;
};
inline constexpr std::uint8_t kThrew = 255;

inline std::vector<double> features_of(const Engine& engine, liqcore::FeatureReader& reader) {
  std::vector<double> out(reader.size());
  reader.read(engine, out);
  for (double& value : out)
    if (std::isnan(value)) value = -1.0;  // NaN equals nothing
  return out;
}

/// The windows of a checkpoint of an engine as they come back from rows of an archive, the unfinished one as the last.
/// Where `keep` has cut idle windows in two, each part is rounded by itself then: see is_cut().
inline void through_rows(const Engine& engine, liqcore::Checkpoint& checkpoint) {
  const liqcore::History all = *engine.history_so_far();
  const liqcore::History back =
      liqcore::from_rows(all.terms(), all.segment(0).start_ns, all.size(), liqcore::to_rows(all));
  liqcore::History closed(back.terms(), std::nullopt);
  for (std::size_t i = 0; i + 1 < back.size(); ++i) closed.append(back.segment(i));
  liqcore::Cells base;
  back.base().extract(base);
  closed.set_base(base, checkpoint.history.total() - closed.size());
  const std::int64_t last_ns = checkpoint.open->last_ns;
  checkpoint.history = std::move(closed);
  checkpoint.open = back.segment(back.size() - 1);
  checkpoint.open->last_ns = last_ns;
}

/// Whether `keep` has folded away a part of the idle windows that an engine's history begins with.
inline bool is_cut(const Engine& engine) {
  return engine.history()->entries() > 0 && engine.history()->entry(0).folded > 0;
}

/// Where sums of fractions may be added up in another order (engine.hpp): nowhere; in accounts and what was
/// liquidated; in cells, too.
enum class Exact : std::uint8_t { all, but_accounts, but_cells };

inline Exact exactness(const Stream& stream) {
  const auto& model = stream.options.model_options;
  const bool scales = std::any_of(stream.rows.begin(), stream.rows.end(), [](const Row& row) {
    return row.kind == Kind::scale || row.kind == Kind::scale_part;
  });
  if (scales || model.reconciled) return Exact::but_cells;
  const bool sampled = stream.options.model == Model::oi || stream.options.model == Model::blend;
  return sampled || !stream.options.half_life_ns.empty() ? Exact::but_accounts : Exact::all;
}

/// Makes equal what differs by no more than the last digits of sums.
class Rounding {
 public:
  explicit Rounding(Exact exact) : cells_(exact == Exact::but_cells) {}

  void operator()(Outcome& of, const Outcome& to) const {
    each(of.moments, to.moments);
    (*this)(of.end, to.end);
    each(of.features, to.features);
  }

 private:
  template <class T>
  void each(std::vector<T>& of, const std::vector<T>& to) const {
    for (std::size_t i = 0; i < std::min(of.size(), to.size()); ++i) (*this)(of[i], to[i]);
  }
  void operator()(double& of, const double& to) const {
    if (std::fabs(of - to) <= 1e-12 * std::fabs(to) + 1e-9) of = to;
  }
  void operator()(Account& of, const Account& to) const {
    const double digits = 1e-12 * to.opened.value() + 1e-9;  // the sums began with all that was opened
    for (const auto tally : {&Account::opened, &Account::live, &Account::liquidated, &Account::closed,
                             &Account::underflow, &Account::overflow, &Account::unresolved, &Account::no_price})
      if (std::fabs((of.*tally).value() - (to.*tally).value()) <= digits) of.*tally = to.*tally;
  }
  void operator()(Segment& of, const Segment& to) const {
    each(of.accounts, to.accounts);
    if (!cells_) return;
    each(of.additions.lots, to.additions.lots);
    each(of.liquidated.lots, to.liquidated.lots);
    for (std::size_t side = 0; side < 2; ++side) {
      each(of.scale[side], to.scale[side]);
      auto& steps = of.touched[side];
      for (std::size_t i = 0; i < std::min(steps.size(), to.touched[side].size()); ++i)
        each(steps[i].scale, to.touched[side][i].scale);
    }
  }
  void operator()(support::LevelMap& of, const support::LevelMap& to) const {
    for (auto& [bin, lots] : of)
      if (const auto other = to.find(bin); other != to.end()) (*this)(lots, other->second);
  }
  void operator()(Seen& of, const Seen& to) const {
    each(of.state.closed, to.state.closed);
    if (of.state.open && to.state.open) (*this)(*of.state.open, *to.state.open);
    each(of.state.stats.accounts, to.state.stats.accounts);
    each(of.sampled, to.sampled);
    each(of.liquidated_usd, to.liquidated_usd);
    if (cells_) each(of.state.live, to.state.live);
  }
  void operator()(Moment& of, const Moment& to) const {
    (*this)(of.now, to.now);
    (*this)(of.closed, to.closed);
    each(of.features, to.features);
  }

  bool cells_;
};

inline std::string where(const Seen& a, const Seen& b) {
  std::ostringstream out;
  const auto& x = a.state;
  const auto& y = b.state;
  out.precision(17);
  if (x.closed != y.closed) out << " closed windows (" << x.closed.size() << ", " << y.closed.size() << ")";
  for (std::size_t i = 0; i < std::min(x.closed.size(), y.closed.size()); ++i)
    if (const Segment &s = x.closed[i], &t = y.closed[i]; !(s == t)) {
      out << " first " << i << ":" << (s.additions == t.additions ? "" : " additions")
          << (s.liquidated == t.liquidated ? "" : " liquidated") << (s.accounts == t.accounts ? "" : " accounts")
          << (s.touched[0] == t.touched[0] && s.touched[1] == t.touched[1] ? "" : " touched")
          << (s.candle == t.candle ? "" : " candle") << (s.last_ns == t.last_ns ? "" : " last_ns");
      break;
    }
  if (x.open != y.open) out << " open window";
  for (std::size_t layer = 0; layer < std::min(x.live.size(), y.live.size()); ++layer)
    if (x.live[layer] != y.live[layer]) {
      out << " live levels of layer " << layer << ":";
      for (const auto* each : {&x.live[layer], &y.live[layer]}) {
        for (const auto& [bin, lots] : *each) out << ' ' << bin << '=' << lots;
        out << ';';
      }
      break;
    }
  if (x.axis != y.axis) out << " axis";
  if (x.clock != y.clock) out << " clock";
  if (!(x.stats == y.stats))
    out << (static_cast<const RowCounts&>(x.stats) == y.stats ? " accounts" : " counts")
        << (x.stats.inexact == y.stats.inexact ? "" : " inexact");
  for (std::size_t layer = 0; layer < std::min(x.stats.accounts.size(), y.stats.accounts.size()); ++layer)
    if (const Account &s = x.stats.accounts[layer], &t = y.stats.accounts[layer]; !(s == t)) {
      out << " of layer " << layer << ':';
      for (const Account* each : {&s, &t})
        out << " opened " << each->opened.value() << " live " << each->live.value() << " liquidated "
            << each->liquidated.value() << " closed " << each->closed.value() << ';';
      break;
    }
  if (a.liquidated_usd != b.liquidated_usd) out << " liquidated_usd";
  if (a.total != b.total) out << " total";
  if (a.began != b.began) out << " began";
  if (a.rest != b.rest) out << " rest of the checkpoint";
  if (a.sampled != b.sampled || !(a.profile == b.profile)) out << " sampled";
  return out.str();
}

inline std::string where(const Outcome& a, const Outcome& b) {
  std::ostringstream out;
  if (a.rows != b.rows) out << " what became of rows;";
  if (a.moments.size() != b.moments.size())
    out << " calls of the hook: " << a.moments.size() << ' ' << b.moments.size();
  for (std::size_t i = 0; i < std::min(a.moments.size(), b.moments.size()); ++i)
    if (!(a.moments[i] == b.moments[i])) {
      out << " in call " << i << " of the hook:" << where(a.moments[i].now, b.moments[i].now)
          << (a.moments[i].closed == b.moments[i].closed ? "" : " its segment")
          << (a.moments[i].features == b.moments[i].features ? "" : " features") << ';';
      break;
    }
  if (!(a.end == b.end)) out << " in the end:" << where(a.end, b.end);
  if (a.features != b.features) out << " features";
  return out.str();
}

/// What differs; empty if nothing does that may not.
inline std::string difference(Outcome a, const Outcome& b, Exact exact) {
  if (a == b) return {};
  if (exact != Exact::all) Rounding{exact}(a, b);
  return a == b ? std::string() : where(a, b);
}

}  // namespace streams
