// SPDX-License-Identifier: Apache-2.0
//
// Running a call on the host though some of its operands live on a device: they are brought, computed with, and results
// taken back.
#include <cstring>

#include "device/staging.hpp"
#include "dispatch/detour.hpp"
#include "dispatch/host_call.hpp"
#include "dispatch/overlap.hpp"
#include "dispatch/plan.hpp"

namespace rayo {
namespace {

bool has_gaps(const OperandDesc &operand) {
  const ByteSpan span = byte_span(operand);
  return static_cast<uint64_t>(span.high - span.low) !=
         static_cast<uint64_t>(operand.elements()) * (operand.dtype.bits / 8);
}

// Device operands of one call in host memory. Operands of one place (in place) share their copy.
class Copies {
 public:
  explicit Copies(LaneLease *lane) : lane_(lane) {}

  // Its address in host memory; with `fetch` the bytes are brought, by the time the lane has finished.
  char *bring(const rayo_tensor *tensor, const OperandDesc &operand, const void *place, bool fetch) {
    const ByteSpan span = byte_span(operand);
    for (const Copy &copy : copies_) {
      if (copy.place == place && copy.span.low == span.low && copy.span.high == span.high) return copy.element_zero;
    }
    Copy &copy = copies_.emplace_back();
    copy.place = place;
    copy.span = span;
    copy.buffer = buffer_of(tensor);
    copy.offset = tensor->dl.byte_offset - static_cast<uint64_t>(-span.low);
    copy.bytes.resize(static_cast<size_t>(span.high - span.low) + 1);
    copy.element_zero = copy.bytes.data() - span.low;
    if (fetch) (*lane_)->download(copy.buffer->raw(), copy.offset, copy.bytes.data(), copy.bytes.size() - 1);
    return copy.element_zero;
  }
  void take_back(const void *place) {
    for (const Copy &copy : copies_) {
      if (copy.place != place) continue;
      (*lane_)->upload(copy.buffer->raw(), copy.offset, copy.bytes.data(), copy.bytes.size() - 1);
    }
  }

 private:
  static Buffer *buffer_of(const rayo_tensor *tensor) {
    if (tensor->buffer == nullptr) {
      fail(RAYO_UNSUPPORTED, "memory of a device without its buffer cannot be brought to the host");
    }
    return Buffer::from(tensor->buffer);
  }
  struct Copy {
    const void *place = nullptr;
    ByteSpan span;
    Buffer *buffer = nullptr;
    uint64_t offset = 0;
    std::vector<char> bytes;  // one more than there are: an empty vector has no address
    char *element_zero = nullptr;
  };
  LaneLease *lane_;
  std::deque<Copy> copies_;
};

// Work of the application's queues on this operand is waited for here, on the host.
void await(const rayo_tensor *tensor, Device &device) {
  const QueueEnd end = written_by(tensor);
  if (!end.semaphore) return;
  rayo_error error = no_error();
  device.check(device.api().semaphore_wait(end.semaphore->raw(), end.value, UINT64_MAX, &error), error,
               "wait for a tensor");
}

}  // namespace

Plan &Detour::host_plan() {
  if (Plan *made = host_plan_.load(std::memory_order_acquire); made != nullptr) return *made;
  const HostCall host(call_);
  CallRequest request = host.request(call_);
  request.device = host_device_.c_str();
  request.threads = threads_;
  request.policy = policy_;
  request.devices = &devices_;
  // Without a lock, which a forked child could find held for ever: of two threads that make one, one is too late.
  auto plan = std::make_unique<Plan>(registry_, set_, request, Addressing{});
  Plan *first = nullptr;
  if (host_plan_.compare_exchange_strong(first, plan.get(), std::memory_order_acq_rel)) return *plan.release();
  return *first;
}

void Detour::run_on_host(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs, const Located &located,
                         const rayo_executor *executor) {
  HostCall host(call_);
  Device *home = call_.home().get();
  std::unique_ptr<LaneLease> lane;
  if (home != nullptr) {
    home->check_usable();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].resident) await(inputs[i], *home);
    }
    for (size_t o = 0; o < outputs_.size(); ++o) {
      if (outputs_[o].resident) await(outputs[o], *home);
    }
    lane = std::make_unique<LaneLease>(home->staging());
  }
  Copies copies(lane.get());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].given.absent()) continue;
    if (!inputs_[i].resident) {
      host.put(i, false, inputs[i]);
    } else {
      host.put(i, false, copies.bring(inputs[i], inputs_[i].given, located.in[i], true));
    }
  }
  for (size_t o = 0; o < outputs_.size(); ++o) {
    if (!outputs_[o].resident) {
      host.put(o, true, outputs[o]);
    } else {
      const bool gaps = has_gaps(outputs_[o].given);  // they come back as they are
      host.put(o, true, copies.bring(outputs[o], outputs_[o].given, located.out[o], gaps));
    }
  }
  if (lane) (*lane)->finish();
  const Plan &plan = host_plan();
  bool rebind = false;
  rayo_status status = plan.run(host.in(), host.out(), executor, &rebind);
  if (rebind) {  // these addresses need another kernel: bound for this call alone
    CallRequest request = host.request(call_);
    request.device = host_device_.c_str();
    request.threads = threads_;
    request.policy = policy_;
    request.devices = &devices_;
    rebind = false;
    const Plan once(registry_, set_, request,
                    addressing_of(request.inputs, request.input_count, request.outputs, request.output_count));
    status = once.run(host.in(), host.out(), executor, &rebind);
  }
  if (status != RAYO_OK) throw Error(status, std::string(last_error()));
  if (!lane) return;
  for (size_t o = 0; o < outputs_.size(); ++o) {
    if (outputs_[o].resident) copies.take_back(located.out[o]);
  }
  (*lane)->finish();
}

}  // namespace rayo
