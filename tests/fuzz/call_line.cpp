// SPDX-License-Identifier: Apache-2.0
#include "dispatch/call_line.hpp"

#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "registry/ops.hpp"

// A line that is taken is written so that it reads as the same call.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  (void)rayo::catalogue();  // its names are known from here on
  std::unique_ptr<rayo::LineCall> call;
  try {
    call = std::make_unique<rayo::LineCall>(std::string_view(reinterpret_cast<const char *>(data), size));
  } catch (const rayo::Error &) {
    return 0;
  }
  const std::string once = rayo::call_line(call->kernel(), call->desc());
  const rayo::LineCall again(once);
  if (rayo::call_line(again.kernel(), again.desc()) != once || again.text() != call->text()) __builtin_trap();
  return 0;
}
