/// The checksum of liqcore's files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of bytes: of "123456789" it is 0xe3069283.
///
/// The same on every machine; about a nanosecond for two bytes.
/// @param before  checksum of what came before, to go on from: crc32c(b, crc32c(a)) is that of a and b in a row
LIQCORE_EXPORT std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

}  // namespace liqcore::inline abi1
