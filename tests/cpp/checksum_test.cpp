#include "liqcore/checksum.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace {

using liqcore::crc32c;

std::uint32_t of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

/// Bit by bit, as the polynomial division is written down.
std::uint32_t slow(std::span<const std::byte> bytes) {
  std::uint32_t rest = 0xffffffff;
  for (const std::byte byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((rest ^ (std::to_integer<std::uint32_t>(byte) >> bit)) & 1) != 0;
      rest = (rest >> 1) ^ (carry ? 0x82f63b78 : 0);
    }
  return ~rest;
}

}  // namespace

TEST(Checksum, IsThatOfThePublishedVectors) {  // RFC 3720, appendix B.4, and the usual check value
  std::vector<std::byte> bytes(32);
  EXPECT_EQ(crc32c(bytes), 0x8a9136aaU);
  for (std::byte& byte : bytes) byte = std::byte{0xff};
  EXPECT_EQ(crc32c(bytes), 0x62a8ab43U);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46dd794eU);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113fdb5cU);
  EXPECT_EQ(of("123456789"), 0xe3069283U);
  EXPECT_EQ(of(""), 0U);
}

TEST(Checksum, GoesOnFromAnyPlaceAndEqualsTheSlowOne) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < 70; ++i) {
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::span all(bytes);
      ASSERT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), slow(all)) << i << " cut at " << cut;
    }
    bytes.push_back(static_cast<std::byte>((i * 149 + 7) % 256));
  }
}
