#define LIQCORE_LANES 4
#define LIQCORE_TARGET kAvx2
#define LIQCORE_TARGET_NAME "avx2"
#include "kernels/kernels.inl"
