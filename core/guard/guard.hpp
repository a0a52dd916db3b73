// SPDX-License-Identifier: Apache-2.0
//
// The run-time guards of one plan: before a call they decide whether to look at it and keep what they need of its
// inputs; after it they judge the outputs and act.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "guard/elements.hpp"
#include "guard/finding.hpp"
#include "guard/reference.hpp"
#include "guard/running_median.hpp"
#include "guard/sampler.hpp"
#include "guard/watch.hpp"

namespace rayo {

class Guard {
 public:
  // What is kept between the two halves of a call that is looked at.
  struct Round {
    uint32_t due = 0;              // bit per GuardKind
    int in_place = -1;             // the input that output 0 overwrites
    std::optional<Shadow> before;  // its content
  };

  // All references outlive the guard.
  Guard(RuntimeWatch &runtime, const VerifyRules &rules, const Registry &registry, std::shared_ptr<PlanSet> plans,
        const BoundCall &call, const KernelRecord &kernel);

  bool times_calls() const noexcept { return rules_.slowdown != 0; }
  // Which guards look at the next call, as bits; 0 for most.
  uint32_t due() noexcept;
  // Keeps what is overwritten. RAYO_OUT_OF_MEMORY with action stop; with the others the call runs unseen.
  rayo_status begin(uint32_t due, const rayo_call &packet, std::unique_ptr<Round> *out_round) noexcept;
  // Judges a call that succeeded. `ns`: how long it took, if times_calls. RAYO_GUARD: stopped; outputs hold no result.
  rayo_status finish(rayo_kernel_fn fn, const rayo_call &packet, int64_t ns, Round *round) noexcept;

 private:
  bool look(GuardKind kind, rayo_kernel_fn fn, const rayo_call &packet, const Round &round, Finding *finding);
  bool look_special(bool nan, const rayo_call &packet, const Round &round, Finding *finding);
  bool look_divergence(const rayo_call &packet, const Round &round, Finding *finding);
  bool look_nondeterminism(rayo_kernel_fn fn, const rayo_call &packet, const Round &round, Finding *finding);
  // The inputs as they were before the call.
  std::array<const void *, RAYO_MAX_OPERANDS> inputs_before(const rayo_call &packet, const Round &round) const;
  void act(const Finding &finding);
  [[noreturn]] void stop(const Finding &finding, const rayo_call &packet, const Round *round);
  void withdraw(const rayo_call &packet, const Round *round) noexcept;
  void skip(GuardKind kind, const std::string &reason);

  RuntimeWatch &runtime_;
  VerifyRules rules_;
  const BoundCall &call_;
  const KernelRecord &kernel_;
  std::array<Sampler, kSampledGuards> samplers_;
  Reference reference_;
  RunningMedian median_;
  std::atomic<bool> told_skip_{false};
};

}  // namespace rayo
