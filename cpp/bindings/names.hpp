// The words that stand for C++ enumerators in Python, and errors that list them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "liqcore/error.hpp"
#include "liqcore/margin.hpp"
#include "liqcore/model.hpp"

namespace liqcore::bindings {

template <class E>
struct Words;

template <>
struct Words<Side> {
  static constexpr const char* argument = "side";
  static constexpr std::array<std::pair<std::string_view, Side>, 2> list{
      {{"long", Side::long_}, {"short", Side::short_}}};
};
template <>
struct Words<Contract> {
  static constexpr const char* argument = "contract";
  static constexpr std::array<std::pair<std::string_view, Contract>, 2> list{
      {{"linear", Contract::linear}, {"inverse", Contract::inverse}}};
};
template <>
struct Words<MarginBasis> {
  static constexpr const char* argument = "basis";
  static constexpr std::array<std::pair<std::string_view, MarginBasis>, 2> list{
      {{"mark", MarginBasis::mark}, {"entry", MarginBasis::entry}}};
};
template <>
struct Words<TierUnit> {
  static constexpr const char* argument = "unit";
  static constexpr std::array<std::pair<std::string_view, TierUnit>, 2> list{
      {{"notional", TierUnit::notional}, {"quantity", TierUnit::quantity}}};
};
template <>
struct Words<Trigger> {
  static constexpr const char* argument = "trigger";
  static constexpr std::array<std::pair<std::string_view, Trigger>, 3> list{
      {{"last", Trigger::last}, {"mark", Trigger::mark}, {"candle", Trigger::candle}}};
};
template <>
struct Words<Model> {
  static constexpr const char* argument = "model";
  static constexpr std::array<std::pair<std::string_view, Model>, 5> list{{{"flow", Model::flow},
                                                                           {"oi", Model::oi},
                                                                           {"blend", Model::blend},
                                                                           {"vendor", Model::vendor},
                                                                           {"none", Model::none}}};
};

/// The enumerator of a word.
template <class E>
E parse(std::string_view word) {
  std::string choices;
  for (const auto& [text, value] : Words<E>::list) {
    if (text == word) return value;
    choices += (choices.empty() ? "\"" : ", \"") + std::string(text) + "\"";
  }
  throw InvalidConfig(std::string(Words<E>::argument) + " must be one of " + choices + ", was \"" + std::string(word) +
                      "\"");
}

template <class E>
std::string word(E value) {
  for (const auto& [text, each] : Words<E>::list)
    if (each == value) return std::string(text);
  return "?";
}

}  // namespace liqcore::bindings
