// SPDX-License-Identifier: Apache-2.0
//
// Claims that circumstances outside a call do not change its bits: the order of the cases, busy processors, little
// memory, a fork, other calls at the same time. Each compares digests of the same cases made quietly and made so.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "runner/child.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"
#include "suites/pcg32.hpp"

namespace rayo::conform::claims {
namespace {

using nlohmann::json;

// One digest per case; empty where the plugin has no kernel for it.
using Digests = std::vector<std::string>;

// Every op and type, short and long enough for several threads.
std::vector<Case> probe_cases(const Setting &setting) {
  std::vector<Case> cases;
  for (const Typed &typed : all_typed_ops()) {
    for (const auto &[size, values] : {std::pair{259, "sprinkled"}, std::pair{20011, "uniform"}}) {
      auto c = sized_case(*typed.op, typed.types, size, values, setting.seed);
      if (c) cases.push_back(std::move(*c));
    }
  }
  return cases;
}

std::string digest_case(const Subject &subject, const Case &c) {
  BoundCase call(c, subject);
  return call.supported() && call.run(2) ? call.digest() : std::string();
}

Digests digest_all(const Subject &subject, std::span<const Case> cases, std::span<const std::size_t> order,
                   const std::function<void(const std::string &)> &step) {
  Digests digests(cases.size());
  for (const std::size_t i : order) {
    if (step) step(fmt::format("{}: {}", subject.file(), format_case(cases[i])));
    digests[i] = digest_case(subject, cases[i]);
  }
  return digests;
}

std::vector<std::size_t> in_order(std::size_t n) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed) {
  std::vector<std::size_t> order = in_order(n);
  Pcg32 rng(seed, 21);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[rng.below(static_cast<std::uint32_t>(i))]);
  return order;
}

// The digests from a child process that `prepare` has put into its circumstances before the plugin is loaded. A crash
// there refutes: quietly the same cases ran.
Digests digests_in_child(const Setting &setting, const Backend &backend, std::span<const Case> cases,
                         std::span<const std::size_t> order, const std::string &circumstance,
                         const std::function<void()> &prepare = {}) {
  Child child([&](const Child::Send &send) {
    try {
      if (prepare) prepare();
      const Subject subject(backend.file);
      const auto step = [&send](const std::string &what) { send(json{{"step", what}}.dump()); };
      send(json{{"digests", digest_all(subject, cases, order, step)}}.dump());
    } catch (const LoadError &error) {
      send(json{{"error", error.text}}.dump());
    } catch (const std::exception &error) {
      send(json{{"error", error.what()}}.dump());
    }
  });
  std::string step = "loading " + backend.file;
  for (;;) {
    std::string line;
    const Child::Event event = child.next(kStepSeconds * 1000 / 2, line);
    if (event != Child::Event::line) {
      if (event == Child::Event::timeout) child.kill();
      const std::string how = event == Child::Event::timeout ? "hung" : child.wait();
      throw Refuted(fmt::format("{}, {}: {} in: {}", backend.name, circumstance, how, step));
    }
    const json message = json::parse(line);
    if (message.contains("digests")) return message["digests"];
    if (message.contains("error")) {
      throw Refuted(
          fmt::format("{}, {}: {} (in: {})", backend.name, circumstance, message["error"].get<std::string>(), step));
    }
    step = message["step"];
    setting.step(fmt::format("{} ({})", step, circumstance));
  }
}

void expect_equal(const Backend &backend, std::span<const Case> cases, const Digests &quiet, const Digests &other,
                  const std::string &circumstance, Tally &tally) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (quiet[i].empty() && other[i].empty()) continue;
    if (quiet[i] != other[i]) {
      throw Refuted(fmt::format("{}: {}: other bits {} (digest {} against {})", backend.name, format_case(cases[i]),
                                circumstance, other[i].empty() ? "none" : other[i], quiet[i]),
                    replay(backend, format_case(cases[i])));
    }
    tally.count(backend, cases[i], 1);
  }
}

// Compares every ready plugin's digests made quietly with those made under the circumstance.
std::string same_under(const Setting &setting, const std::string &circumstance, int rounds,
                       const std::function<void()> &prepare) {
  const std::vector<Case> cases = probe_cases(setting);
  const std::vector<std::size_t> order = in_order(cases.size());
  Tally tally;
  for (const Backend *backend : setting.ready()) {
    const Digests quiet = digests_in_child(setting, *backend, cases, order, "quietly");
    for (int i = 0; i < rounds; ++i) {
      expect_equal(*backend, cases, quiet, digests_in_child(setting, *backend, cases, order, circumstance, prepare),
                   circumstance, tally);
    }
  }
  return tally.text(fmt::format("results made {} have the digest of those made quietly", circumstance));
}

// Verdicts, too: the suite's own run over a part of its cases, in two orders.
void same_verdicts(const Setting &setting, const Backend &backend) {
  std::vector<Case> cases = slice(generate({}, true, setting.seed), 16, setting.seed);
  const std::vector<std::size_t> order = shuffled(cases.size(), setting.seed + 1);
  std::vector<Case> mixed;
  for (const std::size_t i : order) mixed.push_back(cases[i]);
  setting.step(fmt::format("{}: {} cases judged in two orders", backend.name, cases.size()));
  const PluginReport plain = judge_plugin(backend.file, cases, {});
  const PluginReport other = judge_plugin(backend.file, mixed, {});
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Verdict &a = plain.cases[order[k]].verdict;
    const Verdict &b = other.cases[k].verdict;
    if (a.state == b.state && a.message == b.message && a.error_ulp == b.error_ulp) continue;
    throw Refuted(fmt::format("{}: {}: {} in order, {} shuffled", backend.name, other.cases[k].line,
                              state_name(a.state), state_name(b.state)),
                  replay(backend, other.cases[k].line));
  }
}

std::uint64_t address_space() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Leaves this process `room` bytes of address space beyond what it has, and proves that the limit binds.
void limit_memory(std::uint64_t room) {
  const rlim_t limit = address_space() + room;
  const struct rlimit both { limit, limit };
  if (::setrlimit(RLIMIT_AS, &both) != 0) throw std::runtime_error("setrlimit(RLIMIT_AS) was refused");
  void *more = std::malloc(room + (room >> 2));
  if (more != nullptr) {
    std::free(more);
    throw std::runtime_error("the memory limit does not bind");
  }
}

class BusyProcesses {
 public:
  explicit BusyProcesses(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      children_.push_back(std::make_unique<Child>([](const Child::Send &send) {
        send("spinning");
        for (volatile std::uint64_t x = 1;;) x = x * 3 + 1;
      }));
      std::string line;
      (void)children_.back()->next(10000, line);
    }
  }

 private:
  std::vector<std::unique_ptr<Child>> children_;  // killed by their destructors
};

}  // namespace

std::string shuffled_order(const Setting &setting) {
  const std::vector<Case> cases = probe_cases(setting);
  Tally tally;
  for (const Backend *backend : setting.ready()) {
    const Digests plain = digests_in_child(setting, *backend, cases, in_order(cases.size()), "in order");
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto order = shuffled(cases.size(), setting.seed * 100 + seed);
      expect_equal(*backend, cases, plain, digests_in_child(setting, *backend, cases, order, "shuffled"), "shuffled",
                   tally);
    }
    same_verdicts(setting, *backend);
  }
  return tally.text("results of 3 shuffled runs have the digest of the run in order, verdicts too");
}

std::string under_load(const Setting &setting) {
  const unsigned count = 2 * std::max(1u, std::thread::hardware_concurrency());
  setting.ready();
  const BusyProcesses busy(count);
  return same_under(setting, fmt::format("beside {} spinning processes", count), 2, {});
}

std::string under_memory_limit(const Setting &setting) {
  constexpr std::uint64_t kRoom = std::uint64_t{192} << 20;
  return same_under(setting, "with 192 MiB of address space left (RLIMIT_AS, seen to bind)", 1,
                    [] { limit_memory(kRoom); });
}

std::string in_forked_child(const Setting &setting) {
  const std::vector<Case> cases = probe_cases(setting);
  const std::vector<std::size_t> order = in_order(cases.size());
  Tally tally;
  std::string away;
  for (const Backend *backend : setting.ready()) {
    const auto subject = load(setting, *backend);
    // The parent's calls start its threads: the child inherits a pool whose threads do not exist.
    const Digests parent = digest_all(*subject, cases, order, setting.step);
    setting.step(fmt::format("{} in a forked child of the process that used it", backend->file));
    Child child([&](const Child::Send &send) {
      try {
        send(json{{"digests", digest_all(*subject, cases, order, {})}}.dump());
      } catch (const std::exception &error) {
        send(json{{"error", error.what()}}.dump());
      }
    });
    std::string line;
    const Child::Event event = child.next(kStepSeconds * 500, line);
    if (event != Child::Event::line) {
      if (event == Child::Event::timeout) child.kill();
      throw Refuted(fmt::format("{}: the forked child {}", backend->name,
                                event == Child::Event::timeout ? "hung" : "ended: " + child.wait()));
    }
    const json message = json::parse(line);
    if (message.contains("error")) {
      const std::string error = message["error"];
      // A device that cannot be used there says so, which is the contract's answer.
      if (error.find("the parent of this process") != std::string::npos) {
        away += fmt::format("; {} answers that its device belongs to the parent", backend->name);
        continue;
      }
      throw Refuted(fmt::format("{}: in a forked child: {}", backend->name, error));
    }
    expect_equal(*backend, cases, parent, message["digests"], "in a forked child", tally);
  }
  return tally.text("results of a forked child have the digest of its parent's") + away;
}

std::string in_parallel(const Setting &setting) {
  constexpr std::size_t kThreads = 4;
  const std::vector<Case> cases = probe_cases(setting);
  Tally tally;
  for (const Backend *backend : setting.ready()) {
    const auto subject = load(setting, *backend);
    const Digests alone = digest_all(*subject, cases, in_order(cases.size()), setting.step);
    setting.step(fmt::format("{}: {} cases from each of {} threads at once", backend->file, cases.size(), kThreads));
    std::array<Digests, kThreads> at_once;
    std::array<std::string, kThreads> errors;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        try {
          at_once[t] = digest_all(*subject, cases, shuffled(cases.size(), setting.seed + t), {});
        } catch (const std::exception &error) {
          errors[t] = error.what();
        }
      });
    }
    for (std::thread &thread : threads) thread.join();
    for (std::size_t t = 0; t < kThreads; ++t) {
      if (!errors[t].empty())
        throw Refuted(fmt::format("{}: with other calls beside it: {}", backend->name, errors[t]));
      expect_equal(*backend, cases, alone, at_once[t], "with other calls beside it", tally);
    }
  }
  return tally.text(fmt::format("results from {} threads at once have the digest of those made alone", kThreads));
}

}  // namespace rayo::conform::claims
