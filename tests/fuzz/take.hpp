// Choices and numbers out of the bytes that a fuzzer makes up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

class Take {
 public:
  Take(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

  /// A value of the next bytes; zeros where there are none.
  template <class T>
  T value() {
    T out{};
    const std::size_t size = std::min(sizeof(T), left_.size());
    std::memcpy(&out, left_.data(), size);
    left_ = left_.subspan(size);
    return out;
  }

  /// One of 0 to n - 1.
  int below(int n) { return value<std::uint8_t>() % n; }

  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(left_); }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(left_.data()), left_.size()}; }

 private:
  std::span<const std::uint8_t> left_;
};
