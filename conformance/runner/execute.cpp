// SPDX-License-Identifier: Apache-2.0
#include "runner/execute.hpp"

#include <fmt/format.h>
#include <rayo/plugin.h>

#include <algorithm>
#include <array>

#include "oracle/contract.hpp"
#include "runner/call.hpp"
#include "runner/judge.hpp"

namespace rayo::conform {
namespace {

std::string check_shapes(const Call &call, const Subject &subject, const Inputs &inputs,
                         const std::vector<OutputShape> &outputs) {
  const AttrPack attrs(call.c, call.op);
  std::array<rayo_shape, RAYO_MAX_OPERANDS> inferred{};
  std::uint32_t count = 0;
  const rayo_status status = rayo_infer_shapes(subject.runtime(), call.id, inputs.pointers.data(),
                                               static_cast<std::uint32_t>(inputs.pointers.size()), attrs.list(),
                                               inferred.data(), static_cast<std::uint32_t>(inferred.size()), &count);
  if (status != RAYO_OK) return fmt::format("shape: {}: {}", rayo_status_name(status), last_error());
  if (count != outputs.size()) return fmt::format("shape: {} outputs inferred, expected {}", count, outputs.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const Shape got(inferred[i].extents, inferred[i].extents + inferred[i].ndim);
    const DLDataType type = dtype_dl(outputs[i].dtype);
    if (got == outputs[i].shape && inferred[i].dtype.code == type.code && inferred[i].dtype.bits == type.bits) continue;
    return fmt::format("shape: output {}: inferred ({}), expected ({}) of {}", i, fmt::join(got, ","),
                       fmt::join(outputs[i].shape, ","), dtype_name(outputs[i].dtype));
  }
  return {};
}

std::string difference(const Results &a, const Results &b, std::string_view a_name, std::string_view b_name) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string text = bit_difference(a[i], b[i], a_name, b_name);
    if (!text.empty()) return text;
  }
  return {};
}

// Bits: against the scalar plugin and against the contract written a second time.
std::string check_bits(const Call &call, const Problem &problem, const Subject &subject, const Subject *reference,
                       const std::vector<OutputShape> &outputs, const Results &results) {
  if (reference != nullptr && reference->file() != subject.file() &&
      !reference->classes(call.op.name, call.c.dtype).empty()) {
    Results expected;
    const Verdict v = run_fresh(call, *reference, outputs, RAYO_POLICY_REPRODUCIBLE, expected);
    if (v.state != State::passed) return "reference: " + v.message;
    std::string text = difference(results, expected, subject.name(), reference->name());
    if (!text.empty()) return text;
  }
  const auto by_contract = contract::evaluate(problem);
  return by_contract ? bit_difference(results[0], *by_contract, subject.name(), "the contract") : std::string();
}

std::string check_repeats(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs,
                          std::uint32_t policy, const Results &results) {
  for (std::uint32_t i = 1; i < call.c.repeat; ++i) {
    Results again;
    const Verdict v = run_fresh(call, subject, outputs, policy, again);
    if (v.state != State::passed) return fmt::format("repeat {}: {}", i, v.message);
    const std::string text = difference(results, again, "run 0", fmt::format("run {}", i));
    if (!text.empty()) return "repeat: " + text;
  }
  return {};
}

// Batch invariance: a row alone has the bits it has among the others.
std::string check_row(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs,
                      std::uint32_t policy, const Results &results) {
  if (call.c.row < 0) return {};
  Results alone;
  const Verdict v = run_row(call, subject, outputs, policy, alone);
  if (v.state != State::passed) return fmt::format("row {} alone: {}", call.c.row, v.message);
  Results row;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto n = static_cast<std::ptrdiff_t>(alone[i].size());
    const auto first = results[i].begin() + static_cast<std::ptrdiff_t>(call.c.row) * n;
    row.emplace_back(first, first + n);
  }
  const std::string text = difference(row, alone, "the batch", "the row alone");
  return text.empty() ? text : fmt::format("row {}: {}", call.c.row, text);
}

std::vector<Values> with_shapes(const std::vector<OutputShape> &outputs, const Results &results) {
  std::vector<Values> values;
  for (std::size_t i = 0; i < outputs.size(); ++i) values.push_back({outputs[i].dtype, outputs[i].shape, results[i]});
  return values;
}

template <class R>
Verdict execute_as(const Call &call, const Oracle &oracle, const Subject &subject, const Subject *reference,
                   std::uint32_t numerics) {
  Inputs inputs;
  make_inputs(call.c, call.op, inputs);
  const Problem problem = make_problem(call.c, call.op, inputs);
  Expected<R> expected;
  run_oracle<R>(oracle, problem, expected);
  std::vector<OutputShape> outputs = {{expected.dtype, expected.shape}};
  outputs.insert(outputs.end(), expected.more.begin(), expected.more.end());
  std::string text = check_shapes(call, subject, inputs, outputs);
  if (!text.empty()) return failed_verdict(std::move(text));

  Results results;
  Verdict verdict = run_checked(call, subject, inputs, outputs, numerics, results);
  if (verdict.state != State::passed) return verdict;
  const Grade grade = numerics == RAYO_NUMERICS_REPRODUCIBLE ? Grade::ours
                      : numerics == RAYO_NUMERICS_STRICT     ? Grade::strict
                                                             : Grade::relaxed;
  const bool flushes = subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_FLUSHES);
  verdict = oracle.relation != nullptr
                ? judge_relation(oracle.relation(problem, with_shapes(outputs, results)))
                : judge_against_oracle<R>(problem, expected, call.bound, {grade, flushes}, results[0]);
  if (verdict.state != State::passed) return verdict;

  if (numerics == RAYO_NUMERICS_REPRODUCIBLE) {
    text = check_bits(call, problem, subject, reference, outputs, results);
    if (text.empty()) text = check_row(call, subject, outputs, numerics, results);
  }
  const bool deterministic = !subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_NONDETERMINISTIC);
  if (text.empty() && deterministic) text = check_repeats(call, subject, outputs, numerics, results);
  if (!text.empty()) {
    verdict.state = State::failed;
    verdict.message = std::move(text);
  }
  return verdict;
}

// What a case without oracle, bound, or with the wrong operand count says.
void check_case(const Case &c, const OpInfo *op) {
  if (op == nullptr) throw CaseError(fmt::format("op '{}': not in the catalogue; `rayo ops` lists it", c.op));
  if (c.shapes.size() < op->required_inputs || c.shapes.size() > op->total_inputs) {
    throw CaseError(fmt::format("op '{}' takes {} to {} inputs; the case has {} shapes", c.op, op->required_inputs,
                                op->total_inputs, c.shapes.size()));
  }
  for (std::size_t i = 0; i <= c.more_dtypes.size(); ++i) {
    const Dtype dtype = i == 0 ? c.dtype : c.more_dtypes[i - 1];
    const std::vector<Dtype> dtypes = op_dtypes(*op, i);
    if (std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end()) continue;
    throw CaseError(
        fmt::format("op '{}' has no dtype {} as type {}; legal: {}", c.op, dtype_name(dtype), i, op->types));
  }
}

}  // namespace

Verdict execute(const Case &c, const Subject &subject, const Subject *reference) {
  const OpInfo *op = find_op(c.op);
  check_case(c, op);
  const Oracle *oracle = find_oracle(c.op);
  const Bound *bound = find_bound(c.op);
  if (oracle == nullptr || bound == nullptr) return {State::not_evaluated, 0, 0, "no oracle for this op"};
  const std::vector<std::uint32_t> classes = subject.classes(c.op, c.dtype);
  if (classes.empty()) return {State::unsupported, 0, 0, "no kernel for this op and type"};
  const Call call{c, *op, rayo_op_find(c.op.c_str()), *bound};
  if (c.partial_alias) return run_partial_alias(call, subject);
  // A plugin may bring kernels of several classes: each is called under the policy that reaches it.
  Verdict worst;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const Verdict v = c.dtype == Dtype::f64 ? execute_as<wide::Quad>(call, *oracle, subject, reference, classes[i])
                                            : execute_as<double>(call, *oracle, subject, reference, classes[i]);
    if (i == 0 || is_defect(v.state)) worst = v;
    if (is_defect(v.state)) break;
  }
  return worst;
}

}  // namespace rayo::conform
