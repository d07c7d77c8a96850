#include "columns/arrow.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>

#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

static_assert(std::endian::native == std::endian::little, "bits and strings are read as on little-endian machines");

// --- reading -----------------------------------------------------------------------------------------------------

/// A copy of the struct that calls its release with the last owner; the original is left moved.
template <class Struct>
std::shared_ptr<Struct> take(Struct& from) {
  auto* moved = new Struct(from);
  from.release = nullptr;
  return std::shared_ptr<Struct>(moved, [](Struct* mine) {
    if (mine->release != nullptr) mine->release(mine);
    delete mine;
  });
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

std::shared_ptr<const std::vector<ArrowField>> fields_of(const ArrowSchema& schema) {
  if (text_or_empty(schema.format) != "+s")
    throw ArrowError("expected a table, whose rows are structs of columns, found the format '" +
                     text_or_empty(schema.format) + "'");
  auto fields = std::make_shared<std::vector<ArrowField>>();
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    fields->push_back({text_or_empty(child.name), text_or_empty(child.format),
                       child.dictionary == nullptr ? std::string() : text_or_empty(child.dictionary->format)});
  }
  return fields;
}

std::size_t number_width(std::string_view format) {
  if (format.size() == 1) {
    constexpr std::string_view known = "cCsSiIlLfg";
    constexpr std::array<std::size_t, 10> widths{1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
    const std::size_t at = known.find(format[0]);
    return at == std::string_view::npos ? 0 : widths[at];
  }
  return format.substr(0, 2) == "ts" ? 8 : 0;
}

bool is_whole(std::string_view format) { return format.size() == 1 && std::strchr("cCsSiIlL", format[0]) != nullptr; }

bool is_text(std::string_view format) { return format == "u" || format == "U" || format == "vu"; }

bool bit(const void* bits, std::int64_t i) {
  return (static_cast<const std::uint8_t*>(bits)[i >> 3] >> (i & 7) & 1) != 0;
}

/// Zeros among `n` bits from `begin` on.
std::int64_t count_zeros(const void* bits, std::int64_t begin, std::int64_t n) {
  const auto* bytes = static_cast<const std::uint8_t*>(bits);
  std::int64_t zeros = 0;
  std::int64_t i = begin;
  const std::int64_t end = begin + n;
  for (; i < end && (i & 7) != 0; ++i) zeros += bit(bits, i) ? 0 : 1;
  for (; i + 64 <= end; i += 64) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + (i >> 3), sizeof word);
    zeros += 64 - std::popcount(word);
  }
  for (; i < end; ++i) zeros += bit(bits, i) ? 0 : 1;
  return zeros;
}

std::int64_t count_nulls(const ArrowArray& array, std::int64_t begin, std::int64_t n) {
  if (array.null_count == 0 || array.n_buffers < 1 || array.buffers[0] == nullptr) return 0;
  return count_zeros(array.buffers[0], begin, n);
}

/// Bytes of 0 and 1, one a bit; `flip` 1 turns them over.
void unpack_bits(const void* bits, std::int64_t begin, std::span<std::uint8_t> out, std::uint8_t flip) {
  const auto* bytes = static_cast<const std::uint8_t*>(bits);
  std::size_t done = 0;
  const auto n = out.size();
  for (; done < n && ((begin + static_cast<std::int64_t>(done)) & 7) != 0; ++done)
    out[done] = static_cast<std::uint8_t>(bit(bits, begin + static_cast<std::int64_t>(done)) ^ (flip != 0));
  const std::uint64_t flips = 0x0101010101010101ULL * flip;
  for (; done + 8 <= n; done += 8) {
    // One bit of the byte to each byte of the word: copies of it side by side, each masked to its own bit.
    const std::uint64_t byte = bytes[(begin + static_cast<std::int64_t>(done)) >> 3];
    const std::uint64_t masked = (byte * 0x0101010101010101ULL) & 0x8040201008040201ULL;
    const std::uint64_t spread = ((masked + 0x00406070787C7E7FULL) >> 7 & 0x0101010101010101ULL) ^ flips;
    std::memcpy(out.data() + done, &spread, sizeof spread);
  }
  for (; done < n; ++done)
    out[done] = static_cast<std::uint8_t>(bit(bits, begin + static_cast<std::int64_t>(done)) ^ (flip != 0));
}

template <class T>
T load(const void* values, std::int64_t i) {
  T out;
  std::memcpy(&out, static_cast<const char*>(values) + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return out;
}

/// Any whole number as int64; uint64 above its range becomes negative, which no caller takes for a code or a bit.
std::int64_t load_whole(char format, const void* values, std::int64_t i) {
  switch (format) {
    case 'c':
      return load<std::int8_t>(values, i);
    case 'C':
      return load<std::uint8_t>(values, i);
    case 's':
      return load<std::int16_t>(values, i);
    case 'S':
      return load<std::uint16_t>(values, i);
    case 'i':
      return load<std::int32_t>(values, i);
    case 'I':
      return load<std::uint32_t>(values, i);
    default:
      return load<std::int64_t>(values, i);
  }
}

void require_buffers(const ArrowArray& array, std::int64_t n) {
  if (array.n_buffers < n || array.buffers == nullptr)
    throw ArrowError("a column has " + std::to_string(array.n_buffers) + " buffers, its type needs " +
                     std::to_string(n));
  for (std::int64_t i = 1; i < n; ++i)
    if (array.buffers[i] == nullptr && array.length > 0) throw ArrowError("a column with rows has no data");
}

/// Word i of a text array, counted from its first buffer element (offset included).
std::string_view word(const ArrowArray& array, std::string_view format, std::int64_t i) {
  if (format == "vu") {  // 16 bytes: length, then the text if it is short, or its first 4 bytes, buffer and offset
    const char* view = static_cast<const char*>(array.buffers[1]) + 16 * i;
    const auto length = load<std::int32_t>(view, 0);
    if (length <= 12) return {view + 4, static_cast<std::size_t>(length)};
    const auto buffer = load<std::int32_t>(view, 2);
    const auto at = load<std::int32_t>(view, 3);
    return {static_cast<const char*>(array.buffers[2 + buffer]) + at, static_cast<std::size_t>(length)};
  }
  const bool is_long = format == "U";
  const std::int64_t from = is_long ? load<std::int64_t>(array.buffers[1], i) : load<std::int32_t>(array.buffers[1], i);
  const std::int64_t to =
      is_long ? load<std::int64_t>(array.buffers[1], i + 1) : load<std::int32_t>(array.buffers[1], i + 1);
  if (to < from) throw ArrowError("a text column has falling offsets");
  return {static_cast<const char*>(array.buffers[2]) + from, static_cast<std::size_t>(to - from)};
}

text::SideCode side_code(bool true_is_sell) {
  return true_is_sell ? text::SideCode::true_is_sell : text::SideCode::true_is_buy;
}

void require_text(const ArrowArray& array, std::string_view format) {
  if (array.length == 0) return;
  require_buffers(array, 2);
  if (format != "vu" && array.n_buffers < 3) throw ArrowError("a text column has no text");
}

}  // namespace

ArrowBatch::ArrowBatch(std::shared_ptr<const std::vector<ArrowField>> fields, std::shared_ptr<const ArrowArray> array)
    : fields_(std::move(fields)), array_(std::move(array)) {
  if (array_->length < 0 || array_->offset < 0 || array_->n_children != static_cast<std::int64_t>(fields_->size()))
    throw ArrowError("a batch has " + std::to_string(array_->n_children) + " columns, its schema " +
                     std::to_string(fields_->size()));
  for (std::size_t i = 0; i < fields_->size(); ++i)
    if (child(i).offset < 0 || child(i).length < array_->offset + array_->length)
      throw ArrowError("column " + (*fields_)[i].name + " is shorter than its batch");
}

// A batch that was cut out of another has its own offset, which the columns do not know of.
std::int64_t ArrowBatch::begin(std::size_t column) const noexcept { return array_->offset + child(column).offset; }

std::int64_t ArrowBatch::null_rows() const { return count_nulls(*array_, array_->offset, array_->length); }

std::int64_t ArrowBatch::code(std::size_t column, std::int64_t row) const {
  const std::int64_t at = load_whole((*fields_)[column].format[0], child(column).buffers[1], begin(column) + row);
  if (at < 0 || at >= child(column).dictionary->length)
    throw ArrowError("column " + (*fields_)[column].name + " has a code outside its dictionary");
  return at;
}

std::int64_t ArrowBatch::nulls(std::size_t column) const {
  const ArrowField& field = (*fields_)[column];
  const ArrowArray& array = child(column);
  if (field.format == "n") return array_->length;
  const std::int64_t own = count_nulls(array, begin(column), array_->length);
  if (field.words.empty() || own > 0 || array.dictionary == nullptr) return own;
  const ArrowArray& dictionary = *array.dictionary;
  if (count_nulls(dictionary, dictionary.offset, dictionary.length) == 0) return own;
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < array_->length; ++row)
    count += bit(dictionary.buffers[0], dictionary.offset + code(column, row)) ? 0 : 1;
  return count;
}

std::size_t ArrowBatch::width(std::size_t column) const {
  const ArrowField& field = (*fields_)[column];
  return field.words.empty() ? number_width(field.format) : 0;
}

const void* ArrowBatch::values(std::size_t column) const {
  if (array_->length == 0) return nullptr;
  require_buffers(child(column), 2);
  return static_cast<const char*>(child(column).buffers[1]) + begin(column) * static_cast<std::int64_t>(width(column));
}

bool ArrowBatch::has_sides(std::size_t column) const {
  const ArrowField& field = (*fields_)[column];
  if (!field.words.empty()) return is_text(field.words) && is_whole(field.format);
  return field.format == "b" || is_whole(field.format) || is_text(field.format);
}

SideCounts ArrowBatch::sides(std::size_t column, bool true_is_sell, std::span<std::uint8_t> out) const {
  const ArrowField& field = (*fields_)[column];
  const ArrowArray& array = child(column);
  const std::int64_t first = begin(column);
  const auto n = static_cast<std::int64_t>(out.size());
  SideCounts counts;
  if (n == 0) return counts;
  const auto set = [&](std::int64_t row, text::Side side, auto&& says) {
    out[static_cast<std::size_t>(row)] = side == text::Side::sell ? 1 : 0;
    if (side == text::Side::buy || side == text::Side::sell) return;
    if (counts.unknown++ == 0) counts.example = says();
  };
  if (!field.words.empty()) {
    require_buffers(array, 2);
    if (array.dictionary == nullptr) throw ArrowError("column " + field.name + " has no dictionary");
    const ArrowArray& dictionary = *array.dictionary;
    require_text(dictionary, field.words);
    const auto at = [&](std::int64_t i) { return word(dictionary, field.words, dictionary.offset + i); };
    std::vector<text::Side> known;
    for (std::int64_t i = 0; i < dictionary.length; ++i)
      known.push_back(text::parse_side(at(i), side_code(true_is_sell)));
    for (std::int64_t row = 0; row < n; ++row) {
      const std::int64_t i = code(column, row);
      set(row, known[static_cast<std::size_t>(i)], [&] { return std::string(at(i)); });
    }
  } else if (field.format == "b") {
    require_buffers(array, 2);
    unpack_bits(array.buffers[1], first, out, true_is_sell ? 0 : 1);
  } else if (is_text(field.format)) {
    require_text(array, field.format);
    for (std::int64_t row = 0; row < n; ++row) {
      const std::string_view says = word(array, field.format, first + row);
      set(row, text::parse_side(says, side_code(true_is_sell)), [&] { return std::string(says); });
    }
  } else {
    require_buffers(array, 2);
    for (std::int64_t row = 0; row < n; ++row) {
      const std::int64_t value = load_whole(field.format[0], array.buffers[1], first + row);
      const bool known = value == 0 || value == 1;
      const text::Side side = !known                         ? text::Side::unreadable
                              : (value == 1) == true_is_sell ? text::Side::sell
                                                             : text::Side::buy;
      set(row, side, [&] { return std::to_string(value); });
    }
  }
  return counts;
}

template <class Say>
void ArrowBatch::each_word(std::size_t column, std::int64_t rows, Say&& say) const {
  const ArrowField& field = (*fields_)[column];
  const ArrowArray& array = child(column);
  const std::int64_t first = begin(column);
  if (rows == 0) return;
  if (!field.words.empty()) {
    require_buffers(array, 2);
    if (array.dictionary == nullptr) throw ArrowError("column " + field.name + " has no dictionary");
    const ArrowArray& dictionary = *array.dictionary;
    require_text(dictionary, field.words);
    for (std::int64_t row = 0; row < rows; ++row)
      say(row, word(dictionary, field.words, dictionary.offset + code(column, row)));
  } else if (field.format == "b") {
    require_buffers(array, 2);
    std::vector<std::uint8_t> bits(static_cast<std::size_t>(rows));
    unpack_bits(array.buffers[1], first, bits, 0);
    for (std::int64_t row = 0; row < rows; ++row) say(row, bits[static_cast<std::size_t>(row)] != 0 ? "true" : "false");
  } else if (is_text(field.format)) {
    require_text(array, field.format);
    for (std::int64_t row = 0; row < rows; ++row) say(row, word(array, field.format, first + row));
  } else {
    require_buffers(array, 2);
    for (std::int64_t row = 0; row < rows; ++row)
      say(row, std::to_string(load_whole(field.format[0], array.buffers[1], first + row)));
  }
}

void ArrowBatch::words(std::size_t column, std::span<const std::string> words, std::span<std::int8_t> out) const {
  each_word(column, static_cast<std::int64_t>(out.size()), [&](std::int64_t row, std::string_view says) {
    out[static_cast<std::size_t>(row)] = static_cast<std::int8_t>(text::find_word(says, words));
  });
}

std::vector<std::string> ArrowBatch::distinct(std::size_t column, std::size_t most) const {
  std::vector<std::string> found;
  std::size_t last = 0;  // mostly the same again
  each_word(column, static_cast<std::int64_t>(size()), [&](std::int64_t, std::string_view says) {
    if (last < found.size() && found[last] == says) return;
    last = static_cast<std::size_t>(std::ranges::find(found, says) - found.begin());
    if (last == found.size() && last < most) found.emplace_back(says);
  });
  return found;
}

ArrowReader::ArrowReader(ArrowArrayStream& from) {
  if (from.release == nullptr) throw ArrowError("the stream was consumed already");
  stream_ = take(from);
  ArrowSchema schema{};
  if (const int code = stream_->get_schema(stream_.get(), &schema); code != 0) {
    const std::string said = text_or_empty(stream_->get_last_error(stream_.get()));
    throw ArrowError(said.empty() ? std::string(std::strerror(code)) : said);
  }
  const auto owned = take(schema);
  fields_ = fields_of(*owned);
}

ArrowReader::ArrowReader(ArrowSchema& schema, ArrowArray& array) {
  if (schema.release == nullptr || array.release == nullptr) throw ArrowError("the array was consumed already");
  const auto owned = take(schema);
  single_ = take(array);
  fields_ = fields_of(*owned);
}

std::optional<ArrowBatch> ArrowReader::next() {
  if (!stream_) {
    if (!single_) return std::nullopt;
    return ArrowBatch(fields_, std::move(single_));
  }
  ArrowArray array{};
  if (const int code = stream_->get_next(stream_.get(), &array); code != 0) {
    const std::string said = text_or_empty(stream_->get_last_error(stream_.get()));
    throw ArrowError(said.empty() ? std::string(std::strerror(code)) : said);
  }
  if (array.release == nullptr) return std::nullopt;
  return ArrowBatch(fields_, take(array));
}

// --- writing -----------------------------------------------------------------------------------------------------

namespace {

/// Children of a struct of either kind, each in memory of its own so that a receiver can move it.
template <class Struct>
struct Children {
  std::vector<std::unique_ptr<Struct>> own;
  std::vector<Struct*> pointers;

  Children() = default;
  Children(Children&&) noexcept = default;
  Children& operator=(Children&&) = delete;

  Struct& add() {
    own.push_back(std::make_unique<Struct>());
    pointers.push_back(own.back().get());
    return *own.back();
  }

  void attach(Struct& parent) {
    parent.n_children = static_cast<std::int64_t>(pointers.size());
    parent.children = pointers.empty() ? nullptr : pointers.data();
  }

  ~Children() {
    for (Struct* child : pointers)
      if (child->release != nullptr) child->release(child);
  }
};

struct SchemaNode {
  std::string format;
  std::string name;
  std::string metadata;
  Children<ArrowSchema> children;
};

struct ArrayNode {
  std::shared_ptr<const ArrowTable> table;
  std::array<const void*, 3> buffers{};
  Children<ArrowArray> children;
};

template <class Node, class Struct>
void attach(Struct& out, std::unique_ptr<Node> node) {
  node->children.attach(out);
  out.private_data = node.release();
  out.release = [](Struct* mine) {
    delete static_cast<Node*>(mine->private_data);
    mine->release = nullptr;
  };
}

/// Pairs as the interface lays them out: a count, then length and bytes of each key and value.
std::string packed(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  const auto number = [&](std::size_t value) {
    const auto narrow = static_cast<std::int32_t>(value);
    out.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
  };
  number(pairs.size());
  for (const auto& [key, value] : pairs) {
    number(key.size());
    out += key;
    number(value.size());
    out += value;
  }
  return out;
}

void write_schema(ArrowSchema& out, std::string format, std::string name, std::string metadata,
                  Children<ArrowSchema> children = {}) {
  out = ArrowSchema{};
  auto node = std::make_unique<SchemaNode>(
      SchemaNode{std::move(format), std::move(name), std::move(metadata), std::move(children)});
  out.format = node->format.c_str();
  out.name = node->name.c_str();
  // No column has nulls, but one that may is what others make: then tables can be put together.
  out.flags = node->name.empty() ? 0 : ARROW_FLAG_NULLABLE;
  out.metadata = node->metadata.empty() ? nullptr : node->metadata.c_str();
  attach(out, std::move(node));
}

void write_array(ArrowArray& out, const std::shared_ptr<const ArrowTable>& table, std::int64_t length,
                 std::initializer_list<const void*> buffers, Children<ArrowArray> children = {}) {
  out = ArrowArray{};
  auto node = std::make_unique<ArrayNode>(ArrayNode{table, {}, std::move(children)});
  std::copy(buffers.begin(), buffers.end(), node->buffers.begin());
  out.length = length;
  out.n_buffers = static_cast<std::int64_t>(buffers.size());
  out.buffers = node->buffers.data();
  attach(out, std::move(node));
}

void export_batch(const std::shared_ptr<const ArrowTable>& table, ArrowArray& out) {
  Children<ArrowArray> columns;
  for (const ArrowColumn& column : table->columns) {
    if (column.offsets != nullptr) {
      write_array(columns.add(), table, table->rows, {nullptr, column.offsets, column.data});
    } else if (column.list_size < 0) {
      write_array(columns.add(), table, table->rows, {nullptr, column.data});
    } else {
      Children<ArrowArray> item;
      write_array(item.add(), table, table->rows * column.list_size, {nullptr, column.data});
      write_array(columns.add(), table, table->rows, {nullptr}, std::move(item));
    }
  }
  write_array(out, table, table->rows, {nullptr}, std::move(columns));
}

struct StreamState {
  std::shared_ptr<const ArrowTable> table;
  bool done = false;
  std::string error;

  template <class Write>
  int run(Write&& write) noexcept {
    try {
      write();
      return 0;
    } catch (const std::exception& caught) {
      try {
        error = caught.what();
      } catch (...) {
        error.clear();
      }
      return ENOMEM;  // all that can go wrong
    }
  }

  static StreamState& of(ArrowArrayStream* stream) { return *static_cast<StreamState*>(stream->private_data); }
};

}  // namespace

void export_schema(const ArrowTable& table, ArrowSchema& out) {
  Children<ArrowSchema> columns;
  for (const ArrowColumn& column : table.columns) {
    if (column.list_size < 0) {
      write_schema(columns.add(), column.format, column.name, {});
    } else {
      Children<ArrowSchema> item;
      write_schema(item.add(), column.format, "item", {});
      write_schema(columns.add(), "+w:" + std::to_string(column.list_size), column.name, {}, std::move(item));
    }
  }
  write_schema(out, "+s", "", packed(table.metadata), std::move(columns));
}

void export_stream(std::shared_ptr<const ArrowTable> table, ArrowArrayStream& out) {
  out = ArrowArrayStream{};
  out.private_data = new StreamState{std::move(table), false, {}};
  out.get_schema = [](ArrowArrayStream* mine, ArrowSchema* schema) {
    StreamState& state = StreamState::of(mine);
    return state.run([&] { export_schema(*state.table, *schema); });
  };
  out.get_next = [](ArrowArrayStream* mine, ArrowArray* array) {
    StreamState& state = StreamState::of(mine);
    *array = ArrowArray{};  // released: the end
    if (state.done) return 0;
    state.done = true;
    return state.run([&] { export_batch(state.table, *array); });
  };
  out.get_last_error = [](ArrowArrayStream* mine) -> const char* {
    const std::string& error = StreamState::of(mine).error;
    return error.empty() ? nullptr : error.c_str();
  };
  out.release = [](ArrowArrayStream* mine) {
    delete static_cast<StreamState*>(mine->private_data);
    mine->release = nullptr;
  };
}

}  // namespace liqcore::columns
