#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "pictures/codes.hpp"
#include "pictures/colouring.hpp"
#include "pictures/pooling.hpp"

using liqcore::pictures::Cells;
using liqcore::pictures::colour_entries;
using liqcore::pictures::ColourScale;
using liqcore::pictures::pack_column;
using liqcore::pictures::pool_columns;
using liqcore::pictures::pool_rows;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
using Indices = std::vector<std::int64_t>;

std::vector<int> entries(const std::vector<float>& values, double maximum, ColourScale scale, double cut = 0.0) {
  std::vector<std::uint8_t> out(values.size());
  colour_entries(values.data(), values.size(), maximum, scale, cut, out.data());
  return {out.begin(), out.end()};
}

}  // namespace

TEST(Pooling, ColumnsOfABlockRaiseWhatThePixelsThatShowThemHold) {
  const std::vector<float> cells = {1, 9, 0,   // column 4, with a cell that is not looked at
                                    5, 2, 0};  // column 5
  const Cells block{cells.data(), 2, 2, 3};
  std::vector<float> largest = {0, 0, 3, 3, 0, 0, 7, 7};
  const Indices first = {3, 5, 6, 5};
  const Indices stop = {6, 7, 6, 5};
  pool_columns(block, nullptr, 4, {first, stop}, largest.data());
  EXPECT_EQ(largest, (std::vector<float>{5, 9, 5, 3, 0, 0, 7, 7}));
}

TEST(Pooling, SidesAreAddedCellByCell) {
  const std::vector<float> longs = {1, 0, 4, 2};
  const std::vector<float> shorts = {2, 8, 0, 1};
  const Cells one{longs.data(), 2, 2, 2};
  const Cells two{shorts.data(), 2, 2, 2};
  std::vector<float> largest(2);
  pool_columns(one, &two, 0, {Indices{0}, Indices{2}}, largest.data());
  EXPECT_EQ(largest, (std::vector<float>{4, 8}));
}

TEST(Pooling, RowsThatNoPixelShowsAndPixelsThatShowNothing) {
  const std::vector<float> largest = {1, 5, 3, 2, 0, 4};
  std::vector<float> out(8, -1.0F);
  const Indices first = {1, 3, 0, 2};
  const Indices stop = {3, 0, 1, 2};
  pool_rows({largest.data(), 2, 3, 3}, {first, stop}, out.data());
  EXPECT_EQ(out, (std::vector<float>{5, 0, 1, 0, 4, 0, 2, 0}));
}

TEST(Pooling, AnyNumberOfColumnsHasItsRowsPooled) {
  for (std::size_t columns = 0; columns < 20; ++columns) {
    std::vector<float> largest(columns * 3);
    for (std::size_t i = 0; i < largest.size(); ++i) largest[i] = static_cast<float>(i * 7 % 11);
    std::vector<float> out(columns * 2, -1.0F);
    pool_rows({largest.data(), columns, 3, 3}, {Indices{0, 1}, Indices{2, 3}}, out.data());
    for (std::size_t i = 0; i < columns; ++i) {
      EXPECT_EQ(out[2 * i], std::max(largest[3 * i], largest[3 * i + 1]));
      EXPECT_EQ(out[2 * i + 1], std::max(largest[3 * i + 1], largest[3 * i + 2]));
    }
  }
}

TEST(Pooling, WhatIsNoFiniteNumberAboveZeroHidesNothing) {
  const std::vector<float> odd = {kNan, 3, -1, kInfinity, kNan, 2, -kInfinity, -7};
  std::vector<float> largest(odd.size());
  pool_columns({odd.data(), 1, odd.size(), 0}, nullptr, 0, {Indices{0}, Indices{1}}, largest.data());
  EXPECT_EQ(largest, (std::vector<float>{0, 3, 0, 0, 0, 2, 0, 0}));
}

TEST(Colouring, EachScaleEndsAtTheMaximum) {
  const std::vector<float> values = {-5, 0, 25, 100, 400, kNan, kInfinity, -kInfinity};
  EXPECT_EQ(entries(values, 100, ColourScale::sqrt), (std::vector<int>{0, 0, 128, 255, 255, 0, 255, 0}));
  EXPECT_EQ(entries(values, 100, ColourScale::linear), (std::vector<int>{0, 0, 64, 255, 255, 0, 255, 0}));
  EXPECT_EQ(entries({0, 0.1F, 100, 101}, 100, ColourScale::log), (std::vector<int>{0, 26, 255, 255}));
}

TEST(Colouring, BelowTheCutIsNothingAndTheCutIsTheFirst) {
  const std::vector<float> values = {kNan, -1, 0, 49.9F, 50, 75, 100, 900};
  EXPECT_EQ(entries(values, 100, ColourScale::linear, 50), (std::vector<int>{0, 0, 0, 0, 1, 128, 255, 255}));
  EXPECT_EQ(entries({49, 50, 51}, 10, ColourScale::sqrt, 50), (std::vector<int>{0, 1, 255}));  // a cut above it
}

TEST(Colouring, TheSmallestMaximumHasEntries) {
  const double least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(entries({0, static_cast<float>(least)}, least, ColourScale::sqrt), (std::vector<int>{0, 255}));
}

TEST(Colouring, EntriesNeverFallAsValuesRise) {
  std::vector<float> values;
  for (int i = 0; i < 20'000; ++i) values.push_back(static_cast<float>(i) * 0.037F);
  for (const ColourScale scale : {ColourScale::sqrt, ColourScale::linear, ColourScale::log}) {
    const std::vector<int> got = entries(values, 700, scale, 3);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
    EXPECT_EQ(got.front(), 0);
    EXPECT_EQ(got.back(), 255);
  }
}

TEST(Codes, EveryMantissaRoundsToTheNearestStep) {
  constexpr std::size_t kCount = 1U << 15;
  std::vector<float> values(kCount + 1);
  std::vector<std::uint16_t> codes(kCount + 1);
  for (std::uint32_t part = 0; part < (1U << 23); part += kCount) {
    for (std::uint32_t i = 0; i < kCount; ++i) values[i] = 1.0F + static_cast<float>(part + i) * 0x1p-23F;
    values[kCount] = 2.0F;
    ASSERT_EQ(pack_column(values.data(), values.size(), codes.data()), 2.0F);
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const double steps = std::log2(static_cast<double>(values[i]) / 2.0) * 2540.0;
      ASSERT_EQ(codes[i], 65'535 + static_cast<int>(std::rint(steps))) << values[i];
    }
  }
}

TEST(Codes, SmallOnesAreOneAndWhatDoesNotCountIsZero) {
  const std::vector<float> values = {0, 1e-30F, 1e30F, kNan, kInfinity, -4, 5e29F};
  std::vector<std::uint16_t> codes(values.size());
  EXPECT_EQ(pack_column(values.data(), values.size(), codes.data()), 1e30F);
  EXPECT_EQ(codes, (std::vector<std::uint16_t>{0, 1, 65'535, 0, 0, 0, 62'995}));
  EXPECT_EQ(pack_column(values.data(), 1, codes.data()), 0.0F);
  EXPECT_EQ(pack_column(nullptr, 0, nullptr), 0.0F);
}
