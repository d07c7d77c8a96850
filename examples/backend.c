/*
 * The engine from C: trades in arrays, then levels, features and zones in buffers of our own.
 *
 *   liqcore_backend_c               a generated random walk
 *   liqcore_backend_c trades.csv    lines of: time in ns, price, quantity, 1 if the aggressor sold
 *
 * The instrument is fixed: tick 0.1, lot 0.00001.
 */
#include <inttypes.h>
#include <liqcore/liqcore.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 4096, MOST_ZONES = 256, MOST_FEATURES = 64 };

static int failed(const char* what) {
  fprintf(stderr, "error: %s: %s\n", what, liq_error_message());
  return 2;
}

/* One batch of columns, used again and again: the library reads them in place. */
static int64_t ts_ns[BATCH];
static double price[BATCH];
static double qty[BATCH];
static uint8_t taker_sell[BATCH];

static uint64_t state = 1;

static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) / 9007199254740992.0;
}

static size_t walk(int64_t from) {
  static double tick = 600000.0;
  const int64_t total = 300000;
  size_t n = 0;
  for (; n < BATCH && from + (int64_t)n < total; ++n) {
    tick += 70.0 * (uniform() - 0.5);
    ts_ns[n] = (from + (int64_t)n) * 200000000;
    price[n] = rint(tick) * 0.1;
    qty[n] = 0.001 + 0.1 * uniform();
    taker_sell[n] = uniform() < 0.5;
  }
  return n;
}

static size_t lines(FILE* file) {
  char line[256];
  size_t n = 0;
  while (n < BATCH && fgets(line, sizeof line, file) != NULL) {
    int sell = 0;
    if (sscanf(line, "%" SCNd64 ",%lf,%lf,%d", &ts_ns[n], &price[n], &qty[n], &sell) != 4) continue; /* a header */
    taker_sell[n++] = sell != 0;
  }
  return n;
}

int main(int argc, char** argv) {
  FILE* file = NULL;
  if (argc > 1 && (file = fopen(argv[1], "r")) == NULL) {
    fprintf(stderr, "error: %s: cannot be opened\n", argv[1]);
    return 2;
  }

  liq_instrument instrument;
  liq_instrument_init(&instrument, sizeof instrument);
  instrument.symbol = "BTCUSDT";
  instrument.tick_size = 0.1;
  instrument.lot_size = 0.00001;

  liq_engine_options options;
  liq_engine_options_init(&options, sizeof options);
  const double leverage[] = {10, 25, 50, 100};
  const double shares[] = {0.4, 0.3, 0.2, 0.1};
  options.leverage = leverage;
  options.shares = shares;
  options.tier_count = 4;
  options.window_ns = INT64_C(60000000000);
  options.keep = 1440; /* a day of minutes */

  liq_engine* engine = NULL;
  if (liq_engine_create(&instrument, &options, &engine) != LIQ_OK) return failed("the engine");

  liq_trades batch = {ts_ns, price, qty, taker_sell, 0};
  for (int64_t from = 0; (batch.count = file != NULL ? lines(file) : walk(from)) > 0; from += BATCH)
    if (liq_engine_trades(engine, &batch, NULL) != LIQ_OK) return failed("a batch of trades");
  if (file != NULL) fclose(file);

  liq_counts counts = {.size = sizeof counts};
  if (liq_engine_counts(engine, &counts) != LIQ_OK) return failed("the counts");
  printf("liqcore %s: %" PRIu64 " trades, %" PRIu64 " used\n", liq_version(), counts.rows, counts.used);
  for (liq_status reason = LIQ_LATE; reason < LIQ_REJECT_REASONS; ++reason)
    if (counts.rejected[reason] > 0) printf("  %" PRIu64 " %s\n", counts.rejected[reason], liq_status_name(reason));

  /* Levels: ask for the size, then for the cells. */
  liq_grid grid = {.size = sizeof grid};
  if (liq_engine_grid(engine, &grid) != LIQ_OK) return failed("the grid");
  const size_t cells = grid.tiers * grid.bins;
  double* levels = malloc(cells * sizeof *levels);
  if (levels == NULL) return 2;
  for (int32_t side = LIQ_LONG; side <= LIQ_SHORT; ++side) {
    if (liq_engine_levels(engine, side, levels, cells, NULL) != LIQ_OK) return failed("the levels");
    double live = 0.0;
    for (size_t i = 0; i < cells; ++i) live += levels[i];
    printf("%s: %.3f live over %zu tiers and %zu bins of %.1f\n", side == LIQ_LONG ? "longs" : "shorts", live,
           grid.tiers, grid.bins, grid.step);
  }
  free(levels);

  liq_features* features = NULL;
  double values[MOST_FEATURES];
  if (liq_features_create(NULL, &features) != LIQ_OK) return failed("the features");
  if (liq_features_read(features, engine, values, MOST_FEATURES) != LIQ_OK) return failed("the features");
  for (size_t i = 0; i < liq_features_count(features); ++i)
    printf("  %-22s %.6g\n", liq_features_name(features, i), values[i]);

  liq_zone zones[MOST_ZONES];
  size_t count = 0;
  if (liq_engine_zones(engine, 5, 90.0, zones, MOST_ZONES, &count) != LIQ_OK) return failed("the zones");
  printf("%zu zones", count);
  if (count > 0)
    printf(", the lowest of %s from %.1f to %.1f with $%.2f M", zones[0].side == LIQ_LONG ? "longs" : "shorts",
           zones[0].low, zones[0].high, zones[0].usd / 1e6);
  printf("\n");

  /* Stop here, go on elsewhere: ask for the size, then for the bytes. */
  size_t size = 0;
  if (liq_engine_save(engine, NULL, 0, &size) != LIQ_TOO_SMALL) return failed("the size of the saved engine");
  void* saved = malloc(size);
  liq_engine* again = NULL;
  if (saved == NULL) return 2;
  if (liq_engine_save(engine, saved, size, NULL) != LIQ_OK) return failed("saving");
  if (liq_engine_load(saved, size, 1, &again) != LIQ_OK) return failed("loading");
  free(saved);
  int64_t clock = 0;
  if (liq_engine_clock(again, &clock) != LIQ_OK) return failed("the clock");
  printf("saved in %zu bytes, and loaded: its clock stands at %" PRId64 "\n", size, clock);

  liq_features_destroy(features);
  liq_engine_destroy(engine);
  liq_engine_destroy(again);
  return 0;
}
