// What one thread writes and others have a share in.
#pragma once

#include <memory>

namespace liqcore::inline abi1 {

/// Whether what only this thread hands out can be written over. A copy of the pointer that goes away waits for what
/// others, on their threads, did before they gave theirs up; a look at the count alone would not.
template <class T>
bool nobody_else_has(const std::shared_ptr<T>& shared) noexcept {
  std::shared_ptr<T> mine = shared;
  const bool alone = mine.use_count() == 2;
  mine.reset();
  return alone;
}

}  // namespace liqcore::inline abi1
