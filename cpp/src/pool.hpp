// The threads that an engine was asked to have.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Runs numbered tasks on its threads and the caller's. Any number of engines may share one; they take turns.
class Pool {
 public:
  /// @param threads  those that work, the caller's included; >= 2
  explicit Pool(std::size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] std::size_t threads() const noexcept { return workers_.size() + 1; }

  /// Run task(0) to task(n - 1), each once, in any order; return when all are done.
  /// @throws whatever a task threw first; the others are still run
  void run(std::size_t n, const std::function<void(std::size_t)>& task);

 private:
  void work();
  void take_tasks(std::unique_lock<std::mutex>& lock);

  std::mutex turn_;  // of those who call run()
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace liqcore::inline abi1
