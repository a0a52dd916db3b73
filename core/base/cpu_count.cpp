// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_count.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstring>
#endif

namespace rayo {
namespace {

uint32_t cpus_of_affinity() noexcept {
  // The kernel refuses a set smaller than its own: grow until it fits (1024 CPUs, then 8192, then 65536).
  for (int cpus = 1024; cpus <= 65536; cpus *= 8) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return static_cast<uint32_t>(std::max(count, 1));
  }
  return static_cast<uint32_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

// The tightest quota on the way from this process's group to the root; 0 = none.
uint32_t cpus_of_cgroup() {
  std::ifstream groups("/proc/self/cgroup");
  std::string group;
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::/", 0) == 0) group = line.substr(3);
  }
  uint32_t tightest = 0;
  while (!group.empty()) {
    std::ifstream file("/sys/fs/cgroup" + (group == "/" ? "" : group) + "/cpu.max");
    std::string line;
    if (file && std::getline(file, line)) {
      const uint32_t cpus = cpus_of_quota(line);
      if (cpus != 0 && (tightest == 0 || cpus < tightest)) tightest = cpus;
    }
    if (group == "/") break;
    const size_t slash = group.rfind('/');
    group = slash == 0 ? "/" : group.substr(0, slash);
  }
  return tightest;
}

}  // namespace

uint32_t cpus_of_quota(std::string_view cpu_max) noexcept {
  uint64_t quota = 0;
  uint64_t period = 0;
  const char *end = cpu_max.data() + cpu_max.size();
  const auto first = std::from_chars(cpu_max.data(), end, quota);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return 0;  // "max 100000" lands here
  const auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc() || quota == 0 || period == 0) return 0;
  const uint64_t cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<uint32_t>(std::min<uint64_t>(cpus, std::numeric_limits<uint32_t>::max()));
}

uint32_t usable_cpus() noexcept {
  uint32_t cpus = cpus_of_affinity();
  try {
    const uint32_t quota = cpus_of_cgroup();
    if (quota != 0) cpus = std::min(cpus, quota);
  } catch (...) {
    // No memory to read two small files: the affinity mask alone is still right.
  }
  return std::max<uint32_t>(cpus, 1);
}

std::string cpu_model() {
#if defined(__x86_64__)
  unsigned words[12] = {};
  if (__get_cpuid_max(0x80000000u, nullptr) >= 0x80000004u) {
    for (unsigned leaf = 0; leaf < 3; ++leaf) {
      unsigned *at = words + leaf * 4;
      __get_cpuid(0x80000002u + leaf, at, at + 1, at + 2, at + 3);
    }
    char text[sizeof words + 1] = {};
    std::memcpy(text, words, sizeof words);
    std::string model(text);
    const size_t first = model.find_first_not_of(' ');
    if (first != std::string::npos) return model.substr(first, model.find_last_not_of(' ') - first + 1);
  }
#else
  std::ifstream tree("/proc/device-tree/model");
  std::string model;
  if (tree && std::getline(tree, model, '\0') && !model.empty()) return model;
#endif
  return "CPU";
}

}  // namespace rayo
