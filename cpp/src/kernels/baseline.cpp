#define LIQCORE_LANES 2
#define LIQCORE_TARGET kBaseline
#define LIQCORE_TARGET_NAME "baseline"
#include "kernels/kernels.inl"
