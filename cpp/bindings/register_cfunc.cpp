#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "liqcore/error.hpp"
#include "liqcore/liqcore.h"
#include "register.hpp"

namespace liqcore::bindings {
namespace {

struct Function {
  std::string_view name;
  std::uintptr_t address;
};

// Every function of the header; a test holds the two against each other.
#define LIQCORE_FUNCTION(name) \
  Function { #name, reinterpret_cast<std::uintptr_t>(&name) }
const Function kFunctions[] = {
    LIQCORE_FUNCTION(liq_abi_version),
    LIQCORE_FUNCTION(liq_default_half_life_ns),
    LIQCORE_FUNCTION(liq_engine_accounts),
    LIQCORE_FUNCTION(liq_engine_advance),
    LIQCORE_FUNCTION(liq_engine_clock),
    LIQCORE_FUNCTION(liq_engine_clone),
    LIQCORE_FUNCTION(liq_engine_close),
    LIQCORE_FUNCTION(liq_engine_columns),
    LIQCORE_FUNCTION(liq_engine_counts),
    LIQCORE_FUNCTION(liq_engine_create),
    LIQCORE_FUNCTION(liq_engine_destroy),
    LIQCORE_FUNCTION(liq_engine_feed),
    LIQCORE_FUNCTION(liq_engine_grid),
    LIQCORE_FUNCTION(liq_engine_levels),
    LIQCORE_FUNCTION(liq_engine_leverage),
    LIQCORE_FUNCTION(liq_engine_load),
    LIQCORE_FUNCTION(liq_engine_map),
    LIQCORE_FUNCTION(liq_engine_mark),
    LIQCORE_FUNCTION(liq_engine_on_column),
    LIQCORE_FUNCTION(liq_engine_open),
    LIQCORE_FUNCTION(liq_engine_open_interest),
    LIQCORE_FUNCTION(liq_engine_open_level),
    LIQCORE_FUNCTION(liq_engine_open_levels),
    LIQCORE_FUNCTION(liq_engine_opens),
    LIQCORE_FUNCTION(liq_engine_options_init),
    LIQCORE_FUNCTION(liq_engine_picture),
    LIQCORE_FUNCTION(liq_engine_publish_to),
    LIQCORE_FUNCTION(liq_engine_save),
    LIQCORE_FUNCTION(liq_engine_scale),
    LIQCORE_FUNCTION(liq_engine_scale_part),
    LIQCORE_FUNCTION(liq_engine_touch),
    LIQCORE_FUNCTION(liq_engine_touch_last),
    LIQCORE_FUNCTION(liq_engine_touches),
    LIQCORE_FUNCTION(liq_engine_trade),
    LIQCORE_FUNCTION(liq_engine_trades),
    LIQCORE_FUNCTION(liq_engine_vendor_event),
    LIQCORE_FUNCTION(liq_engine_window),
    LIQCORE_FUNCTION(liq_engine_windows),
    LIQCORE_FUNCTION(liq_engine_zones),
    LIQCORE_FUNCTION(liq_error_message),
    LIQCORE_FUNCTION(liq_feature_options_init),
    LIQCORE_FUNCTION(liq_features_count),
    LIQCORE_FUNCTION(liq_features_create),
    LIQCORE_FUNCTION(liq_features_destroy),
    LIQCORE_FUNCTION(liq_features_name),
    LIQCORE_FUNCTION(liq_features_read),
    LIQCORE_FUNCTION(liq_instrument_init),
    LIQCORE_FUNCTION(liq_liquidation_price),
    LIQCORE_FUNCTION(liq_publisher_ask),
    LIQCORE_FUNCTION(liq_publisher_count),
    LIQCORE_FUNCTION(liq_publisher_create),
    LIQCORE_FUNCTION(liq_publisher_destroy),
    LIQCORE_FUNCTION(liq_publisher_missed),
    LIQCORE_FUNCTION(liq_publisher_name),
    LIQCORE_FUNCTION(liq_publisher_options_init),
    LIQCORE_FUNCTION(liq_publisher_publish),
    LIQCORE_FUNCTION(liq_publisher_publish_row),
    LIQCORE_FUNCTION(liq_publisher_row),
    LIQCORE_FUNCTION(liq_publisher_snapshot),
    LIQCORE_FUNCTION(liq_snapshot_columns),
    LIQCORE_FUNCTION(liq_snapshot_counts),
    LIQCORE_FUNCTION(liq_snapshot_grid),
    LIQCORE_FUNCTION(liq_snapshot_levels),
    LIQCORE_FUNCTION(liq_snapshot_map),
    LIQCORE_FUNCTION(liq_snapshot_moment),
    LIQCORE_FUNCTION(liq_snapshot_picture),
    LIQCORE_FUNCTION(liq_snapshot_release),
    LIQCORE_FUNCTION(liq_snapshot_row),
    LIQCORE_FUNCTION(liq_snapshot_window),
    LIQCORE_FUNCTION(liq_snapshot_windows),
    LIQCORE_FUNCTION(liq_status_name),
    LIQCORE_FUNCTION(liq_version),
};
#undef LIQCORE_FUNCTION

}  // namespace

void register_cfunc(pybind11::module_& m) {
  m.def(
      "cfunc_address",
      [](std::string_view name) {
        for (const Function& function : kFunctions)
          if (function.name == name) return function.address;
        throw InvalidConfig("name must be a function of liqcore.h, such as liq_engine_trade, was " + std::string(name));
      },
      "Address of a C function.", pybind11::arg("name"));
}

}  // namespace liqcore::bindings
