#include "columns/parquet.hpp"

#include <algorithm>
#include <string_view>

#include "columns/thrift.hpp"
#include "liqcore/error.hpp"

namespace liqcore::columns {
namespace {

constexpr int last_type = 7;
constexpr int last_codec = 7;
constexpr int last_encoding = 9;
constexpr std::uint64_t first_page = 4;  // after the mark "PAR1"

[[noreturn]] void refuse(const std::string& what) { throw DataError(what); }

/// A name out of a file, as a message may show it: short, and nothing in it that a terminal would obey.
std::string shown(std::string_view name) {
  constexpr std::size_t most = 60;
  std::string out(name.substr(0, most));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return name.size() > most ? out + "..." : out;
}

std::uint64_t not_negative(std::int64_t value, const char* what) {
  if (value < 0) refuse(std::string(what) + " must not be negative, was " + std::to_string(value));
  return static_cast<std::uint64_t>(value);
}

int small(std::int64_t value, int last, const char* what) {
  if (value < 0 || value > last) refuse(std::string("unknown ") + what + " " + std::to_string(value));
  return static_cast<int>(value);
}

/// An element of the schema, which is a tree written from the top.
struct Element {
  std::string name;
  int type = -1;
  int length = 0;
  int repetition = 0;
  std::uint64_t children = 0;
  int converted = -1;
  int scale = 0;
  bool is_text = false;
  int time_digits = 0;
};

/// `logicalType`: whether it is text, and of a time which unit.
void read_logical(ThriftReader& in, Element& out) {
  in.fields([&](int kind, ThriftType type) {
    constexpr int text = 1, choice = 4, timestamp = 8;
    out.is_text = out.is_text || kind == text || kind == choice;
    if (type != ThriftType::structure || kind != timestamp) return false;
    in.fields([&](int id, ThriftType inner) {
      if (id != 2 || inner != ThriftType::structure) return false;
      in.fields([&](int unit, ThriftType) {
        if (unit >= 1 && unit <= 3) out.time_digits = 3 * unit;
        return false;
      });
      return true;
    });
    return true;
  });
}

Element read_element(ThriftReader& in) {
  Element out;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 1:
        out.type = small(in.number(type), last_type, "type");
        return true;
      case 2:
        out.length = small(in.number(type), 1 << 20, "length of values");
        return true;
      case 3:
        out.repetition = small(in.number(type), 2, "repetition");
        return true;
      case 4:
        out.name = in.text(type);
        return true;
      case 5:
        out.children = not_negative(in.number(type), "number of columns");
        return true;
      case 6:
        out.converted = small(in.number(type), 255, "converted type");
        return true;
      case 7:
        out.scale = small(in.number(type), 10'000, "scale");
        return true;
      case 10:
        if (type != ThriftType::structure) return false;
        read_logical(in, out);
        return true;
      default:
        return false;
    }
  });
  return out;
}

/// Walks down the schema and lists what has no columns below it.
class Leaves {
 public:
  Leaves(const std::vector<Element>& schema, std::uint64_t limit) : schema_(schema), limit_(limit) {}

  std::vector<ParquetColumn> all() {
    if (schema_.empty() || schema_[0].children == 0) refuse("a file without columns");
    const std::uint64_t children = schema_[at_++].children;
    for (std::uint64_t i = 0; i < children; ++i) walk("", 0, false, 0);
    if (at_ != schema_.size()) refuse("its schema does not hold together");
    return std::move(found_);
  }

 private:
  void walk(const std::string& above, int levels, bool repeated, int depth) {
    constexpr int max_depth = 64;
    if (at_ >= schema_.size() || depth > max_depth) refuse("its schema does not hold together");
    const Element& here = schema_[at_++];
    std::string path = above.empty() ? here.name : above + "." + here.name;
    levels += here.repetition != 0 ? 1 : 0;
    repeated = repeated || here.repetition == 2;
    if (here.children != 0) {
      for (std::uint64_t i = 0; i < here.children; ++i) walk(path, levels, repeated, depth + 1);
      return;
    }
    if (here.type < 0) refuse("column " + shown(path) + " has no type");
    if (found_.size() >= limit_) refuse("more than " + std::to_string(limit_) + " columns (limits.columns)");
    found_.push_back({.path = std::move(path),
                      .type = here.type,
                      .length = here.length,
                      .converted = here.converted,
                      .scale = here.scale,
                      .levels = levels,
                      .repeated = repeated,
                      .is_text = here.is_text || here.converted == 0 || here.converted == 4,
                      .time_digits = here.time_digits});
  }

  const std::vector<Element>& schema_;
  std::uint64_t limit_;
  std::size_t at_ = 0;
  std::vector<ParquetColumn> found_;
};

void read_statistics(ThriftReader& in, ParquetChunk& out) {
  std::optional<std::string> old_least, old_greatest;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 1:
        old_greatest = in.text(type);
        return true;
      case 2:
        old_least = in.text(type);
        return true;
      case 3:
        out.nulls = static_cast<std::int64_t>(not_negative(in.number(type), "number of nulls"));
        return true;
      case 5:
        out.greatest = in.text(type);
        return true;
      case 6:
        out.least = in.text(type);
        return true;
      default:
        return false;
    }
  });
  if (!out.least || !out.greatest) {
    out.least = old_least;
    out.greatest = old_greatest;
  }
}

/// A chunk, and which column it says to be.
struct NamedChunk {
  ParquetChunk chunk;
  std::string path;
  int type = -1;
  std::uint64_t data_begin = 0;
  std::uint64_t dictionary_begin = 0;
  bool is_elsewhere = false;
  bool is_encrypted = false;
  bool has_metadata = false;
};

void read_column_metadata(ThriftReader& in, NamedChunk& out) {
  ParquetChunk& chunk = out.chunk;
  out.has_metadata = true;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 1:
        out.type = small(in.number(type), last_type, "type");
        return true;
      case 2:
        in.list(type, ThriftType::i32, [&] {
          chunk.encodings |= std::uint32_t{1} << small(in.number(ThriftType::i32), last_encoding, "encoding");
        });
        return true;
      case 3:
        in.list(type, ThriftType::binary, [&] {
          if (!out.path.empty()) out.path += '.';
          out.path += in.text(ThriftType::binary);
        });
        return true;
      case 4:
        chunk.codec = small(in.number(type), last_codec, "codec");
        return true;
      case 5:
        chunk.values = not_negative(in.number(type), "number of values");
        return true;
      case 6:
        chunk.unpacked = not_negative(in.number(type), "size");
        return true;
      case 7:
        chunk.size = not_negative(in.number(type), "size");
        return true;
      case 9:
        out.data_begin = not_negative(in.number(type), "place of a page");
        return true;
      case 11:
        out.dictionary_begin = not_negative(in.number(type), "place of a page");
        return true;
      case 12:
        if (type != ThriftType::structure) return false;
        read_statistics(in, chunk);
        return true;
      default:
        return false;
    }
  });
}

NamedChunk read_chunk(ThriftReader& in) {
  NamedChunk out;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 1:
        out.is_elsewhere = !in.text(type).empty();
        return true;
      case 3:
        if (type != ThriftType::structure) return false;
        read_column_metadata(in, out);
        return true;
      case 8:
      case 9:
        out.is_encrypted = true;
        return false;
      default:
        return false;
    }
  });
  return out;
}

/// Checks a chunk against its column, its row group and the file.
ParquetChunk checked(NamedChunk found, const ParquetColumn& column, std::uint64_t rows, std::uint64_t pages_end,
                     const ParquetLimits& limits) {
  const std::string name = "column " + shown(column.path);
  if (found.is_encrypted) refuse(name + " is encrypted");
  if (found.is_elsewhere) refuse(name + " lies in another file");
  if (!found.has_metadata || found.path != column.path || found.type != column.type)
    refuse("a row group has no column " + shown(column.path) + " where the schema has it");
  ParquetChunk& chunk = found.chunk;
  // A dictionary stands in front; some writers say 0 where there is none, or the place of the values.
  const bool has_dictionary = found.dictionary_begin != 0 && found.dictionary_begin < found.data_begin;
  chunk.begin = has_dictionary ? found.dictionary_begin : found.data_begin;
  if (chunk.begin < first_page || chunk.begin > pages_end || chunk.size > pages_end - chunk.begin ||
      found.data_begin - chunk.begin > chunk.size)
    refuse(name + " lies outside the file");
  if (chunk.unpacked > limits.unpacked)
    refuse(name + " unpacks to more than " + std::to_string(limits.unpacked >> 20) + " MiB in one row group");
  if (!column.repeated && chunk.values != rows)
    refuse(name + " has " + std::to_string(chunk.values) + " values in a row group of " + std::to_string(rows) +
           " rows");
  if (chunk.nulls >= 0 && static_cast<std::uint64_t>(chunk.nulls) > chunk.values)
    refuse(name + " has more nulls than values");
  return std::move(chunk);
}

/// No byte may stand for two chunks: one that is given twice would be read as other rows.
void refuse_overlap(const ParquetFooter& footer) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const ParquetGroup& group : footer.groups)
    for (const ParquetChunk& chunk : group.chunks)
      if (chunk.size != 0) places.emplace_back(chunk.begin, chunk.begin + chunk.size);
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i)
    if (places[i].first < places[i - 1].second) refuse("two of its columns or row groups share bytes");
}

}  // namespace

ParquetFooter read_footer(std::span<const std::byte> bytes, std::uint64_t pages_end, const ParquetLimits& limits) {
  ParquetFooter out;
  ThriftReader in(bytes);
  std::vector<Element> schema;
  std::vector<std::pair<std::uint64_t, std::vector<NamedChunk>>> groups;
  std::uint64_t rows = 0;
  bool has_rows = false;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 2:
        in.list(type, ThriftType::structure, [&] {
          schema.push_back(read_element(in));
          if (schema.size() > 8 * limits.columns)
            refuse("more than " + std::to_string(limits.columns) + " columns (limits.columns)");
        });
        return true;
      case 3:
        rows = not_negative(in.number(type), "number of rows");
        has_rows = true;
        return true;
      case 4:
        in.list(type, ThriftType::structure, [&] {
          if (groups.size() >= limits.groups)
            refuse("more than " + std::to_string(limits.groups) + " row groups (limits.groups)");
          auto& group = groups.emplace_back();
          in.fields([&](int inner, ThriftType kind) {
            if (inner == 1) {
              in.list(kind, ThriftType::structure, [&] { group.second.push_back(read_chunk(in)); });
              return true;
            }
            if (inner != 3) return false;
            group.first = not_negative(in.number(kind), "number of rows");
            return true;
          });
        });
        return true;
      case 5:
        in.list(type, ThriftType::structure, [&] {
          auto& pair = out.metadata.emplace_back();
          in.fields([&](int inner, ThriftType kind) {
            if (inner != 1 && inner != 2) return false;
            (inner == 1 ? pair.first : pair.second) = in.text(kind);
            return true;
          });
        });
        return true;
      case 8:
        refuse("it is encrypted");
      default:
        return false;
    }
  });
  out.columns = Leaves(schema, limits.columns).all();
  std::uint64_t sum = 0;
  for (auto& [count, chunks] : groups) {
    if (chunks.size() != out.columns.size())
      refuse("a row group has " + std::to_string(chunks.size()) + " of " + std::to_string(out.columns.size()) +
             " columns");
    if (count > rows - sum) refuse("its row groups have more rows than the file");
    sum += count;
    ParquetGroup& group = out.groups.emplace_back();
    group.rows = count;
    group.chunks.reserve(chunks.size());
    for (std::size_t i = 0; i < chunks.size(); ++i)
      group.chunks.push_back(checked(std::move(chunks[i]), out.columns[i], count, pages_end, limits));
  }
  if (!has_rows || sum != rows)
    refuse("its row groups have " + std::to_string(sum) + " rows, the file " + std::to_string(rows));
  refuse_overlap(out);
  return out;
}

namespace {

/// A page's header, as it stands.
struct PageHeader {
  std::int64_t type = -1;
  ParquetPage page;
  bool has_details = false;
};

/// Reads what the header says of a page of one kind.
void read_details(ThriftReader& in, ParquetPage& page) {
  const bool second = page.kind == PageKind::data_v2;
  const auto first_kind = [&](int id, ThriftType type) {
    if (id != 2 && (id != 3 || page.kind != PageKind::data)) return false;
    (id == 2 ? page.encoding : page.level_encoding) = small(in.number(type), last_encoding, "encoding");
    return true;
  };
  const auto second_kind = [&](int id, ThriftType type) {
    switch (id) {
      case 2:
        page.nulls = not_negative(in.number(type), "number of nulls");
        return true;
      case 4:
        page.encoding = small(in.number(type), last_encoding, "encoding");
        return true;
      case 5:
        page.definition_bytes = not_negative(in.number(type), "size of levels");
        return true;
      case 6:
        page.repetition_bytes = not_negative(in.number(type), "size of levels");
        return true;
      case 7:
        page.is_packed = in.flag(type);
        return true;
      default:
        return false;
    }
  };
  in.fields([&](int id, ThriftType type) {
    if (id != 1) return second ? second_kind(id, type) : first_kind(id, type);
    page.values = not_negative(in.number(type), "number of values");
    return true;
  });
}

PageHeader read_page_header(ThriftReader& in) {
  PageHeader out;
  ParquetPage& page = out.page;
  in.fields([&](int id, ThriftType type) {
    switch (id) {
      case 1:
        out.type = in.number(type);
        return true;
      case 2:
        page.unpacked = not_negative(in.number(type), "size of a page");
        return true;
      case 3:
        page.size = not_negative(in.number(type), "size of a page");
        return true;
      case 4:
        page.checksum = static_cast<std::uint32_t>(in.number(type));
        return true;
      case 5:
      case 7:
      case 8:
        if (type != ThriftType::structure) return false;
        out.has_details = true;
        page.kind = id == 5 ? PageKind::data : id == 7 ? PageKind::dictionary : PageKind::data_v2;
        read_details(in, page);
        return true;
      default:
        return false;
    }
  });
  return out;
}

}  // namespace

std::vector<ParquetPage> read_pages(std::span<const std::byte> chunk, const ParquetChunk& said) {
  std::vector<ParquetPage> out;
  std::uint64_t values = 0, unpacked = 0, at = 0;
  while (values < said.values) {
    ThriftReader in(chunk.subspan(at));
    auto [type, page, has_details] = read_page_header(in);
    page.begin = at + in.at();
    if (page.size > chunk.size() - page.begin) refuse("a page ends behind its column");
    at = page.begin + page.size;
    unpacked += page.unpacked;
    if (unpacked > said.unpacked) refuse("pages unpack to more than their column is said to");
    constexpr std::int64_t data = 0, index = 1, dictionary = 2, data_v2 = 3;
    if (type == index) continue;
    const std::int64_t wanted = page.kind == PageKind::data         ? data
                                : page.kind == PageKind::dictionary ? dictionary
                                                                    : data_v2;
    if (!has_details || type != wanted) refuse("a page of an unknown kind");
    if (page.kind == PageKind::dictionary) {
      if (!out.empty()) refuse("a dictionary behind values");
    } else {
      if (page.values > said.values - values) refuse("a page with more values than its column");
      values += page.values;
    }
    if (page.nulls > page.values || page.definition_bytes > page.size ||
        page.repetition_bytes > page.size - page.definition_bytes ||
        page.definition_bytes + page.repetition_bytes > page.unpacked)
      refuse("a page with more nulls or levels than it has room for");
    out.push_back(page);
  }
  return out;
}

}  // namespace liqcore::columns
