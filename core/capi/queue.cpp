// SPDX-License-Identifier: Apache-2.0
//
// Queues at the C boundary.
#include <rayo/device.h>

#include "capi/plan.hpp"
#include "capi/runtime.hpp"
#include "device/queue.hpp"
#include "dispatch/eager.hpp"

namespace {

using namespace rayo;

Queue &to_queue(rayo_queue *handle) {
  if (handle == nullptr) fail(RAYO_INVALID_ARGUMENT, "queue is NULL: rayo_queue_create makes one");
  return *Queue::from(handle);
}

Buffer &to_buffer(const Queue &queue, rayo_buffer *handle, uint64_t offset, uint64_t size, const char *what) {
  if (handle == nullptr) fail(RAYO_INVALID_ARGUMENT, "{}: the buffer is NULL", what);
  Buffer &buffer = *Buffer::from(handle);
  if (&buffer.device() != &queue.device()) {
    fail(RAYO_INVALID_ARGUMENT, "{}: the buffer belongs to {}, the queue to {}", what, buffer.device().id(),
         queue.device().id());
  }
  buffer.check_range(offset, size, what);
  return buffer;
}

rayo_copy copy_of(uint64_t size) {
  rayo_copy copy{};
  copy.struct_size = sizeof copy;
  copy.struct_type = RAYO_TYPE_COPY;
  copy.size = size;
  return copy;
}

}  // namespace

extern "C" {

rayo_status rayo_queue_create(rayo_device *device, rayo_queue **out_queue) {
  return fence([&] {
    if (device == nullptr || out_queue == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{} is NULL", device == nullptr ? "device" : "out_queue");
    }
    *out_queue = (new Queue(reinterpret_cast<Device *>(device)->shared_from_this()))->handle();
  });
}

void rayo_queue_destroy(rayo_queue *queue) { delete Queue::from(queue); }

rayo_status rayo_queue_wait(rayo_queue *queue, uint64_t timeout_ns) {
  return fence([&] { to_queue(queue).wait(timeout_ns); });
}

rayo_status rayo_queue_run(rayo_queue *queue, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                           const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                           const rayo_sync *sync) {
  return fence([&] {
    Queue &known = to_queue(queue);
    known.device().check_usable();
    queue_eager(known, *known.device().runtime(), op, inputs, input_count, outputs, output_count, attrs, sync);
  });
}

rayo_status rayo_queue_run_plan(rayo_queue *queue, rayo_plan *plan, const rayo_tensor *const *inputs,
                                const rayo_tensor *const *outputs, const rayo_sync *sync) {
  return fence([&] {
    Queue &known = to_queue(queue);
    if (plan == nullptr || inputs == nullptr || outputs == nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{} is NULL", plan == nullptr ? "plan" : "inputs or outputs");
    }
    known.device().check_usable();
    const Plan &bound = plan->plan;
    bound.check_usable();
    bool rebind = false;
    const auto input_count = static_cast<uint32_t>(bound.call().inputs().size());
    const auto output_count = static_cast<uint32_t>(bound.call().outputs().size());
    const bool fits = bound.matches(inputs, input_count, outputs, output_count);
    if (fits) bound.submit(known, inputs, outputs, sync, plan->self, &rebind);
    if (fits && !rebind) return;
    bound.check_usable();
    fail(RAYO_PRECONDITION, "{}: {}; create another plan for these operands", bound.call().schema().raw->name,
         rebind ? "the plan's kernel cannot work on these addresses (in place or alignment)"
                : "type, shape, strides or place of an operand differ from what the plan was bound to");
  });
}

rayo_status rayo_queue_upload(rayo_queue *queue, rayo_buffer *buffer, uint64_t offset, const void *host, uint64_t size,
                              const rayo_sync *sync) {
  return fence([&] {
    Queue &known = to_queue(queue);
    if (host == nullptr && size != 0) fail(RAYO_INVALID_ARGUMENT, "host is NULL, size is {}", size);
    rayo_copy copy = copy_of(size);
    copy.dst_buffer = to_buffer(known, buffer, offset, size, "rayo_queue_upload").raw();
    copy.dst_offset = offset;
    copy.src_host = host;
    known.copy(copy, sync);
  });
}

rayo_status rayo_queue_download(rayo_queue *queue, rayo_buffer *buffer, uint64_t offset, void *host, uint64_t size,
                                const rayo_sync *sync) {
  return fence([&] {
    Queue &known = to_queue(queue);
    if (host == nullptr && size != 0) fail(RAYO_INVALID_ARGUMENT, "host is NULL, size is {}", size);
    rayo_copy copy = copy_of(size);
    copy.src_buffer = to_buffer(known, buffer, offset, size, "rayo_queue_download").raw();
    copy.src_offset = offset;
    copy.dst_host = host;
    known.copy(copy, sync);
  });
}

rayo_status rayo_queue_copy(rayo_queue *queue, rayo_buffer *dst, uint64_t dst_offset, rayo_buffer *src,
                            uint64_t src_offset, uint64_t size, const rayo_sync *sync) {
  return fence([&] {
    Queue &known = to_queue(queue);
    rayo_copy copy = copy_of(size);
    copy.dst_buffer = to_buffer(known, dst, dst_offset, size, "rayo_queue_copy: to").raw();
    copy.dst_offset = dst_offset;
    copy.src_buffer = to_buffer(known, src, src_offset, size, "rayo_queue_copy: from").raw();
    copy.src_offset = src_offset;
    if (dst == src && dst_offset < src_offset + size && src_offset < dst_offset + size) {
      fail(RAYO_INVALID_ARGUMENT, "rayo_queue_copy: {} bytes at {} and at {} of one buffer overlap", size, src_offset,
           dst_offset);
    }
    known.copy(copy, sync);
  });
}

}  // extern "C"
