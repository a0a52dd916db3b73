// SPDX-License-Identifier: Apache-2.0
//
// Settings that come as text, and the grammar of a vendor's schema. The first byte says which.
#include "base/env.hpp"
#include "base/error.hpp"
#include "guard/verify_rules.hpp"
#include "loader/cpu_features.hpp"
#include "registry/ops.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char *>(data) + 1, size - 1);
  try {
    switch (data[0] % 6) {
      case 0: {
        const rayo::VerifyRules rules = rayo::parse_verify("RAYO_VERIFY", text);
        if (rules.any() == (text == "off")) __builtin_trap();
        break;
      }
      case 1:
        if (rayo::parse_threads("RAYO_NUM_THREADS", text) - 1 >= rayo::kMaxThreads) __builtin_trap();
        break;
      case 2:
        rayo::parse_cpu_disable("RAYO_CPU_DISABLE", text);
        break;
      case 3:
        rayo::parse_operands(text);
        break;
      case 4:
        rayo::parse_bindings(text);
        break;
      default:
        rayo::quote(text);
        break;
    }
  } catch (const rayo::Error &) {
    return 0;
  }
  return 0;
}
