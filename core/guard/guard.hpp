// SPDX-License-Identifier: Apache-2.0
//
// The run-time guards of one plan: before a call they decide whether to look at it and keep what they need of its
// inputs; after it they judge the outputs and act.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "guard/check_budget.hpp"
#include "guard/cut.hpp"
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
    int64_t begin_ns = 0;          // what keeping it took
  };

  // All references outlive the guard.
  Guard(RuntimeWatch &runtime, const VerifyRules &rules, const Registry &registry, std::shared_ptr<PlanSet> plans,
        const BoundCall &call, const KernelRecord &kernel);

  bool times_calls() const noexcept { return rules_.slowdown != 0; }
  // Which guards look at the next call, as bits; 0 for most.
  uint32_t due() noexcept;
  // How many calls behind that one none of them will look at. They count as asked for.
  uint32_t pass() noexcept;
  // Whether finish must know how long this call takes.
  bool times(uint32_t due) const noexcept;
  // Keeps what is overwritten. RAYO_OUT_OF_MEMORY with action stop; with the others the call runs unseen.
  rayo_status begin(uint32_t due, const rayo_call &packet, std::unique_ptr<Round> *out_round) noexcept;
  // Judges a call that succeeded. `ns`: how long it took, if times(). RAYO_GUARD: stopped; outputs hold no result.
  rayo_status finish(rayo_kernel_fn fn, const rayo_call &packet, int64_t ns, Round *round) noexcept;

 private:
  using Addresses = std::array<const void *, RAYO_MAX_OPERANDS>;

  bool look(GuardKind kind, rayo_kernel_fn fn, const rayo_call &packet, int64_t ns, const Round &round,
            Finding *finding);
  bool look_special(bool nan, const rayo_call &packet, const Round &round, Finding *finding);
  bool look_divergence(const rayo_call &packet, int64_t ns, const Round &round, Finding *finding);
  bool look_nondeterminism(rayo_kernel_fn fn, const rayo_call &packet, const Round &round, Finding *finding);
  // The call, or the piece of it that the reference is of, against scalar's results.
  bool diverges(const Reference &reference, const void *const *inputs, const void *const *outputs,
                const rayo_executor *executor, Finding *finding) const;
  // Pieces from a random one on, for as long as `allowed_ns`; at least one.
  bool piece_diverges(const Addresses &inputs, const rayo_call &packet, int64_t begin, int64_t allowed_ns);
  // The inputs as they were before the call.
  Addresses inputs_before(const rayo_call &packet, const Round &round) const;
  void act(const Finding &finding);
  [[noreturn]] void stop(const Finding &finding, const rayo_call &packet, const Round *round);
  void withdraw(const rayo_call &packet, const Round *round) noexcept;
  void skip(GuardKind kind, const std::string &reason);

  RuntimeWatch &runtime_;
  VerifyRules rules_;
  const BoundCall &call_;
  const KernelRecord &kernel_;
  std::array<Sampler, kSampledGuards> samplers_;
  std::array<Counter *, kSampledGuards> checks_{};  // of the guards that are on
  Counter *partial_ = nullptr;                      // only with a budget, and what is left out because of it
  Counter *unpaid_ = nullptr;
  CheckBudget budget_;
  std::optional<Cut> cut_;
  Reference whole_;
  std::optional<Reference> piece_;  // of `cut_`
  std::atomic<uint64_t> pieces_;    // numbers of the pieces to begin with
  RunningMedian median_;
  std::atomic<bool> told_skip_{false};
};

}  // namespace rayo
