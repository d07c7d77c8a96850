#include "columns/parquet_values.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "liqcore/error.hpp"

namespace liqcore::columns {
namespace {

constexpr std::size_t kGroup = 8;  // packed numbers come in groups of so many; writers fill up the last ones
constexpr int kMostBits = 32;

[[noreturn]] void refuse(const char* what) { throw DataError(what); }

/// A little-endian number of up to eight bytes.
std::uint64_t number(std::span<const std::byte> bytes) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) out |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
  return out;
}

std::uint64_t eight(const std::byte* at) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, sizeof out);
    return out;
  } else {
    return number({at, 8});
  }
}

std::uint64_t take_header(std::span<const std::byte>& bytes) {
  std::uint64_t out = 0;
  for (int shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
    const auto part = std::to_integer<std::uint64_t>(bytes.front());
    bytes = bytes.subspan(1);
    out |= (part & 0x7F) << shift;
    if (part < 0x80) return out;
  }
  refuse("values end early");
}

/// Numbers of `width` bits that stand one after another, the lowest bits first.
void unpack(std::span<const std::byte> bytes, int width, std::span<std::uint32_t> out) noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  std::size_t bit = 0;
  for (std::uint32_t& value : out) {
    const std::size_t at = bit / 8;
    const std::uint64_t window = at + 8 <= bytes.size() ? eight(bytes.data() + at) : number(bytes.subspan(at));
    value = static_cast<std::uint32_t>(window >> bit % 8 & mask);
    bit += static_cast<std::size_t>(width);
  }
}

}  // namespace

std::size_t read_runs(std::span<const std::byte> bytes, int width, std::uint32_t limit, std::span<std::uint32_t> out) {
  if (width < 0 || width > kMostBits) refuse("values of an unknown width");
  const auto bits = static_cast<std::size_t>(width);
  std::span<const std::byte> left = bytes;
  while (!out.empty()) {
    const std::uint64_t header = take_header(left);
    const std::uint64_t count = header >> 1;
    std::size_t here = 0;
    if ((header & 1) != 0) {
      if (bits != 0 && count > left.size() / bits) refuse("values end early");
      here = static_cast<std::size_t>(std::min<std::uint64_t>(count, out.size())) * kGroup;
      here = std::min(here, out.size());
      if (width != 0)
        unpack(left, width, out.first(here));
      else
        std::fill_n(out.begin(), here, 0U);
      left = left.subspan(static_cast<std::size_t>(count) * bits);
    } else {
      if (count > out.size()) refuse("more values than said");
      here = static_cast<std::size_t>(count);
      const std::size_t size = (bits + 7) / 8;
      if (size > left.size()) refuse("values end early");
      std::fill_n(out.begin(), here, static_cast<std::uint32_t>(number(left.first(size))));
      left = left.subspan(size);
    }
    if (here != 0 && *std::max_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(here)) >= limit)
      refuse("a value beyond the last there is");
    out = out.subspan(here);
  }
  return bytes.size() - left.size();
}

std::vector<std::string_view> read_words(std::span<const std::byte> bytes, std::size_t count) {
  constexpr std::size_t head = 4;
  if (count > bytes.size() / head) refuse("values end early");
  std::vector<std::string_view> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (bytes.size() < head) refuse("values end early");
    const std::uint64_t size = number(bytes.first(head));
    bytes = bytes.subspan(head);
    if (size > bytes.size()) refuse("values end early");
    out.emplace_back(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return out;
}

}  // namespace liqcore::columns
