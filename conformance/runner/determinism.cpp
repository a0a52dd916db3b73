// SPDX-License-Identifier: Apache-2.0
#include "runner/determinism.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <thread>

#include "runner/child.hpp"
#include "runner/judge.hpp"

namespace rayo::conform {
namespace {

constexpr int kForkSeconds = 4;     // below every limit of a case, so that the hang is told as this check's
constexpr int kCallsUnderLoad = 4;  // with busy threads on every core, a few of them are preempted half-way
// What a device of the parent's answers in a forked child, from a plugin and from the runtime.
constexpr std::array<std::string_view, 2> kForked = {"RAYO_FORKED", "was opened by the parent of this process"};

// Threads that do nothing but take processor time, while the object lives.
class BusyThreads {
 public:
  explicit BusyThreads(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        running_.fetch_add(1);
        for (volatile double x = 1; !stop_.load(std::memory_order_relaxed);) x = x * 1.0000001;
      });
    }
    while (running_.load() < count) std::this_thread::yield();
  }
  ~BusyThreads() {
    stop_.store(true);
    for (std::thread &thread : threads_) thread.join();
  }
  BusyThreads(const BusyThreads &) = delete;
  BusyThreads &operator=(const BusyThreads &) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::uint32_t> running_{0};
  std::vector<std::thread> threads_;
};

// One more run on fresh inputs against the first; `name` is what this run is called.
std::string compare_again(const Rerun &rerun, std::string_view check, const std::string &name) {
  Results again;
  const Verdict v = run_fresh(rerun.call, rerun.subject, rerun.outputs, rerun.policy, again);
  if (v.state != State::passed) return fmt::format("{}: {}: {}", check, name, v.message);
  const std::string text = difference(rerun.results, again, "the first run", name);
  return text.empty() ? text : fmt::format("{}: {}", check, text);
}

// What the forked child says in one line: "ok", "forked" (the plugin declares that it cannot), or what went wrong.
std::string run_in_child(const Rerun &rerun) {
  Results again;
  const Verdict v = run_fresh(rerun.call, rerun.subject, rerun.outputs, rerun.policy, again);
  if (v.state != State::passed) {
    const bool forked = std::any_of(kForked.begin(), kForked.end(),
                                    [&v](std::string_view text) { return v.message.find(text) != std::string::npos; });
    return forked ? "forked" : v.message;
  }
  const std::string text = difference(rerun.results, again, "the parent", "the forked child");
  return text.empty() ? "ok" : text;
}

}  // namespace

std::string difference(const Results &a, const Results &b, std::string_view a_name, std::string_view b_name) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string text = bit_difference(a[i], b[i], a_name, b_name);
    if (!text.empty()) return text;
  }
  return {};
}

std::string check_repeats(const Rerun &rerun) {
  for (std::uint32_t i = 1; i < rerun.call.c.repeat; ++i) {
    std::string text = compare_again(rerun, "repeat", fmt::format("run {}", i));
    if (!text.empty()) return text;
  }
  return {};
}

std::string check_row(const Rerun &rerun) {
  const std::int64_t number = rerun.call.c.row;
  if (number < 0) return {};
  Results alone;
  const Verdict v = run_row(rerun.call, rerun.subject, rerun.outputs, rerun.policy, alone);
  if (v.state != State::passed) return fmt::format("row {} alone: {}", number, v.message);
  Results row;
  for (std::size_t i = 0; i < rerun.results.size(); ++i) {
    const auto n = static_cast<std::ptrdiff_t>(alone[i].size());
    const auto first = rerun.results[i].begin() + static_cast<std::ptrdiff_t>(number) * n;
    row.emplace_back(first, first + n);
  }
  const std::string text = difference(row, alone, "the batch", "the row alone");
  return text.empty() ? text : fmt::format("row {}: {}", number, text);
}

std::string check_load(const Rerun &rerun) {
  if (rerun.call.c.load == 0) return {};
  const BusyThreads busy(rerun.call.c.load);
  for (int i = 1; i <= kCallsUnderLoad; ++i) {
    std::string text = compare_again(rerun, "load", fmt::format("run {} beside {} busy threads", i, rerun.call.c.load));
    if (!text.empty()) return text;
  }
  return {};
}

std::string check_fork(const Rerun &rerun) {
  if (!rerun.call.c.forked) return {};
  Child child([&](const Child::Send &send) { send(run_in_child(rerun)); });
  std::string line;
  const Child::Event event = child.next(kForkSeconds * 1000, line);
  if (event == Child::Event::timeout) return fmt::format("fork: no answer in the forked child in {} s", kForkSeconds);
  if (event == Child::Event::line) return line == "ok" || line == "forked" ? "" : "fork: " + line;
  const std::string how = child.wait();
  return fmt::format("fork: the forked child ended: {}", how.empty() ? "without an answer" : how);
}

}  // namespace rayo::conform
