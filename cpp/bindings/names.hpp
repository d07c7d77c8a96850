// The words that stand for C++ enumerators in Python, and errors that list them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "liqcore/error.hpp"
#include "liqcore/margin.hpp"
#include "liqcore/model.hpp"

namespace liqcore::bindings {

/// The words of an enumeration, and the argument that takes them.
template <class E, std::size_t N>
struct Words {
  const char* argument;
  std::pair<std::string_view, E> list[N];
};
template <class E>
constexpr auto kWords = nullptr;
template <>
inline constexpr Words<Side, 2> kWords<Side>{"side", {{"long", Side::long_}, {"short", Side::short_}}};
template <>
inline constexpr Words<Contract, 2> kWords<Contract>{"contract",
                                                     {{"linear", Contract::linear}, {"inverse", Contract::inverse}}};
template <>
inline constexpr Words<MarginBasis, 2> kWords<MarginBasis>{
    "basis", {{"mark", MarginBasis::mark}, {"entry", MarginBasis::entry}}};
template <>
inline constexpr Words<TierUnit, 2> kWords<TierUnit>{
    "unit", {{"notional", TierUnit::notional}, {"quantity", TierUnit::quantity}}};
template <class E, class... Values>
Words<E, sizeof...(Values)> named(const char* argument, Values... values) {
  return {argument, {{name_of(values), values}...}};
}
template <>
inline const Words<Trigger, 3> kWords<Trigger> =
    named<Trigger>("trigger", Trigger::last, Trigger::mark, Trigger::candle);
template <>
inline const Words<CandlePrice, 5> kWords<CandlePrice> = named<CandlePrice>(
    "candle_price", CandlePrice::hlc3, CandlePrice::close, CandlePrice::open, CandlePrice::ohlc4, CandlePrice::hl2);
template <>
inline const Words<Model, 6> kWords<Model> =
    named<Model>("model", Model::flow, Model::presence, Model::oi, Model::blend, Model::vendor, Model::none);

/// The enumerator of a word.
template <class E>
E parse(std::string_view word) {
  std::string choices;
  for (const auto& [text, value] : kWords<E>.list) {
    if (text == word) return value;
    choices += (choices.empty() ? "\"" : ", \"") + std::string(text) + "\"";
  }
  throw InvalidConfig(std::string(kWords<E>.argument) + " must be one of " + choices + ", was \"" + std::string(word) +
                      "\"");
}

template <class E>
std::string word(E value) {
  for (const auto& [text, each] : kWords<E>.list)
    if (each == value) return std::string(text);
  return "?";
}

}  // namespace liqcore::bindings
