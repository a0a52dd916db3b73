// SPDX-License-Identifier: Apache-2.0
//
// Eager calls: each thread remembers its last descriptors as plans, so that a repeated call is a comparison and a jump.
#pragma once

#include <rayo/device.h>

#include "dispatch/bind.hpp"

namespace rayo {

class Queue;

// Options of one call resolved against the runtime's. Throws Error on an illegal value.
CallRequest make_request(rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                         const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                         const rayo_run_options *options);

// Runs the call; leaves the text of a failure for rayo_last_error.
rayo_status run_eager(rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                      const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                      const rayo_run_options *options) noexcept;

// Queues the call on the queue's device. Throws Error.
void queue_eager(Queue &queue, rayo_runtime &runtime, rayo_op op, const rayo_tensor *const *inputs,
                 uint32_t input_count, const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs,
                 const rayo_sync *sync);

}  // namespace rayo
