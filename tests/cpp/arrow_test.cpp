#include "columns/arrow.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace liqcore::columns;

/// A table of three rows whose owner tells when it is let go.
struct Made {
  std::vector<std::int64_t> ts{10, 20, 30};
  std::vector<float> cells{1, 2, 3, 4, 5, 6};
  std::vector<std::uint8_t> bits{0b101};
  std::shared_ptr<bool> gone = std::make_shared<bool>(false);

  [[nodiscard]] std::shared_ptr<const ArrowTable> table() const {
    ArrowTable out;
    out.rows = 3;
    out.columns = {{"ts", "tsn:UTC", ts.data()}, {"sell", "b", bits.data()}, {"cells", "f", cells.data(), 2}};
    out.metadata = {{"step", "5.0"}, {"unit", ""}};
    out.owner = {new int(0), [mark = gone](const void* kept) {
                   *mark = true;
                   delete static_cast<const int*>(kept);
                 }};
    return std::make_shared<const ArrowTable>(std::move(out));
  }

  [[nodiscard]] ArrowReader reader() const {
    ArrowArrayStream stream;
    export_stream(table(), stream);
    return ArrowReader(stream);
  }
};

std::string refusal(const auto& call) {
  try {
    call();
  } catch (const ArrowError& error) {
    return error.what();
  }
  return {};
}

std::vector<int> sides(const ArrowBatch& batch, std::size_t column, bool true_is_sell = true) {
  std::vector<std::uint8_t> out(batch.size(), 7);
  EXPECT_EQ(batch.sides(column, true_is_sell, out).unknown, 0);
  return {out.begin(), out.end()};
}

/// A column in memory that this owns; with its batch it is what a producer would make.
struct Column {
  std::string format;
  std::vector<const void*> buffers;
  std::int64_t length = 0;
  std::int64_t offset = 0;
  std::int64_t null_count = 0;
  std::string words{};
  ArrowArray dictionary{};
  ArrowArray child{};  // what batch() points to
  ArrowArray* pointer = nullptr;
  const void* none[1] = {nullptr};

  /// A batch of `rows` from `first` on, cut out of the column; the column and its data must outlive it.
  ArrowBatch batch(std::int64_t rows, std::int64_t first = 0) {
    child = {length,  null_count,     offset,  static_cast<std::int64_t>(buffers.size()),
             0,       buffers.data(), nullptr, words.empty() ? nullptr : &dictionary,
             nullptr, nullptr};
    pointer = &child;
    const ArrowArray parent{rows, 0, first, 1, 1, none, &pointer, nullptr, nullptr, nullptr};
    auto fields = std::make_shared<const std::vector<ArrowField>>(std::vector<ArrowField>{{"x", format, words}});
    return {fields, std::make_shared<const ArrowArray>(parent)};
  }
};

TEST(Arrow, WhatIsWrittenIsReadInPlace) {
  const Made made;
  ArrowReader reader = made.reader();
  ASSERT_EQ(reader.fields().size(), 3U);
  EXPECT_EQ(reader.fields()[0].name, "ts");
  EXPECT_EQ(reader.fields()[0].format, "tsn:UTC");
  EXPECT_EQ(reader.fields()[2].format, "+w:2");
  const auto batch = reader.next();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->size(), 3U);
  EXPECT_EQ(batch->values(0), made.ts.data());
  EXPECT_EQ(sides(*batch, 1), (std::vector{1, 0, 1}));
  EXPECT_EQ(sides(*batch, 1, false), (std::vector{0, 1, 0}));
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Arrow, TextGoesOutAndIsReadAsWords) {
  const std::string bytes = "buysellbuy";
  const std::vector<std::int64_t> ends = {0, 3, 7, 10};
  auto table = std::make_shared<ArrowTable>();
  table->rows = 3;
  table->columns.push_back({"side", "U", bytes.data(), -1, ends.data()});
  ArrowArrayStream stream;
  export_stream(table, stream);
  ArrowReader reader(stream);
  EXPECT_EQ(reader.fields()[0].format, "U");
  const auto batch = reader.next();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->size(), 3U);
  EXPECT_EQ(sides(*batch, 0), (std::vector{0, 1, 0}));
}

TEST(Arrow, TheOwnerLivesUntilTheLastBatchIsReleased) {
  const Made made;
  std::optional<ArrowBatch> batch;
  {
    ArrowReader reader = made.reader();
    batch = reader.next();
  }
  EXPECT_FALSE(*made.gone);
  batch.reset();
  EXPECT_TRUE(*made.gone);
}

TEST(Arrow, AStreamThatNobodyReadsIsReleased) {
  const Made made;
  {
    const ArrowReader unread = made.reader();
  }
  EXPECT_TRUE(*made.gone);
}

TEST(Arrow, AMovedColumnOutlivesItsTable) {
  const Made made;
  ArrowArrayStream stream;
  export_stream(made.table(), stream);
  ArrowArray batch;
  ASSERT_EQ(stream.get_next(&stream, &batch), 0);
  ArrowArray column = *batch.children[2];
  batch.children[2]->release = nullptr;
  batch.release(&batch);
  stream.release(&stream);
  EXPECT_FALSE(*made.gone);
  EXPECT_EQ(static_cast<const float*>(column.children[0]->buffers[1])[5], 6.0F);
  column.release(&column);
  EXPECT_TRUE(*made.gone);
}

TEST(Arrow, MetadataAreCountLengthsAndBytes) {
  const Made made;
  ArrowSchema schema;
  export_schema(*made.table(), schema);
  const std::string expected("\2\0\0\0\4\0\0\0step\3\0\0\0005.0\4\0\0\0unit\0\0\0\0", 31);
  EXPECT_EQ(std::string(schema.metadata, expected.size()), expected);
  schema.release(&schema);
  EXPECT_EQ(schema.release, nullptr);
}

TEST(Arrow, BitsAreUnpackedFromAnyOffset) {
  std::vector<std::uint8_t> bits;
  for (unsigned i = 0; i < 40; ++i) bits.push_back(static_cast<std::uint8_t>(37 * i + 11));
  for (std::int64_t offset = 0; offset < 20; ++offset)
    for (std::int64_t rows = 0; rows < 100; ++rows) {
      Column column{.format = "b", .buffers = {nullptr, bits.data()}, .length = 300, .offset = offset};
      const std::vector<int> got = sides(column.batch(rows, 3), 0);
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t at = offset + 3 + i;
        const int bit = bits[static_cast<std::size_t>(at / 8)] >> (at % 8) & 1;
        ASSERT_EQ(got[static_cast<std::size_t>(i)], bit) << offset << ' ' << rows << ' ' << i;
      }
    }
}

TEST(Arrow, NullsAreCountedWithinTheRowsOfTheBatch) {
  std::vector<std::uint8_t> valid(40, 0xff);
  valid[1] = 0b1110'1101;  // rows 9 and 12 hold nothing
  valid[30] = 0;
  const std::vector<double> values(300);
  Column column{.format = "g", .buffers = {valid.data(), values.data()}, .length = 300, .null_count = -1};
  EXPECT_EQ(column.batch(9).nulls(0), 0);
  EXPECT_EQ(column.batch(10).nulls(0), 1);
  EXPECT_EQ(column.batch(290).nulls(0), 10);
  EXPECT_EQ(column.batch(200, 10).nulls(0), 1);
  EXPECT_EQ(column.batch(3, 241).nulls(0), 3);
  column.null_count = 0;
  EXPECT_EQ(column.batch(290).nulls(0), 0);
}

TEST(Arrow, WordsOfEveryKindSaySides) {
  const std::string text = "buySELLbunknown";
  const std::vector<std::int32_t> narrow{0, 3, 7, 8, 15};
  const std::vector<std::int64_t> wide(narrow.begin(), narrow.end());
  Column short_offsets{.format = "u", .buffers = {nullptr, narrow.data(), text.data()}, .length = 4};
  Column long_offsets{.format = "U", .buffers = {nullptr, wide.data(), text.data()}, .length = 4};
  EXPECT_EQ(sides(short_offsets.batch(3), 0), (std::vector{0, 1, 0}));
  EXPECT_EQ(sides(long_offsets.batch(2, 1), 0), (std::vector{1, 0}));
  std::vector<std::uint8_t> out(4);
  const SideCounts counts = short_offsets.batch(4).sides(0, true, out);
  EXPECT_EQ(counts.unknown, 1);
  EXPECT_EQ(counts.example, "unknown");

  std::vector<char> views(32);
  const std::string long_word = "a word of over twelve bytes";
  const auto put = [&](std::size_t at, std::int32_t value) { std::memcpy(views.data() + at, &value, sizeof value); };
  put(0, 4);
  std::memcpy(views.data() + 4, "sell", 4);
  put(16, static_cast<std::int32_t>(long_word.size()));
  Column text_views{.format = "vu", .buffers = {nullptr, views.data(), long_word.data(), nullptr}, .length = 2};
  EXPECT_EQ(sides(text_views.batch(1), 0), (std::vector{1}));
  EXPECT_EQ(text_views.batch(1, 1).sides(0, true, std::span(out).first(1)).example, long_word);
}

TEST(Arrow, CodesAreLookedUpInTheirDictionary) {
  const std::string text = "sellbuy";
  const std::vector<std::int32_t> offsets{0, 4, 7};
  const void* words[] = {nullptr, offsets.data(), text.data()};
  const std::vector<std::uint8_t> codes{1, 0, 0, 1, 2};
  Column column{.format = "C", .buffers = {nullptr, codes.data()}, .length = 5, .words = "u"};
  column.dictionary = {2, 0, 0, 3, 0, words, nullptr, nullptr, nullptr, nullptr};
  EXPECT_EQ(sides(column.batch(4), 0), (std::vector{0, 1, 1, 0}));
  EXPECT_EQ(column.batch(4).distinct(0, 9), (std::vector<std::string>{"buy", "sell"}));
  EXPECT_EQ(column.batch(4).distinct(0, 1), (std::vector<std::string>{"buy"}));
  EXPECT_EQ(column.batch(5).width(0), 0U);
  EXPECT_EQ(refusal([&] { sides(column.batch(5), 0); }), "column x has a code outside its dictionary");

  const std::uint8_t valid = 0b10;  // "sell" is null
  words[0] = &valid;
  column.dictionary.null_count = 1;
  EXPECT_EQ(column.batch(4).nulls(0), 2);
}

TEST(Arrow, AColumnShorterThanItsBatchIsRefused) {
  const std::vector<double> values(4);
  Column column{.format = "g", .buffers = {nullptr, values.data()}, .length = 4};
  EXPECT_EQ(refusal([&] { static_cast<void>(column.batch(3, 2)); }), "column x is shorter than its batch");
}

TEST(Arrow, AStreamIsReadOnce) {
  const Made made;
  ArrowArrayStream stream;
  export_stream(made.table(), stream);
  {
    const ArrowReader first(stream);
  }
  EXPECT_EQ(refusal([&] { ArrowReader second(stream); }), "the stream was consumed already");
}

TEST(Arrow, TheProducersMessageIsPassedOn) {
  static int released = 0;
  ArrowArrayStream stream{};
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema* out) {
    export_schema(ArrowTable{}, *out);
    return 0;
  };
  stream.get_next = [](ArrowArrayStream*, ArrowArray*) { return 5; };
  stream.get_last_error = [](ArrowArrayStream*) { return "disk on fire"; };
  stream.release = [](ArrowArrayStream* mine) {
    ++released;
    mine->release = nullptr;
  };
  {
    ArrowReader reader(stream);
    EXPECT_EQ(refusal([&] { reader.next(); }), "disk on fire");
  }
  EXPECT_EQ(released, 1);
}

}  // namespace
