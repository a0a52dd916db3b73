// SPDX-License-Identifier: Apache-2.0
#include "runner/progress.hpp"

#include <fmt/format.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace rayo::conform {
namespace {

std::size_t terminal_width() {
  struct winsize size {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string clock_text(double seconds) {
  const auto whole = std::lround(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// What the signal handler may touch: plain memory, written before the handlers are set.
struct Notice {
  const Progress *progress = nullptr;
  pid_t owner = 0;
  std::array<char, 600> tail{};        // behind the counts
  std::array<char, 4096> temporary{};  // "" = none
};
Notice notice;

void say(const char *text, std::size_t length) {
  if (::write(STDERR_FILENO, text, length) < 0) return;
}
void say(const char *text) { say(text, ::strlen(text)); }
void say(std::size_t n) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  say(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

extern "C" void on_interrupt(int number) {
  if (::getpid() != notice.owner) {
    ::signal(number, SIG_DFL);
    ::raise(number);
    return;
  }
  if (notice.progress->shown()) say("\n");
  say("rayo conform: interrupted after ");
  say(notice.progress->done());
  say(" of ");
  say(notice.progress->total());
  say(notice.tail.data());
  if (notice.temporary[0] != '\0') ::unlink(notice.temporary.data());
  ::_exit(128 + number);
}

}  // namespace

Progress::Progress(std::size_t total) : total_(total), shown_(::isatty(STDERR_FILENO) != 0 && total > 1) {}

Progress::~Progress() {
  if (drawn_) (void)std::fputc('\n', stderr);
}

void Progress::step() {
  const std::size_t done = done_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (done != total_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  draw(done);
}

void Progress::draw(std::size_t done) {
  const double seconds = std::chrono::duration<double>(last_ - begin_).count();
  const double left = seconds * static_cast<double>(total_ - done) / static_cast<double>(done);
  const std::string text = fmt::format(" {}/{} cases, {}{}", done, total_, clock_text(done == total_ ? seconds : left),
                                       done == total_ ? "     " : " left");
  const std::size_t width = terminal_width();
  const std::size_t room = width > text.size() + 12 ? std::min<std::size_t>(50, width - text.size() - 3) : 0;
  const std::size_t full = room * done / total_;
  const std::string bar = room == 0 ? "" : fmt::format("[{}{}]", std::string(full, '='), std::string(room - full, ' '));
  fmt::print(stderr, "\r{}{}", bar, text);
  drawn_ = true;
}

InterruptGuard::InterruptGuard(const Progress &progress, const std::string &output, const std::string &temporary) {
  const std::string tail = output.empty() ? std::string(" cases; their verdicts are lost, no report was written")
                                          : fmt::format(" cases; their verdicts are lost, {} was not written", output);
  notice.progress = &progress;
  notice.owner = ::getpid();
  notice.tail = {};
  const std::string text = tail.substr(0, notice.tail.size() - 80) + "\nShorter runs: --quick, --ops LIST\n";
  std::copy(text.begin(), text.end(), notice.tail.begin());
  notice.temporary = {};
  if (temporary.size() < notice.temporary.size())
    std::copy(temporary.begin(), temporary.end(), notice.temporary.begin());
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    struct sigaction before {};
    now.sa_handler = on_interrupt;
    ::sigemptyset(&now.sa_mask);
    if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    if (::sigaction(number, &now, nullptr) == 0) old_.emplace_back(number, before);
  }
}

InterruptGuard::~InterruptGuard() {
  for (const auto &[number, action] : old_) (void)::sigaction(number, &action, nullptr);
}

}  // namespace rayo::conform
