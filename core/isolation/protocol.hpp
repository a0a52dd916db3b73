// SPDX-License-Identifier: Apache-2.0
//
// How librayo and the worker process of an isolated plugin speak: one message each way on a SOCK_SEQPACKET socket, the
// worker's at descriptor 3. Operands lie in two shared files: inputs, which the worker cannot write, and outputs.
#pragma once

#include <rayo/plugin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rayo {

constexpr size_t kLargestMessage = size_t{128} << 10;
constexpr size_t kOutputZone = 64;  // bytes around each output that a kernel must leave alone
constexpr unsigned char kZoneByte = 0xa5;

enum class WorkerTask : uint32_t {
  describe = 1,  // answered by the plugin as JSON (remote_plugin.cpp)
  prepare = 2,   // text: a call line; from here on `id` stands for it
  release = 3,   // of an id
  share = 4,     // two descriptors: the files of inputs and of outputs, `sizes` long
  run = 5        // an id on operands at these offsets
};

constexpr uint64_t kNoOperand = UINT64_MAX;
constexpr uint64_t kInOutputs = uint64_t{1} << 63;  // an input that is an output: its offset is into their file

struct WorkerRequest {
  WorkerTask task = WorkerTask::describe;
  uint32_t text_size = 0;  // bytes behind this struct
  uint64_t id = 0;
  std::array<uint64_t, 2> sizes{};
  std::array<uint64_t, RAYO_MAX_OPERANDS> inputs{};  // of logical element 0
  std::array<uint64_t, RAYO_MAX_OPERANDS> outputs{};
};

struct WorkerReply {
  rayo_status status = RAYO_OK;
  uint32_t threads = 1;    // prepare: how many are of use
  uint32_t text_size = 0;  // bytes behind this struct: the description, or an error's text
  uint32_t reserved = 0;
};

}  // namespace rayo
