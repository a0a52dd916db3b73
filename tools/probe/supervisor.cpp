// SPDX-License-Identifier: Apache-2.0
#include "probe/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>

#include "loader/probe.hpp"
#include "probe/output.hpp"
#include "probe/process_time.hpp"

namespace rayo::probe {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(5);

// A report in memory that survives the child.
class SharedReport {
 public:
  SharedReport() {
    void *memory = ::mmap(nullptr, sizeof(TrialReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    report_ = new (memory) TrialReport;
  }
  ~SharedReport() { ::munmap(static_cast<void *>(report_), sizeof(TrialReport)); }
  SharedReport(const SharedReport &) = delete;
  SharedReport &operator=(const SharedReport &) = delete;
  TrialReport *get() const { return report_; }

 private:
  TrialReport *report_;
};

std::string signal_name(int number) {
  const char *name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

// In the child: nothing of the supervisor's is left open, and everything ends with the supervisor.
[[noreturn]] void run_child(const Job &job, const TrialOptions &options, int report_fd, const OutputPipe &out,
                            const OutputPipe &err, TrialReport *report, pid_t supervisor) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::close(report_fd);
  ::signal(SIGPIPE, SIG_DFL);
  out.become(STDOUT_FILENO);
  err.become(STDERR_FILENO);
  try_plugin(job.file, options, report);
  std::exit(0);  // static destructors of the plugin run, as they will in the application
}

class Trial {
 public:
  Trial(const Job &job, size_t index, const TrialOptions &options, int report_fd)
      : job_(job), index_(index), replay_(!options.replay.empty()) {
    std::fflush(nullptr);
    const pid_t supervisor = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) run_child(job, options, report_fd, out_, err_, report_.get(), supervisor);
    out_.close_write();
    err_.close_write();
    ::setpgid(pid_, pid_);  // both sides: whoever comes first
    start_ = Clock::now();
  }
  ~Trial() {
    if (pid_ > 0) kill_group();
  }
  Trial(const Trial &) = delete;
  Trial &operator=(const Trial &) = delete;

  void add_polls(std::vector<pollfd> *polls) const {
    for (const OutputPipe *pipe : {&out_, &err_}) {
      if (pipe->open()) polls->push_back({pipe->read_end(), POLLIN, 0});
    }
  }

  // True once the child is gone; its status is known then.
  bool step() {
    out_.drain();
    err_.drain();
    if (pid_ < 0) return true;
    const pid_t got = ::waitpid(pid_, &status_, WNOHANG);
    if (got == pid_) {
      ::kill(-pid_, SIGKILL);  // whatever it started
      pid_ = 0;
      out_.drain();
      err_.drain();
      return true;
    }
    if (Clock::now() - start_ >= std::chrono::milliseconds(job_.limit_ms) && !give_more_time()) {
      hung_ = true;
      kill_group();
      while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
      }
      pid_ = 0;
      return true;
    }
    return false;
  }

  std::string line() const {
    const ProbeResult result = verdict();
    const char *state = result.state == PluginState::ready         ? "ready"
                        : result.state == PluginState::quarantined ? "quarantined"
                                                                   : "rejected";
    const json document = {{"index", index_}, {"state", state}, {"reason", result.reason}, {"lasting", result.lasting}};
    return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }

 private:
  void kill_group() const {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
  }

  // A busy machine is no hanging plugin.
  bool give_more_time() {
    if (extensions_ == kProbeExtensions) return false;
    const ProcessTime time = process_time(pid_);
    if (!time.wants_cpu || time.cpu_ms - counted_ms_ >= job_.limit_ms / 4) return false;
    counted_ms_ = time.cpu_ms;
    ++extensions_;
    start_ = Clock::now();
    return true;
  }

  // A call may take long, and a child that was killed may have been too large: neither says that the plugin is bad.
  ProbeResult replay_verdict() const {
    if (hung_) return {PluginState::rejected, fmt::format("had no end after {} ms", job_.limit_ms), false};
    if (WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL) return {PluginState::rejected, "was killed", false};
    ProbeResult result = trial_verdict("in the replay");
    result.lasting = false;
    return result;
  }

  ProbeResult verdict() const { return replay_ && pid_ >= 0 ? replay_verdict() : trial_verdict("in its probe"); }

  ProbeResult trial_verdict(const char *when) const {
    const TrialReport &report = *report_.get();
    if (pid_ < 0) return {PluginState::rejected, "could not be probed: fork failed", false};
    const std::string where = report.step().empty() ? "before it was loaded" : std::string(report.step());
    if (hung_) {
      return {PluginState::quarantined,
              fmt::format("hung {}, {}: no end after {} ms", when, where, job_.limit_ms * (extensions_ + 1)), true};
    }
    if (WIFSIGNALED(status_)) {
      return {PluginState::quarantined,
              fmt::format("crashed {}, {}: {}{}", when, where, signal_name(WTERMSIG(status_)), last_words()), true};
    }
    if (!report.finished() || WEXITSTATUS(status_) != 0) {
      return {
          PluginState::quarantined,
          fmt::format("ended the process {}, {}: exit status {}{}", when, where, WEXITSTATUS(status_), last_words()),
          true};
    }
    if (!report.passed()) return {PluginState::rejected, std::string(report.reason()), report.lasting()};
    if (out_.bytes() > 0) {
      return {PluginState::rejected, fmt::format("wrote {} bytes to standard output: '{}'", out_.bytes(), out_.text()),
              true};
    }
    return {PluginState::ready, "", true};
  }

  // What a runtime library said about the crash.
  std::string last_words() const { return err_.bytes() == 0 ? "" : fmt::format(", after '{}'", err_.text()); }

  const Job &job_;
  const size_t index_;
  const bool replay_;
  SharedReport report_;
  OutputPipe out_;
  OutputPipe err_;
  pid_t pid_ = -1;  // 0: gone
  int status_ = 0;
  bool hung_ = false;
  uint32_t extensions_ = 0;
  uint64_t counted_ms_ = 0;
  Clock::time_point start_;
};

void write_all(int fd, const std::string &text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    done += static_cast<size_t>(wrote);
  }
}

// Children that left their group were handed to this process (subreaper): they end here.
void end_strays() {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    for (const pid_t pid : children_of(::getpid())) ::kill(pid, SIGKILL);
    pid_t gone = 0;
    while ((gone = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (gone < 0 && errno == ECHILD) return;
    ::usleep(1000);
  }
}

}  // namespace

void supervise(const std::vector<Job> &jobs, const TrialOptions &options, int report_fd) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::vector<std::unique_ptr<Trial>> running;
  size_t next = 0;
  while (next < jobs.size() || !running.empty()) {
    while (next < jobs.size() && running.size() < kProbesAtOnce) {
      running.push_back(std::make_unique<Trial>(jobs[next], next, options, report_fd));
      ++next;
    }
    std::vector<pollfd> polls;
    for (const auto &trial : running) trial->add_polls(&polls);
    ::poll(polls.data(), polls.size(), static_cast<int>(kTick.count()));
    for (auto it = running.begin(); it != running.end();) {
      if (!(*it)->step()) {
        ++it;
        continue;
      }
      write_all(report_fd, (*it)->line());
      it = running.erase(it);
    }
  }
  end_strays();
  write_all(report_fd, "{\"end\":true}\n");
}

}  // namespace rayo::probe
