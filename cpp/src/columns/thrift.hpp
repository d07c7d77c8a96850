/// Reading of Thrift's compact protocol, in which Parquet writes its metadata: from bytes that may be anything.
///
/// Private to the bindings. Every read is checked against the end; a list is never longer than the bytes that are left.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "liqcore/error.hpp"

namespace liqcore::columns {

/// What a field or a list's members are, by number.
enum class ThriftType : std::uint8_t {
  stop,
  yes,
  no,
  i8,
  i16,
  i32,
  i64,
  real,
  binary,
  list,
  set,
  map,
  structure,
};

/// Walks over one value after another. Throws `DataError` where the bytes break a rule.
class ThriftReader {
 public:
  explicit ThriftReader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::size_t at() const noexcept { return at_; }

  /// Calls `take(id, type)` for each field of a structure; `take` reads the field and returns true, or returns false
  /// to have it passed over.
  template <class Take>
  void fields(Take&& take) {
    const Depth within(*this);
    int id = 0;
    while (true) {
      const std::uint8_t head = byte();
      const ThriftType type = checked(head & 0x0F);
      if (type == ThriftType::stop) {
        if (head != 0) damaged();
        return;
      }
      const int step = head >> 4;
      const std::int64_t next = step != 0 ? id + step : signed_number();
      if (next <= id || next > 32'767) damaged();  // no writer gives them in another order
      id = static_cast<int>(next);
      if (!take(id, type)) pass(type);
    }
  }

  /// Calls `take()` for each member of a list whose members must be of `type`.
  template <class Take>
  void list(ThriftType type, ThriftType members, Take&& take) {
    if (type != ThriftType::list) damaged();
    const Depth within(*this);
    const auto [count, found] = list_head();
    if (count != 0 && found != members) damaged();
    for (std::size_t i = 0; i < count; ++i) take();
  }

  /// A whole number of a field of one of the integer types.
  [[nodiscard]] std::int64_t number(ThriftType type) {
    if (type == ThriftType::i8) return static_cast<std::int8_t>(byte());
    if (type != ThriftType::i16 && type != ThriftType::i32 && type != ThriftType::i64) damaged();
    return signed_number();
  }

  [[nodiscard]] bool flag(ThriftType type) const {
    if (type != ThriftType::yes && type != ThriftType::no) damaged();
    return type == ThriftType::yes;
  }

  /// Text or bytes, as they stand.
  [[nodiscard]] std::string_view text(ThriftType type) {
    if (type != ThriftType::binary) damaged();
    const std::uint64_t size = plain_number();
    if (size > left()) damaged();
    const auto found = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += found.size();
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }

 private:
  struct Depth {
    explicit Depth(ThriftReader& of) : reader(of) {
      if (++of.depth_ > max_depth) damaged();
    }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --reader.depth_; }
    ThriftReader& reader;
  };
  struct ListHead {
    std::size_t count;
    ThriftType members;
  };

  static constexpr int max_depth = 16;

  [[noreturn]] static void damaged() { throw DataError("its metadata is damaged"); }

  static ThriftType checked(int type) {
    if (type > static_cast<int>(ThriftType::structure)) damaged();
    return static_cast<ThriftType>(type);
  }

  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

  std::uint8_t byte() {
    if (left() == 0) damaged();
    return std::to_integer<std::uint8_t>(bytes_[at_++]);
  }

  std::uint64_t plain_number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      value |= std::uint64_t{part & 0x7FU} << shift;
      if (part < 0x80) return value;
    }
    damaged();
  }

  std::int64_t signed_number() {
    const std::uint64_t value = plain_number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }

  ListHead list_head() {
    const std::uint8_t head = byte();
    const std::uint64_t count = head >> 4 == 15 ? plain_number() : head >> 4;
    if (count > left()) damaged();  // a member takes a byte at least
    return {static_cast<std::size_t>(count), checked(head & 0x0F)};
  }

  void pass(ThriftType type) {
    switch (type) {
      case ThriftType::stop:
        damaged();
      case ThriftType::yes:
      case ThriftType::no:
        return;
      case ThriftType::i8:
        byte();
        return;
      case ThriftType::i16:
      case ThriftType::i32:
      case ThriftType::i64:
        plain_number();
        return;
      case ThriftType::real:
        if (left() < 8) damaged();
        at_ += 8;
        return;
      case ThriftType::binary:
        static_cast<void>(text(type));
        return;
      case ThriftType::set:
      case ThriftType::list: {
        const Depth within(*this);
        const auto [count, members] = list_head();
        for (std::size_t i = 0; i < count; ++i) pass_member(members);
        return;
      }
      case ThriftType::map: {
        const Depth within(*this);
        const std::uint64_t count = plain_number();
        if (count > left()) damaged();
        if (count == 0) return;
        const std::uint8_t kinds = byte();
        for (std::uint64_t i = 0; i < count; ++i) {
          pass_member(checked(kinds >> 4));
          pass_member(checked(kinds & 0x0F));
        }
        return;
      }
      case ThriftType::structure:
        fields([](int, ThriftType) { return false; });
        return;
    }
  }

  /// In lists a truth takes a byte of its own.
  void pass_member(ThriftType type) {
    if (type == ThriftType::yes || type == ThriftType::no)
      byte();
    else
      pass(type);
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace liqcore::columns
