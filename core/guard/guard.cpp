// SPDX-License-Identifier: Apache-2.0
#include "guard/guard.hpp"

#include "base/error.hpp"
#include "guard/bounds.hpp"
#include "guard/compare.hpp"
#include "guard/report.hpp"

namespace rayo {
namespace {

constexpr uint32_t bit(GuardKind kind) { return 1u << static_cast<uint32_t>(kind); }

// The input that output 0 is exactly; -1 if there is none.
int in_place_input(const BoundCall &call, const rayo_call &packet) {
  for (size_t i = 0; i < call.inputs().size(); ++i) {
    const bool has_elements = !call.inputs()[i].absent() && call.inputs()[i].elements() > 0;
    if (has_elements && packet.inputs[i] == packet.outputs[0]) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

Guard::Guard(RuntimeWatch &runtime, const VerifyRules &rules, const Registry &registry, std::shared_ptr<PlanSet> plans,
             const BoundCall &call, const KernelRecord &kernel)
    : runtime_(runtime),
      rules_(rules),
      call_(call),
      kernel_(kernel),
      samplers_{
          Sampler(rules.every[0], runtime.seeds.fetch_add(1)), Sampler(rules.every[1], runtime.seeds.fetch_add(1)),
          Sampler(rules.every[2], runtime.seeds.fetch_add(1)), Sampler(rules.every[3], runtime.seeds.fetch_add(1))},
      budget_(rules.share(), rules.of(GuardKind::divergence)),
      cut_(budget_.limited() ? find_cut(call) : std::nullopt),
      whole_(registry, plans, call, kernel),
      pieces_(runtime.seeds.fetch_add(1)) {
  const char *op = call.schema().raw->name;
  const std::string &device = kernel.owner->name;
  for (size_t i = 0; i < kSampledGuards; ++i) {
    const char *guard = guard_name(static_cast<GuardKind>(i));
    if (rules.every[i] != 0) checks_[i] = runtime.metrics.counter(Metric::guard_checks, {guard, op, device});
  }
  if (budget_.limited()) {
    const char *guard = guard_name(GuardKind::divergence);
    partial_ = runtime.metrics.counter(Metric::guard_partial, {guard, op, device});
    unpaid_ = runtime.metrics.counter(Metric::guard_skipped, {guard, op, "its budget of time was spent"});
  }
  if (cut_) piece_.emplace(registry, std::move(plans), call, kernel, &*cut_);
}

uint32_t Guard::due() noexcept {
  uint32_t due = 0;
  for (uint32_t i = 0; i < kSampledGuards; ++i) due |= static_cast<uint32_t>(samplers_[i].take()) << i;
  if (budget_.limited() && (due & bit(GuardKind::divergence)) != 0 && !budget_.earn()) {
    unpaid_->fetch_add(1, std::memory_order_relaxed);
    due &= ~bit(GuardKind::divergence);
  }
  return due;
}

uint32_t Guard::pass() noexcept {
  uint32_t calls = UINT32_MAX;
  for (const Sampler &sampler : samplers_) calls = std::min(calls, sampler.waiting());
  for (Sampler &sampler : samplers_) sampler.pass(calls);
  return calls;
}

bool Guard::times(uint32_t due) const noexcept {
  return times_calls() || (budget_.limited() && (due & bit(GuardKind::divergence)) != 0);
}

rayo_status Guard::begin(uint32_t due, const rayo_call &packet, std::unique_ptr<Round> *out_round) noexcept {
  const rayo_status status = fence([&] {
    const int64_t begin = budget_.limited() ? trace_now() : 0;
    auto round = std::make_unique<Round>();
    round->due = due;
    round->in_place = in_place_input(call_, packet);
    if (round->in_place >= 0) {
      const OperandDesc &operand = call_.outputs()[0];
      round->before.emplace(operand, packet.outputs[0]);
      copy_elements(operand, packet.outputs[0], operand, round->before->data());
    }
    if (budget_.limited()) round->begin_ns = trace_now() - begin;
    *out_round = std::move(round);
  });
  return rules_.action == GuardAction::stop ? status : RAYO_OK;
}

Guard::Addresses Guard::inputs_before(const rayo_call &packet, const Round &round) const {
  Addresses inputs{};
  std::copy_n(packet.inputs, call_.inputs().size(), inputs.begin());
  if (round.in_place >= 0) inputs[static_cast<size_t>(round.in_place)] = round.before->data();
  return inputs;
}

bool Guard::look_special(bool nan, const rayo_call &packet, const Round &round, Finding *finding) {
  const auto has = [nan](const OperandDesc &operand, const void *data) {
    if (operand.absent()) return false;
    const Specials found = find_specials(operand, data);
    return nan ? found.nan : found.inf;
  };
  size_t output = 0;
  while (output < call_.outputs().size() && !has(call_.outputs()[output], packet.outputs[output])) ++output;
  if (output == call_.outputs().size()) return false;
  const auto inputs = inputs_before(packet, round);
  for (size_t i = 0; i < call_.inputs().size(); ++i) {
    if (has(call_.inputs()[i], inputs[i])) return false;  // propagated
  }
  const OperandDesc &operand = call_.outputs()[output];
  finding->output = output;
  finding->total = static_cast<uint64_t>(operand.elements());
  finding->result = dense_copy(operand, packet.outputs[output]);
  return first_special(operand.dtype, finding->result, nan, &finding->index, &finding->wrong);
}

bool Guard::diverges(const Reference &reference, const void *const *inputs, const void *const *outputs,
                     const rayo_executor *executor, Finding *finding) const {
  std::vector<std::vector<char>> expected = reference.run(inputs, executor);
  const bool bits =
      kernel_.kernel->numerics == RAYO_NUMERICS_REPRODUCIBLE && reference.numerics() == RAYO_NUMERICS_REPRODUCIBLE;
  const auto tolerance = [&] {
    ToleranceInputs needs{reference.bound(),
                          kernel_.kernel->numerics,
                          reference.numerics(),
                          (kernel_.kernel->flags & RAYO_KERNEL_FLUSHES) != 0,
                          {},
                          {}};
    for (size_t i = 0; i < reference.inputs().size(); ++i) {
      const OperandDesc &operand = reference.inputs()[i];
      needs.inputs.push_back(operand.absent() ? std::vector<char>() : dense_copy(operand, inputs[i]));
    }
    needs.magnitudes = [&] { return reference.magnitudes(inputs, executor); };
    return make_tolerance(std::move(needs));
  };
  for (size_t output = 0; output < expected.size(); ++output) {
    const OperandDesc &operand = reference.outputs()[output];
    std::vector<char> actual = dense_copy(operand, outputs[output]);
    if (!differs(operand, actual, expected[output], bits ? std::function<Tolerance()>() : tolerance, finding)) continue;
    finding->output = output;
    finding->result = std::move(actual);
    finding->other = std::move(expected[output]);
    return true;
  }
  return false;
}

bool Guard::piece_diverges(const Addresses &inputs, const rayo_call &packet, int64_t begin, int64_t allowed_ns) {
  const int64_t count = cut_->pieces();
  auto piece = static_cast<int64_t>(splitmix64(pieces_.fetch_add(kSplitmixStep, std::memory_order_relaxed)) %
                                    static_cast<uint64_t>(count));
  Finding finding;
  Addresses piece_inputs{};
  for (int64_t tried = 0; tried < count; ++tried, piece = piece + 1 == count ? 0 : piece + 1) {
    if (tried != 0 && trace_now() - begin >= allowed_ns) {
      partial_->fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    const int64_t at = cut_->begin_of(piece);
    for (size_t i = 0; i < call_.inputs().size(); ++i) {
      piece_inputs[i] = piece_at(call_.inputs()[i], cut_->input_axes[i], at, inputs[i]);
    }
    const void *output = piece_at(call_.outputs()[0], cut_->output_axis, at, packet.outputs[0]);
    if (diverges(*piece_, piece_inputs.data(), &output, packet.executor, &finding)) return true;
  }
  return false;
}

bool Guard::look_divergence(const rayo_call &packet, int64_t ns, const Round &round, Finding *finding) {
  Reference &least = cut_ ? *piece_ : whole_;
  if (const std::string &missing = least.missing(); !missing.empty()) {
    skip(GuardKind::divergence, missing);
    return false;
  }
  const Addresses inputs = inputs_before(packet, round);
  if (!budget_.limited()) return diverges(whole_, inputs.data(), packet.outputs, packet.executor, finding);
  const int64_t begin = trace_now();
  const int64_t allowed = budget_.learn(ns) - round.begin_ns;
  // A piece that objects asks for the whole call, which has the last word: its shape is the one that ran.
  bool wrong = !cut_ || piece_diverges(inputs, packet, begin, allowed);
  if (wrong && whole_.missing().empty()) {
    wrong = diverges(whole_, inputs.data(), packet.outputs, packet.executor, finding);
  }
  budget_.spend(trace_now() - begin + round.begin_ns);
  return wrong;
}

bool Guard::look_nondeterminism(rayo_kernel_fn fn, const rayo_call &packet, const Round &round, Finding *finding) {
  if ((kernel_.kernel->flags & RAYO_KERNEL_NONDETERMINISTIC) != 0) {
    skip(GuardKind::nondeterminism, "the kernel says that it is not deterministic");
    return false;
  }
  auto inputs = inputs_before(packet, round);
  std::vector<Shadow> memory;
  std::array<void *, RAYO_MAX_OPERANDS> outputs{};
  for (size_t i = 0; i < call_.outputs().size(); ++i) {
    outputs[i] = memory.emplace_back(call_.outputs()[i], packet.outputs[i]).data();
  }
  if (round.in_place >= 0) {
    copy_elements(call_.outputs()[0], round.before->data(), call_.outputs()[0], outputs[0]);
    inputs[static_cast<size_t>(round.in_place)] = outputs[0];
  }
  rayo_call again = packet;
  again.inputs = inputs.data();
  again.outputs = outputs.data();
  if (const rayo_status status = fn(&again); status != RAYO_OK) {
    fail(status, "the second run for the guard nondeterminism failed: {}", last_error());
  }
  for (size_t output = 0; output < call_.outputs().size(); ++output) {
    const OperandDesc &operand = call_.outputs()[output];
    std::vector<char> first = dense_copy(operand, packet.outputs[output]);
    std::vector<char> second = dense_copy(operand, outputs[output]);
    if (!differs(operand, first, second, {}, finding)) continue;
    finding->output = output;
    finding->result = std::move(first);
    finding->other = std::move(second);
    return true;
  }
  return false;
}

bool Guard::look(GuardKind kind, rayo_kernel_fn fn, const rayo_call &packet, int64_t ns, const Round &round,
                 Finding *finding) {
  finding->kind = kind;
  switch (kind) {
    case GuardKind::nan:
    case GuardKind::inf:
      return look_special(kind == GuardKind::nan, packet, round, finding);
    case GuardKind::divergence:
      return look_divergence(packet, ns, round, finding);
    default:
      return look_nondeterminism(fn, packet, round, finding);
  }
}

void Guard::skip(GuardKind kind, const std::string &reason) {
  const char *op = call_.schema().raw->name;
  runtime_.metrics.count(Metric::guard_skipped, {guard_name(kind), op, reason});
  if (told_skip_.exchange(true)) return;
  runtime_.log(RAYO_LOG_INFO, "guard {} does not judge {} on {}: {}", guard_name(kind), op, kernel_.owner->name,
               reason);
}

void Guard::act(const Finding &finding) {
  const char *op = call_.schema().raw->name;
  runtime_.metrics.count(Metric::guard_findings, {guard_name(finding.kind), op, kernel_.owner->name});
  if (rules_.action == GuardAction::stop) return;
  std::string where;
  if (rules_.action == GuardAction::report)
    where = "; " + write_report(finding, call_, kernel_, rules_.folder, &runtime_);
  runtime_.log(RAYO_LOG_ERROR, "guard: {} on {} ({}): {}{}", op, kernel_.owner->name, kernel_.kernel->name,
               describe(finding, call_), where);
}

// What was computed is nobody's result: in-place operands are inputs again, other outputs hold what poison() leaves.
void Guard::withdraw(const rayo_call &packet, const Round *round) noexcept {
  for (size_t i = 0; i < call_.outputs().size(); ++i) {
    const OperandDesc &operand = call_.outputs()[i];
    if (i == 0 && round != nullptr && round->in_place >= 0) {
      const bool restored =
          fence([&] { copy_elements(operand, round->before->data(), operand, packet.outputs[0]); }) == RAYO_OK;
      if (restored) continue;
    }
    poison(operand, packet.outputs[i]);
  }
}

void Guard::stop(const Finding &finding, const rayo_call &packet, const Round *round) {
  const bool slow = finding.kind == GuardKind::slowdown;
  if (!slow) withdraw(packet, round);
  const char *held = slow                                       ? "the outputs hold the result"
                     : round != nullptr && round->in_place >= 0 ? "the output is the input again"
                                                                : "the outputs hold no result";
  fail(RAYO_GUARD, "{}; {}", describe(finding, call_), held);
}

rayo_status Guard::finish(rayo_kernel_fn fn, const rayo_call &packet, int64_t ns, Round *round) noexcept {
  const bool stops = rules_.action == GuardAction::stop;
  const rayo_status status = fence([&] {
    const Span span(round != nullptr ? runtime_.trace : nullptr, SpanKind::guard, call_.schema().raw->name,
                    kernel_.owner->name, kernel_.kernel->name);
    for (uint32_t i = 0; round != nullptr && i < kSampledGuards; ++i) {
      const auto kind = static_cast<GuardKind>(i);
      if ((round->due & bit(kind)) == 0) continue;
      checks_[i]->fetch_add(1, std::memory_order_relaxed);
      Finding finding;
      if (!look(kind, fn, packet, ns, *round, &finding)) continue;
      act(finding);
      if (stops) stop(finding, packet, round);
    }
    Finding finding;
    finding.kind = GuardKind::slowdown;
    finding.ns = ns;
    if (!times_calls() || !median_.slow(ns, rules_.slowdown, &finding.median_ns)) return;
    act(finding);
    if (stops) stop(finding, packet, round);
  });
  if (status == RAYO_OK || status == RAYO_GUARD) return status;
  // A guard that could not do its work: nothing is known about the result.
  if (stops) {
    withdraw(packet, round);
    return status;
  }
  runtime_.log(RAYO_LOG_WARN, "guard: {} on {} could not be judged: {}", call_.schema().raw->name, kernel_.owner->name,
               last_error());
  return RAYO_OK;
}

}  // namespace rayo
