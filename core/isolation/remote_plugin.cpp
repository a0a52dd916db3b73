// SPDX-License-Identifier: Apache-2.0
#include "isolation/remote_plugin.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"
#include "device/staged.hpp"
#include "dispatch/call_line.hpp"
#include "dispatch/overlap.hpp"

namespace rayo {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint32_t kStartMs = 10000;  // to load and describe itself
thread_local bool t_worker_failed = false;

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

uint32_t number(const JsonValue &list, size_t index) {
  const uint64_t value = list.item(index).count();
  if (value > UINT32_MAX) throw JsonError("is out of range");
  return static_cast<uint32_t>(value);
}

rayo_status not_here(rayo_instance *, const rayo_op_desc *, rayo_prepared *, rayo_error *) { return RAYO_INTERNAL; }

// Operand `given` at `at` between the caller's memory and the shared copy.
void copy_in(const OperandDesc &given, const StagedLayout &staged, const void *from, char *to) {
  if (staged.bytes == 0) return;
  if (staged.whole) {
    std::memcpy(to - staged.origin, static_cast<const char *>(from) - staged.origin, staged.bytes);
  } else {
    copy_elements(given, static_cast<const char *>(from), staged.operand, to);
  }
}

void copy_out(const OperandDesc &given, const StagedLayout &staged, const char *from, void *to) {
  if (staged.bytes == 0) return;
  if (staged.whole) {
    std::memcpy(static_cast<char *>(to) - staged.origin, from - staged.origin, staged.bytes);
  } else {
    copy_elements(staged.operand, from, given, static_cast<char *>(to));
  }
}

bool zone_whole(const char *zone) {
  return std::all_of(zone, zone + kOutputZone, [](char byte) { return static_cast<unsigned char>(byte) == kZoneByte; });
}

}  // namespace

// What prepare gives for a state.
struct RemotePlugin::Call {
  struct Operand {
    OperandDesc given;
    StagedLayout staged;
    uint64_t at = 0;  // of its first byte in the shared file
  };
  RemotePlugin *plugin = nullptr;
  uint64_t id = 0;
  std::string line;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
};

// The worker of one process, with its lock: a call holds it from end to end.
struct RemotePlugin::Session {
  Session(const std::string &file, uint64_t cpu_features) : worker(file, cpu_features) {}
  const pid_t owner = ::getpid();
  std::mutex mutex;
  Worker worker;
  std::set<uint64_t> prepared;     // calls that the process knows
  std::vector<uint64_t> released;  // guarded by RemotePlugin::mutex_
};

RemotePlugin::RemotePlugin(const std::string &file, uint64_t cpu_features, uint32_t call_ms, const Log &log,
                           uint32_t *out_left_out)
    : file_(file), cpu_features_(cpu_features), call_ms_(call_ms), log_(log) {
  describe(out_left_out);
}

RemotePlugin::~RemotePlugin() {
  for (const auto &each : abandoned_) each->worker.abandon();
  if (session_ != nullptr && session_->owner != ::getpid()) session_->worker.abandon();
}

std::shared_ptr<RemotePlugin::Session> RemotePlugin::session() {
  const std::lock_guard lock(mutex_);
  if (session_ != nullptr && session_->owner == ::getpid()) return session_;
  auto own = std::make_shared<Session>(file_, cpu_features_);
  if (session_ != nullptr) {
    abandoned_.reserve(abandoned_.size() + 1);
    session_->worker.abandon();
    abandoned_.push_back(std::move(session_));  // its lock may be held by a thread that is not here
  }
  session_ = std::move(own);
  return session_;
}

void RemotePlugin::describe(uint32_t *out_left_out) {
  const std::shared_ptr<Session> own = session();
  const std::lock_guard lock(own->mutex);
  std::string text;
  try {
    own->worker.ensure(kStartMs);
    const WorkerReply reply = own->worker.exchange({}, "", kStartMs, &text);
    if (reply.status != RAYO_OK) fail(RAYO_REFUSED, "{}", text);
  } catch (const WorkerError &error) {
    fail(RAYO_REFUSED, "cannot be isolated: its worker process {}", error.what());
  }
  try {
    add_kernels(text, out_left_out);
  } catch (const JsonError &error) {
    fail(RAYO_REFUSED, "cannot be isolated: its worker's description {}", error.what());
  }
}

void RemotePlugin::add_kernels(const std::string &description, uint32_t *out_left_out) {
  const JsonValue document = JsonValue::parse(description, 4);
  const auto text = [&](const std::string &value) { return texts_.emplace_back(value).c_str(); };
  *out_left_out = static_cast<uint32_t>(document.at("left_out").count());
  for (const JsonValue &each : document.at("kernels").items()) {
    rayo_kernel kernel{};
    kernel.struct_size = sizeof kernel;
    kernel.struct_type = RAYO_TYPE_KERNEL;
    kernel.name = text(each.item(0).text());
    kernel.op = text(each.item(1).text());
    kernel.types = text(each.item(2).text());
    kernel.schema_min = number(each, 3);
    kernel.schema_max = number(each, 4);
    kernel.numerics = number(each, 5);
    kernel.flags = number(each, 6) & ~RAYO_KERNEL_DEVICE;
    kernel.layouts = number(each, 7);
    kernel.max_ndim = static_cast<int32_t>(std::min<uint32_t>(number(each, 8), RAYO_MAX_NDIM));
    kernel.alignment = 0;  // operands are copied to where the kernel wants them
    if (number(each, 9) > kAlignment)
      fail(RAYO_REFUSED, "cannot be isolated: {} wants an alignment of more than 64", kernel.name);
    kernel.prepare = not_here;
    kernel_list_.push_back(&kernels_.emplace_back(kernel));
  }
  plugin_.struct_size = sizeof plugin_;
  plugin_.struct_type = RAYO_TYPE_PLUGIN;
  plugin_.abi_version = RAYO_ABI_VERSION;
  plugin_.name = text(document.at("name").text());
  plugin_.vendor = text(document.at("vendor").text());
  plugin_.version = text(document.at("version").text());
  plugin_.description = text(document.at("description").text());
  plugin_.preference = static_cast<uint32_t>(std::min<uint64_t>(document.at("preference").count(), UINT32_MAX));
  plugin_.kernel_count = static_cast<uint32_t>(kernel_list_.size());
  plugin_.kernels = kernel_list_.data();
  plugin_.create = [](const rayo_host *, rayo_instance **, rayo_error *) -> rayo_status { return RAYO_INTERNAL; };
  plugin_.destroy = [](rayo_instance *) {};
  plugin_.get_extension = [](rayo_instance *, const char *, uint32_t) -> const void * { return nullptr; };
}

// Makes the call known to the process, if it is not yet, and takes along what was released meanwhile.
void RemotePlugin::prepare_there(Session *session, const Call &call, uint32_t *out_threads) {
  if (session->worker.ensure(kStartMs)) session->prepared.clear();
  std::vector<uint64_t> released;
  {
    const std::lock_guard lock(mutex_);
    released.swap(session->released);
  }
  for (const uint64_t id : released) {
    if (session->prepared.erase(id) == 0) continue;
    WorkerRequest request;
    request.task = WorkerTask::release;
    request.id = id;
    session->worker.exchange(request, "", call_ms_, nullptr);
  }
  if (session->prepared.contains(call.id)) return;
  WorkerRequest request;
  request.task = WorkerTask::prepare;
  request.id = call.id;
  std::string text;
  const WorkerReply reply = session->worker.exchange(request, call.line, call_ms_, &text);
  if (reply.status != RAYO_OK) throw Error(reply.status, std::move(text));
  session->prepared.insert(call.id);
  if (out_threads != nullptr) *out_threads = reply.threads;
}

rayo_status RemotePlugin::prepare(const rayo_kernel &kernel, const rayo_op_desc &desc, rayo_prepared *out,
                                  rayo_error *error) {
  t_worker_failed = false;
  uint32_t threads = 1;
  auto call = std::make_unique<Call>();
  const auto tell = [error](rayo_status status, const std::string &text) {
    error->status = status;
    std::strncpy(error->text, text.c_str(), RAYO_ERROR_TEXT - 1);
    return status;
  };
  const auto read = [](const rayo_tensor_desc *const *list, uint32_t count, uint64_t zone,
                       std::vector<Call::Operand> *operands, std::vector<OperandDesc> *staged, uint64_t *bytes) {
    for (uint32_t i = 0; i < count; ++i) {
      Call::Operand operand;
      operand.given.dtype = list[i]->dtype;
      operand.given.ndim = list[i]->ndim;
      if (!operand.given.absent()) {
        std::copy_n(list[i]->shape, list[i]->ndim, operand.given.shape);
        std::copy_n(list[i]->strides, list[i]->ndim, operand.given.strides);
      }
      operand.staged = staged_layout(operand.given);
      *bytes = aligned(*bytes) + zone;
      operand.at = *bytes;
      *bytes += operand.staged.bytes + zone;
      staged->push_back(operand.staged.operand);
      operands->push_back(operand);
    }
  };
  std::vector<OperandDesc> staged_in;
  std::vector<OperandDesc> staged_out;
  read(desc.inputs, desc.input_count, 0, &call->inputs, &staged_in, &call->input_bytes);
  read(desc.outputs, desc.output_count, kOutputZone, &call->outputs, &staged_out, &call->output_bytes);
  OperandList in;
  OperandList outs;
  in.fill(std::move(staged_in), {kDLCPU, 0}, 0, nullptr);
  outs.fill(std::move(staged_out), {kDLCPU, 0}, 0, nullptr);
  rayo_op_desc there = desc;
  there.inputs = in.pointers();
  there.outputs = outs.pointers();
  call->plugin = this;
  call->line = call_line(kernel.name, there);
  if (call->line.size() > kLargestMessage / 2) return tell(RAYO_UNSUPPORTED, "its description is too long");
  const std::shared_ptr<Session> own = session();
  {
    const std::lock_guard lock(mutex_);
    call->id = next_id_++;
  }
  try {
    const std::lock_guard lock(own->mutex);
    prepare_there(own.get(), *call, &threads);
  } catch (const WorkerError &failure) {
    return tell(RAYO_UNSUPPORTED, fmt::format("its worker process {}", failure.what()));
  } catch (const Error &failure) {
    return tell(failure.status(), failure.what());
  }
  out->fn = run_packet;
  out->threads = threads;
  out->state = call.release();
  return RAYO_OK;
}

void RemotePlugin::release(void *state) noexcept {
  const std::unique_ptr<Call> call(static_cast<Call *>(state));
  if (call == nullptr) return;
  try {
    const std::lock_guard lock(mutex_);
    if (session_ != nullptr) session_->released.push_back(call->id);
  } catch (const std::exception &) {  // no memory: it stays in the worker
  }
}

rayo_status RemotePlugin::run_packet(const rayo_call *packet) {
  const Call &call = *static_cast<const Call *>(packet->state);
  return call.plugin->run(call, *packet);
}

bool RemotePlugin::worker_failed() noexcept {
  const bool failed = t_worker_failed;
  t_worker_failed = false;
  return failed;
}

void RemotePlugin::run_there(Session *session, const Call &call, const rayo_call &packet) {
  Worker &worker = session->worker;
  prepare_there(session, call, nullptr);
  worker.reserve(call.input_bytes, call.output_bytes, call_ms_);
  WorkerRequest request;
  request.task = WorkerTask::run;
  request.id = call.id;
  for (size_t o = 0; o < call.outputs.size(); ++o) {
    const Call::Operand &operand = call.outputs[o];
    std::memset(worker.outputs() + operand.at - kOutputZone, kZoneByte, kOutputZone);
    std::memset(worker.outputs() + operand.at + operand.staged.bytes, kZoneByte, kOutputZone);
    request.outputs[o] = packet.outputs[o] == nullptr ? kNoOperand : operand.at + operand.staged.origin;
  }
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const Call::Operand &operand = call.inputs[i];
    request.inputs[i] = kNoOperand;
    if (packet.inputs[i] == nullptr) continue;
    // In place: the same operand, in the file of outputs.
    const bool in_place = !call.outputs.empty() && packet.inputs[i] == packet.outputs[0] && operand.staged.bytes != 0 &&
                          operand.staged.bytes == call.outputs[0].staged.bytes;
    char *base = in_place ? worker.outputs() + call.outputs[0].at : worker.inputs() + operand.at;
    copy_in(operand.given, operand.staged, packet.inputs[i], base + operand.staged.origin);
    request.inputs[i] = (in_place ? call.outputs[0].at | kInOutputs : operand.at) + operand.staged.origin;
  }
  std::string text;
  const WorkerReply reply = worker.exchange(request, "", call_ms_, &text);
  for (const Call::Operand &operand : call.outputs) {
    const char *data = worker.outputs() + operand.at;
    if (!zone_whole(data - kOutputZone) || !zone_whole(data + operand.staged.bytes)) {
      worker.give_up(RAYO_INTERNAL, "wrote outside of an output and was ended");
    }
  }
  if (reply.status != RAYO_OK) throw Error(reply.status, std::move(text));
  for (size_t o = 0; o < call.outputs.size(); ++o) {
    const Call::Operand &operand = call.outputs[o];
    copy_out(operand.given, operand.staged, worker.outputs() + operand.at + operand.staged.origin, packet.outputs[o]);
  }
}

rayo_status RemotePlugin::run(const Call &call, const rayo_call &packet) noexcept {
  t_worker_failed = false;
  return fence([&] {
    const std::shared_ptr<Session> own = session();
    try {
      const std::lock_guard lock(own->mutex);
      run_there(own.get(), call, packet);
    } catch (const WorkerError &failure) {
      t_worker_failed = true;
      if (failure.status() != RAYO_RETRY) {
        log_(RAYO_LOG_WARN, "isolated plugin {}: its worker process {}, in {}", plugin_.name, failure.what(),
             call.line);
      }
      fail(failure.status(), "its worker process {}", failure.what());
    }
  });
}

}  // namespace rayo
