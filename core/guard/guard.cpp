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
      reference_(registry, std::move(plans), call, kernel) {}

uint32_t Guard::due() noexcept {
  uint32_t due = 0;
  for (uint32_t i = 0; i < kSampledGuards; ++i) due |= static_cast<uint32_t>(samplers_[i].take()) << i;
  return due;
}

rayo_status Guard::begin(uint32_t due, const rayo_call &packet, std::unique_ptr<Round> *out_round) noexcept {
  const rayo_status status = fence([&] {
    auto round = std::make_unique<Round>();
    round->due = due;
    round->in_place = in_place_input(call_, packet);
    if (round->in_place >= 0) {
      const OperandDesc &operand = call_.outputs()[0];
      round->before.emplace(operand, packet.outputs[0]);
      copy_elements(operand, packet.outputs[0], operand, round->before->data());
    }
    *out_round = std::move(round);
  });
  return rules_.action == GuardAction::stop ? status : RAYO_OK;
}

std::array<const void *, RAYO_MAX_OPERANDS> Guard::inputs_before(const rayo_call &packet, const Round &round) const {
  std::array<const void *, RAYO_MAX_OPERANDS> inputs{};
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

bool Guard::look_divergence(const rayo_call &packet, const Round &round, Finding *finding) {
  if (const std::string &missing = reference_.missing(); !missing.empty()) {
    skip(GuardKind::divergence, missing);
    return false;
  }
  const auto inputs = inputs_before(packet, round);
  std::vector<std::vector<char>> expected = reference_.run(inputs.data(), packet.executor);
  const bool bits =
      kernel_.kernel->numerics == RAYO_NUMERICS_REPRODUCIBLE && reference_.numerics() == RAYO_NUMERICS_REPRODUCIBLE;
  const auto tolerance = [&] {
    ToleranceInputs needs{
        call_, kernel_.kernel->numerics, reference_.numerics(), (kernel_.kernel->flags & RAYO_KERNEL_FLUSHES) != 0, {},
        {}};
    for (size_t i = 0; i < call_.inputs().size(); ++i) {
      const OperandDesc &operand = call_.inputs()[i];
      needs.inputs.push_back(operand.absent() ? std::vector<char>() : dense_copy(operand, inputs[i]));
    }
    needs.magnitudes = [&] { return reference_.magnitudes(inputs.data(), packet.executor); };
    return make_tolerance(std::move(needs));
  };
  for (size_t output = 0; output < expected.size(); ++output) {
    const OperandDesc &operand = call_.outputs()[output];
    std::vector<char> actual = dense_copy(operand, packet.outputs[output]);
    if (!differs(operand, actual, expected[output], bits ? std::function<Tolerance()>() : tolerance, finding)) continue;
    finding->output = output;
    finding->result = std::move(actual);
    finding->other = std::move(expected[output]);
    return true;
  }
  return false;
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

bool Guard::look(GuardKind kind, rayo_kernel_fn fn, const rayo_call &packet, const Round &round, Finding *finding) {
  finding->kind = kind;
  switch (kind) {
    case GuardKind::nan:
    case GuardKind::inf:
      return look_special(kind == GuardKind::nan, packet, round, finding);
    case GuardKind::divergence:
      return look_divergence(packet, round, finding);
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
      runtime_.metrics.count(Metric::guard_checks, {guard_name(kind), call_.schema().raw->name, kernel_.owner->name});
      Finding finding;
      if (!look(kind, fn, packet, *round, &finding)) continue;
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
