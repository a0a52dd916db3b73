// SPDX-License-Identifier: Apache-2.0
#include "probe/smoke.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "loader/fp_env.hpp"
#include "probe/smoke_call.hpp"

namespace rayo::probe {
namespace {

constexpr size_t kMostBindings = 8;
constexpr int kRounds = 2;

// Exact on whole numbers whose sums stay below 2^24, whatever the order: doc/numerics.md.
constexpr std::array<std::string_view, 23> kExact = {
    "add",        "sub",       "mul",    "max",   "min",    "fma",   "where",      "clip",
    "neg",        "abs",       "relu",   "round", "ceil",   "floor", "reduce_sum", "reduce_max",
    "reduce_min", "reduce_l1", "argmax", "dot",   "matmul", "gemm",  "transpose"};

bool comparable(const KernelRecord &kernel, std::string_view op, int round) {
  if ((kernel.kernel->flags & RAYO_KERNEL_FLUSHES) != 0 && round != 0) return false;
  if (kernel.kernel->numerics == RAYO_NUMERICS_REPRODUCIBLE) return true;
  return round == 0 && std::find(kExact.begin(), kExact.end(), op) != kExact.end();
}

class SmokeTest {
 public:
  SmokeTest(const Registry &registry, const Registry *reference, TrialReport *report)
      : registry_(registry), reference_(reference), report_(*report) {}

  void run() {
    for (const auto &kernel : registry_.all_kernels()) {
      if ((kernel->kernel->flags & RAYO_KERNEL_DEVICE) != 0) continue;
      const Schema *schema = registry_.schema(kernel->op);
      if (schema == nullptr) continue;
      for (const Binding &binding : bindings_of(kernel->types, kMostBindings)) {
        for (int round = 0; round < kRounds; ++round) try_kernel(*kernel, *schema, binding, round);
      }
    }
  }

 private:
  void try_kernel(const KernelRecord &kernel, const Schema &schema, const Binding &binding, int round) {
    report_.enter(fmt::format("in its kernel {} of op {}", kernel.kernel->name, schema.raw->name));
    std::optional<SmokeCall> call;
    try {
      call.emplace(registry_, schema, binding, round);
    } catch (const Error &) {
      return;  // a vendor's op that takes other operands
    }
    const FpEnvironment arithmetic;
    const std::string first = call->run(registry_, kernel.owner->name);
    if (const std::string change = arithmetic.restore(); !change.empty()) {
      fail(RAYO_REFUSED, "its kernel for {} {}", schema.raw->name, change);
    }
    if (first.empty()) return;
    if ((kernel.kernel->flags & RAYO_KERNEL_NONDETERMINISTIC) == 0) {
      const std::string second = call->run(registry_, kernel.owner->name);
      if (const std::string change = call->difference(second, first); !change.empty()) {
        fail(RAYO_REFUSED, "its kernel for {} gives another result when it is called again ({})", schema.raw->name,
             change);
      }
    }
    compare(kernel, schema, *call, first, round);
  }

  void compare(const KernelRecord &kernel, const Schema &schema, SmokeCall &call, const std::string &result,
               int round) {
    if (reference_ == nullptr || !comparable(kernel, schema.raw->name, round)) return;
    std::string expected;
    try {
      report_.enter(fmt::format("in the scalar plugin, for op {}", schema.raw->name));
      expected = call.run(*reference_, reference_->plugins().front()->name);
    } catch (const Error &) {
      return;  // an op that scalar does not have
    }
    if (expected.empty()) return;
    if (const std::string change = call.difference(result, expected); !change.empty()) {
      fail(RAYO_REFUSED, "its kernel for {} is wrong: {}", schema.raw->name, change);
    }
  }

  const Registry &registry_;
  const Registry *reference_;
  TrialReport &report_;
};

}  // namespace

void run_smoke_test(const Registry &registry, const Registry *reference, TrialReport *report) {
  SmokeTest(registry, reference, report).run();
}

}  // namespace rayo::probe
