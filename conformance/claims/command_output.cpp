// SPDX-License-Identifier: Apache-2.0
#include "claims/command_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

extern char **environ;

namespace rayo::conform::claims {
namespace {

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n > 0) text.append(chunk.data(), static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) return text;
  }
}

}  // namespace

CommandOutput run_command(const std::vector<std::string> &argv) {
  CommandOutput out;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    out.error = ::strerrordesc_np(errno);
    return out;
  }
  posix_spawn_file_actions_t actions;
  (void)::posix_spawn_file_actions_init(&actions);
  (void)::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char *> pointers;
  for (const std::string &argument : argv) pointers.push_back(const_cast<char *>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  (void)::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed != 0) {
    ::close(ends[0]);
    out.error = ::strerrordesc_np(failed);
    return out;
  }
  out.started = true;
  out.text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) {
    out.exit_status = WEXITSTATUS(status);
    if (out.exit_status != 0) out.error = fmt::format("exit status {}", out.exit_status);
  } else {
    out.error = "killed by a signal";
  }
  return out;
}

}  // namespace rayo::conform::claims
