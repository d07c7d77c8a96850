// Fuzzers make and free the same blocks millions of times: big ones are kept, poisoned, for the next that is as big,
// which AddressSanitizer would have the system map anew; and freed memory is held back for a shorter time than
// elsewhere.
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

extern "C" const char* __asan_default_options() { return "quarantine_size_mb=4:malloc_context_size=4"; }

namespace {

constexpr std::size_t kBig = std::size_t{1} << 17;
std::array<void*, 16> kept;  // a fuzzer has one thread

void* reused(std::size_t size) noexcept {
  for (void*& block : kept)
    if (block != nullptr && __sanitizer_get_allocated_size(block) == size) {
      __asan_unpoison_memory_region(block, size);
      return std::exchange(block, nullptr);
    }
  return nullptr;
}

bool keep(void* block) noexcept {
  const std::size_t size = __sanitizer_get_allocated_size(block);
  if (size < kBig) return false;
  for (void*& place : kept)
    if (place == nullptr) {
      __asan_poison_memory_region(block, size);
      place = block;
      return true;
    }
  return false;
}

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const block = size >= kBig ? reused(size) : nullptr;
  return block != nullptr ? block : std::malloc(size);
}

void* operator new(std::size_t size) {
  if (void* const block = operator new(size, std::nothrow)) return block;
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  if (block != nullptr && !keep(block)) std::free(block);
}

void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
