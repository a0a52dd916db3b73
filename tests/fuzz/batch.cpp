// SPDX-License-Identifier: Apache-2.0
#include "batch_line.hpp"
#include "command.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    const rayo::tools::Job job = rayo::tools::parse_batch_line({reinterpret_cast<const char *>(data), size}, {});
    if (job.op.empty()) __builtin_trap();
  } catch (const rayo::tools::CommandError &) {
    return 0;
  }
  return 0;
}
