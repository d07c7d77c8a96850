#include "liqcore/version.hpp"

#define LIQCORE_TEXT_(x) #x
#define LIQCORE_TEXT(x) LIQCORE_TEXT_(x)

namespace liqcore::inline abi1 {

const char* version() noexcept {
  return LIQCORE_TEXT(LIQCORE_VERSION_MAJOR) "." LIQCORE_TEXT(LIQCORE_VERSION_MINOR) "." LIQCORE_TEXT(
      LIQCORE_VERSION_PATCH);
}

}  // namespace liqcore::inline abi1
