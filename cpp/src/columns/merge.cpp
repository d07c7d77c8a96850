#include "columns/merge.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t step = 4;             // rows that are looked at or copied at once
constexpr std::size_t looked_at = 256;      // times of several runs, to find out if one sums up the other
constexpr std::size_t few = 32;             // rows of one time that are compared one by one
constexpr std::size_t by_eye = 12;          // rows among which one is looked for without a table
constexpr std::size_t at_one_time = 1'000;  // rows of one time that a table of marks is good for
constexpr unsigned marks_bits = 11;
constexpr std::size_t marks = std::size_t{1} << marks_bits;
constexpr std::size_t worth = 16;  // rows at which it was right to look for nothing in common
constexpr double rounding = 1e-9;  // relative, of a sum of quantities

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
  int alike;  ///< the next one of the same hash; -1: none
};

class Merger {
 public:
  Merger(std::span<const TradeRun> runs, const MergedTrades& out, std::span<RunCounts> counts)
      : runs_(runs), out_(out), counts_(counts), at_(runs.size(), 0) {
    for (const TradeRun& run : runs) room_ += run.ts.size();
  }

  std::size_t run() {
    for (;;) {
      if (apart_ && runs_.size() == 2 && looked_ == looked_at) apart_ = interleave() >= worth;
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
    counted(run, begin, end);
  }

  void counted(int run, std::size_t begin, std::size_t end) {
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

  /**
   * Merges two runs as far as they have nothing in common at any time; returns how many rows that are.
   *
   * As random shards have it: which run comes next is a coin that nobody could foretell, so nothing here branches on
   * it. A table that both runs leave marks in, one a row by its hash, tells where a row may be one of the other run at
   * its time; if it is, what was done for that time is taken back.
   */
  std::size_t interleave() {
    const TradeRun &a = runs_[0], &b = runs_[1];
    const bool by_id = a.ordered && b.ordered && a.numbering == b.numbering && !a.id.empty() && !b.id.empty();
    const std::size_t before = used_;
    by_id ? interleave<true>(a, b) : interleave<false>(a, b);
    return used_ - before;
  }

  template <bool by_id>
  void interleave(const TradeRun& a, const TradeRun& b) {
    marks_.resize(2 * marks);
    std::size_t i = at_[0], j = at_[1], used = used_;
    std::size_t sure_i = i, sure_j = j, sure = used;  // where the time at hand begins
    std::int64_t before = never;
    while (i < a.ts.size() && j < b.ts.size()) {
      const std::int64_t ts_a = a.ts[i], ts_b = b.ts[j];
      std::uint64_t second = ts_b < ts_a ? 1 : 0;
      if constexpr (by_id) second |= (ts_b == ts_a ? 1U : 0U) & (b.id[j] < a.id[i] ? 1U : 0U);
      const std::uint64_t of_b = ~second + 1;  // a choice in numbers, which no compiler makes a branch of
      const auto choose = [](std::uint64_t mask, std::uint64_t x, std::uint64_t y) { return x ^ ((x ^ y) & mask); };
      const std::uint64_t price = choose(of_b, bits(a.price[i]), bits(b.price[j]));
      const std::uint64_t qty = choose(of_b, bits(a.qty[i]), bits(b.qty[j]));
      const std::int64_t ts = std::min(ts_a, ts_b);
      const std::uint64_t same = ~(ts == before ? std::uint64_t{1} : 0) + 1;
      sure_i = choose(same, i, sure_i);
      sure_j = choose(same, j, sure_j);
      sure = choose(same, used, sure);
      time_ += 1 + same;
      const std::uint64_t place = ((price * 3 + qty) * 0x9E3779B97F4A7C15U) >> (64U - marks_bits);
      if (marks_[(1 - second) * marks + place] == time_ &&
          (used - sure > at_one_time || (second ? in_common(a, sure_i, i, b, j) : in_common(b, sure_j, j, a, i))))
        break;
      marks_[second * marks + place] = time_;
      out_.ts[used] = before = ts;
      out_.price[used] = std::bit_cast<double>(price);
      out_.qty[used] = std::bit_cast<double>(qty);
      out_.taker_sell[used] = static_cast<std::uint8_t>(choose(of_b, a.taker_sell[i], b.taker_sell[j]));
      ++used;
      i += 1 - second;
      j += second;
    }
    ++time_;
    for (const auto& [run, end] : {std::pair{0, sure_i}, std::pair{1, sure_j}}) {
      std::size_t& at = at_[static_cast<std::size_t>(run)];
      if (at < end) counted(run, at, end);
      at = end;
    }
    used_ = sure;
  }

  static std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

  /// Whether a row has the price and quantity of some rows of another run; on another side, perhaps.
  static bool in_common(const TradeRun& x, std::size_t begin, std::size_t end, const TradeRun& y, std::size_t row) {
    int found = 0;
    for (std::size_t i = begin; i < end; ++i)
      found |= static_cast<int>(x.qty[i] == y.qty[row]) & static_cast<int>(x.price[i] == y.price[row]);
    return found != 0;
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
      if (disjoint()) {
        apart_ = true;
        return in_turn();
      }
    }
    match(total);
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
    for (std::size_t j = b.begin; j < b.end; ++j)
      if (in_common(of(a.run), a.begin, a.end, of(b.run), j)) return true;
    return false;  // else the slower way finds out about the sides
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

  /// Finds which of `total` rows are one, and puts them in an order that agrees with that of all runs where there is
  /// one.
  void match(std::size_t total) {
    entries_.clear();
    known_ = false;
    ++matches_;
    if (alike_.size() < 2 * total) alike_.resize(std::bit_ceil(2 * total));
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
    if (entries_.size() <= by_eye) {
      for (int e = 0; e < static_cast<int>(entries_.size()) && found < 0; ++e)
        if (fits(e)) found = e;
    } else {
      know_all();
      Alike& list = alike(hash(run, row));
      if (list.by != run) list.by = run, list.begin = list.first;
      while (list.begin >= 0 && entries_[static_cast<std::size_t>(list.begin)].taken_by == run)
        list.begin = entries_[static_cast<std::size_t>(list.begin)].alike;
      for (int e = list.begin; e >= 0 && found < 0; e = entries_[static_cast<std::size_t>(e)].alike)
        if (fits(e)) found = e;
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

  /// Puts a row behind an entry (-1: at the head).
  int insert(int run, std::size_t row, int after) {
    const int entry = static_cast<int>(entries_.size());
    const int next = after < 0 ? head_ : entries_[static_cast<std::size_t>(after)].next;
    entries_.push_back({run, row, id_of(run, row), of(run).numbering, run, false, next, after, -1});
    (after < 0 ? head_ : entries_[static_cast<std::size_t>(after)].next) = entry;
    (next < 0 ? tail_ : entries_[static_cast<std::size_t>(next)].before) = entry;
    if (known_) know(entry);
    return entry;
  }

  /// Entries of one hash, first to last.
  struct Alike {
    std::uint64_t hash = 0;
    std::size_t match = 0;  ///< for which it is; of another one: free
    int first = -1;
    int last = -1;
    int begin = -1;  ///< those before are taken
    int by = -1;     ///< by this run
  };

  void know_all() {
    if (known_) return;
    known_ = true;
    for (std::size_t e = 0; e < entries_.size(); ++e) know(static_cast<int>(e));
  }

  void know(int e) {
    Entry& entry = entries_[static_cast<std::size_t>(e)];
    Alike& list = alike(hash(entry.run, entry.row));
    if (list.first < 0) {
      list.first = e;
    } else {
      entries_[static_cast<std::size_t>(list.last)].alike = e;
    }
    list.last = e;
    if (list.begin < 0) list.begin = e;
  }

  /// The place of a hash in the table, which is made free for each match by its number, not by writing.
  Alike& alike(std::uint64_t hash) {
    for (std::size_t at = hash & (alike_.size() - 1);; at = (at + 1) & (alike_.size() - 1)) {
      Alike& list = alike_[at];
      if (list.match != matches_) list = {hash, matches_};
      if (list.hash == hash) return list;
    }
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
  std::vector<Alike> alike_;
  std::size_t matches_ = 0;
  int head_ = -1, tail_ = -1;
  bool by_id_ = false;
  bool known_ = false;                ///< whether all entries are in `alike_`
  bool apart_ = true;                 ///< whether the runs seem to have little in common
  std::vector<std::uint64_t> marks_;  ///< of the first run, and of the second: the number of the time of the last row
  std::uint64_t time_ = 1;
};

}  // namespace

std::size_t merge_trades(std::span<const TradeRun> runs, const MergedTrades& out, std::span<RunCounts> counts) {
  return Merger(runs, out, counts).run();
}

}  // namespace liqcore::columns
