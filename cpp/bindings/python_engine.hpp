// An engine as Python holds it: who uses it now, and what its callback raised.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "liqcore/engine.hpp"
#include "liqcore/published.hpp"

namespace liqcore::bindings {

namespace py = pybind11;

struct PyEngine;

/// A publisher, and the engine that publishes to it: that one alone, for its thread is the publishing thread.
struct PyPublisher {
  explicit PyPublisher(PublisherOptions options) : publisher(std::make_shared<Publisher>(std::move(options))) {}

  std::shared_ptr<Publisher> publisher;
  PyEngine* engine = nullptr;
};

/// An engine, who uses it now, and what its Python callback raised.
struct PyEngine {
  explicit PyEngine(Engine made) : engine(std::move(made)) {}
  PyEngine(const PyEngine&) = delete;
  PyEngine& operator=(const PyEngine&) = delete;
  ~PyEngine() {
    if (publisher) publisher->engine = nullptr;
  }

  Engine engine;
  std::atomic<std::size_t> user{0};  // hash of the thread's id; 0: nobody
  py::object callback = py::none();
  std::optional<py::error_already_set> raised{};
  std::string notes{};           // that came with the bytes it was loaded from
  py::object opened{};           // what a verb returned last
  bool told_unresolved = false;  // a verb has warned that it opened less than it was told to
  std::shared_ptr<PyPublisher> publisher{};
};

void register_verbs(py::module_& m, py::class_<PyEngine>& engine);

inline std::size_t this_thread() { return std::hash<std::thread::id>{}(std::this_thread::get_id()) | 1; }

/// Feeding: nobody else may be using the engine, not even this thread's own callback.
class Feeding {
 public:
  explicit Feeding(PyEngine& engine) : engine_(engine) {
    std::size_t nobody = 0;
    if (engine_.user.compare_exchange_strong(nobody, this_thread())) return;
    throw std::runtime_error(nobody == this_thread()
                                 ? "this engine was used from its own on_column callback, which may only read it: do "
                                   "that after the call returns"
                                 : "this engine is in use by another thread: one engine, one thread at a time");
  }
  Feeding(const Feeding&) = delete;
  Feeding& operator=(const Feeding&) = delete;
  ~Feeding() { engine_.user = 0; }

 private:
  PyEngine& engine_;
};

/// Reading: allowed to the engine's own callback as well.
class Reading {
 public:
  explicit Reading(PyEngine& engine) : engine_(engine) {
    std::size_t nobody = 0;
    owns_ = engine_.user.compare_exchange_strong(nobody, this_thread());
    if (!owns_ && nobody != this_thread())
      throw std::runtime_error("this engine is in use by another thread: one engine, one thread at a time");
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    if (owns_) engine_.user = 0;
  }

 private:
  PyEngine& engine_;
  bool owns_;
};

/// What the callback raised during the call is raised now that the call is done.
inline void raise_pending(PyEngine& self) {
  if (!self.raised) return;
  py::error_already_set error = std::move(*self.raised);
  self.raised.reset();
  throw error;
}

template <class Use>
auto feed(PyEngine& self, Use&& use) {
  auto result = [&] {
    const Feeding guard(self);
    const py::gil_scoped_release unlocked;
    return use(self.engine);
  }();
  raise_pending(self);
  return result;
}

}  // namespace liqcore::bindings
