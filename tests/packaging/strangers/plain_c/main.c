#include <liqcore/liqcore.h>
#include <stdio.h>

int main(void) {
  liq_instrument instrument;
  liq_engine* engine = NULL;
  liq_counts counts = {sizeof(liq_counts), 0, 0, 0, {0}};
  liq_instrument_init(&instrument, sizeof instrument);
  if (liq_engine_create(&instrument, NULL, &engine) != LIQ_INVALID) return 1; /* it has no tick size yet */
  instrument.tick_size = instrument.lot_size = 1.0;
  if (liq_engine_create(&instrument, NULL, &engine) != LIQ_OK) return 2;
  if (liq_engine_trade(engine, 1, 60000.0, 2.0, 0) != LIQ_OK) return 3;
  if (liq_engine_trade(engine, 2, 60000.5, 2.0, 0) != LIQ_OFF_GRID) return 4;
  if (liq_engine_counts(engine, &counts) != LIQ_OK || counts.used != 1) return 5;
  liq_engine_destroy(engine);
  printf("linked\n");
  return 0;
}
