#include "liqcore/version.hpp"

#include <gtest/gtest.h>

#include <string>

TEST(Version, LibraryAndHeadersAgree) {
  EXPECT_EQ(liqcore::version(), std::to_string(LIQCORE_VERSION_MAJOR) + "." + std::to_string(LIQCORE_VERSION_MINOR) +
                                    "." + std::to_string(LIQCORE_VERSION_PATCH));
}
