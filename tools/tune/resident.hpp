// SPDX-License-Identifier: Apache-2.0
//
// The operands of a call in memory of a device.
#pragma once

#include <rayo/device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/work/operands.hpp"
#include "tools/session.hpp"

namespace rayo::tools::tune {

struct DestroyBuffer {
  void operator()(rayo_buffer *buffer) const { rayo_buffer_destroy(buffer); }
};
using BufferPtr = std::unique_ptr<rayo_buffer, DestroyBuffer>;

// Throws CommandError: the device cannot be opened, or has no such memory.
rayo_device *open_device(const Session &session, const std::string &id);
BufferPtr create_buffer(rayo_device *device, uint64_t bytes, uint32_t memory);

// Copies of `host`'s operands, which outlives this.
class ResidentOperands {
 public:
  // Throws CommandError, RAYO_OUT_OF_MEMORY where the device has no room.
  ResidentOperands(const Session &session, const std::string &device, bench::Operands &host);
  ResidentOperands(const ResidentOperands &) = delete;
  ResidentOperands &operator=(const ResidentOperands &) = delete;

  const std::vector<const rayo_tensor *> &inputs() const { return inputs_; }
  const std::vector<const rayo_tensor *> &outputs() const { return outputs_; }
  void upload() const;         // the host's inputs and outputs as they are now
  void fetch_outputs() const;  // into the host's output memory

 private:
  struct Copy {
    BufferPtr buffer;
    void *host = nullptr;
    uint64_t bytes = 0;
    rayo_tensor tensor{};
  };
  void add(rayo_device *device, const rayo_tensor &tensor, uint64_t bytes);

  std::vector<std::unique_ptr<Copy>> copies_;  // inputs, then outputs
  std::size_t input_count_ = 0;
  std::vector<const rayo_tensor *> inputs_, outputs_;
};

}  // namespace rayo::tools::tune
