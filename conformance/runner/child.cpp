// SPDX-License-Identifier: Apache-2.0
#include "runner/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace rayo::conform {
namespace {

[[noreturn]] void throw_errno(const char *what) { throw std::system_error(errno, std::generic_category(), what); }

void write_all(int fd, const std::string &text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(4);  // the parent is gone
    done += static_cast<std::size_t>(n);
  }
}

// No core dumps of planted crashes, no child without a parent, nothing on stdout but the report.
void settle() {
  const struct rlimit none { 0, 0 };
  (void)::setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__)
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  (void)::dup2(STDERR_FILENO, STDOUT_FILENO);
}

std::mutex turns;
thread_local bool my_turn = false;

// Gives the turn away, if the thread has it, and takes it back.
class Pause {
 public:
  Pause() {
    if (my_turn) turns.unlock();
  }
  ~Pause() {
    if (my_turn) turns.lock();
  }
  Pause(const Pause &) = delete;
  Pause &operator=(const Pause &) = delete;
};

// Whether there is something to read, or the end, within `milliseconds` or until a signal.
bool readable(int fd, int milliseconds) {
  struct pollfd wanted {
    fd, POLLIN, 0
  };
  int ready = 0;
  int error = 0;
  {
    const Pause pause;
    ready = ::poll(&wanted, 1, milliseconds);
    error = errno;
  }
  if (ready >= 0 || error == EINTR) return ready > 0;
  errno = error;
  throw_errno("conform: poll");
}

int end_status(pid_t pid) {
  const Pause pause;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Turn::Turn() {
  turns.lock();
  my_turn = true;
}

Turn::~Turn() {
  my_turn = false;
  turns.unlock();
}

Child::Child(const std::function<void(const Send &)> &body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("conform: pipe");
  pid_ = ::fork();
  if (pid_ < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw_errno("conform: fork");
  }
  if (pid_ == 0) {
    ::close(ends[0]);
    settle();
    body([fd = ends[1]](const std::string &line) { write_all(fd, line + "\n"); });
    ::_exit(0);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

Child::~Child() {
  if (pid_ > 0) {
    kill();
    (void)end_status(pid_);
  }
  if (fd_ >= 0) ::close(fd_);
}

Child::Event Child::next(int milliseconds, std::string &out_line) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      out_line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return Event::line;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Event::timeout;
    if (!readable(fd_, static_cast<int>(left.count()))) continue;
    std::array<char, 65536> chunk;
    const ssize_t n = ::read(fd_, chunk.data(), chunk.size());
    if (n == 0) return Event::ended;
    if (n > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) throw_errno("conform: read");
  }
}

void Child::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string Child::wait() {
  const int status = end_status(pid_);
  pid_ = -1;
  if (WIFSIGNALED(status)) return fmt::format("signal SIG{}", ::sigabbrev_np(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return fmt::format("exit status {}", WEXITSTATUS(status));
  return {};
}

}  // namespace rayo::conform
