/* As caller.cpp, through the C interface, in arrays of 1,000. */
#include <liqcore/liqcore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void* column(FILE* in, size_t n, size_t size) {
  void* out = malloc(n * size);
  if (out == NULL || fread(out, size, n, in) != n) exit(3);
  return out;
}

static void check(liq_status status) {
  if (status == LIQ_OK) return;
  fprintf(stderr, "%s\n", liq_error_message());
  exit(4);
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  FILE* in = fopen(argv[1], "rb");
  FILE* out = fopen(argv[2], "wb");
  const size_t n = (size_t)atoll(argv[3]);
  const int64_t* ts = column(in, n, 8);
  const double* price = column(in, n, 8);
  const double* qty = column(in, n, 8);
  const uint8_t* sell = column(in, n, 1);

  liq_instrument instrument;
  liq_instrument_init(&instrument, sizeof instrument);
  instrument.symbol = "BTC";
  instrument.tick_size = atof(argv[4]);
  instrument.lot_size = atof(argv[5]);
  liq_engine_options options;
  liq_engine_options_init(&options, sizeof options);
  liq_engine* engine = NULL;
  check(liq_engine_create(&instrument, &options, &engine));
  double tiers[64], half_life[64];
  size_t count = 0;
  check(liq_engine_leverage(engine, tiers, NULL, 64, &count));
  check(liq_default_half_life_ns(tiers, count, half_life));
  liq_engine_destroy(engine);
  options.window_ns = INT64_C(60000000000);
  options.half_life_ns = half_life;
  check(liq_engine_create(&instrument, &options, &engine));

  for (size_t i = 0; i < n; i += 1000) {
    const liq_trades trades = {ts + i, price + i, qty + i, sell + i, n - i < 1000 ? n - i : 1000};
    check(liq_engine_trades(engine, &trades, NULL));
  }
  check(liq_engine_advance(engine, (ts[n - 1] / options.window_ns + 1) * options.window_ns));

  liq_grid grid = {.size = sizeof grid};
  check(liq_engine_grid(engine, &grid));
  const size_t cells = grid.tiers * grid.bins;
  double* levels = malloc(cells * sizeof *levels);
  for (int32_t side = LIQ_LONG; side <= LIQ_SHORT; ++side) {
    check(liq_engine_levels(engine, side, levels, cells, NULL));
    fwrite(levels, sizeof *levels, cells, out);
  }
  liq_features* features = NULL;
  check(liq_features_create(NULL, &features));
  double* values = malloc(liq_features_count(features) * sizeof *values);
  check(liq_features_read(features, engine, values, liq_features_count(features)));
  fwrite(values, sizeof *values, liq_features_count(features), out);

  liq_picture picture;
  check(liq_engine_picture(engine, &picture, sizeof picture, 5));
  const size_t size = picture.columns * picture.rows;
  float* all[4];
  for (int i = 0; i < 4; ++i) all[i] = malloc(size * sizeof(float));
  check(liq_engine_columns(engine, &picture, all[0], all[1], all[2], all[3], size));
  for (int i = 0; i < 4; ++i) fwrite(all[i], sizeof(float), size, out);
  fclose(out);
  liq_features_destroy(features);
  liq_engine_destroy(engine);
  return 0;
}
