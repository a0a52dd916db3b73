// SPDX-License-Identifier: Apache-2.0
//
// rayo-probe: tries plugin files in child processes and reports. Run by librayo; for people there is
// `rayo plugin check FILE`.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "loader/probe.hpp"
#include "probe/supervisor.hpp"
#include "probe/worker.hpp"

#if defined(__SANITIZE_ADDRESS__)
// A crash is to end the child by its signal, as without the sanitizer.
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:detect_leaks=0:"
         "use_sigaltstack=0";
}
#endif

namespace {

constexpr int kUsage = 2;

struct CommandLine {
  std::vector<rayo::probe::Job> jobs;
  rayo::probe::TrialOptions options;
  int report_fd = STDOUT_FILENO;
  std::string worker;  // the plugin to serve calls of (core/isolation); "" = files are probed
};

template <class T>
bool parse(std::string_view text, T *out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool read_arguments(const std::vector<std::string> &arguments, CommandLine *out) {
  size_t at = 0;
  for (; at + 1 < arguments.size() && arguments[at] != "--"; at += 2) {
    const std::string &value = arguments[at + 1];
    bool good = false;
    if (arguments[at] == "--report-fd") good = parse(value, &out->report_fd);
    if (arguments[at] == "--cpu-features") good = parse(value, &out->options.cpu_features);
    if (arguments[at] == "--reference") good = !(out->options.reference = value).empty();
    if (arguments[at] == "--worker") good = !(out->worker = value).empty();
    if (arguments[at] == "--replay") good = !(out->options.replay = value).empty();
    if (!good) return false;
  }
  if (!out->worker.empty()) return at == arguments.size();
  if (at >= arguments.size() || arguments[at] != "--") return false;
  for (++at; at + 1 < arguments.size(); at += 2) {
    rayo::probe::Job job{arguments[at + 1], 0};
    if (!parse(arguments[at], &job.limit_ms) || job.limit_ms == 0) return false;
    out->jobs.push_back(job);
  }
  return at == arguments.size() && !out->jobs.empty();
}

// Descriptors that the application did not mark close-on-exec are none of a plugin's business.
void close_inherited(int report_fd) {
  const int first = report_fd > STDERR_FILENO ? report_fd + 1 : STDERR_FILENO + 1;
#if defined(SYS_close_range)
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  for (int fd = first; fd < 4096; ++fd) ::close(fd);
}

int run(int argc, char **argv) {
  CommandLine line;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (!read_arguments(arguments, &line)) {
    std::fputs(
        "usage: rayo-probe [--report-fd N] [--cpu-features BITS] [--reference SCALAR.so] [--replay LINE] -- LIMIT_MS "
        "FILE ...\n"
        "       rayo-probe [--cpu-features BITS] --worker FILE\n"
        "librayo runs this program; to have a plugin checked use: rayo plugin check FILE\n",
        stderr);
    return kUsage;
  }
  if (!line.worker.empty()) {
    close_inherited(rayo::kProbeReportFd);
    ::fcntl(rayo::kProbeReportFd, F_SETFD, FD_CLOEXEC);
    rayo::probe::serve(line.worker, line.options.cpu_features, rayo::kProbeReportFd);
    return 0;
  }
  close_inherited(line.report_fd);
  ::fcntl(line.report_fd, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);  // nobody reads any more: write fails
  rayo::probe::supervise(line.jobs, line.options, line.report_fd);
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    std::fputs("rayo-probe: out of memory\n", stderr);
    return 1;
  }
}
