// SPDX-License-Identifier: Apache-2.0
#include "probe/process_time.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace rayo::probe {

ProcessTime process_time(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text, '\0');
  const size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  char state = '?';
  fields >> state;
  std::string skipped;
  constexpr int kBeforeTimes = 10;  // fields 4 to 13
  for (int i = 0; i < kBeforeTimes; ++i) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  fields >> user >> system;
  const auto ticks = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  return {(user + system) * 1000 / ticks, state == 'R' || state == 'D'};
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/children", pid, pid));
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace rayo::probe
