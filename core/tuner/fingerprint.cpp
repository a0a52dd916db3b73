// SPDX-License-Identifier: Apache-2.0
#include "tuner/fingerprint.hpp"

#include <fmt/format.h>

#include <fstream>

#include "base/cpu_count.hpp"
#include "loader/cpu_features.hpp"

namespace rayo {
namespace {

std::string first_line(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line.substr(0, 200);
}

// Sizes of CPU 0's data and unified caches, from the core outwards.
std::string cache_sizes() {
  std::string sizes;
  for (int index = 0; index < 16; ++index) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    const std::string size = first_line(folder + "size");
    if (size.empty()) break;
    if (first_line(folder + "type") == "Instruction") continue;
    sizes += (sizes.empty() ? "" : " ") + size;
  }
  return sizes;
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.cpu = cpu_model();
  machine.isa = cpu_feature_names(detect_cpu_features());
  machine.caches = cache_sizes();
  machine.topology = first_line("/sys/devices/system/cpu/online");
  const std::string kind = machine.cpu + "|" + machine.isa + "|" + machine.caches + "|" + machine.topology;
  machine.class_key = checksum_text(kind);
  machine.instance_key =
      checksum_text(kind + "|" + first_line("/etc/machine-id") + "|" + first_line("/proc/sys/kernel/hostname"));
  return machine;
}

std::string foreign_machine(const Machine &measured, const Machine &here) {
  if (measured.class_key == here.class_key || measured.class_key == kAnyMachine) return "";
  const auto differs = [](const char *what, const std::string &then, const std::string &now) {
    return then == now ? std::string()
                       : fmt::format("measured on {} '{}', here is '{}'", what, then.substr(0, 80), now.substr(0, 80));
  };
  for (const std::string &text :
       {differs("CPU", measured.cpu, here.cpu), differs("caches", measured.caches, here.caches),
        differs("CPUs", measured.topology, here.topology), differs("features", measured.isa, here.isa)}) {
    if (!text.empty()) return text;
  }
  return "measured on another kind of machine";
}

}  // namespace rayo
