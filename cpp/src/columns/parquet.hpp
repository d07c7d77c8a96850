/// The metadata of Parquet files: read from bytes that may be anything, and checked before anything is done with them.
///
/// Private to the bindings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace liqcore::columns {

/// A column without columns below it, as the schema has it. Numbers are those of the format; -1: not said.
struct ParquetColumn {
  std::string path;  ///< names from the top, joined by dots
  int type = -1;     ///< 0 boolean, 1 int32, 2 int64, 3 int96, 4 float, 5 double, 6 bytes, 7 bytes of one length
  int length = 0;    ///< of the last kind
  int converted = -1;
  int scale = 0;          ///< of decimals
  int levels = 0;         ///< how many of it and of those above may be missing: 0 for a column without nulls
  bool repeated = false;  ///< in a list, here or above
  bool is_text = false;   ///< bytes that are UTF-8
  /// What `logicalType` says of an integer: of a time the digits of a second (3, 6, 9), else 0.
  int time_digits = 0;
};

/// One column in one row group, within the file: bytes `begin` to `begin + size`.
struct ParquetChunk {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t unpacked = 0;
  std::uint64_t values = 0;
  int codec = 0;
  std::uint32_t encodings = 0;       ///< bit i: encoding number i stands in it
  std::int64_t nulls = -1;           ///< -1: not said
  std::optional<std::string> least;  ///< from the statistics, as stored
  std::optional<std::string> greatest;
};

struct ParquetGroup {
  std::uint64_t rows = 0;
  std::vector<ParquetChunk> chunks;  ///< one for each column, in their order
};

struct ParquetFooter {
  std::vector<ParquetColumn> columns;
  std::vector<ParquetGroup> groups;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Limits that no file of trades comes near; what goes beyond them is refused before it is held.
struct ParquetLimits {
  std::uint64_t columns = 10'000;
  std::uint64_t groups = 100'000;
  std::uint64_t unpacked = std::uint64_t{1} << 36;  ///< bytes of a chunk
};

/// Reads and checks a footer: sizes, offsets and counts against the file, every column in every row group, known types,
/// codecs and encodings, no byte of the file in two chunks.
/// @param bytes     the footer, without its length and the mark at the end
/// @param pages_end  where the footer begins in the file: pages lie between byte 4 and there
/// @throws DataError  naming what is damaged
[[nodiscard]] ParquetFooter read_footer(std::span<const std::byte> bytes, std::uint64_t pages_end,
                                        const ParquetLimits& limits = {});

enum class PageKind : std::uint8_t { data, dictionary, data_v2 };

/// A page of a chunk: its contents are bytes `begin` to `begin + size` of the chunk.
struct ParquetPage {
  PageKind kind = PageKind::data;
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t unpacked = 0;
  std::uint64_t values = 0;
  int encoding = 0;
  int level_encoding = 3;   ///< of the first kind of data pages
  std::uint64_t nulls = 0;  ///< of the second kind of data pages, as the rest
  std::uint64_t repetition_bytes = 0;
  std::uint64_t definition_bytes = 0;
  bool is_packed = true;
  std::int64_t checksum = -1;  ///< CRC-32 of its contents; -1: not said
};

/// Walks over the pages of a chunk and checks them against what the footer says: sizes, number of values, encodings,
/// at most one dictionary, in front.
/// @throws DataError  naming what is damaged
[[nodiscard]] std::vector<ParquetPage> read_pages(std::span<const std::byte> chunk, const ParquetChunk& said);

}  // namespace liqcore::columns
