// Numbers, lists and parts of a file as bytes: little-endian, fixed widths, checked as they are read.
//
// A struct is described once, for both directions, by a function `fields(file, struct)`, which hands its members to
// file(...) in order: a Writer writes them, a Reader reads them. It takes the struct apart by a structured binding, so
// that it no longer compiles once the struct has another member. A member that comes with a later format is handed over
// `if (file.format() >= N)`; a file from before leaves it as it was made.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "liqcore/checksum.hpp"
#include "liqcore/error.hpp"

namespace liqcore::inline abi1::saved {

/// Either a T or a const T.
template <class T, class Of>
concept Is = std::same_as<std::remove_const_t<T>, Of>;

/// A part of a file: four letters in the file, a word in messages.
struct Part {
  std::string_view letters;
  const char* name;
};

/// How a number stands in a file: as an unsigned one of its width.
template <class T>
auto bits_of(T value) noexcept {
  if constexpr (std::same_as<T, double>)
    return std::bit_cast<std::uint64_t>(value);
  else if constexpr (std::is_enum_v<T> || std::same_as<T, bool>)
    return static_cast<std::uint8_t>(value);
  else
    return static_cast<std::make_unsigned_t<T>>(value);
}

template <class T>
concept Number = std::integral<T> || std::same_as<T, double> || std::is_enum_v<T>;

/// The last value of an enumeration, for those that files hold.
template <class T>
inline constexpr T kLast = T{};

inline constexpr std::size_t kPartHead = 12;  // letters and size
inline constexpr std::size_t kChecksum = 4;

/// Writes into a span, and counts what does not fit.
class Writer {
 public:
  static constexpr bool kReads = false;

  Writer(std::span<std::byte> out, std::uint32_t format) noexcept : out_(out), format_(format) {}

  [[nodiscard]] std::uint32_t format() const noexcept { return format_; }
  [[nodiscard]] std::size_t size() const noexcept { return at_; }

  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

  /// Values that follow one another without their number.
  void values(const auto& of) {
    for (const auto& value : of) put(value);
  }

  void text(std::string_view of) {
    put(static_cast<std::uint64_t>(of.size()));
    raw(of.data(), of.size());
  }

  void raw(const void* data, std::size_t size) noexcept {
    if (size > 0 && fits(size)) std::memcpy(out_.data() + at_, data, size);
    at_ += size;
  }

  template <class Write>
  void part(const Part& part, Write&& write) {
    const std::size_t begin = at_;
    raw(part.letters.data(), 4);
    put(std::uint64_t{0});
    write();
    put_at(begin + 4, static_cast<std::uint64_t>(at_ - begin - kPartHead));
    // Of all parts so far, without their checksums: a checksum over a checksum would forget what came before.
    if (fits(kChecksum)) parts_ = crc32c(out_.subspan(begin, at_ - begin), parts_);
    put(parts_);
  }

  /// Write a number over what stands at `at`.
  template <Number T>
  void put_at(std::size_t at, T value) noexcept {
    const std::size_t end = std::exchange(at_, at);
    put(value);
    at_ = end;
  }

  /// The checksum of the first `size` bytes; 0 where not everything fitted.
  [[nodiscard]] std::uint32_t checksum_of_first(std::size_t size) const noexcept {
    return fits(0) ? crc32c(out_.first(size)) : 0;
  }

 private:
  [[nodiscard]] bool fits(std::size_t size) const noexcept { return at_ <= out_.size() && size <= out_.size() - at_; }

  template <Number T>
  void put(T value) noexcept {
    auto bits = bits_of(value);
    std::array<std::uint8_t, sizeof bits> bytes;
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(bits);
      bits = static_cast<decltype(bits)>(bits >> 8);
    }
    raw(bytes.data(), bytes.size());
  }
  void put(const std::string& value) { text(value); }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(static_cast<std::uint64_t>(list.size()));
    values(list);
  }
  template <class T>
    requires(!Number<T>)
  void put(const T& value) {
    fields(*this, value);
  }

  std::span<std::byte> out_;
  std::uint32_t format_;
  std::size_t at_ = 0;
  std::uint32_t parts_ = 0;
};

/// Reads a file part by part. What it says is wrong names the part; nothing is allocated that is not there.
class Reader {
 public:
  static constexpr bool kReads = true;

  /// @param what  of what kind the file is, for messages
  Reader(std::span<const std::byte> bytes, const char* what) noexcept
      : bytes_(bytes), end_(bytes.size()), what_(what) {}

  void set_format(std::uint32_t format) noexcept { format_ = format; }
  [[nodiscard]] std::uint32_t format() const noexcept { return format_; }
  [[nodiscard]] std::size_t left() const noexcept { return end_ - at_; }

  /// @throws DataError with the part's name
  [[noreturn]] void fail(const std::string& why) const {
    throw DataError(std::string(what_) + " is damaged in its " + name_ + ": " + why);
  }

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

  /// As many values as there are in `of`.
  void values(auto& of) {
    for (auto& value : of) get(value);
  }

  /// A number of things that take at least `least` bytes each.
  std::size_t count(std::size_t least) {
    std::uint64_t count = 0;
    get(count);
    if (count > left() / least)
      fail("it counts " + std::to_string(count) + " where " + std::to_string(left()) + " bytes are left");
    return static_cast<std::size_t>(count);
  }

  /// Use what was read; what it is no rule allows is damage.
  template <class Use>
  void within(const char* name, Use&& use) {
    name_ = name;
    try {
      use();
    } catch (const InvalidConfig& error) {
      fail(error.what());
    }
  }

  template <class Read>
  void part(const Part& part, Read&& read) {
    within(part.name, [&] {
      const std::size_t begin = at_;
      std::array<char, 4> letters{};
      std::uint64_t size = 0;
      values(letters);
      get(size);
      if (std::string_view(letters.data(), 4) != part.letters || left() < kChecksum || size > left() - kChecksum)
        fail("it does not begin as it must");
      const std::size_t all = end_;
      end_ = at_ + static_cast<std::size_t>(size);
      parts_ = crc32c(bytes_.subspan(begin, end_ - begin), parts_);
      std::uint32_t said = 0;
      Reader(bytes_.subspan(end_, kChecksum), what_)(said);
      if (said != parts_) fail("the checksum is " + std::to_string(parts_) + ", must be " + std::to_string(said));
      read();
      if (left() > 0) fail("it must end where it says, goes on for " + std::to_string(left()) + " bytes");
      end_ = all;
      at_ += kChecksum;
    });
  }

 private:
  void need(std::size_t size) const {
    if (left() < size) fail("it ends early");
  }

  template <Number T>
  void get(T& value) {
    using Bits = decltype(bits_of(value));
    need(sizeof(Bits));
    Bits bits = 0;
    for (std::size_t i = 0; i < sizeof(Bits); ++i)
      bits = static_cast<Bits>(bits | static_cast<Bits>(std::to_integer<Bits>(bytes_[at_ + i]) << 8 * i));
    at_ += sizeof(Bits);
    if constexpr (std::same_as<T, double>) {
      value = std::bit_cast<double>(bits);
    } else if constexpr (std::same_as<T, bool>) {
      if (bits > 1) fail("a yes or no must be 1 or 0, was " + std::to_string(bits));
      value = bits != 0;
    } else if constexpr (std::is_enum_v<T>) {
      if (bits > static_cast<Bits>(kLast<T>))
        fail("a choice must be from 0 to " + std::to_string(static_cast<int>(kLast<T>)) + ", was " +
             std::to_string(bits));
      value = static_cast<T>(bits);
    } else {
      value = static_cast<T>(bits);
    }
  }
  void get(std::string& value) {
    const std::size_t size = count(1);
    value.assign(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there) get(value.emplace());
  }
  template <class T>
  void get(std::vector<T>& list) {
    list.clear();
    if constexpr (Number<T>) {
      list.resize(count(sizeof(bits_of(T{}))));
      values(list);
    } else {
      for (std::size_t n = count(1); n > 0; --n) get(list.emplace_back());
    }
  }
  template <class T>
  void get(T& value) {
    fields(*this, value);
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::size_t end_;
  std::uint32_t format_ = 0;
  std::uint32_t parts_ = 0;
  const char* what_;
  const char* name_ = "head";
};

}  // namespace liqcore::inline abi1::saved
