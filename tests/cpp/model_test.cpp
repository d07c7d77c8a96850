#include "liqcore/model.hpp"

#include <gtest/gtest.h>

#include <vector>

TEST(DefaultHalfLife, HighLeverageIsHeldShortest) {
  const double day = 86'400e9;
  const liqcore::LeverageProfile profile{{1, 24, 25, 49, 50, 99, 100, 125}, std::vector<double>(8, 0.125)};
  EXPECT_EQ(liqcore::default_half_life_ns(profile),
            (std::vector<double>{30 * day, 30 * day, 7 * day, 7 * day, 3 * day, 3 * day, day, day}));
}
