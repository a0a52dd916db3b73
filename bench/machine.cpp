// SPDX-License-Identifier: Apache-2.0
//
// From the runtime, sysconf, uname and /proc.
#include "machine.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include <fmt/core.h>

#include "bench/measure/clock.hpp"
#include "rayo_bench_commit.h"

namespace rayo::bench {
namespace {

std::string date_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0 ? text : "";
}

std::string first_line(const char *file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

nlohmann::json describe_machine(const tools::Session &session) {
  const std::vector<rayo_device_listing> devices = session.devices();
  utsname system{};
  uname(&system);
  const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  std::string load = first_line("/proc/loadavg");
  load = load.substr(0, load.find(' '));
  nlohmann::json machine = {
      {"cpu", devices.empty() ? "" : devices.front().name},
      {"cpus", usable_cpus()},
      {"caches",
       {{"l1d", sysconf(_SC_LEVEL1_DCACHE_SIZE)},
        {"l2", sysconf(_SC_LEVEL2_CACHE_SIZE)},
        {"l3", sysconf(_SC_LEVEL3_CACHE_SIZE)}}},
      {"memory_gib", pages / (1024.0 * 1024 * 1024)},
      {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
      {"compiler", __VERSION__},
      {"rayo", rayo_version()},
      {"commit", RAYO_BENCH_COMMIT},
      {"date", date_text()},
      {"load", load},
      {"clock_resolution_ns",
       {{"thread_cpu", clock_resolution_ns(Clock::thread_cpu)}, {"wall", clock_resolution_ns(Clock::wall)}}}};
  for (const rayo_device_listing &device : devices) machine["devices"].push_back(device.id);
  return machine;
}

}  // namespace rayo::bench
