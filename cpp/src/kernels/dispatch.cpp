#include <atomic>
#include <string>

#include "kernels/kernels.hpp"
#include "liqcore/cpu.hpp"
#include "liqcore/error.hpp"

namespace liqcore::inline abi1 {
namespace kernels {
namespace {

/// The targets this CPU runs, slowest first.
std::vector<const Kernels*> supported() {
  std::vector<const Kernels*> out = {&kBaseline};
#if defined(LIQCORE_X86_TARGETS)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) out.push_back(&kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    out.push_back(&kAvx512);
#endif
  return out;
}

std::atomic<const Kernels*>& chosen() noexcept {
  static std::atomic<const Kernels*> kernels{supported().back()};
  return kernels;
}

}  // namespace

const Kernels& active() noexcept { return *chosen().load(std::memory_order_relaxed); }

}  // namespace kernels

std::string_view cpu_target() noexcept { return kernels::active().name; }

std::vector<std::string_view> cpu_targets() {
  std::vector<std::string_view> out;
  for (const kernels::Kernels* target : kernels::supported()) out.emplace_back(target->name);
  return out;
}

void set_cpu_target(std::string_view name) {
  std::string known;
  for (const kernels::Kernels* target : kernels::supported()) {
    if (name == target->name) {
      kernels::chosen().store(target, std::memory_order_relaxed);
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(target->name);
  }
  throw InvalidConfig("cpu_target must be one that this CPU runs (" + known + "), was " + std::string(name));
}

}  // namespace liqcore::inline abi1
