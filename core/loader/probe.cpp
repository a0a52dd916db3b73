// SPDX-License-Identifier: Apache-2.0
#include "loader/probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"
#include "base/uninterrupted.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

using Clock = std::chrono::steady_clock;

// A pipe whose ends lie above the descriptors that the child's are moved to, whatever this process has closed.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    for (size_t i = 0; i < ends.size(); ++i) {
      const int moved = ::fcntl(ends[i], F_DUPFD_CLOEXEC, kProbeReportFd + 1);
      ::close(ends[i]);
      ends_[i] = moved;
    }
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;

  bool ok() const { return ends_[0] >= 0 && ends_[1] >= 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read() { close_one(&ends_[0]); }
  void close_write() { close_one(&ends_[1]); }

 private:
  static void close_one(int *fd) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

std::vector<std::string> arguments_of(const std::string &program, const std::vector<ProbeJob> &jobs,
                                      uint64_t cpu_features, const std::string &replay) {
  std::vector<std::string> arguments = {program, "--report-fd", std::to_string(kProbeReportFd), "--cpu-features",
                                        std::to_string(cpu_features)};
  for (const std::string &folder : default_folders("plugins")) {
    const std::string scalar = real_path(folder + "/scalar.so");
    if (scalar.empty() || !distrust(scalar).empty()) continue;
    arguments.insert(arguments.end(), {"--reference", scalar});
    break;
  }
  if (!replay.empty()) arguments.insert(arguments.end(), {"--replay", replay});
  arguments.emplace_back("--");
  for (const ProbeJob &job : jobs) arguments.insert(arguments.end(), {std::to_string(job.limit_ms), job.file});
  return arguments;
}

// What posix_spawn is told: default signals, an empty mask, /dev/null for the standard streams, the pipe.
class SpawnSettings {
 public:
  explicit SpawnSettings(int report) {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    for (const int fd : {0, 1, 2}) {
      ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
    }
    ::posix_spawn_file_actions_adddup2(&actions_, report, kProbeReportFd);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings &) = delete;
  SpawnSettings &operator=(const SpawnSettings &) = delete;

  // 0 or an errno. Safe beside other threads: glibc's posix_spawn forks without copying this process.
  int spawn(pid_t *out_pid, const std::vector<std::string> &arguments) const {
    std::vector<char *> argv;
    for (const std::string &argument : arguments) argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    // The environment of a privileged process is its caller's.
    std::array<char *, 1> nothing = {nullptr};
    return ::posix_spawn(out_pid, argv[0], &actions_, &attributes_, argv.data(),
                         privileged_process() ? nothing.data() : environ);
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

// Takes in complete lines of the answer.
class Answers {
 public:
  explicit Answers(std::vector<ProbeResult> *results) : results_(*results) {}

  // False once the end was read.
  bool add(const char *data, size_t size) {
    text_.append(data, size);
    for (size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      const bool more = line(text_.substr(0, end));
      text_.erase(0, end + 1);
      if (!more) return false;
    }
    return text_.size() < kLongestLine;
  }

 private:
  static constexpr size_t kLongestLine = 65536;

  bool line(const std::string &text) {
    try {
      const JsonValue document = JsonValue::parse(text, 4);
      if (document.find("end") != nullptr) return false;
      const size_t index = document.at("index").count();
      if (index >= results_.size()) return true;
      ProbeResult result;
      const std::string &state = document.at("state").text();
      result.state = state == "ready"         ? PluginState::ready
                     : state == "quarantined" ? PluginState::quarantined
                                              : PluginState::rejected;
      result.reason = document.at("reason").text();
      result.lasting = document.at("lasting").boolean();
      if (result.state != PluginState::ready && result.reason.empty()) result.reason = "did not pass its probe";
      results_[index] = std::move(result);
    } catch (const JsonError &) {  // a line that is not ours: the file stays without a verdict
    }
    return true;
  }

  std::vector<ProbeResult> &results_;
  std::string text_;
};

Clock::time_point deadline_of(const std::vector<ProbeJob> &jobs) {
  uint64_t longest = 0;
  for (const ProbeJob &job : jobs) longest = std::max<uint64_t>(longest, job.limit_ms);
  const uint64_t rounds = (jobs.size() + kProbesAtOnce - 1) / kProbesAtOnce;
  return Clock::now() + std::chrono::milliseconds(10000 + rounds * longest * (kProbeExtensions + 1));
}

void read_answers(int fd, Clock::time_point deadline, std::vector<ProbeResult> *results) {
  Answers answers(results);
  std::array<char, 4096> buffer;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60000)));
    if (ready < 0 && errno != EINTR) return;
    if (ready <= 0) continue;
    const ssize_t got = uninterrupted([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (got <= 0 || !answers.add(buffer.data(), static_cast<size_t>(got))) return;
  }
}

// No zombie stays. ECHILD: the application ignores SIGCHLD, or has waited for every child itself.
void reap(pid_t pid) {
  uninterrupted([pid] { return ::waitpid(pid, nullptr, 0); });
}

void refuse_all(std::vector<ProbeResult> *results, const std::string &reason) {
  for (ProbeResult &result : *results) result.reason = reason;
}

std::vector<ProbeResult> run(const std::string &program, const std::vector<ProbeJob> &jobs, uint64_t cpu_features,
                             const std::string &replay) {
  std::vector<ProbeResult> results(jobs.size());
  if (jobs.empty()) return results;
  Pipe pipe;
  if (!pipe.ok()) {
    refuse_all(&results, fmt::format("could not be probed: no pipe: {}", std::strerror(errno)));
    return results;
  }
  pid_t pid = -1;
  const SpawnSettings settings(pipe.write_end());
  const int error = settings.spawn(&pid, arguments_of(program, jobs, cpu_features, replay));
  if (error != 0) {
    refuse_all(&results, fmt::format("could not be probed: {} cannot be run: {}", program, std::strerror(error)));
    return results;
  }
  pipe.close_write();
  refuse_all(&results, fmt::format("could not be probed: {} ended without a verdict", program));
  read_answers(pipe.read_end(), deadline_of(jobs), &results);
  ::kill(pid, SIGKILL);  // it has answered, or never will; its own children go with it
  reap(pid);
  return results;
}

}  // namespace

std::string find_probe_program(std::string *out_problem) {
  std::string problem;
  for (const std::string &program : package_paths("rayo-probe")) {
    const std::string reason = distrust(program);
    if (reason.empty() && ::access(program.c_str(), X_OK) == 0) return program;
    problem = fmt::format("{} {}", quote(program), reason.empty() ? "is not executable" : reason);
  }
  *out_problem = problem.empty() ? "there is no rayo-probe in lib/rayo beside librayo" : problem;
  return "";
}

int spawn_probe_program(const std::vector<std::string> &arguments, int fd, pid_t *out_pid) {
  return SpawnSettings(fd).spawn(out_pid, arguments);
}

std::vector<ProbeResult> run_probes(const std::string &program, const std::vector<ProbeJob> &jobs,
                                    uint64_t cpu_features) {
  return run(program, jobs, cpu_features, "");
}

std::vector<ProbeResult> run_replays(const std::string &program, const std::vector<ReplayJob> &jobs,
                                     uint64_t cpu_features) {
  std::vector<ProbeResult> results;
  for (const ReplayJob &job : jobs) {
    results.push_back(run(program, {{job.file, kProbeLimitMs}}, cpu_features, job.line).front());
  }
  return results;
}

}  // namespace rayo
