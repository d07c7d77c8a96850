/// Tables that come and go through Arrow's C interfaces, without an Arrow library.
///
/// Private to the library and its bindings. Who is given a struct owns it until its `release` is called; a moved one
/// has its `release` set to null. What is read here is borrowed from the batch, which is released with its last owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns/arrow_abi.h"
#include "liqcore/version.hpp"

namespace liqcore::columns {

/// A stream that failed, or whose data break the interface's rules; the message says what it said of it.
class LIQCORE_EXPORT ArrowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A column as the schema describes it.
struct ArrowField {
  std::string name;
  std::string format;  ///< as in the interface: "l" is int64, "tsn:UTC" a timestamp; of a dictionary, that of its codes
  std::string words;   ///< format of a dictionary's values; empty: the column has no dictionary
};

/// Counts of a side column.
struct SideCounts {
  std::int64_t unknown = 0;  ///< rows that say neither buy nor sell
  std::string example;       ///< what the first of them says
};

/// Rows of a stream. Immutable, and may be shared between threads.
class LIQCORE_EXPORT ArrowBatch {
 public:
  ArrowBatch(std::shared_ptr<const std::vector<ArrowField>> fields, std::shared_ptr<const ArrowArray> array);

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(array_->length); }
  /// Rows in which the batch itself, not one of its columns, is null.
  [[nodiscard]] std::int64_t null_rows() const;
  /// Rows of a column that hold nothing.
  /// @throws ArrowError if a code of a dictionary column lies outside the dictionary
  [[nodiscard]] std::int64_t nulls(std::size_t column) const;
  /// Bytes of a value in a column of numbers or timestamps; 0: it holds something else, or has a dictionary.
  [[nodiscard]] std::size_t width(std::size_t column) const;
  /// First value of such a column, in place, perhaps not aligned; null if there are no rows.
  [[nodiscard]] const void* values(std::size_t column) const;
  /// Whether a column can say sides: bits, whole numbers, words, or words in a dictionary.
  [[nodiscard]] bool has_sides(std::size_t column) const;
  /// Whether each row is a sell: bits and 0 or 1 as `true_is_sell` says, words as text::parse_side() reads them.
  /// @pre has_sides(column), nulls(column) == 0, out.size() == size()
  /// @throws ArrowError if the data break the interface's rules
  SideCounts sides(std::size_t column, bool true_is_sell, std::span<std::uint8_t> out) const;
  /// Which of some words in lower case stands in each row, as text::find_word() tells; of whole numbers and bits, the
  /// word of their digits.
  /// @pre has_sides(column), nulls(column) == 0, out.size() == size()
  /// @throws ArrowError as `sides` does
  void words(std::size_t column, std::span<const std::string> words, std::span<std::int8_t> out) const;
  /// The first different words of a column, at most so many, as `words` reads them.
  [[nodiscard]] std::vector<std::string> distinct(std::size_t column, std::size_t most) const;

 private:
  template <class Say>
  void each_word(std::size_t column, std::int64_t rows, Say&& say) const;
  [[nodiscard]] const ArrowArray& child(std::size_t column) const { return *array_->children[column]; }
  [[nodiscard]] std::int64_t begin(std::size_t column) const noexcept;
  [[nodiscard]] std::int64_t code(std::size_t column, std::int64_t row) const;

  std::shared_ptr<const std::vector<ArrowField>> fields_;
  std::shared_ptr<const ArrowArray> array_;
};

/// A stream of batches, or a single one. One thread at a time.
class LIQCORE_EXPORT ArrowReader {
 public:
  /// Takes the stream over, also where this throws.
  /// @throws ArrowError if it was consumed already, fails, or is no table
  explicit ArrowReader(ArrowArrayStream& from);
  /// Takes one batch over, also where this throws.
  ArrowReader(ArrowSchema& schema, ArrowArray& array);

  [[nodiscard]] const std::vector<ArrowField>& fields() const noexcept { return *fields_; }
  /// The next batch, or none at the end. Runs the producer's code: hold no lock that it may need.
  /// @throws ArrowError with the producer's message if it fails
  std::optional<ArrowBatch> next();

 private:
  std::shared_ptr<ArrowArrayStream> stream_;
  std::shared_ptr<const ArrowArray> single_;
  std::shared_ptr<const std::vector<ArrowField>> fields_;
};

/// A column to hand out: rows of numbers, or of text, that lie one after the other.
struct ArrowColumn {
  std::string name;
  std::string format;             ///< of the interface; "b": `data` are bits, the lowest first; "U": bytes of text
  const void* data = nullptr;     ///< must live as long as the table's owner
  std::int64_t list_size = -1;    ///< numbers in each row, a fixed-size list of them; -1: the row is the number
  const void* offsets = nullptr;  ///< of text: int64, where each row begins in `data`, and the end of the last
};

/// A table to hand out. The owner is let go when the last of what was made of it is released.
struct ArrowTable {
  std::vector<ArrowColumn> columns;
  std::int64_t rows = 0;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::shared_ptr<const void> owner;
};

/// Writes a schema that the receiver releases.
LIQCORE_EXPORT void export_schema(const ArrowTable& table, ArrowSchema& out);
/// Writes a stream of one batch that the receiver releases; nothing is copied.
LIQCORE_EXPORT void export_stream(std::shared_ptr<const ArrowTable> table, ArrowArrayStream& out);

}  // namespace liqcore::columns
