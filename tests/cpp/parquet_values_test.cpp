#include "columns/parquet_values.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "liqcore/error.hpp"

namespace liqcore {
namespace {

using columns::read_runs;
using columns::read_words;

using Bytes = std::vector<std::byte>;
using Numbers = std::vector<std::uint32_t>;

Bytes bytes(std::initializer_list<int> of) {
  Bytes out;
  for (const int value : of) out.push_back(static_cast<std::byte>(value));
  return out;
}

void put_header(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

/// Numbers as the format has them: now a run, now groups of packed bits.
Bytes written(const Numbers& numbers, int width, std::mt19937_64& random) {
  Bytes out;
  std::size_t at = 0;
  while (at < numbers.size()) {
    std::size_t same = 1;
    while (at + same < numbers.size() && numbers[at + same] == numbers[at]) ++same;
    if (same >= 8 || random() % 4 == 0) {
      put_header(out, same << 1);
      for (int i = 0; i < (width + 7) / 8; ++i) out.push_back(static_cast<std::byte>(numbers[at] >> 8 * i));
      at += same;
      continue;
    }
    const std::size_t left = numbers.size() - at;
    const std::size_t groups = left < 8 ? 1 : 1 + random() % (left / 8);
    put_header(out, groups << 1 | 1);
    std::vector<bool> bits;
    for (std::size_t i = 0; i < groups * 8; ++i) {
      const std::uint32_t value = at + i < numbers.size() ? numbers[at + i] : 0;
      for (int bit = 0; bit < width; ++bit) bits.push_back((value >> bit & 1) != 0);
    }
    for (std::size_t i = 0; i < bits.size(); i += 8) {
      int byte = 0;
      for (std::size_t bit = 0; bit < 8; ++bit) byte |= bits[i + bit] ? 1 << bit : 0;
      out.push_back(static_cast<std::byte>(byte));
    }
    at += std::min(left, groups * 8);
  }
  return out;
}

TEST(ParquetValues, WhatWasWrittenIsRead) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const int width = static_cast<int>(random() % 33);
    const std::uint64_t most = (std::uint64_t{1} << width) - 1;
    Numbers numbers(random() % 200);
    std::uint32_t last = 0;
    for (std::uint32_t& number : numbers)
      number = last = random() % 3 == 0 ? static_cast<std::uint32_t>(random() & most) : last;
    Numbers found(numbers.size());
    const Bytes packed = written(numbers, width, random);
    const std::uint32_t limit = most >= 0xFFFFFFFF ? 0xFFFFFFFF : static_cast<std::uint32_t>(most) + 1;
    ASSERT_EQ(read_runs(packed, width, limit, found), packed.size());
    ASSERT_EQ(found, numbers);
    for (std::size_t size = 0; size < packed.size(); ++size)
      ASSERT_THROW(read_runs(std::span(packed).first(size), width, limit, found), DataError);
  }
}

TEST(ParquetValues, WhatIsBeyondTheLastIsRefused) {
  Numbers found(8);
  const Bytes packed = bytes({3, 0b11100100, 0b11100100});  // 0 1 2 3 0 1 2 3, in two bits each
  EXPECT_EQ(read_runs(packed, 2, 4, found), 3U);
  EXPECT_EQ(found, (Numbers{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_THROW(read_runs(packed, 2, 3, found), DataError);
  EXPECT_THROW(read_runs(bytes({16, 3}), 2, 3, found), DataError);
}

TEST(ParquetValues, MoreThanSaidIsRefused) {
  Numbers found(8);
  EXPECT_THROW(read_runs(bytes({18, 1}), 1, 2, found), DataError);                      // a run of nine
  EXPECT_EQ(read_runs(bytes({5, 0, 0}), 1, 2, found), 3U);                              // two groups, one to fill up
  EXPECT_THROW(read_runs(bytes({255, 255, 255, 255, 15, 1}), 1, 2, found), DataError);  // 2^31 groups
  EXPECT_EQ(read_runs(bytes({255, 255, 255, 255, 15}), 0, 1, found), 5U);               // of nothing but zeros
  EXPECT_THROW(read_runs(bytes({255, 255, 255, 255, 255, 255, 255, 255, 255}), 1, 2, found), DataError);
  EXPECT_THROW(read_runs(bytes({16, 1}), 33, 2, found), DataError);
  EXPECT_EQ(read_runs({}, 32, 2, std::span(found).first(0)), 0U);
}

TEST(ParquetValues, WordsStandBehindTheirLength) {
  const Bytes packed = bytes({2, 0, 0, 0, 'h', 'i', 0, 0, 0, 0, 1, 0, 0, 0, '!'});
  EXPECT_EQ(read_words(packed, 3), (std::vector<std::string_view>{"hi", "", "!"}));
  for (std::size_t size = 0; size < packed.size(); ++size)
    EXPECT_THROW(static_cast<void>(read_words(std::span(packed).first(size), 3)), DataError);
  EXPECT_THROW(static_cast<void>(read_words(packed, std::size_t{1} << 62)), DataError);
}

}  // namespace
}  // namespace liqcore
