// SPDX-License-Identifier: Apache-2.0
#include "dispatch/eager.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"
#include "dispatch/plan_fast.hpp"

namespace rayo {
namespace {

// A thread's memory of calls: a direct-mapped table, small enough to stay in L1's shadow and large enough for the ops
// of a model's layer.
constexpr size_t kEntries = 32;

size_t value_bytes(const rayo_attr &attr) {
  return attr.kind == RAYO_ATTR_STRING ? attr.count : size_t{attr.count} * 8;
}

// Attributes as the caller gave them, owned, to recognise the same list again.
class AttrKey {
 public:
  void assign(const rayo_attr *attrs) {
    values_.clear();
    const uint32_t count = count_attributes(attrs);
    for (uint32_t i = 0; i < count; ++i) {
      const char *data = static_cast<const char *>(attrs[i].data);
      values_.push_back({attrs[i].name, attrs[i].kind, attrs[i].count,
                         data == nullptr ? std::string() : std::string(data, value_bytes(attrs[i]))});
    }
  }

  bool equals(const rayo_attr *attrs) const noexcept {
    if (attrs == nullptr) return values_.empty();
    for (const Value &value : values_) {
      if (attrs->name == nullptr || attrs->kind != value.kind || attrs->count != value.count ||
          value.name != attrs->name) {
        return false;
      }
      if (!value.bytes.empty() &&
          (attrs->data == nullptr || std::memcmp(attrs->data, value.bytes.data(), value.bytes.size()) != 0)) {
        return false;
      }
      ++attrs;
    }
    return attrs->name == nullptr;
  }

 private:
  struct Value {
    std::string name;
    uint32_t kind;
    uint32_t count;
    std::string bytes;
  };
  std::vector<Value> values_;
};

struct Entry {
  uint64_t generation = 0;  // of the runtime; 0 = empty
  uint32_t running = 0;     // calls of this thread that run its plan: they nest where an executor runs other work
  rayo_op op = RAYO_OP_NONE;
  uint32_t threads = 0;
  uint32_t policy = 0;
  bool default_device = true;
  std::string device;
  bool default_verify = true;
  std::string verify;
  AttrKey attrs;
  std::shared_ptr<Plan> plan;
};

// Keeps an entry's plan for the length of its call.
class Running {
 public:
  explicit Running(Entry *entry) noexcept : entry_(entry) { ++entry_->running; }
  ~Running() { --entry_->running; }
  Running(const Running &) = delete;
  Running &operator=(const Running &) = delete;

 private:
  Entry *entry_;
};

// The thread's entries, null before its first call. A plain pointer: a thread_local with a constructor is asked at each
// use whether it has run. They lie on the heap, as the library's thread-local memory is static (base/in_flight.hpp) and
// glibc keeps only some 1600 bytes of that for what dlopen brings.
constinit thread_local Entry *t_entries __attribute__((tls_model("initial-exec"))) = nullptr;

void make_entries() {
  struct Owner {
    Owner() : entries(std::make_unique<std::array<Entry, kEntries>>()) { t_entries = entries->data(); }
    ~Owner() { t_entries = nullptr; }
    std::unique_ptr<std::array<Entry, kEntries>> entries;
  };
  thread_local const Owner owner;
  if (t_entries == nullptr)
    fail(RAYO_PRECONDITION, "a call from a thread whose thread-local memory has been destroyed");
}

Entry &entry_for(rayo_op op, const rayo_tensor *const *outputs, uint32_t output_count) noexcept {
  size_t hash = op * 7u;
  if (output_count != 0 && outputs != nullptr && outputs[0] != nullptr && outputs[0]->dl.ndim > 0 &&
      outputs[0]->dl.shape != nullptr) {
    hash += static_cast<size_t>(outputs[0]->dl.shape[0]) * 3u + static_cast<size_t>(outputs[0]->dl.ndim);
  }
  return t_entries[hash % kEntries];
}

bool hit(const Entry &entry, const CallRequest &request, bool default_device) noexcept {
  if (request.outputs == nullptr || (request.inputs == nullptr && request.input_count != 0)) return false;
  return entry.generation == request.generation && entry.op == request.op && entry.threads == request.threads &&
         entry.policy == request.policy && entry.default_device == default_device &&
         (default_device || entry.device == request.device) && entry.default_verify == (request.verify == nullptr) &&
         (request.verify == nullptr || entry.verify == request.verify) && entry.attrs.equals(request.attrs) &&
         entry.plan->matches(request.inputs, request.input_count, request.outputs, request.output_count);
}

void fill(Entry *entry, rayo_runtime &runtime, const CallRequest &request, bool default_device,
          const Addressing &addressing) {
  entry->generation = 0;
  entry->plan = std::make_shared<Plan>(*request.registry, runtime.plans, request, addressing);
  entry->attrs.assign(request.attrs);
  entry->op = request.op;
  entry->threads = request.threads;
  entry->policy = request.policy;
  entry->default_device = default_device;
  entry->device = default_device ? std::string() : std::string(request.device);
  entry->default_verify = request.verify == nullptr;
  entry->verify = request.verify == nullptr ? "" : request.verify;
  entry->generation = request.generation;
}

// A call of the commonest kind that this thread has made before: false, and nothing done, if it is not.
bool run_known(const rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
               const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
               const rayo_executor *executor, rayo_status *out_status) noexcept {
  if (t_entries == nullptr || inputs == nullptr || outputs == nullptr || output_count != 1) return false;
  Entry &entry = entry_for(op, outputs, output_count);
  if (entry.generation != runtime.generation.load(std::memory_order_acquire) || entry.op != op ||
      entry.threads != runtime.threads.load(std::memory_order_relaxed) || entry.policy != runtime.numerics ||
      !entry.default_device || !entry.default_verify || !entry.attrs.equals(attrs)) {
    return false;
  }
  const Running running(&entry);
  return entry.plan->run_fast(inputs, input_count, outputs, output_count, executor, out_status);
}

}  // namespace

CallRequest make_request(rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                         const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                         const rayo_run_options *options) {
  CallRequest request;
  request.op = op;
  request.inputs = inputs;
  request.input_count = input_count;
  request.outputs = outputs;
  request.output_count = output_count;
  request.attrs = attrs;
  request.device = runtime.device.c_str();
  request.threads = runtime.threads.load(std::memory_order_relaxed);
  request.policy = runtime.numerics;
  request.devices = runtime.devices.get();
  request.generation = runtime.generation.load(std::memory_order_acquire);
  request.registry = &*runtime.registry;
  request.table = runtime.table.load(std::memory_order_acquire);
  // Between a change of plugins and the table for it, the order is static.
  if (request.table != nullptr && &request.table->registry() != request.registry) request.table = nullptr;
  request.capture = runtime.capture.get();
  if (options == nullptr) return request;
  const rayo_run_options given = read_struct(options, RAYO_TYPE_RUN_OPTIONS, "options");
  if (given.device != nullptr) request.device = given.device;
  if (given.threads != 0) request.threads = std::min(given.threads, ThreadPool::kMostThreads);
  if (given.numerics > RAYO_POLICY_RELAXED) {
    fail(RAYO_INVALID_ARGUMENT,
         "options: numerics = {}: legal are RAYO_POLICY_REPRODUCIBLE (1), _ACCURATE (2), _RELAXED (3)", given.numerics);
  }
  if (given.numerics != 0) request.policy = given.numerics;
  request.verify = given.verify;
  return request;
}

rayo_status run_eager(rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                      const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                      const rayo_run_options *options) noexcept {
  const rayo_executor *executor = runtime.executor.load(std::memory_order_relaxed);
  rayo_status result = RAYO_OK;
  if (options == nullptr &&
      run_known(runtime, op, inputs, input_count, outputs, output_count, attrs, executor, &result)) {
    return result;
  }
  bool rebind = false;
  CallRequest request;
  const auto addressing = [&] {
    return addressing_of(inputs, inputs == nullptr ? 0 : input_count, outputs, outputs == nullptr ? 0 : output_count);
  };
  const rayo_status status = fence([&] {
    request = make_request(runtime, op, inputs, input_count, outputs, output_count, attrs, options);
    if (output_count == 0) fail(RAYO_INVALID_ARGUMENT, "no outputs were given: a call writes to the caller's memory");
    const bool default_device = options == nullptr || options->device == nullptr;
    if (t_entries == nullptr) make_entries();
    Entry &entry = entry_for(op, outputs, output_count);
    if (!hit(entry, request, default_device)) {
      if (entry.running != 0) {  // its plan is at work further up this thread's stack
        rebind = true;
        return;
      }
      fill(&entry, runtime, request, default_device, addressing());
    }
    const Running running(&entry);
    result = entry.plan->run(inputs, outputs, executor, &rebind);
  });
  if (status != RAYO_OK) return status;
  if (!rebind) return result;
  // These addresses need another kernel, or the plugin is gone, or the entry is taken: bound for this call alone.
  return fence([&] {
    bool again = false;
    const Plan plan(*request.registry, runtime.plans, request, addressing());
    result = plan.run(inputs, outputs, executor, &again);
    if (again) fail(RAYO_INTERNAL, "{}: the kernel chosen for these addresses refuses them", op_name(op));
    if (result != RAYO_OK) throw Error(result, std::string(last_error()));
  });
}

void queue_eager(Queue &queue, rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs,
                 uint32_t input_count, const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                 const rayo_sync *sync) {
  if (output_count == 0) fail(RAYO_INVALID_ARGUMENT, "no outputs were given: a call writes to the caller's memory");
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = queue.device().id().c_str();
  const CallRequest request = make_request(runtime, op, inputs, input_count, outputs, output_count, attrs, &options);
  const auto addressing = [&] {
    return addressing_of(inputs, inputs == nullptr ? 0 : input_count, outputs, outputs == nullptr ? 0 : output_count);
  };
  if (t_entries == nullptr) make_entries();
  Entry &entry = entry_for(op, outputs, output_count);
  const bool known = hit(entry, request, false);
  bool rebind = !known && entry.running != 0;
  if (!rebind) {
    if (!known) fill(&entry, runtime, request, false, addressing());
    const Running running(&entry);
    entry.plan->submit(queue, inputs, outputs, sync, entry.plan, &rebind);
  }
  if (!rebind) return;
  const auto plan = std::make_shared<Plan>(*request.registry, runtime.plans, request, addressing());
  rebind = false;
  plan->submit(queue, inputs, outputs, sync, plan, &rebind);
  if (rebind) fail(RAYO_INTERNAL, "{}: the kernel chosen for these addresses refuses them", op_name(op));
}

}  // namespace rayo
