/* A stranger's program in C. */
#include <liqcore/liqcore.h>
#include <stdio.h>

typedef int32_t (*trade_function)(liq_engine*, int64_t, double, double, int32_t);

int main(void) {
  trade_function volatile trade = liq_engine_trade;
  printf("%s\n", trade ? "linked" : "missing");
  return 0;
}
