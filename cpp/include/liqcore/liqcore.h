/*
 * The C interface: for C, and for whoever cannot see C++, such as numba, cffi, Rust or Java.
 *
 * Errors.    Every call that can fail returns a liq_status: 0 if it did what it says; above 0 why a row was rejected
 *            (it changed nothing and was counted); below 0 an error, after which nothing has happened and
 *            liq_error_message() says why. No C++ exception leaves a call.
 * Memory.    The caller owns what it passes in and the buffers that are written to; only liq_..._create(),
 *            liq_engine_load(), liq_engine_clone() and liq_publisher_snapshot() hand out something to be given back.
 *            Feeding allocates nothing once `keep` windows exist and an automatic axis has stopped to grow; what reads
 *            of a map and of columns allocate is freed before they return.
 * Threads.   One engine, one thread at a time, reading included; any number of engines in parallel. What a publisher
 *            has published is read by any thread while the engine is being fed.
 * Structs.   Those with a member `size` grow in later versions: fill them with their liq_..._init() function, or set
 *            `size` to sizeof before they are written to. The others never change.
 * Versions.  Within one LIQ_ABI_VERSION a program runs with any later library. The shared library's symbols are
 *            versioned by that number (LIQCORE_1).
 * Units.     Time: int64 nanoseconds since the UNIX epoch, UTC. Prices and quantities: as the venue prints them.
 *            Shares and rates: fractions. Enumerations are int32_t.
 */
#ifndef LIQCORE_LIQCORE_H
#define LIQCORE_LIQCORE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define LIQCORE_C_EXPORT
#else
#define LIQCORE_C_EXPORT __attribute__((visibility("default")))
#endif

#define LIQ_ABI_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

/* --- what went wrong ---------------------------------------------------------------------------------------------- */

typedef int32_t liq_status;

enum {
  LIQ_OK = 0,
  /* Why a row was rejected: first what is wrong with its time, then in this order. */
  LIQ_LATE = 1,         /**< before the engine's clock */
  LIQ_NOT_FINITE = 2,   /**< a price, quantity or time is NaN, infinite or missing */
  LIQ_NOT_POSITIVE = 3, /**< a price or quantity of zero or less, a price that rounds to tick 0, a time before 1970 */
  LIQ_TOO_LARGE = 4,    /**< a price of 2^31 ticks or more, a quantity above 2^48 lots, a time after the year 2116 */
  LIQ_OFF_GRID = 5,     /**< a trade's price off the tick grid by more than 1e-6 tick */
  LIQ_INCONSISTENT = 6, /**< a candle whose low and high do not enclose its open and close */
  LIQ_OFF_RANGE = 7,    /**< a price at or above the end of an axis that grows (axis_limit) */
  LIQ_OUTLIER = 8,      /**< a price far from those before it (options' outlier) */
  /* What makes a call an error. */
  LIQ_INVALID = -1,   /**< an argument breaks its rule, or the call cannot be: the message names argument and value */
  LIQ_TOO_SMALL = -2, /**< a buffer is too small; the message, and where there is one the count, say what is needed */
  LIQ_NO_PRICE = -3,  /**< the engine has seen no price yet: there is nothing to read */
  LIQ_NO_MEMORY = -4, /**< memory ran out: the event did not happen; of arrays, the rows before it did */
  LIQ_FAILED = -5,    /**< a defect of the library: please report it */
  LIQ_DAMAGED = -6 /**< bytes are not what liq_engine_save() wrote, or of a later format: the message names the part */
};

#define LIQ_REJECT_REASONS 9 /**< statuses from 0 to 8; 7 of them in version 0.1.0 */

/** What the last call of this thread that failed had to say; "" before. Valid until the next one fails. */
LIQCORE_C_EXPORT const char* liq_error_message(void);
/** Name of a status, such as "off_grid" or "invalid"; "unknown" for another number. Lives for ever. */
LIQCORE_C_EXPORT const char* liq_status_name(liq_status status);

/** Version of the library, such as "0.1.0". */
LIQCORE_C_EXPORT const char* liq_version(void);
/** LIQ_ABI_VERSION of the library; that of the header must not be above it. */
LIQCORE_C_EXPORT int32_t liq_abi_version(void);

/* --- what is traded ----------------------------------------------------------------------------------------------- */

enum { LIQ_LONG = 0, LIQ_SHORT = 1 };             /* side of a position: longs are liquidated below their entry */
enum { LIQ_LINEAR = 0, LIQ_INVERSE = 1 };         /* margined in the quote, or in the base currency */
enum { LIQ_BASIS_MARK = 0, LIQ_BASIS_ENTRY = 1 }; /* what maintenance margin is a share of: notional at mark or entry */
enum { LIQ_TIER_NOTIONAL = 0, LIQ_TIER_QUANTITY = 1 }; /* what floors and caps of risk tiers count */

/** One row of a venue's risk-tier table; it holds for sizes floor <= size < cap. */
typedef struct liq_risk_tier {
  double floor;
  double cap;
  double rate;         /**< maintenance margin rate */
  double amount;       /**< maintenance amount, margin currency; 0 without */
  double max_leverage; /**< INFINITY where it is not known */
} liq_risk_tier;

/** One perpetual future. */
typedef struct liq_instrument {
  size_t size;                     /**< sizeof(liq_instrument) */
  const char* symbol;              /**< such as "BTCUSDT"; copied; NULL: none */
  const char* venue;               /**< such as "binance-usdm"; copied; NULL: none */
  double tick_size;                /**< smallest price step; to be given */
  double lot_size;                 /**< smallest quantity step; to be given */
  double multiplier;               /**< linear: base units per unit of quantity; inverse: USD per contract */
  double mmr;                      /**< maintenance margin rate, where there are no risk tiers */
  double fee;                      /**< liquidation fee rate at the liquidation price */
  const liq_risk_tier* risk_tiers; /**< copied; NULL: one rate, mmr, for every position */
  size_t risk_tier_count;
  int32_t has_amounts; /**< not 0: the tiers' amounts are the venue's */
  int32_t tier_unit;   /**< LIQ_TIER_... */
  int32_t contract;    /**< LIQ_LINEAR or LIQ_INVERSE */
  int32_t basis;       /**< LIQ_BASIS_... */
} liq_instrument;

/**
 * Fill with the defaults: linear, multiplier 1, mmr 0.004, no fee, on the mark; tick and lot size 0, to be given.
 * @param size  sizeof(liq_instrument)
 */
LIQCORE_C_EXPORT void liq_instrument_init(liq_instrument* instrument, size_t size);

/** Mark price at which an isolated, linear position is liquidated; NaN where there is none. */
LIQCORE_C_EXPORT double liq_liquidation_price(int32_t side, double entry_price, double leverage, double mmr);

/* --- the engine --------------------------------------------------------------------------------------------------- */

/** An engine; in C++ a liqcore::Engine, in Python what liqcore.Engine.ptr points to. */
typedef struct liq_engine liq_engine;

enum {
  LIQ_MODEL_NONE = 0,
  LIQ_MODEL_FLOW = 1,
  LIQ_MODEL_OI = 2,
  LIQ_MODEL_BLEND = 3,
  LIQ_MODEL_VENDOR = 4,
  LIQ_MODEL_PRESENCE = 5
};
enum { LIQ_TRIGGER_LAST = 0, LIQ_TRIGGER_MARK = 1, LIQ_TRIGGER_CANDLE = 2 };
/* At which price of a candle its volumes open: (high + low + close) / 3, the close, the open, the mean of all four, of
   high and low. */
enum { LIQ_CANDLE_HLC3 = 0, LIQ_CANDLE_CLOSE = 1, LIQ_CANDLE_OPEN = 2, LIQ_CANDLE_OHLC4 = 3, LIQ_CANDLE_HL2 = 4 };

/** How an engine is set up; docs/theory/models.md defines the models. */
typedef struct liq_engine_options {
  size_t size;            /**< sizeof(liq_engine_options) */
  const double* leverage; /**< tiers, rising, below 1 distances from the entry as a share of it; copied; NULL: the
                             preset "default", shares and tier_count are not read */
  const double* shares;   /**< of each tier; sum to 1 within 1e-9 */
  size_t tier_count;      /**< at most 1,024 */
  double intensity;       /**< scales all shares; 1 for an assumed profile */
  double axis_low; /**< a fixed axis, price, multiples of book_step (to be given then); both 0: it grows by itself */
  double axis_high;
  double
      book_step; /**< height of a book bin, price; 0, without a fixed axis: about one basis point of the first price */
  int64_t window_ns;          /**< length of a column */
  uint64_t keep;              /**< closed windows kept; 0: all */
  const double* half_life_ns; /**< one a tier, INFINITY: never decays; copied; NULL: nothing decays */
  double maker_share;         /**< LIQ_MODEL_FLOW, _PRESENCE: part of a trade that opens on the maker's side as well */
  double taker_tilt;          /**< LIQ_MODEL_OI, _BLEND: 0..1 */
  double churn;               /**< LIQ_MODEL_BLEND: 0..1; NaN: 0.1 */
  double event_threshold;     /**< LIQ_MODEL_VENDOR: quantity; NaN: a rise of open interest is no event */
  int32_t reconciled;         /**< not 0: open interest corrects the book at every sample */
  int32_t model;              /**< LIQ_MODEL_... */
  int32_t trigger;            /**< LIQ_TRIGGER_... */
  int32_t threads;            /**< that long arrays of trades are spread over, 1..256 */
  int64_t axis_limit; /**< where an axis that grows ends, book bins above price zero: 1..4194304, 1048576 by default; a
                         price there is rejected as LIQ_OFF_RANGE */
  int32_t candle_price; /**< LIQ_CANDLE_... */
  int32_t reserved;     /**< 0 */
  double outlier; /**< how far from the price before it a price may lie, as a share of it, before it is rejected as
                     LIQ_OUTLIER until others agree (docs/theory/ticks.md); 0, the default: every price is believed */
  double
      exponent; /**< LIQ_MODEL_PRESENCE: from 0, by time at price alone, to 1, by volume alone; NaN, the default: 0 */
} liq_engine_options;

/**
 * Fill with the defaults: model flow, trigger last, windows of 5 minutes, all of them kept, an axis that grows, nothing
 * decays, one thread. (In Python "flow" decays by default: liq_default_half_life_ns().)
 * @param size  sizeof(liq_engine_options)
 */
LIQCORE_C_EXPORT void liq_engine_options_init(liq_engine_options* options, size_t size);
/** The documented default half-life of LIQ_MODEL_FLOW for each of `count` leverages, ns. */
LIQCORE_C_EXPORT liq_status liq_default_half_life_ns(const double* leverage, size_t count, double* half_life_ns);

/**
 * @param options  NULL: the defaults
 * @param out      receives the engine, NULL after an error
 */
LIQCORE_C_EXPORT liq_status liq_engine_create(const liq_instrument* instrument, const liq_engine_options* options,
                                              liq_engine** out);
/** NULL is allowed. Not for an engine that belongs to Python or C++. */
LIQCORE_C_EXPORT void liq_engine_destroy(liq_engine* engine);

/* --- one event: returns 0, or why it was rejected ----------------------------------------------------------------- */

/**
 * Feed one trade.
 *
 * @param ts_ns       nanoseconds since the UNIX epoch, UTC
 * @param price, qty  as the venue prints them
 * @param taker_sell  not 0 where the aggressor sold
 * @return LIQ_INVALID if it cannot be fed at all: a jump over more than a million windows, or candles had volumes
 */
LIQCORE_C_EXPORT liq_status liq_engine_trade(liq_engine* engine, int64_t ts_ns, double price, double qty,
                                             int32_t taker_sell);
LIQCORE_C_EXPORT liq_status liq_engine_mark(liq_engine* engine, int64_t ts_ns, double price);
/** One sample, one side counted, in the unit of trades' quantities. */
LIQCORE_C_EXPORT liq_status liq_engine_open_interest(liq_engine* engine, int64_t ts_ns, double quantity);
/** Open `qty` on both sides at `price`; needs LIQ_MODEL_VENDOR. */
LIQCORE_C_EXPORT liq_status liq_engine_vendor_event(liq_engine* engine, int64_t ts_ns, double price, double qty);

/* --- arrays: all of a call is fed, or after an error none --------------------------------------------------------- */

/** What became of rows. */
typedef struct liq_counts {
  size_t size;   /**< sizeof(liq_counts), to be set before the call */
  uint64_t rows; /**< given: used + rejected */
  uint64_t used;
  uint64_t rounded_qty;                  /**< used ones whose quantity was off the lot grid and was rounded */
  uint64_t rejected[LIQ_REJECT_REASONS]; /**< by status */
} liq_counts;

/** Columns of trades, all `count` long; read in place. Zero is an empty stream. */
typedef struct liq_trades {
  const int64_t* ts_ns;
  const double* price;
  const double* qty;
  const uint8_t* taker_sell; /**< 1 where the aggressor sold, otherwise 0 */
  size_t count;
} liq_trades;

/** Columns of mark prices or open interest. */
typedef struct liq_samples {
  const int64_t* ts_ns;
  const double* value;
  size_t count;
} liq_samples;

/** Columns of candles. Each acts at its last nanosecond. */
typedef struct liq_candles {
  const int64_t* ts_open_ns;
  const double* open;
  const double* high;
  const double* low;
  const double* close;
  const double* buy_qty; /**< taker volumes, quantity; NULL (both): the candles only touch */
  const double* sell_qty;
  size_t count;
  int64_t interval_ns;
} liq_candles;

/** @param counts  what became of these rows; may be NULL */
LIQCORE_C_EXPORT liq_status liq_engine_trades(liq_engine* engine, const liq_trades* trades, liq_counts* counts);
/** Several streams merged by time; at equal times mark, trade, candle, open interest. NULL: there is none. */
LIQCORE_C_EXPORT liq_status liq_engine_feed(liq_engine* engine, const liq_trades* trades, const liq_samples* marks,
                                            const liq_candles* candles, const liq_samples* open_interest,
                                            liq_counts* counts);

/* --- the clock, and verbs for models of your own ------------------------------------------------------------------ */

/** Move the clock: windows that ended by then are closed. */
LIQCORE_C_EXPORT liq_status liq_engine_advance(liq_engine* engine, int64_t ts_ns);
/** Time of the last event used; LIQ_NO_PRICE, and *ts_ns as it was, before the first. */
LIQCORE_C_EXPORT liq_status liq_engine_clock(const liq_engine* engine, int64_t* ts_ns);
/**
 * Open `qty` at `price` in every tier of a side, at the engine's clock.
 *
 * A level that does not lie beyond its entry's bin and beyond where the last touch left the price counts as unresolved:
 * liq_engine_accounts(), or liq_engine_opens(), which says so.
 */
LIQCORE_C_EXPORT liq_status liq_engine_open(liq_engine* engine, int32_t side, double price, double qty);
/** Open `qty` at a liquidation price that is known, the same in every tier. */
LIQCORE_C_EXPORT liq_status liq_engine_open_level(liq_engine* engine, int32_t side, double level, double qty);
/**
 * Liquidate longs in the bin of `low` and above, shorts in the bin of `high` and below. The price may be anywhere in
 * [low, high] after it: what opens must lie beyond all of it.
 */
LIQCORE_C_EXPORT liq_status liq_engine_touch(liq_engine* engine, double low, double high);
/** The same, and the price is at `last` after it. */
LIQCORE_C_EXPORT liq_status liq_engine_touch_last(liq_engine* engine, double low, double high, double last);
/** Multiply live levels by factors in [0, 1]: longs of each tier, then shorts; `count` is twice the tiers. */
LIQCORE_C_EXPORT liq_status liq_engine_scale(liq_engine* engine, const double* factors, size_t count);

/** The same for the levels in the bins from that of `low` to that of `high` alone; see liq_engine_close(). */
LIQCORE_C_EXPORT liq_status liq_engine_scale_part(liq_engine* engine, const double* factors, size_t count, double low,
                                                  double high);
/**
 * Close up to `qty` of what is live of a side in the bins from that of `low` to that of `high`, in every tier: the
 * levels nearest to the price first. What is taken away depends on what is there: time frames cannot be asked for any
 * more.
 * @param qty       one for all tiers, or one a tier
 * @param qty_count 1 or the number of tiers
 * @param closed    receives what was closed of each tier; may be NULL
 * @param capacity  of `closed`
 */
LIQCORE_C_EXPORT liq_status liq_engine_close(liq_engine* engine, int32_t side, double low, double high,
                                             const double* qty, size_t qty_count, double* closed, size_t capacity);

/** Where the levels went that were opened: how many, one for each tier with a quantity. */
typedef struct liq_opened {
  size_t size; /**< sizeof(liq_opened), to be set before the call */
  uint64_t live;
  uint64_t no_price;   /**< no liquidation price exists */
  uint64_t underflow;  /**< below a fixed axis */
  uint64_t overflow;   /**< above the axis */
  uint64_t unresolved; /**< in their entry's own bin, or in one that the price has reached */
} liq_opened;

/** Columns of what is opened, all `count` long but for the quantities; read in place. */
typedef struct liq_opens {
  size_t size;             /**< sizeof(liq_opens) */
  const int64_t* ts_ns;    /**< times that move the clock, not falling; NULL: all at the engine's clock */
  const uint8_t* is_short; /**< 1 where a short opens, otherwise 0 */
  const double* price;     /**< entry, or known level */
  const double* qty;       /**< `tiered` is 0: one a row; otherwise one a tier, row by row */
  size_t count;
  int32_t tiered;
  int32_t reserved; /**< 0 */
} liq_opens;

/** Columns of touches, all `count` long. */
typedef struct liq_touches {
  size_t size;          /**< sizeof(liq_touches) */
  const int64_t* ts_ns; /**< times that move the clock, not falling; NULL: all at the engine's clock */
  const double* low;
  const double* high;
  const double* last; /**< where each leaves the price; NULL: not known */
  size_t count;
} liq_touches;

/**
 * Arrays of the verbs: the same bits as one by one. All rows are checked first.
 * @param opened  receives where their levels went; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_opens(liq_engine* engine, const liq_opens* rows, liq_opened* opened);
/** As liq_engine_opens(), at known liquidation prices. */
LIQCORE_C_EXPORT liq_status liq_engine_open_levels(liq_engine* engine, const liq_opens* rows, liq_opened* opened);
LIQCORE_C_EXPORT liq_status liq_engine_touches(liq_engine* engine, const liq_touches* rows);

/* --- reading ------------------------------------------------------------------------------------------------------ */

/** Everything since the start. */
LIQCORE_C_EXPORT liq_status liq_engine_counts(const liq_engine* engine, liq_counts* counts);

/** A total: whole lots, and the fraction (from scaled levels) in [0, 1). */
typedef struct liq_tally {
  int64_t whole;
  double fraction;
} liq_tally;

/** Where the quantity of one side and tier went, lots: opened is the sum of the others. */
typedef struct liq_account {
  liq_tally opened;
  liq_tally live;
  liq_tally liquidated;
  liq_tally closed;     /**< by scale: half-life, falling open interest */
  liq_tally underflow;  /**< level below a fixed axis */
  liq_tally overflow;   /**< level above the axis */
  liq_tally unresolved; /**< level inside a bin that the same event already reached */
  liq_tally no_price;   /**< no liquidation price exists */
} liq_account;

/**
 * Longs of each tier, then shorts.
 * @param capacity  of `accounts`
 * @param count     receives how many there are: twice the tiers; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_accounts(const liq_engine* engine, liq_account* accounts, size_t capacity,
                                                size_t* count);

/**
 * Leverages, and the weights (share x intensity) at which maps and columns are read.
 * @param capacity  of each of `tiers` and `weights`, either of which may be NULL
 * @param count     receives how many there are; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_leverage(const liq_engine* engine, double* tiers, double* weights,
                                                size_t capacity, size_t* count);

/** Where the cells of levels lie: bin i covers prices [low + i * step, low + (i + 1) * step). */
typedef struct liq_grid {
  size_t size; /**< sizeof(liq_grid), to be set before the call */
  size_t tiers;
  size_t bins;
  int64_t first_bin; /**< absolute number of the first bin: low = first_bin * step */
  double low;
  double step;
} liq_grid;

/** The grid of liq_engine_levels(): the fixed axis, or as far as levels have come. LIQ_NO_PRICE before there is one. */
LIQCORE_C_EXPORT liq_status liq_engine_grid(const liq_engine* engine, liq_grid* grid);
/**
 * Live quantity of a side by tier and bin, unweighted: every tier as if everybody used it.
 *
 * Allocates nothing; costs about a nanosecond a cell.
 * @param out       tiers x bins values, row by row
 * @param capacity  of `out`
 * @param grid      receives where they lie, also if LIQ_TOO_SMALL is returned; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_levels(const liq_engine* engine, int32_t side, double* out, size_t capacity,
                                              liq_grid* grid);

enum { LIQ_USD = 0, LIQ_QUANTITY = 1 };
/* At which price USD of a linear contract are reckoned: of the level (the mid of its bin), or of the entry that implies
   it. */
enum { LIQ_AT_LEVEL = 0, LIQ_AT_ENTRY = 1 };

/** What of the closed windows to draw, and where the rows lie. */
typedef struct liq_picture {
  size_t size;          /**< sizeof(liq_picture) */
  int64_t first_bin;    /**< absolute number of the lowest row's first book bin */
  int64_t bins_per_row; /**< book bins that are summed to a row */
  size_t rows;
  size_t first_column;    /**< window, 0 is the oldest kept */
  size_t columns;         /**< windows */
  uint64_t opened_within; /**< only levels opened in the last so many windows of each column; 0: whenever opened */
  int32_t unit;           /**< LIQ_USD or LIQ_QUANTITY, at the profile's weights */
  int32_t reserved;       /**< 0 */
  int32_t value;          /**< LIQ_AT_LEVEL or LIQ_AT_ENTRY, of USD */
  int32_t reserved2;      /**< 0 */
} liq_picture;

/**
 * Fill with all closed windows that are kept and the rows in which something is or was live in them.
 * @param size          sizeof(liq_picture)
 * @param bins_per_row  at least 1
 */
LIQCORE_C_EXPORT liq_status liq_engine_picture(const liq_engine* engine, liq_picture* picture, size_t size,
                                               int64_t bins_per_row);
/**
 * Columns of closed windows: what was live at the end of each, and what was liquidated in it.
 *
 * The same numbers as liqcore.Heatmap has. Costs milliseconds for some hundred columns.
 * @param longs, shorts, liquidated_longs, liquidated_shorts  columns x rows values, column by column; NULL: not wanted
 * @param capacity  of each of them
 */
LIQCORE_C_EXPORT liq_status liq_engine_columns(const liq_engine* engine, const liq_picture* picture, float* longs,
                                               float* shorts, float* liquidated_longs, float* liquidated_shorts,
                                               size_t capacity);
/**
 * The liquidation map of this moment: what is live by side, tier and row.
 *
 * The picture's columns are not looked at. The same numbers as Engine.map() in Python; costs milliseconds.
 * @param out       2 x tiers x rows values: longs of each tier, then shorts
 * @param capacity  of `out`
 */
LIQCORE_C_EXPORT liq_status liq_engine_map(const liq_engine* engine, const liq_picture* picture, double* out,
                                           size_t capacity);

/** One window. Prices are NaN where nothing traded, the rest where there was none yet. */
typedef struct liq_window {
  size_t size; /**< sizeof(liq_window), to be set before the call */
  int64_t start_ns;
  int64_t end_ns;  /**< exclusive */
  int64_t last_ns; /**< time of the last event; INT64_MIN where there was none yet */
  double open;
  double high;
  double low;
  double close;
  double buy_qty; /**< taker volumes, quantity */
  double sell_qty;
  double mark_price;
  double open_interest;
} liq_window;

/** How many closed windows are kept, and how many there ever were; either may be NULL. Both 0 before the first price.
 */
LIQCORE_C_EXPORT liq_status liq_engine_windows(const liq_engine* engine, uint64_t* kept, uint64_t* total);
/** A closed window; 0 is the oldest kept. */
LIQCORE_C_EXPORT liq_status liq_engine_window(const liq_engine* engine, uint64_t index, liq_window* window);

/** Called as a window closes, by the thread that feeds; may read the engine, and must neither feed nor destroy it
 * (nothing checks that), nor leave by an exception or longjmp. */
typedef void (*liq_column_hook)(void* context, const liq_window* window);
/** Set the hook; NULL removes it. Replaces the callback of an engine that belongs to Python. */
LIQCORE_C_EXPORT liq_status liq_engine_on_column(liq_engine* engine, liq_column_hook hook, void* context);

/* --- zones and features ------------------------------------------------------------------------------------------- */

/** Neighbouring rows of one side, each at or above the threshold. */
typedef struct liq_zone {
  double low;              /**< lower edge of the lowest row, price */
  double high;             /**< upper edge of the highest row, price */
  double usd;              /**< live in it at the profile's weights */
  double share;            /**< of all that is live on its side: 0 to 1 */
  double distance_percent; /**< from the last price to the nearer edge; negative below, 0 inside, NaN: no price yet */
  int32_t side;            /**< LIQ_LONG or LIQ_SHORT */
  int32_t reserved;
} liq_zone;

/**
 * Zones of this moment, by lower edge, rising: liqcore::find_zones(), Heatmap.zones() in Python.
 * @param bins_per_row  book bins in a row; Python's default is 5
 * @param percentile    of the rows of both sides that hold something: a row from there on is part of a zone; usual: 90
 * @param zones         may be NULL if capacity is 0
 * @param count         receives how many there are, also if LIQ_TOO_SMALL is returned; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_zones(const liq_engine* engine, int64_t bins_per_row, double percentile,
                                             liq_zone* zones, size_t capacity, size_t* count);

/** Reads features; in C++ a liqcore::FeatureReader, whose comment (features.hpp) defines every one of them. */
typedef struct liq_features liq_features;

/** Which features. */
typedef struct liq_feature_options {
  size_t size;                   /**< sizeof(liq_feature_options) */
  const double* reaches_percent; /**< rising, above 0 and below 100; copied; NULL: 0.5, 1, 2 and 5 */
  size_t reach_count;            /**< 1 to 64 */
  int64_t bins_per_row;          /**< of zones, as for liq_engine_zones() */
  double zone_percentile;
  double density_percent; /**< half-width of the density's kernel, percent of the price */
} liq_feature_options;

/** @param size  sizeof(liq_feature_options) */
LIQCORE_C_EXPORT void liq_feature_options_init(liq_feature_options* options, size_t size);
/**
 * @param options  NULL: the defaults
 * @param out      receives the reader, NULL after an error
 */
LIQCORE_C_EXPORT liq_status liq_features_create(const liq_feature_options* options, liq_features** out);
/** NULL is allowed. */
LIQCORE_C_EXPORT void liq_features_destroy(liq_features* features);
/** How many there are. */
LIQCORE_C_EXPORT size_t liq_features_count(const liq_features* features);
/** Name of one, such as "long_usd_1pct"; NULL beyond the last. Lives as long as the reader. */
LIQCORE_C_EXPORT const char* liq_features_name(const liq_features* features, size_t index);
/**
 * Write the features of this moment: as of the engine's clock, and of what it was fed.
 *
 * Allocates on its first use and where a book has become wider than ever before. One reader, one thread at a time; it
 * may read any number of engines.
 * @param out       liq_features_count() values
 * @param capacity  of `out`
 */
LIQCORE_C_EXPORT liq_status liq_features_read(liq_features* features, const liq_engine* engine, double* out,
                                              size_t capacity);

/* --- saving ------------------------------------------------------------------------------------------------------- */

/**
 * Write an engine: what it is (instrument, leverage, options without threads) and where it stands. Hooks are not saved.
 *
 * The bytes are those of Engine.save() in Python and Engine::save() in C++, on any machine. Call it with a capacity of
 * 0 to learn the size; the engine must not be fed in between. Reads the engine: allowed in a hook.
 * @param bytes     may be NULL if capacity is 0
 * @param capacity  of `bytes`
 * @param size      receives how many bytes there are, also if LIQ_TOO_SMALL is returned; may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_engine_save(const liq_engine* engine, void* bytes, size_t capacity, size_t* size);
/**
 * Make the engine that liq_engine_save() wrote, in C, C++ or Python: what follows is bit for bit the same, but for the
 * last digits of the USD liquidated in the window in progress, where a scale in it has left fractions.
 *
 * Everything is checked before it is used; no bytes do harm. They may be given up afterwards.
 * @param threads  that long arrays of trades are spread over, 1..256
 * @param out      receives the engine, NULL after an error; to be given back with liq_engine_destroy()
 * @return LIQ_DAMAGED if the bytes are damaged, cut off or of a later format
 */
LIQCORE_C_EXPORT liq_status liq_engine_load(const void* bytes, size_t size, int32_t threads, liq_engine** out);
/**
 * Make another engine that stands where this one stands: what follows is bit for bit the same.
 *
 * Costs a copy of the book; closed windows are shared. It has no hook. Reads the engine: allowed in a hook.
 * @param out  receives the engine, NULL after an error; to be given back with liq_engine_destroy()
 */
LIQCORE_C_EXPORT liq_status liq_engine_clone(const liq_engine* engine, liq_engine** out);

/* --- reading from other threads ----------------------------------------------------------------------------------- */

/**
 * Publishes an engine's features as a row of numbers, and snapshots of the whole engine, for other threads to read
 * while the engine is being fed. Nobody waits for anybody. In C++ a std::shared_ptr<liqcore::Publisher>, whose comment
 * (published.hpp) says when something is published, as of when, and what it costs.
 */
typedef struct liq_publisher liq_publisher;
/** An engine at one instant; any number of threads may read it. */
typedef struct liq_snapshot liq_snapshot;

/** What is published. */
typedef struct liq_publisher_options {
  size_t size;                         /**< sizeof(liq_publisher_options) */
  const liq_feature_options* features; /**< NULL: the defaults */
  int32_t rows_only;                   /**< not 0: a window's end publishes a row and no snapshot */
  int32_t reserved;                    /**< 0 */
} liq_publisher_options;

/** @param size  sizeof(liq_publisher_options) */
LIQCORE_C_EXPORT void liq_publisher_options_init(liq_publisher_options* options, size_t size);
/**
 * @param options  NULL: the defaults
 * @param out      receives the publisher, NULL after an error
 */
LIQCORE_C_EXPORT liq_status liq_publisher_create(const liq_publisher_options* options, liq_publisher** out);
/** When no thread uses the handle any more; an engine that publishes to it goes on. NULL is allowed. */
LIQCORE_C_EXPORT void liq_publisher_destroy(liq_publisher* publisher);

/* The thread that feeds the engine. */

/** Publish at once, by itself whenever windows have ended, and when a reader asks; NULL ends it. One engine at a
 * time. */
LIQCORE_C_EXPORT liq_status liq_engine_publish_to(liq_engine* engine, liq_publisher* publisher);
/** Publish a row and a snapshot of this moment, also from the column hook; LIQ_NO_MEMORY: neither. */
LIQCORE_C_EXPORT liq_status liq_publisher_publish(liq_publisher* publisher, const liq_engine* engine);
/** Publish a row of this moment. */
LIQCORE_C_EXPORT liq_status liq_publisher_publish_row(liq_publisher* publisher, const liq_engine* engine);

/* Any thread, at any time. */

/** Of which moment something is. */
typedef struct liq_moment {
  uint64_t sequence; /**< of the row: 1 for the first, rising; 0: nothing is published yet */
  int64_t clock_ns;  /**< the engine's clock; INT64_MIN where it has none */
} liq_moment;

/** How many numbers a row has. */
LIQCORE_C_EXPORT size_t liq_publisher_count(const liq_publisher* publisher);
/** Name of one, as liq_features_name(); NULL beyond the last. Lives as long as the publisher. */
LIQCORE_C_EXPORT const char* liq_publisher_name(const liq_publisher* publisher, size_t index);
/**
 * Read the latest row. Allocates nothing, costs some ten nanoseconds.
 *
 * @param out       liq_publisher_count() values; as they were where nothing is published yet
 * @param capacity  of `out`
 * @param moment    may be NULL
 */
LIQCORE_C_EXPORT liq_status liq_publisher_row(const liq_publisher* publisher, double* out, size_t capacity,
                                              liq_moment* moment);
/** Ask for a row and a snapshot; the engine publishes them after the next window's end, array, or event that is not
 * just one more trade near the same price. */
LIQCORE_C_EXPORT liq_status liq_publisher_ask(liq_publisher* publisher);
/** How often memory ran out for what a window's end or a reader wanted published: it was left out. */
LIQCORE_C_EXPORT uint64_t liq_publisher_missed(const liq_publisher* publisher);
/** Take the latest snapshot, to be given back by liq_snapshot_release().
 * @param out  NULL where nothing is published yet, and after an error */
LIQCORE_C_EXPORT liq_status liq_publisher_snapshot(const liq_publisher* publisher, liq_snapshot** out);
/** Give a snapshot back, on any thread. NULL is allowed. */
LIQCORE_C_EXPORT void liq_snapshot_release(liq_snapshot* snapshot);

LIQCORE_C_EXPORT liq_status liq_snapshot_moment(const liq_snapshot* snapshot, liq_moment* moment);
/** The row that was published with it. */
LIQCORE_C_EXPORT liq_status liq_snapshot_row(const liq_snapshot* snapshot, double* out, size_t capacity);
/** As liq_engine_counts(), of that instant; so are the others. */
LIQCORE_C_EXPORT liq_status liq_snapshot_counts(const liq_snapshot* snapshot, liq_counts* counts);
LIQCORE_C_EXPORT liq_status liq_snapshot_grid(const liq_snapshot* snapshot, liq_grid* grid);
LIQCORE_C_EXPORT liq_status liq_snapshot_levels(const liq_snapshot* snapshot, int32_t side, double* out,
                                                size_t capacity, liq_grid* grid);
LIQCORE_C_EXPORT liq_status liq_snapshot_picture(const liq_snapshot* snapshot, liq_picture* picture, size_t size,
                                                 int64_t bins_per_row);
LIQCORE_C_EXPORT liq_status liq_snapshot_columns(const liq_snapshot* snapshot, const liq_picture* picture, float* longs,
                                                 float* shorts, float* liquidated_longs, float* liquidated_shorts,
                                                 size_t capacity);
LIQCORE_C_EXPORT liq_status liq_snapshot_map(const liq_snapshot* snapshot, const liq_picture* picture, double* out,
                                             size_t capacity);
LIQCORE_C_EXPORT liq_status liq_snapshot_windows(const liq_snapshot* snapshot, uint64_t* kept, uint64_t* total);
LIQCORE_C_EXPORT liq_status liq_snapshot_window(const liq_snapshot* snapshot, uint64_t index, liq_window* window);

#ifdef __cplusplus
}
#endif

#endif
