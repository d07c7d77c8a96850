#include <liqcore/liqcore.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <liqcore/engine.hpp>
#include <liqcore/error.hpp>
#include <string>

PYBIND11_MODULE(_native, m) {
  m.def("feed", [](std::uintptr_t engine, int trades) {  // by the C interface
    for (int i = 0; i < trades; ++i)
      if (liq_engine_trade(reinterpret_cast<liq_engine*>(engine), 1'781'222'400'000'000'000 + i, 60'000.0 + i, 1.0,
                           i % 2) != 0)
        throw std::runtime_error("a trade was not used");
  });
  m.def("opened_lots", [](std::uintptr_t engine) {  // by the C++ interface
    double lots = 0.0;
    for (const liqcore::Account& account : reinterpret_cast<liqcore::Engine*>(engine)->stats().accounts)
      lots += account.opened.value();
    return lots;
  });
  m.def("wrong_setting", [] {
    try {
      const liqcore::LeverageProfile wrong({10}, {-1.0});
    } catch (const liqcore::InvalidConfig& error) {  // thrown in the library, caught here
      return std::string(error.what());
    }
    return std::string();
  });
}
