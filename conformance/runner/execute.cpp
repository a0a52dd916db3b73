// SPDX-License-Identifier: Apache-2.0
#include "runner/execute.hpp"

#include <fmt/format.h>
#include <rayo/plugin.h>

#include <algorithm>
#include <memory>

#include "oracle/bounds.hpp"
#include "oracle/contract.hpp"
#include "runner/judge.hpp"
#include "runner/operands.hpp"

namespace rayo::conform {
namespace {

Verdict failed(std::string message) { return {State::failed, 0, 0, std::move(message)}; }

struct Call {
  const Case &c;
  const OpInfo &op;
  rayo_op id;
  const Bound &bound;
};

rayo_status run(const Call &call, const Subject &subject, const Inputs &inputs, const rayo_tensor &output,
                std::uint32_t policy, std::uint32_t threads) {
  const AttrPack attrs(call.c, call.op);
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = threads;
  options.numerics = policy;
  const rayo_tensor *out = &output;
  return rayo_run_with(subject.runtime(), call.id, inputs.pointers.data(),
                       static_cast<std::uint32_t>(inputs.pointers.size()), &out, 1, attrs.list(), &options);
}

// One run on fresh operands, with everything around them checked. `values` receives the result.
Verdict run_checked(const Call &call, const Subject &subject, const Inputs &inputs, const Shape &shape, Dtype dtype,
                    std::uint32_t policy, std::vector<double> &values) {
  const Case &c = call.c;
  const std::size_t n = inputs.operands.size();
  std::unique_ptr<Operand> own;
  const Operand *output = nullptr;
  if (c.in_place >= 0) {
    if (static_cast<std::size_t>(c.in_place) >= n)
      throw CaseError(fmt::format("@inplace={}: no such input", c.in_place));
    output = inputs.operands[static_cast<std::size_t>(c.in_place)].get();
  } else {
    own = std::make_unique<Operand>(dtype, shape, c.operand_strides(n), c.operand_offset(n), c.guard);
    output = own.get();
  }
  std::vector<std::vector<std::byte>> before;
  for (const auto &input : inputs.operands) before.push_back(input->snapshot());
  const std::vector<std::byte> output_before = output->snapshot();

  const rayo_status status = run(call, subject, inputs, output->tensor(), policy, c.threads);
  if (status == RAYO_UNSUPPORTED) return {State::unsupported, 0, 0, last_error()};
  if (status != RAYO_OK) return failed(fmt::format("call: {}: {}", rayo_status_name(status), last_error()));

  for (std::size_t i = 0; i < n; ++i) {
    if (static_cast<int>(i) == c.in_place) continue;
    const std::string text = inputs.operands[i]->difference(before[i], true);
    if (!text.empty()) return failed(fmt::format("memory: input {} was written to: {}", i, text));
  }
  const std::string text = output->difference(output_before, false);
  if (!text.empty()) return failed(fmt::format("memory: written outside the output: {}", text));
  values = output->read();
  return {State::passed, 0, 0, {}};
}

// The output begins one element into input 0: nothing but a refusal is right.
Verdict run_partial_alias(const Call &call, const Subject &subject) {
  const Case &c = call.c;
  if (c.shapes.empty() || c.shapes[0].size() != 1 || c.shapes[0][0] < 2) {
    throw CaseError("@alias=partial needs an input 0 of rank 1 with at least 2 elements");
  }
  Inputs inputs;
  make_inputs(c, inputs);
  Operand room(c.dtype, {c.shapes[0][0] + 1}, std::nullopt, 0, c.guard);
  std::vector<double> values = inputs.operands[0]->read();
  values.push_back(values.front());
  room.write(values);
  rayo_tensor overlapped = room.tensor();
  overlapped.dl.shape = inputs.tensors[0].dl.shape;
  overlapped.dl.strides = nullptr;
  inputs.pointers[0] = &overlapped;
  rayo_tensor output = overlapped;
  output.dl.byte_offset += dtype_size(c.dtype);
  const std::vector<std::byte> before = room.snapshot();
  const rayo_status status = run(call, subject, inputs, output, RAYO_POLICY_RELAXED, c.threads);
  if (status != RAYO_INVALID_ARGUMENT) {
    return failed(fmt::format("alias: an output that overlaps input 0 by part got {}, expected RAYO_INVALID_ARGUMENT",
                              rayo_status_name(status)));
  }
  const std::string text = room.difference(before, true);
  if (!text.empty()) return failed("alias: refused, but memory was written: " + text);
  return {State::passed, 0, 0, {}};
}

std::string check_shape(const Call &call, const Subject &subject, const Inputs &inputs, const Shape &shape,
                        Dtype dtype) {
  const AttrPack attrs(call.c, call.op);
  rayo_shape inferred{};
  std::uint32_t count = 0;
  const rayo_status status =
      rayo_infer_shapes(subject.runtime(), call.id, inputs.pointers.data(),
                        static_cast<std::uint32_t>(inputs.pointers.size()), attrs.list(), &inferred, 1, &count);
  if (status != RAYO_OK) return fmt::format("shape: {}: {}", rayo_status_name(status), last_error());
  const Shape got(inferred.extents, inferred.extents + inferred.ndim);
  const DLDataType type = dtype_dl(dtype);
  if (got != shape || inferred.dtype.code != type.code || inferred.dtype.bits != type.bits) {
    return fmt::format("shape: inferred ({}), expected ({}) of {}", fmt::join(got, ","), fmt::join(shape, ","),
                       dtype_name(dtype));
  }
  return {};
}

// Bits: against the scalar plugin and against the contract written a second time.
std::string check_bits(const Call &call, const Problem &problem, const Subject &subject, const Subject *reference,
                       const Shape &shape, Dtype dtype, const std::vector<double> &values) {
  if (reference != nullptr && reference->file() != subject.file() &&
      !reference->classes(call.op.name, call.c.dtype).empty()) {
    Inputs fresh;
    make_inputs(call.c, fresh);
    std::vector<double> expected;
    const Verdict v = run_checked(call, *reference, fresh, shape, dtype, RAYO_POLICY_REPRODUCIBLE, expected);
    if (v.state != State::passed) return "reference: " + v.message;
    std::string text = bit_difference(values, expected, subject.name(), reference->name());
    if (!text.empty()) return text;
  }
  const auto by_contract = contract::evaluate(problem);
  return by_contract ? bit_difference(values, *by_contract, subject.name(), "the contract") : std::string();
}

std::string check_repeats(const Call &call, const Subject &subject, const Shape &shape, Dtype dtype,
                          std::uint32_t policy, const std::vector<double> &values) {
  for (std::uint32_t i = 1; i < call.c.repeat; ++i) {
    Inputs fresh;
    make_inputs(call.c, fresh);
    std::vector<double> again;
    const Verdict v = run_checked(call, subject, fresh, shape, dtype, policy, again);
    if (v.state != State::passed) return fmt::format("repeat {}: {}", i, v.message);
    const std::string text = bit_difference(values, again, "run 0", fmt::format("run {}", i));
    if (!text.empty()) return "repeat: " + text;
  }
  return {};
}

template <class R>
Verdict execute_as(const Call &call, const Oracle &oracle, const Subject &subject, const Subject *reference,
                   std::uint32_t numerics) {
  Inputs inputs;
  make_inputs(call.c, inputs);
  const Problem problem = make_problem(call.c, call.op, inputs);
  Expected<R> expected;
  run_oracle<R>(oracle, problem, expected);
  std::string text = check_shape(call, subject, inputs, expected.shape, expected.dtype);
  if (!text.empty()) return failed(std::move(text));

  std::vector<double> values;
  Verdict verdict = run_checked(call, subject, inputs, expected.shape, expected.dtype, numerics, values);
  if (verdict.state != State::passed) return verdict;
  const Grade grade = numerics == RAYO_NUMERICS_REPRODUCIBLE ? Grade::ours
                      : numerics == RAYO_NUMERICS_STRICT     ? Grade::strict
                                                             : Grade::relaxed;
  const bool flushes = subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_FLUSHES);
  verdict = judge_against_oracle<R>(problem, expected, call.bound, {grade, flushes}, values);
  if (verdict.state != State::passed) return verdict;

  if (numerics == RAYO_NUMERICS_REPRODUCIBLE) {
    text = check_bits(call, problem, subject, reference, expected.shape, expected.dtype, values);
  }
  const bool deterministic = !subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_NONDETERMINISTIC);
  if (text.empty() && deterministic) {
    text = check_repeats(call, subject, expected.shape, expected.dtype, numerics, values);
  }
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
  const std::vector<Dtype> dtypes = op_dtypes(*op);
  if (std::find(dtypes.begin(), dtypes.end(), c.dtype) == dtypes.end()) {
    throw CaseError(fmt::format("op '{}' has no dtype {}; legal: {}", c.op, dtype_name(c.dtype), op->types));
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
