/// Trades of several files, each in order of time, to one sequence in which what files have in common counts once.
///
/// Private to the bindings.
#pragma once

#include <cstdint>
#include <span>

namespace liqcore::columns {

/// Trades of one file in order of time. All columns have one length, but for `id`, which may be empty: no ids.
struct TradeRun {
  std::span<const std::int64_t> ts;
  std::span<const double> price;
  std::span<const double> qty;
  std::span<const std::uint8_t> taker_sell;
  std::span<const std::int64_t> id;  ///< as text::parse_id gives them
  int numbering = 0;                 ///< ids of runs of the same numbering are compared, others are not
  bool ordered = false;              ///< ids rise with time, and inside one time
};

/// What became of the rows of a run; all others are used.
struct RunCounts {
  std::int64_t same_id = 0;        ///< left out: an earlier run has the row, with its id
  std::int64_t same_contents = 0;  ///< left out: an earlier run has the row, and one of the two has no comparable id
  std::int64_t shared = 0;         ///< rows that another run has too, whichever of them counts
  std::int64_t twins = 0;          ///< used, though an earlier run has the same under another id
  std::int64_t sells = 0;          ///< of the rows left out
  std::int64_t looked = 0;         ///< rows at times that another run has, too, of which sums were looked for
  std::int64_t regrouped = 0;  ///< how often a row there is the sum of several of another run, or the other way round
  std::int64_t first = -1;     ///< position in the run of the first row used, and of the last
  std::int64_t last = -1;
  int other = -1;  ///< the run that was met last in `twins` or `regrouped`
};

/// Where the merged rows go; each column has room for all rows.
struct MergedTrades {
  std::int64_t* ts;
  double* price;
  double* qty;
  std::uint8_t* taker_sell;
};

/**
 * Merges runs by time; returns how many rows there are.
 *
 * Rows of one time, price, quantity and side are one row where their ids agree, or where one of them has no comparable
 * id: of those a time has as many as the run that has most. Inside one time the rows are in the order of ids where all
 * runs that have the time are ordered by ids of one numbering; else in that of the runs, what only a later run has
 * after what it has in common with the earlier ones.
 *
 * @param runs of those earlier in the list the rows are kept
 * @param counts one a run, zero
 */
std::size_t merge_trades(std::span<const TradeRun> runs, const MergedTrades& out, std::span<RunCounts> counts);

}  // namespace liqcore::columns
