// The latest of what one thread publishes, for any number of threads to read. There is no lock: the publishing thread
// never waits, and a reader tries again only where something newer was published meanwhile.
//
// Written without fences, which ThreadSanitizer does not follow: what orders things is in the operations themselves.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "sharing.hpp"

namespace liqcore::inline abi1 {

/// A row of numbers: a seqlock of two slots, written in turn, so that a writer that was stopped half-way holds up
/// nobody (H. Boehm, Can seqlocks get along with programming language memory models?, MSPC 2012).
class LatestRow {
 public:
  explicit LatestRow(std::size_t size) : size_(size), words_(std::make_unique<Word[]>(2 * stride())) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// One thread at a time. Each number of a row is one above the last; the first is 1.
  void write(std::uint64_t number, std::int64_t time_ns, std::span<const double> values) noexcept {
    Word* const slot = slot_of(number);
    slot[0].store(2 * number - 1, std::memory_order_release);  // odd: being written
    // Whoever sees one of these (release, acquire) sees the mark above as well, when he looks at it again.
    slot[1].store(std::bit_cast<std::uint64_t>(time_ns), std::memory_order_release);
    for (std::size_t i = 0; i < size_; ++i)
      slot[2 + i].store(std::bit_cast<std::uint64_t>(values[i]), std::memory_order_release);
    slot[0].store(2 * number, std::memory_order_release);
    latest_.store(number, std::memory_order_release);
  }

  /// Any thread.
  /// @param out  size() values
  /// @return the row's number; 0, with nothing written, before the first
  std::uint64_t read(std::int64_t& time_ns, std::span<double> out) const noexcept {
    while (true) {
      const std::uint64_t number = latest_.load(std::memory_order_acquire);
      if (number == 0) return 0;
      const Word* const slot = slot_of(number);
      if (slot[0].load(std::memory_order_acquire) != 2 * number) continue;
      time_ns = std::bit_cast<std::int64_t>(slot[1].load(std::memory_order_acquire));
      for (std::size_t i = 0; i < size_; ++i)
        out[i] = std::bit_cast<double>(slot[2 + i].load(std::memory_order_acquire));
      if (slot[0].load(std::memory_order_relaxed) == 2 * number) return number;
    }
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  static_assert(Word::is_always_lock_free);

  [[nodiscard]] std::size_t stride() const noexcept { return (size_ + 2 + 7) / 8 * 8; }  // whole lines of a cache
  [[nodiscard]] Word* slot_of(std::uint64_t number) const noexcept { return words_.get() + (number & 1) * stride(); }

  std::size_t size_;
  std::unique_ptr<Word[]> words_;  // of a slot: mark, time, values
  Word latest_{0};
};

/// A value that is never written to once it is published. Readers keep their share for as long as they like.
///
/// The value lies in one of several slots. A reader marks the slot that is current and looks whether it still is; the
/// publisher writes into a slot that is not current and that nobody has marked. Marked ones are few: a mark lasts as
/// long as it takes to copy a pointer, and where that is long (a thread stopped right there) another slot is made.
template <class T>
class Latest {
 public:
  // The publishing thread, one at a time.

  /// A value published before that nobody has any more, to be written over; null if there is none.
  [[nodiscard]] std::shared_ptr<T> spare() noexcept {
    std::shared_ptr<T> out;
    for (const auto& slot : slots_)
      if (is_free(*slot) && slot->value) {
        if (!out && nobody_else_has(slot->value)) out = std::move(slot->value);
        slot->value.reset();
      }
    return out;
  }
  /// Make what publish() needs.
  void make_room() {
    next_ = nullptr;
    for (const auto& slot : slots_)
      if (is_free(*slot)) next_ = slot.get();
    if (next_ == nullptr) next_ = slots_.emplace_back(std::make_unique<Slot>()).get();
  }
  void publish(std::shared_ptr<T> value) noexcept {
    next_->value = std::move(value);
    current_.store(next_);
  }

  // Any thread.

  /// Null before the first.
  [[nodiscard]] std::shared_ptr<const T> take() const noexcept {
    while (true) {
      Slot* const slot = current_.load();
      if (slot == nullptr) return nullptr;
      // Both sides mark or move first and look then, in one order for all threads (seq_cst): if the publisher saw no
      // mark in a slot, whoever marks it now will see that it is not current, or what has been published there since.
      slot->readers.fetch_add(1);
      std::shared_ptr<const T> out;
      const bool current = current_.load() == slot;
      if (current) out = slot->value;
      slot->readers.fetch_sub(1);
      if (current) return out;
    }
  }

 private:
  struct Slot {
    std::atomic<std::uint32_t> readers{0};
    std::shared_ptr<T> value;
  };
  [[nodiscard]] bool is_free(const Slot& slot) const noexcept {
    return &slot != current_.load(std::memory_order_relaxed) && slot.readers.load() == 0;
  }

  std::vector<std::unique_ptr<Slot>> slots_;
  Slot* next_ = nullptr;
  std::atomic<Slot*> current_{nullptr};
};

}  // namespace liqcore::inline abi1
