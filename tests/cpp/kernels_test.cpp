// Every CPU target that this machine runs against loops that are simple enough to be believed, bit for bit.
#include "kernels/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "liqcore/cpu.hpp"
#include "support.hpp"

namespace kernels = liqcore::kernels;
using kernels::Kernels;
using support::Random;

namespace {

class Targets : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    before_ = liqcore::cpu_target();
    liqcore::set_cpu_target(GetParam());
  }
  void TearDown() override { liqcore::set_cpu_target(before_); }
  [[nodiscard]] static const Kernels& target() { return kernels::active(); }

 private:
  std::string before_;
};

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const std::string_view name : liqcore::cpu_targets()) out.emplace_back(name);
  return out;
}

struct Rows {
  std::vector<double> price, qty;
  std::vector<std::uint8_t> sell;
};

/// Convert, and check what came out against division, row by row.
void expect_converted(const Kernels& target, const Rows& rows, double tick_size, double lot_size) {
  const std::size_t n = rows.price.size();
  std::vector<std::int64_t> keys(n), lots(n);
  const kernels::Block block =
      target.convert(rows.price.data(), rows.qty.data(), rows.sell.data(), n,
                     {tick_size, lot_size, 1.0 / tick_size, 1.0 / lot_size}, keys.data(), lots.data());
  bool clean = true;
  std::uint64_t rounded = 0;
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = rows.price[i] / tick_size, y = rows.qty[i] / lot_size;
    const bool good = std::isfinite(x) && std::isfinite(y) && rows.qty[i] > 0.0 && std::nearbyint(x) >= 1.0 &&
                      std::fabs(x - std::nearbyint(x)) <= 1e-6 && x <= 0x1p30 && y < 0x1p31;
    clean = clean && good;
    if (!good) continue;
    rounded += std::fabs(y - std::nearbyint(y)) > 1e-6 ? 1 : 0;
    const auto tick = static_cast<std::int64_t>(std::nearbyint(x));
    low = std::min(low, tick);
    high = std::max(high, tick);
  }
  ASSERT_EQ(block.clean, clean);
  if (!clean) return;
  ASSERT_EQ(block.rounded, rounded);
  ASSERT_EQ(block.low, low);
  ASSERT_EQ(block.high, high);
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_EQ(keys[i], 2 * std::llrint(rows.price[i] / tick_size) + (rows.sell[i] != 0 ? 1 : 0)) << i;
    ASSERT_EQ(lots[i], std::llrint(rows.qty[i] / lot_size)) << i;
  }
}

}  // namespace

TEST_P(Targets, ConvertAsDivisionDoes) {
  Random random{5};
  for (const double tick_size : {1.0, 0.5, 0.1, 1e-4, 7e-8})
    for (int round = 0; round < 100; ++round) {
      Rows rows;
      for (std::int64_t n = random(1, 40); n > 0; --n) {
        rows.price.push_back(static_cast<double>(random(1, random.one_in(2) ? 1'000 : 1'000'000'000)) * tick_size);
        rows.qty.push_back(static_cast<double>(random(1, 1'000'000)) * 1e-3);
        rows.sell.push_back(static_cast<std::uint8_t>(random(0, 3) * 85));
      }
      ASSERT_NO_FATAL_FAILURE(expect_converted(target(), rows, tick_size, 1e-3)) << "round " << round;
      const auto row = static_cast<std::size_t>(random(0, static_cast<std::int64_t>(rows.qty.size()) - 1));
      rows.qty[row] += 0.4e-3;  // off the lot grid: rounded
      ASSERT_NO_FATAL_FAILURE(expect_converted(target(), rows, tick_size, 1e-3)) << "round " << round;
    }
}

TEST_P(Targets, OneBadRowAnywhereMakesABlockUnclean) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (std::size_t n = 1; n <= 19; ++n)
    for (std::size_t row = 0; row < n; ++row)
      for (const double bad : {kNan, -kNan, kInf, -kInf, 0.0, -0.0, -1.0, -0.3, 1e300, -1e300, 1e17, 0x1p31, 5e-324}) {
        Rows rows{std::vector<double>(n, 100.0), std::vector<double>(n, 1.0), std::vector<std::uint8_t>(n, 1)};
        rows.price[row] = bad;
        ASSERT_NO_FATAL_FAILURE(expect_converted(target(), rows, 1.0, 1.0)) << bad;
        rows.price[row] = 100.0;
        rows.qty[row] = bad;
        ASSERT_NO_FATAL_FAILURE(expect_converted(target(), rows, 1.0, 1.0)) << bad;
      }
}

TEST_P(Targets, OffTheGridIsMoreThanAMillionthOfATick) {
  for (const double off : {9e-7, -9e-7, 1.1e-6, -1.1e-6, 4e-7, 6e-7})
    for (const double whole : {1.0, 17.0, 65'536.0, 1e6}) {
      Rows rows{{50.0, whole + off, 60.0}, {1.0, 2.0, 3.0}, {0, 1, 0}};
      ASSERT_NO_FATAL_FAILURE(expect_converted(target(), rows, 1.0, 1.0)) << whole << " + " << off;
    }
}

TEST_P(Targets, SeeAStepBackAnywhere) {
  for (const std::size_t n : {0UL, 1UL, 2UL, 3UL, 9UL, 64UL, 65UL, 256UL, 257UL, 258UL, 700UL, 1'025UL}) {
    std::vector<std::int64_t> ts(n, 1'000'000'000'000'000'000);
    for (std::size_t i = 0; i < n; ++i) ts[i] += static_cast<std::int64_t>(i / 3);
    ASSERT_TRUE(target().rises(ts.data(), n)) << n;
    for (std::size_t i = 1; i < n; ++i) {
      const std::int64_t before = ts[i];
      ts[i] = ts[i - 1] - 1;
      ASSERT_FALSE(target().rises(ts.data(), n)) << n << ", step back at " << i;
      ts[i] = before;
    }
  }
}

TEST_P(Targets, FindTheRangeOfKeys) {
  Random random{7};
  for (std::size_t n = 1; n <= 40; ++n)
    for (int round = 0; round < 20; ++round) {
      std::vector<std::int64_t> keys;
      for (std::size_t i = 0; i < n; ++i) keys.push_back(random(2, 1'000'000));
      std::int64_t low = 0, high = 0;
      target().range(keys.data(), n, &low, &high);
      ASSERT_EQ(low, *std::min_element(keys.begin(), keys.end()));
      ASSERT_EQ(high, *std::max_element(keys.begin(), keys.end()));
    }
}

TEST_P(Targets, ProjectAsOneLevelAfterTheOther) {
  Random random{9};
  for (int round = 0; round < 2'000; ++round) {
    const double k = static_cast<double>(random(100, 1'900)) / 1'000.0 + static_cast<double>(random(-9, 9)) * 1e-9;
    const std::int64_t step = random.one_in(3) ? 1 : random(1, 40);
    const std::int64_t low = random(1, random.one_in(3) ? 100 : 1'000'000);
    const auto ticks = static_cast<std::size_t>(random(1, 200));
    std::vector<double> prefix(ticks + 1);
    std::map<std::int64_t, double> expected;
    const auto bin_of = [&](std::int64_t tick) {
      return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(tick) * k)) / step;
    };
    const std::int64_t first = bin_of(low);
    const std::int64_t last = bin_of(low + static_cast<std::int64_t>(ticks) - 1);
    for (std::size_t i = 0; i < ticks; ++i) {
      const auto lots = static_cast<double>(random(0, 9));
      prefix[i + 1] = prefix[i] + lots;
      expected[bin_of(low + static_cast<std::int64_t>(i))] += lots;
    }
    std::vector<double> cells(static_cast<std::size_t>(last - first + 1), 0.5);
    // In pieces, as pages are; the last bin gets the rest.
    double below = 0.0;
    for (std::int64_t bin = first; bin < last;) {
      const std::int64_t end = std::min(last, bin + random(1, 30));
      below =
          target().project({k, 1.0 / k, static_cast<double>(step)}, low, prefix.data(), bin,
                           static_cast<std::size_t>(end - bin), &cells[static_cast<std::size_t>(bin - first)], below);
      bin = end;
    }
    cells.back() += prefix[ticks] - below;
    for (std::int64_t bin = first; bin <= last; ++bin)
      ASSERT_EQ(cells[static_cast<std::size_t>(bin - first)], 0.5 + expected[bin]) << "k " << k << ", bin " << bin;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Targets, ::testing::ValuesIn(names()), [](const auto& test) { return test.param; });

TEST(CpuTarget, IsTheBestOneUnlessSet) {
  const std::string best{liqcore::cpu_targets().back()};
  EXPECT_EQ(liqcore::cpu_targets().front(), "baseline");
  EXPECT_EQ(liqcore::cpu_target(), best);
  liqcore::set_cpu_target("baseline");
  EXPECT_EQ(liqcore::cpu_target(), "baseline");
  liqcore::set_cpu_target(best);
}

TEST(CpuTarget, AnUnknownOneIsRefusedByName) {
  const std::string message = support::refusal([] { liqcore::set_cpu_target("sse9"); });
  EXPECT_NE(message.find("cpu_target must be one that this CPU runs (baseline"), std::string::npos) << message;
  EXPECT_NE(message.find("was sse9"), std::string::npos) << message;
}
