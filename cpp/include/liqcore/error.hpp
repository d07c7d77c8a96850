/// What liqcore throws. One bad event among millions never throws: it is counted (stats.hpp).
#pragma once

#include <stdexcept>
#include <string>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Root of everything that liqcore throws on purpose.
class LIQCORE_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting, or a call, that can never work. The message names the argument, the rule and the value.
class LIQCORE_EXPORT InvalidConfig : public Error {
 public:
  using Error::Error;
};

/// Bytes that cannot be used: damaged, cut off or of a later format. The message names the part and what was wrong.
class LIQCORE_EXPORT DataError : public Error {
 public:
  using Error::Error;
};

}  // namespace liqcore::inline abi1
