#include "liqcore/checksum.hpp"

#include <array>

#if defined(LIQCORE_X86_TARGETS)
#include <nmmintrin.h>

#include <cstring>
#endif

namespace liqcore::inline abi1 {
namespace {

using Table = std::array<std::uint32_t, 256>;

/// tables[k][b] is the checksum of the byte b with k zero bytes after it: eight bytes take eight looks at once.
constexpr std::array<Table, 8> make_tables() noexcept {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41, least significant bit first
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = rest;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

#if defined(LIQCORE_X86_TARGETS)
/// The instruction that x86 has for this very checksum: some four times as fast as the tables.
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const std::uint8_t* at, std::size_t left,
                                                               std::uint32_t crc) noexcept {
  std::uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    wide = _mm_crc32_u64(wide, eight);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) crc = _mm_crc32_u8(crc, *at);
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();
  std::uint32_t crc = ~before;
#if defined(LIQCORE_X86_TARGETS)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~by_instruction(at, left, crc);
#endif
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint32_t low = crc ^ (at[0] | at[1] << 8 | at[2] << 16 | static_cast<std::uint32_t>(at[3]) << 24);
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^
          kTables[3][at[4]] ^ kTables[2][at[5]] ^ kTables[1][at[6]] ^ kTables[0][at[7]];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xff];
  return ~crc;
}

}  // namespace liqcore::inline abi1
