#if !defined(__clang__)  // GCC 12 takes its own intrinsics' undefined vectors for a mistake
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define LIQCORE_LANES 8
#define LIQCORE_TARGET kAvx512
#define LIQCORE_TARGET_NAME "avx512"
#include "kernels/kernels.inl"
