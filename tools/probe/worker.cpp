// SPDX-License-Identifier: Apache-2.0
#include "probe/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/json_value.hpp"
#include "capi/host_table.hpp"
#include "device/pool.hpp"
#include "dispatch/call_line.hpp"
#include "dispatch/scratch.hpp"
#include "isolation/protocol.hpp"
#include "registry/registry.hpp"

namespace rayo::probe {
namespace {

const Log kSilent(-1, nullptr, nullptr);

// Ends this process, whatever its other threads do, with the application or its end of the socket. The signal that a
// parent's death can send (PR_SET_PDEATHSIG) would come with the end of the thread that started this process.
void watch_application(int socket) {
#if defined(SYS_pidfd_open)
  const int parent = static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0));
#else
  const int parent = -1;
#endif
  std::thread([socket, parent] {
    while (true) {
      std::array<pollfd, 2> waiting = {pollfd{socket, 0, 0}, pollfd{parent, POLLIN, 0}};
      if (::poll(waiting.data(), parent >= 0 ? 2 : 1, -1) < 0 && errno == EINTR) continue;
      ::_exit(0);
    }
  }).detach();
}

class Mapping {
 public:
  Mapping() = default;
  ~Mapping() { close(); }
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  bool open(int fd, uint64_t size, int protection) {
    close();
    data_ = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
    size_ = data_ == MAP_FAILED ? 0 : size;
    return size_ != 0;
  }
  char *at(uint64_t offset) const { return static_cast<char *>(data_) + offset; }

 private:
  void close() {
    if (size_ != 0) ::munmap(data_, size_);
    size_ = 0;
  }
  void *data_ = MAP_FAILED;
  uint64_t size_ = 0;
};

struct PreparedCall {
  const KernelRecord *kernel = nullptr;
  std::unique_ptr<LineCall> call;
  rayo_prepared prepared{};
  uint32_t threads = 1;
};

struct Answer {
  rayo_status status = RAYO_OK;
  std::string text;
  uint32_t threads = 1;
};

class Server {
 public:
  Server(const std::string &file, uint64_t cpu_features, int socket) : socket_(socket) {
    fill_host_table(&host_, &kSilent, nullptr);
    host_.cpu_features = cpu_features;
    host_.max_threads = ThreadPool::kMostThreads;
    RegistryOptions options;
    options.files = {file};
    options.cpu_features = cpu_features;
    options.trust_files = true;
    options.list_refused_files = true;
    options.use_verdict_cache = false;
    registry_ = build_registry(options, host_, kSilent);
  }

  void run() {
    std::vector<char> message(kLargestMessage);
    while (true) {
      std::array<int, 2> files = {-1, -1};
      const ssize_t got = receive(&message, &files);
      WorkerRequest request;
      if (got < ssize_t{sizeof request}) return;
      std::memcpy(&request, message.data(), sizeof request);
      if (static_cast<size_t>(got) - sizeof request != request.text_size) return;
      Answer answer;
      set_last_error("");
      try {
        answer = serve(request, {message.data() + sizeof request, request.text_size}, files);
      } catch (const Error &error) {
        answer = {error.status(), error.what()};
      } catch (const std::exception &error) {
        answer = {RAYO_INTERNAL, error.what()};
      }
      for (const int fd : files) {
        if (fd >= 0) ::close(fd);
      }
      if (!reply(answer, request.task == WorkerTask::describe ? kLargestMessage : size_t{RAYO_ERROR_TEXT})) return;
    }
  }

 private:
  ssize_t receive(std::vector<char> *message, std::array<int, 2> *files) const {
    iovec part = {message->data(), message->size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t got = 0;
    while ((got = ::recvmsg(socket_, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    const cmsghdr *first = got < 0 ? nullptr : CMSG_FIRSTHDR(&header);
    if (first != nullptr && first->cmsg_type == SCM_RIGHTS && first->cmsg_len == CMSG_LEN(sizeof *files)) {
      std::memcpy(files->data(), CMSG_DATA(first), sizeof *files);
    }
    return got;
  }

  bool reply(const Answer &answer, size_t room) const {
    WorkerReply head;
    head.status = answer.status;
    head.threads = answer.threads;
    head.text_size = static_cast<uint32_t>(std::min(answer.text.size(), room - sizeof head));
    std::array<iovec, 2> parts = {iovec{&head, sizeof head},
                                  iovec{const_cast<char *>(answer.text.data()), head.text_size}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = 2;
    ssize_t sent = 0;
    while ((sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    return sent >= 0;
  }

  Answer serve(const WorkerRequest &request, std::string_view text, const std::array<int, 2> &files) {
    switch (request.task) {
      case WorkerTask::describe:
        return describe();
      case WorkerTask::prepare:
        return prepare(request.id, text);
      case WorkerTask::release:
        release(request.id);
        return {};
      case WorkerTask::share: {
        const bool mapped = inputs_.open(files[0], request.sizes[0], PROT_READ) &&
                            outputs_.open(files[1], request.sizes[1], PROT_READ | PROT_WRITE);
        return {mapped ? RAYO_OK : RAYO_OUT_OF_MEMORY, ""};
      }
      case WorkerTask::run:
        return run(request);
    }
    return {RAYO_INVALID_ARGUMENT, "unknown task"};
  }

  Answer describe() const {
    using Array = JsonValue::Array;
    const PluginRecord &record = *registry_->plugins().front();
    if (record.state != PluginState::ready) return {RAYO_REFUSED, record.reason};
    Array kernels;
    uint32_t left_out = 0;
    for (const auto &each : registry_->all_kernels()) {
      const rayo_kernel &kernel = *each->kernel;
      const auto &known = catalogue();
      const bool ours = std::any_of(known.begin(), known.end(), [&](const auto &op) { return op->op == each->op; });
      if (!ours || (kernel.flags & RAYO_KERNEL_DEVICE) != 0) {
        ++left_out;
        continue;
      }
      kernels.emplace_back(Array{kernel.name, kernel.op, kernel.types, kernel.schema_min, kernel.schema_max,
                                 kernel.numerics, kernel.flags, kernel.layouts, kernel.max_ndim, kernel.alignment});
    }
    const JsonValue out = JsonValue::Object{{"name", record.plugin->name},
                                            {"vendor", record.plugin->vendor},
                                            {"version", record.plugin->version},
                                            {"description", record.plugin->description},
                                            {"preference", record.plugin->preference},
                                            {"left_out", left_out},
                                            {"kernels", std::move(kernels)}};
    std::string text = out.dump();
    if (text.size() > kLargestMessage - sizeof(WorkerReply)) return {RAYO_REFUSED, "has too many kernels"};
    return {RAYO_OK, std::move(text)};
  }

  Answer prepare(uint64_t id, std::string_view line) {
    PreparedCall made;
    made.call = std::make_unique<LineCall>(line);
    for (const auto &each : registry_->all_kernels()) {
      if (each->op == made.call->desc().op && made.call->kernel() == each->kernel->name) made.kernel = each.get();
    }
    if (made.kernel == nullptr) return {RAYO_NOT_FOUND, "there is no such kernel"};
    const rayo_kernel &kernel = *made.kernel->kernel;
    const rayo_op_desc &desc = made.call->desc();
    const uint32_t why =
        kernel.supports == nullptr ? RAYO_WHY_SUPPORTED : kernel.supports(made.kernel->owner->instance, &desc);
    if (why != RAYO_WHY_SUPPORTED) return {RAYO_UNSUPPORTED, fmt::format("declined the call (reason {})", why)};
    rayo_error error{};
    made.prepared.struct_size = sizeof made.prepared;
    made.prepared.struct_type = RAYO_TYPE_PREPARED;
    const rayo_status status = made.kernel->prepare(desc, &made.prepared, &error);
    error.text[RAYO_ERROR_TEXT - 1] = '\0';
    if (status != RAYO_OK || made.prepared.fn == nullptr) {
      return {status == RAYO_OK ? RAYO_UNSUPPORTED : status, error.text};
    }
    made.threads = std::clamp(made.prepared.threads, 1u, desc.max_threads);
    const uint32_t threads = made.threads;
    calls_[id] = std::move(made);
    return {RAYO_OK, "", threads};
  }

  void release(uint64_t id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    found->second.kernel->release(found->second.prepared.state);
    calls_.erase(found);
  }

  Answer run(const WorkerRequest &request) {
    const auto found = calls_.find(request.id);
    if (found == calls_.end()) return {RAYO_NOT_FOUND, "there is no such call"};
    const PreparedCall &call = found->second;
    std::array<const void *, RAYO_MAX_OPERANDS> in{};
    std::array<void *, RAYO_MAX_OPERANDS> out{};
    for (size_t i = 0; i < call.call->inputs().size(); ++i) {
      const uint64_t at = request.inputs[i];
      if (at == kNoOperand) continue;
      in[i] = (at & kInOutputs) != 0 ? outputs_.at(at & ~kInOutputs) : inputs_.at(at);
    }
    for (size_t o = 0; o < call.call->outputs().size(); ++o) {
      if (request.outputs[o] != kNoOperand) out[o] = outputs_.at(request.outputs[o]);
    }
    const Scratch scratch(call.prepared.workspace_size, call.prepared.workspace_alignment);
    if (scratch.failed()) return {RAYO_OUT_OF_MEMORY, "no memory for the workspace"};
    const rayo_call packet{in.data(),    out.data(), call.prepared.state, scratch.get(), pool_.executor(),
                           call.threads, 0};
    const rayo_status status = call.prepared.fn(&packet);
    return {status, status == RAYO_OK ? std::string() : std::string(last_error())};
  }

  const int socket_;
  HostTable host_{};
  ThreadPool pool_;
  std::unique_ptr<Registry> registry_;
  Mapping inputs_;
  Mapping outputs_;
  std::map<uint64_t, PreparedCall> calls_;
};

}  // namespace

void serve(const std::string &file, uint64_t cpu_features, int socket) {
  ::setpgid(0, 0);  // Ctrl-C at a terminal is the application's
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  watch_application(socket);
  Server(file, cpu_features, socket).run();
  ::_exit(0);  // the plugin's destructors may hang: nobody waits for them
}

}  // namespace rayo::probe
