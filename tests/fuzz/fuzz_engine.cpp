// Saved engines, changed and sealed again: what loads goes on without a fault, and saves to what loads again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "liqcore/checksum.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "take.hpp"

using namespace liqcore;

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kHead = 24;
constexpr int kMostEdits = 16;  // with more of them nothing gets past the first check

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<std::byte>(value >> 8 * i);
}

std::uint64_t number(const Bytes& bytes, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out |= std::to_integer<std::uint64_t>(bytes[at + i]) << 8 * i;
  return out;
}

Bytes saved(int which) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.model = which % 2 == 0 ? Model::flow : Model::oi;
  if (which / 2 % 2 == 0) options.half_life_ns = {4'000.0, 8'000.0};
  Engine engine(Instrument("X", "", Contract::linear, 0.5, 0.25, 1.0, MarginSchedule::flat(0.004)),
                LeverageProfile({5.0, 20.0}, {0.5, 0.5}), options);
  for (std::int64_t i = 0; i < 9; ++i) {  // few, so that a run is short: two windows, the second one unfinished
    engine.trade(i * 200, 100.0 + 0.5 * static_cast<double>(i * 7 % 23), 1.0, i % 3 == 0);
    if (which % 2 == 1 && i % 3 == 2) engine.open_interest(i * 200, 50.0 + static_cast<double>(i));
  }
  return engine.save();
}

/// Puts the checksums right again, as far as the sizes of the parts let one walk over them.
void seal(Bytes& bytes) {
  std::uint32_t checksum = 0;
  for (std::size_t at = kHead; bytes.size() - at >= 16;) {
    const std::uint64_t size = number(bytes, at + 4);
    if (size > bytes.size() - at - 16) break;
    const std::size_t end = at + 12 + static_cast<std::size_t>(size);
    checksum = crc32c(std::span(bytes).subspan(at, end - at), checksum);
    put(bytes, end, checksum);
    at = end + 4;
  }
  put(bytes, 20, crc32c(std::span(bytes).first(20)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Bytes> seeds{saved(0), saved(1), saved(2), saved(3)};
  Take take(data, size);
  Bytes bytes = seeds[static_cast<std::size_t>(take.below(4))];
  for (int edit = 0; edit < kMostEdits && !take.empty(); ++edit) {
    const std::size_t at = kHead + take.value<std::uint16_t>() % (bytes.size() - kHead);
    bytes[at] = static_cast<std::byte>(take.value<std::uint8_t>());
  }
  seal(bytes);
  try {
    Engine engine = Engine::load(bytes);
    if (!engine.clock()) return 0;
    const std::int64_t then = *engine.clock();
    engine.trade(then, 101.0, 2.0, true);
    if (then < std::int64_t{1} << 61) {
      engine.advance(then + 100);
      engine.trade(then + 200, 99.0, 2.0, false);
    }
    const Bytes again = engine.save();
    if (Engine::load(again).save() != again) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
