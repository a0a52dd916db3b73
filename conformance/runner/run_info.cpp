// SPDX-License-Identifier: Apache-2.0
#include "runner/run_info.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rayo/rayo.h>
#include <sys/utsname.h>

#include <array>
#include <ctime>
#include <fstream>
#include <thread>

namespace rayo::conform {
namespace {

// x86 names its model; ARM gives numbers, and the architecture has to do.
std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

}  // namespace

std::string_view run_kind_name(RunKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"full", "quick", "partial"};
  return kNames[static_cast<std::size_t>(kind)];
}

RunInfo describe_run() {
  RunInfo info;
  info.rayo = rayo_version();
  info.date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  struct utsname system {};
  (void)::uname(&system);
  info.machine = fmt::format("{}, {} CPUs, {}, {} {}", cpu_name(), std::thread::hardware_concurrency(), system.machine,
                             system.sysname, system.release);
  return info;
}

}  // namespace rayo::conform
