// SPDX-License-Identifier: Apache-2.0
//
// What a parallel region costs: the pool beside one thread, OpenMP and oneTBB, on a quiet machine and beside a process
// that keeps a processor busy. Every round runs each executor once, in turn; the numbers are medians and the worst of
// that many rounds. doc/adr/0002-executor.md in core is decided by this program.
#include <fmt/format.h>
#include <rayo/plugin.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "device/pool.hpp"
#include "executor/others.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double micros(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

// Arithmetic that takes about `steps` ns on any core and touches no memory: the region's cost is what differs.
struct Job {
  uint64_t steps;
};
void spin_task(void *ctx, uint64_t task, uint32_t) {
  double x = static_cast<double>(task) + 2;  // 1 would stay 1, and be folded
  for (uint64_t i = static_cast<const Job *>(ctx)->steps; i != 0; --i) x = x * 0.999999 + 1e-6;
  static std::atomic<double> sink;
  sink.store(x, std::memory_order_relaxed);  // so that the loop is run, and between the clock's two readings
}

uint64_t steps_of(double us) {
  Job job{100'000};
  double fastest = 1e9;  // of several: a processor lost in between only adds
  for (int i = 0; i < 21; ++i) {
    const auto begin = Clock::now();
    spin_task(&job, 0, 0);
    fastest = std::min(fastest, micros(Clock::now() - begin));
  }
  return static_cast<uint64_t>(1e5 * us / fastest);
}

struct Executor {
  std::string name;
  std::function<void(uint64_t tasks, Job *)> run;
};

struct Row {
  double median, p99, p999, worst;
};
Row summary(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto at = [&](double q) {
    return us[std::min(us.size() - 1, static_cast<size_t>(q * static_cast<double>(us.size())))];
  };
  return {at(0.5), at(0.99), at(0.999), us.back()};
}

// Children that take a processor each until they are killed.
std::vector<pid_t> start_busy(int count) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const pid_t parent = getppid();
      Job job{1 << 20};
      while (getppid() == parent) spin_task(&job, 0, 0);  // until killed, or nobody is left to kill it
      _exit(0);
    }
    if (child > 0) children.push_back(child);
  }
  return children;
}

void measure(std::vector<Executor> &executors, double total_us, uint64_t tasks, int rounds, int series) {
  Job job{steps_of(total_us / static_cast<double>(tasks))};
  std::vector<std::vector<double>> us(executors.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < executors.size(); ++i) {
      const size_t e = (i + static_cast<size_t>(round)) % executors.size();
      // A few in a row, as a program would call them; the first finds the workers as the others left them.
      for (int repeat = 0; repeat < series; ++repeat) {
        const auto begin = Clock::now();
        executors[e].run(tasks, &job);
        us[e].push_back(micros(Clock::now() - begin));
      }
    }
  }
  for (size_t e = 0; e < executors.size(); ++e) {
    const Row r = summary(us[e]);
    fmt::print("{:>8.0f} {:>6} {:<8} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", total_us, tasks, executors[e].name,
               r.median, r.p99, r.p999, r.worst);
  }
  std::fflush(stdout);
}

// The number of an option.
int number_of(std::string_view option, std::string_view text, int least) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least) return value;
  throw std::runtime_error(fmt::format("{} '{}' is no number from {} up; see --help", option, text, least));
}

int run(int argc, char **argv) {
  int busy = 0;
  int rounds = 2000;
  int series = 4;
  unsigned threads = std::max(2u, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--busy" && more) {
      busy = number_of(arg, argv[++i], 0);
    } else if (arg == "--rounds" && more) {
      rounds = number_of(arg, argv[++i], 1);
    } else if (arg == "--series" && more) {
      series = number_of(arg, argv[++i], 1);
    } else if (arg == "--threads" && more) {
      threads = static_cast<unsigned>(number_of(arg, argv[++i], 1));
    } else {
      fmt::print(stderr,
                 "usage: executor_bench [--busy N] [--rounds N] [--series N] [--threads N]\n"
                 "--busy N: beside N processes that each keep a processor busy\n"
                 "--series N: regions of one executor in a row, before the next one's turn (default 4)\n");
      return arg == "--help" ? 0 : 2;
    }
  }
  const std::vector<pid_t> children = start_busy(busy);
  const rayo::ThreadPool pool;
  std::vector<Executor> executors;
  executors.push_back({"serial", [](uint64_t tasks, Job *job) {
                         for (uint64_t t = 0; t < tasks; ++t) spin_task(job, t, 0);
                       }});
  executors.push_back({"pool", [&](uint64_t tasks, Job *job) {
                         pool.executor()->parallel_for(pool.executor()->self, tasks, threads, spin_task, job);
                       }});
  for (const rayo::bench::OtherExecutor &other : rayo::bench::other_executors()) {
    executors.push_back({other.name, [&other, threads](uint64_t tasks, Job *job) {
                           other.parallel_for(tasks, threads, spin_task, job);
                         }});
  }
  fmt::print("{} threads, {} busy processes, {} regions each; us\n", threads, busy, series * rounds);
  fmt::print("{:>8} {:>6} {:<8} {:>10} {:>10} {:>10} {:>10}\n", "work us", "tasks", "executor", "median", "p99",
             "p99.9", "worst");
  for (const double total : {0.5, 10.0, 20.0, 50.0, 100.0, 200.0, 1000.0}) {
    measure(executors, total, 8, total > 500 ? std::max(1, rounds / 4) : rounds, series);
  }
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception &error) {
    (void)std::fprintf(stderr, "executor_bench: %s\n", error.what());
    return 1;
  }
}
