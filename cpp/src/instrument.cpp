#include "liqcore/instrument.hpp"

#include <cmath>
#include <utility>

#include "grid.hpp"
#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

void require_positive(const char* argument, double value) {
  if (!(std::isfinite(value) && value > 0.0))
    throw InvalidConfig(std::string(argument) + " must be finite and above 0, was " + text_of(value));
}

}  // namespace

Instrument::Instrument(std::string symbol, std::string venue, Contract contract, double tick_size, double lot_size,
                       double multiplier, MarginSchedule margin, std::vector<std::string> assumed)
    : symbol_(std::move(symbol)),
      venue_(std::move(venue)),
      contract_(contract),
      tick_size_(tick_size),
      lot_size_(lot_size),
      multiplier_(multiplier),
      margin_(std::move(margin)),
      assumed_(std::move(assumed)) {
  require_positive("tick_size", tick_size);
  require_positive("lot_size", lot_size);
  require_positive("multiplier", multiplier);
}

bool Instrument::operator==(const Instrument& other) const noexcept {
  return symbol_ == other.symbol_ && venue_ == other.venue_ && contract_ == other.contract_ &&
         tick_size_ == other.tick_size_ && lot_size_ == other.lot_size_ && multiplier_ == other.multiplier_ &&
         margin_ == other.margin_;
}

OnGrid Instrument::to_ticks(double price) const noexcept { return nearest(price / tick_size_); }
OnGrid Instrument::to_lots(double qty) const noexcept { return nearest(qty / lot_size_); }

}  // namespace liqcore::inline abi1
