#include "columns/merge.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <vector>

#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t step = 4;           // rows that are looked at or copied at once
constexpr std::size_t looked_at = 1'000;  // times of several runs, to find out if one sums up the other
constexpr std::size_t few = 32;           // rows of one time that are compared one by one
constexpr double rounding = 1e-9;         // relative, of a sum of quantities

/// The rows of one run that have one time.
struct Part {
  int run;
  std::size_t begin;
  std::size_t end;
};

/// A row of the merged sequence that has the time at hand.
struct Entry {
  int run;
  std::size_t row;
  std::int64_t id;
  int numbering;
  int taken_by;  ///< the last run that has it
  bool shared;
  int next;  ///< in the order of the sequence; -1: none
  int before;
};

class Merger {
 public:
  Merger(std::span<const TradeRun> runs, const MergedTrades& out, std::span<RunCounts> counts)
      : runs_(runs), out_(out), counts_(counts), at_(runs.size(), 0) {
    for (const TradeRun& run : runs) room_ += run.ts.size();
  }

  std::size_t run() {
    for (;;) {
      std::int64_t least = never, second = never;
      int first = -1;
      for (std::size_t r = 0; r < runs_.size(); ++r) {
        if (at_[r] == runs_[r].ts.size()) continue;
        const std::int64_t head = runs_[r].ts[at_[r]];
        if (first < 0 || head < least) {
          if (first >= 0) second = least;
          least = head;
          first = static_cast<int>(r);
        } else {
          second = std::min(second, head);
        }
      }
      if (first < 0) return used_;
      if (least < second)
        alone(first, second);
      else if (runs_.size() > 2 || !in_step())
        together(least);
    }
  }

 private:
  const TradeRun& of(int run) const { return runs_[static_cast<std::size_t>(run)]; }
  RunCounts& count(int run) { return counts_[static_cast<std::size_t>(run)]; }

  /// How many of the times from a position on are below a limit, in which they are: mostly few.
  static std::size_t below(std::span<const std::int64_t> ts, std::size_t at, std::int64_t limit) {
    std::size_t end = at;
    while (end + step <= ts.size()) {  // without a branch a row, which nobody could foretell
      std::size_t count = 0;
      for (std::size_t i = 0; i < step; ++i) count += ts[end + i] < limit ? 1U : 0U;
      end += count;
      if (count < step) return end - at;
    }
    while (end < ts.size() && ts[end] < limit) ++end;
    return end - at;
  }

  /// Copies rows of one run. Of few rows some more are copied, which the next ones overwrite.
  void put(int run, std::size_t begin, std::size_t end) {
    const TradeRun& from = of(run);
    const std::size_t rows = end - begin;
    const std::size_t copied = rows <= step && begin + step <= from.ts.size() && used_ + step <= room_ ? step : rows;
    if (copied == step) {
      copy(from, begin, step);
    } else {
      copy(from, begin, rows);
    }
    used_ += rows;
    RunCounts& counts = count(run);
    if (counts.first < 0) counts.first = static_cast<std::int64_t>(begin);
    counts.last = std::max(counts.last, static_cast<std::int64_t>(end) - 1);
  }

  void copy(const TradeRun& from, std::size_t begin, std::size_t rows) {
    std::memcpy(out_.ts + used_, from.ts.data() + begin, rows * sizeof(std::int64_t));
    std::memcpy(out_.price + used_, from.price.data() + begin, rows * sizeof(double));
    std::memcpy(out_.qty + used_, from.qty.data() + begin, rows * sizeof(double));
    std::memcpy(out_.taker_sell + used_, from.taker_sell.data() + begin, rows);
  }

  /// Copies what a run has before any other has something.
  void alone(int run, std::int64_t until) {
    const auto& ts = of(run).ts;
    std::size_t& at = at_[static_cast<std::size_t>(run)];
    const std::size_t end = until == never ? ts.size() : at + below(ts, at, until);
    put(run, at, end);
    at = end;
  }

  /// Passes what two runs have alike from here on, as two collectors of one market mostly have; false: nothing.
  bool in_step() {
    const TradeRun &a = runs_[0], &b = runs_[1];
    const bool by_id = a.numbering == b.numbering && !a.id.empty() && !b.id.empty();
    const std::size_t i = at_[0], j = at_[1], most = std::min(a.ts.size() - i, b.ts.size() - j);
    const auto alike = [&](std::size_t n) {
      const int same = static_cast<int>(a.ts[i + n] == b.ts[j + n]) & static_cast<int>(a.qty[i + n] == b.qty[j + n]) &
                       static_cast<int>(a.price[i + n] == b.price[j + n]) &
                       static_cast<int>(a.taker_sell[i + n] == b.taker_sell[j + n]);  // without a branch each
      return same != 0 && (!by_id || a.id[i + n] == b.id[j + n]);
    };
    std::size_t rows = 0;
    while (rows < most && alike(rows)) ++rows;
    if (rows == 0) return false;
    put(0, i, i + rows);
    RunCounts& counts = counts_[1];
    std::int64_t sells = 0, without = 0;
    for (std::size_t row = j; row < j + rows; ++row) {
      sells += b.taker_sell[row];
      without += !by_id || b.id[row] == text::no_id ? 1 : 0;
    }
    counts.sells += sells;
    counts.same_contents += without;
    counts.same_id += static_cast<std::int64_t>(rows) - without;
    for (std::size_t run = 0; run < 2; ++run) {
      counts_[run].shared += static_cast<std::int64_t>(rows);
      at_[run] += rows;
    }
    return true;
  }

  /// Merges what several runs have at one time.
  void together(std::int64_t ts) {
    parts_.clear();
    std::size_t total = 0;
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      const std::size_t begin = at_[r];
      if (begin == runs_[r].ts.size() || runs_[r].ts[begin] != ts) continue;
      const std::size_t rows = ts == never ? runs_[r].ts.size() - begin : below(runs_[r].ts, begin, ts + 1);
      parts_.push_back({static_cast<int>(r), begin, begin + rows});
      total += rows;
      at_[r] += rows;
    }
    if (parts_.size() > 2 && identical()) return;
    by_id_ = ordered();
    if (total <= few) {
      look_for_sums();
      if (disjoint()) return in_turn();
    }
    match();
  }

  bool same_contents(int a, std::size_t i, int b, std::size_t j) const {
    const TradeRun &x = of(a), &y = of(b);
    return x.qty[i] == y.qty[j] && x.price[i] == y.price[j] && x.taker_sell[i] == y.taker_sell[j];
  }

  std::int64_t id_of(int run, std::size_t row) const { return of(run).id.empty() ? text::no_id : of(run).id[row]; }

  static bool comparable(std::int64_t a, int numbering_a, std::int64_t b, int numbering_b) {
    return numbering_a == numbering_b && a != text::no_id && b != text::no_id;
  }

  /// Whether all runs have the same rows at this time, which then are put and counted.
  bool identical() {
    const Part& first = parts_[0];
    for (std::size_t p = 1; p < parts_.size(); ++p) {
      const Part& part = parts_[p];
      if (part.end - part.begin != first.end - first.begin) return false;
      for (std::size_t i = first.begin, j = part.begin; j < part.end; ++i, ++j) {
        if (!same_contents(first.run, i, part.run, j)) return false;
        const std::int64_t a = id_of(first.run, i), b = id_of(part.run, j);
        if (comparable(a, of(first.run).numbering, b, of(part.run).numbering) ? a != b : a != b && p > 1) return false;
      }
    }
    put(first.run, first.begin, first.end);
    count(first.run).shared += static_cast<std::int64_t>(first.end - first.begin);
    for (std::size_t p = 1; p < parts_.size(); ++p)
      for (std::size_t i = first.begin, j = parts_[p].begin; j < parts_[p].end; ++i, ++j)
        leave_out(parts_[p].run, j, id_of(first.run, i), of(first.run).numbering);
    return true;
  }

  void leave_out(int run, std::size_t row, std::int64_t id, int numbering) {
    RunCounts& counts = count(run);
    ++(comparable(id, numbering, id_of(run, row), of(run).numbering) ? counts.same_id : counts.same_contents);
    counts.sells += of(run).taker_sell[row];
    ++counts.shared;
  }

  bool ordered() const {
    return std::ranges::all_of(
        parts_, [&](const Part& p) { return of(p.run).ordered && of(p.run).numbering == of(parts_[0].run).numbering; });
  }

  bool disjoint() const {
    for (std::size_t a = 0; a < parts_.size(); ++a)
      for (std::size_t b = a + 1; b < parts_.size(); ++b)
        if (have_in_common(parts_[a], parts_[b])) return false;
    return true;
  }

  bool have_in_common(const Part& a, const Part& b) const {
    const TradeRun &x = of(a.run), &y = of(b.run);
    int found = 0;
    for (std::size_t i = a.begin; i < a.end; ++i)
      for (std::size_t j = b.begin; j < b.end; ++j)
        found |= static_cast<int>(x.qty[i] == y.qty[j]) & static_cast<int>(x.price[i] == y.price[j]);
    return found != 0;  // perhaps on different sides: the slower way finds out
  }

  /// Puts rows that no two runs have in common.
  void in_turn() {
    if (!by_id_) {
      for (const Part& part : parts_) put(part.run, part.begin, part.end);
      return;
    }
    for (;;) {
      Part* least = nullptr;
      for (Part& part : parts_)
        if (part.begin < part.end && (!least || id_of(part.run, part.begin) < id_of(least->run, least->begin)))
          least = &part;
      if (!least) return;
      put(least->run, least->begin, least->begin + 1);
      ++least->begin;
    }
  }

  /// Counts rows that are the sum of several of another run, at the first times that runs have in common.
  void look_for_sums() {
    if (looked_ == looked_at) return;
    ++looked_;
    for (const Part& part : parts_) count(part.run).looked += static_cast<std::int64_t>(part.end - part.begin);
    for (std::size_t p = 1; p < parts_.size(); ++p) {
      const bool fewer = parts_[p].end - parts_[p].begin < parts_[0].end - parts_[0].begin;
      look_for_sums(fewer ? parts_[p] : parts_[0], fewer ? parts_[0] : parts_[p]);
    }
  }

  void look_for_sums(const Part& whole, const Part& pieces) {
    const TradeRun &x = of(whole.run), &y = of(pieces.run);
    for (std::size_t i = whole.begin; i < whole.end; ++i) {
      double sum = 0;
      int found = 0;
      for (std::size_t j = pieces.begin; j < pieces.end; ++j)
        if (y.price[j] == x.price[i] && y.taker_sell[j] == x.taker_sell[i]) sum += y.qty[j], ++found;
      if (found < 2 || std::abs(sum - x.qty[i]) > rounding * sum) continue;
      for (const auto& [run, other] : {std::pair{whole.run, pieces.run}, std::pair{pieces.run, whole.run}}) {
        ++count(run).regrouped;
        count(run).other = other;
      }
    }
  }

  /// Finds which rows are one, and puts them in an order that agrees with that of all runs where there is one.
  void match() {
    entries_.clear();
    known_.clear();
    head_ = tail_ = -1;
    for (const Part& part : parts_) {
      found_.assign(part.end - part.begin, -1);
      int first = -1;
      if (part.run != parts_[0].run)
        for (std::size_t row = part.begin; row < part.end; ++row) {
          const int entry = find(part.run, row);
          found_[row - part.begin] = entry;
          if (entry >= 0 && first < 0) first = entry;
        }
      int after = first < 0 ? tail_ : entries_[static_cast<std::size_t>(first)].before;
      for (std::size_t row = part.begin; row < part.end; ++row) {
        const int entry = found_[row - part.begin];
        after = entry >= 0 ? entry : insert(part.run, row, after);
      }
    }
    order_.clear();
    for (int e = head_; e >= 0; e = entries_[static_cast<std::size_t>(e)].next) order_.push_back(e);
    const auto at = [&](int e) -> const Entry& { return entries_[static_cast<std::size_t>(e)]; };
    if (by_id_) std::ranges::stable_sort(order_, [&](int a, int b) { return at(a).id < at(b).id; });
    for (const int e : order_) {
      put(at(e).run, at(e).row, at(e).row + 1);
      count(at(e).run).shared += at(e).shared ? 1 : 0;
    }
  }

  /// The entry that a row of a later run is, which then is taken; -1: there is none.
  int find(int run, std::size_t row) {
    const std::int64_t id = id_of(run, row);
    const int numbering = of(run).numbering;
    int twin = -1;
    const auto fits = [&](int e) {
      const Entry& entry = entries_[static_cast<std::size_t>(e)];
      if (entry.taken_by == run || !same_contents(entry.run, entry.row, run, row)) return false;
      if (!comparable(entry.id, entry.numbering, id, numbering) || entry.id == id) return true;
      twin = e;
      return false;
    };
    int found = -1;
    if (entries_.size() <= few) {
      for (int e = 0; e < static_cast<int>(entries_.size()) && found < 0; ++e)
        if (fits(e)) found = e;
    } else {
      auto& list = known()[hash(run, row)];
      while (list.begin < list.entries.size() && list.by == run && taken(list.entries[list.begin], run)) ++list.begin;
      if (list.by != run) list.by = run, list.begin = 0;
      for (std::size_t i = list.begin; i < list.entries.size() && found < 0; ++i)
        if (fits(list.entries[i])) found = list.entries[i];
    }
    if (found < 0) {
      if (twin >= 0) {
        ++count(run).twins;
        count(run).other = entries_[static_cast<std::size_t>(twin)].run;
      }
      return -1;
    }
    Entry& entry = entries_[static_cast<std::size_t>(found)];
    leave_out(run, row, entry.id, entry.numbering);
    entry.taken_by = run;
    entry.shared = true;
    if (entry.id == text::no_id) entry.id = id, entry.numbering = numbering;
    return found;
  }

  bool taken(int e, int run) const { return entries_[static_cast<std::size_t>(e)].taken_by == run; }

  /// Puts a row behind an entry (-1: at the head).
  int insert(int run, std::size_t row, int after) {
    const int entry = static_cast<int>(entries_.size());
    const int next = after < 0 ? head_ : entries_[static_cast<std::size_t>(after)].next;
    entries_.push_back({run, row, id_of(run, row), of(run).numbering, run, false, next, after});
    (after < 0 ? head_ : entries_[static_cast<std::size_t>(after)].next) = entry;
    (next < 0 ? tail_ : entries_[static_cast<std::size_t>(next)].before) = entry;
    if (!known_.empty()) known_[hash(run, row)].entries.push_back(entry);
    return entry;
  }

  struct Alike {
    std::vector<int> entries;
    std::size_t begin = 0;  ///< those before are taken
    int by = -1;            ///< by this run
  };

  std::unordered_map<std::uint64_t, Alike>& known() {
    if (known_.empty())
      for (std::size_t e = 0; e < entries_.size(); ++e)
        known_[hash(entries_[e].run, entries_[e].row)].entries.push_back(static_cast<int>(e));
    return known_;
  }

  /// Of the contents; -0.0 does not occur, prices and quantities are above zero.
  std::uint64_t hash(int run, std::size_t row) const {
    const TradeRun& from = of(run);
    std::uint64_t h = std::bit_cast<std::uint64_t>(from.price[row]) * 0x9E3779B97F4A7C15U;
    h = (h ^ (h >> 29U)) + std::bit_cast<std::uint64_t>(from.qty[row]);
    h *= 0xBF58476D1CE4E5B9U;
    return (h ^ (h >> 32U)) + from.taker_sell[row];
  }

  std::span<const TradeRun> runs_;
  MergedTrades out_;
  std::span<RunCounts> counts_;
  std::vector<std::size_t> at_;
  std::size_t used_ = 0, room_ = 0, looked_ = 0;
  std::vector<Part> parts_;
  std::vector<Entry> entries_;
  std::vector<int> found_, order_;
  std::unordered_map<std::uint64_t, Alike> known_;
  int head_ = -1, tail_ = -1;
  bool by_id_ = false;
};

}  // namespace

std::size_t merge_trades(std::span<const TradeRun> runs, const MergedTrades& out, std::span<RunCounts> counts) {
  return Merger(runs, out, counts).run();
}

}  // namespace liqcore::columns
