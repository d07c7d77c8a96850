// What allocations.cpp counts, and which one of them fails.
#pragma once

#include <atomic>
#include <cstdint>

extern std::atomic<std::int64_t> allocations;
extern std::atomic<std::int64_t> allocated_bytes;
/// The number of the allocation (counted from 0, as above) that runs out of memory; -1: none.
extern std::atomic<std::int64_t> failing_allocation;
