// SPDX-License-Identifier: Apache-2.0
#include "isolation/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "base/error.hpp"
#include "base/uninterrupted.hpp"
#include "loader/probe.hpp"

namespace rayo {
namespace {

constexpr int64_t kLongestPause = 60;  // seconds
constexpr uint64_t kSmallestFile = uint64_t{1} << 20;

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    const char *name = ::sigabbrev_np(WTERMSIG(status));
    return fmt::format("crashed: {}{}", name == nullptr ? "signal " : "SIG",
                       name == nullptr ? std::to_string(WTERMSIG(status)) : std::string(name));
  }
  return WIFEXITED(status) ? fmt::format("ended: exit status {}", WEXITSTATUS(status)) : std::string("is gone");
}

}  // namespace

void Worker::Shared::make(uint64_t new_size, bool read_only_for_others) {
  close();
  uint64_t rounded = kSmallestFile;
  while (rounded < new_size && rounded < (uint64_t{1} << 62)) rounded *= 2;
  fd = ::memfd_create("rayo-isolation", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(rounded)) != 0) {
    close();
    throw std::bad_alloc();
  }
  void *memory = ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    close();
    throw std::bad_alloc();
  }
  data = static_cast<char *>(memory);
  size = rounded;
  // Who could shorten the file could make our next access a SIGBUS.
  ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
#if defined(F_SEAL_FUTURE_WRITE)
  if (read_only_for_others) ::fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
#endif
  ::fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL);
}

void Worker::Shared::close() noexcept {
  if (data != nullptr) ::munmap(data, size);
  if (fd >= 0) ::close(fd);
  data = nullptr;
  fd = -1;
  size = 0;
}

Worker::~Worker() {
  int status = 0;
  stop(&status);
  inputs_.close();
  outputs_.close();
}

void Worker::abandon() noexcept {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  pid_ = -1;
}

void Worker::stop(int *out_status) noexcept {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  if (pid_ <= 0) return;
  // Its end, unless it has ended already: then its status is still there, and its number is nobody else's.
  if (::waitpid(pid_, out_status, WNOHANG) == 0) {
    ::kill(pid_, SIGKILL);
    uninterrupted([&] { return ::waitpid(pid_, out_status, 0); });
  }
  pid_ = -1;
}

void Worker::start() {
  std::string problem;
  const std::string program = find_probe_program(&problem);
  if (program.empty()) throw WorkerError(RAYO_UNSUPPORTED, fmt::format("cannot be started: {}", problem));
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw WorkerError(RAYO_RETRY, fmt::format("cannot be started: {}", std::strerror(errno)));
  }
  const int theirs = ::fcntl(ends[1], F_DUPFD_CLOEXEC, kProbeReportFd + 1);
  ::close(ends[1]);
  socket_ = ends[0];
  const int size = 2 * static_cast<int>(kLargestMessage);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  ::setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  const int error =
      spawn_probe_program({program, "--cpu-features", std::to_string(cpu_features_), "--worker", file_}, theirs, &pid_);
  if (theirs >= 0) ::close(theirs);
  if (error != 0) {
    pid_ = -1;
    ::close(socket_);
    socket_ = -1;
    throw WorkerError(RAYO_RETRY, fmt::format("cannot be started: {}", std::strerror(error)));
  }
  started_ = Clock::now();
}

bool Worker::ensure(uint32_t limit_ms) {
  if (socket_ >= 0) return false;
  if (Clock::now() < not_before_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(not_before_ - Clock::now()).count();
    throw WorkerError(RAYO_RETRY, fmt::format("{}; another one is started in {} ms", last_failure_, left));
  }
  start();
  if (inputs_.data != nullptr) share(limit_ms);
  return true;
}

void Worker::give_up(rayo_status status, std::string text) {
  int ended = 0;
  stop(&ended);
  ++failures_;
  constexpr auto kLongLife = std::chrono::seconds(60);
  in_a_row_ = Clock::now() - started_ > kLongLife ? 1 : in_a_row_ + 1;
  const int64_t pause = in_a_row_ < 2 ? 0 : std::min(int64_t{1} << std::min(in_a_row_ - 2, 10u), kLongestPause);
  not_before_ = Clock::now() + std::chrono::seconds(pause);
  last_failure_ = text;
  throw WorkerError(status, std::move(text));
}

void Worker::died() {
  // The socket closes before the status is there.
  int status = 0;
  pid_t got = 0;
  for (int i = 0; i < 200 && (got = ::waitpid(pid_, &status, WNOHANG)) == 0; ++i) ::usleep(1000);
  if (got == pid_) pid_ = -1;
  give_up(RAYO_INTERNAL, got > 0 ? how_it_ended(status) : std::string("is gone"));
}

void Worker::send(const WorkerRequest &request, std::string_view text, bool with_files) {
  std::array<iovec, 2> parts = {iovec{const_cast<WorkerRequest *>(&request), sizeof request},
                                iovec{const_cast<char *>(text.data()), text.size()}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = text.empty() ? 1 : 2;
  if (with_files) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(2 * sizeof(int));
    const std::array<int, 2> files = {inputs_.fd, outputs_.fd};
    std::memcpy(CMSG_DATA(header), files.data(), sizeof files);
  }
  if (uninterrupted([&] { return ::sendmsg(socket_, &message, MSG_NOSIGNAL); }) < 0) died();
}

WorkerReply Worker::receive(uint32_t limit_ms, bool large, std::string *out_text) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(limit_ms);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60000)));
    if (ready < 0 && errno != EINTR) give_up(RAYO_INTERNAL, std::strerror(errno));
    if (ready == 0 && Clock::now() >= deadline) {
      give_up(RAYO_TIMEOUT, fmt::format("had no answer after {} ms and was ended", limit_ms));
    }
    if (ready > 0) break;
  }
  WorkerReply reply;
  std::array<char, RAYO_ERROR_TEXT> few;
  std::vector<char> many(large ? kLargestMessage : 0);
  char *text = large ? many.data() : few.data();
  std::array<iovec, 2> parts = {iovec{&reply, sizeof reply}, iovec{text, large ? many.size() : few.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = 2;
  const ssize_t got = uninterrupted([&] { return ::recvmsg(socket_, &message, 0); });
  if (got <= 0) died();
  if (got < ssize_t{sizeof reply} || static_cast<size_t>(got) - sizeof reply != reply.text_size) {
    give_up(RAYO_INTERNAL, "gave an answer that cannot be read");
  }
  if (out_text != nullptr) out_text->assign(text, reply.text_size);
  return reply;
}

WorkerReply Worker::exchange(WorkerRequest request, std::string_view text, uint32_t limit_ms, std::string *out_text) {
  request.text_size = static_cast<uint32_t>(text.size());
  send(request, text, request.task == WorkerTask::share);
  return receive(limit_ms, request.task == WorkerTask::describe, out_text);
}

void Worker::reserve(uint64_t input_bytes, uint64_t output_bytes, uint32_t limit_ms) {
  if (inputs_.data != nullptr && input_bytes <= inputs_.size && output_bytes <= outputs_.size) return;
  if (input_bytes > inputs_.size || inputs_.data == nullptr) inputs_.make(input_bytes, true);
  if (output_bytes > outputs_.size || outputs_.data == nullptr) outputs_.make(output_bytes, false);
  share(limit_ms);
}

// A process that has not mapped the files must not be asked to run on them.
void Worker::share(uint32_t limit_ms) {
  WorkerRequest request;
  request.task = WorkerTask::share;
  request.sizes = {inputs_.size, outputs_.size};
  const WorkerReply reply = exchange(request, "", limit_ms, nullptr);
  if (reply.status != RAYO_OK) give_up(RAYO_OUT_OF_MEMORY, "could not map the shared memory");
}

}  // namespace rayo
