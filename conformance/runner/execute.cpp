// SPDX-License-Identifier: Apache-2.0
#include "runner/execute.hpp"

#include <fmt/format.h>
#include <rayo/plugin.h>

#include <algorithm>

#include "oracle/contract.hpp"
#include "runner/call.hpp"
#include "runner/determinism.hpp"
#include "runner/judge.hpp"
#include "runner/law.hpp"

namespace rayo::conform {
namespace {

std::string shape_difference(const std::vector<OutputShape> &inferred, const std::vector<OutputShape> &expected) {
  if (inferred.size() != expected.size()) {
    return fmt::format("shape: {} outputs inferred, expected {}", inferred.size(), expected.size());
  }
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    if (inferred[i].shape == expected[i].shape && inferred[i].dtype == expected[i].dtype) continue;
    return fmt::format("shape: output {}: inferred ({}) of {}, expected ({}) of {}", i,
                       fmt::join(inferred[i].shape, ","), dtype_name(inferred[i].dtype),
                       fmt::join(expected[i].shape, ","), dtype_name(expected[i].dtype));
  }
  return {};
}

// Bits: against the scalar plugin and against the contract written a second time.
std::string check_bits(const Rerun &run, const Problem &problem, const Subject *reference) {
  const Call &call = run.call;
  if (reference != nullptr && reference->file() != run.subject.file() &&
      !reference->classes(call.op.name, call.c.dtype).empty()) {
    Results expected;
    const Verdict v = run_fresh(call, *reference, run.outputs, RAYO_POLICY_REPRODUCIBLE, expected);
    if (v.state != State::passed) return "reference: " + v.message;
    std::string text = difference(run.results, expected, run.subject.name(), reference->name());
    if (!text.empty()) return text;
  }
  const auto by_contract = contract::evaluate(problem);
  return by_contract ? bit_difference(run.results[0], *by_contract, run.subject.name(), "the contract") : std::string();
}

std::vector<Values> with_shapes(const std::vector<OutputShape> &outputs, const Results &results) {
  std::vector<Values> values;
  for (std::size_t i = 0; i < outputs.size(); ++i) values.push_back({outputs[i].dtype, outputs[i].shape, results[i]});
  return values;
}

// A long elementwise result, oracle and judge taking turns piece by piece.
template <class R>
Verdict judge_by_blocks(const Problem &problem, const Oracle &oracle, const Bound &bound, Judged judged,
                        const std::vector<double> &actual) {
  constexpr std::size_t kPiece = 2048;  // 112 KiB of Elements in double
  Judge<R> judge(problem, elementwise_output(problem).dtype, bound, judged);
  std::vector<Element<R>> buffer(std::min(kPiece, actual.size()));
  for (std::size_t first = 0; first < actual.size(); first += kPiece) {
    const std::size_t n = std::min(kPiece, actual.size() - first);
    const std::span<Element<R>> piece(buffer.data(), n);
    block_of<R>(oracle)(problem, first, piece);
    judge.add(piece, std::span<const double>(actual).subspan(first, n));
  }
  return judge.verdict();
}

template <class R>
Verdict judge_by_oracle(const Problem &problem, const Oracle &oracle, const Bound &bound, Judged judged,
                        const std::vector<OutputShape> &outputs, const Results &results) {
  Expected<R> expected;
  const bool by_blocks = block_of<R>(oracle) != nullptr;
  if (by_blocks) {
    OutputShape output = elementwise_output(problem);
    expected.dtype = output.dtype;
    expected.shape = std::move(output.shape);
  } else {
    run_oracle<R>(oracle, problem, expected);
  }
  std::vector<OutputShape> shapes = {{expected.dtype, expected.shape}};
  shapes.insert(shapes.end(), expected.more.begin(), expected.more.end());
  std::string text = shape_difference(outputs, shapes);
  if (!text.empty()) return failed_verdict(std::move(text));
  if (oracle.relation != nullptr) return judge_relation(oracle.relation(problem, with_shapes(outputs, results)));
  if (by_blocks) return judge_by_blocks<R>(problem, oracle, bound, judged, results[0]);
  return judge_against_oracle<R>(problem, expected, bound, judged, results[0]);
}

// Is this result right? By oracle, reference and contract; a defect's text in the verdict.
Verdict judge_result(const Rerun &run, const Oracle &oracle, const Inputs &inputs, const Subject *reference,
                     bool flushes) {
  const Call &call = run.call;
  Inputs fresh;  // where the call has overwritten one of them
  if (call.c.in_place >= 0) make_inputs(call.c, call.op, fresh);
  const Problem problem = make_problem(call.c, call.op, call.c.in_place >= 0 ? fresh : inputs);
  const Judged judged{grade_of(run.policy), flushes};
  Verdict verdict = call.c.dtype == Dtype::f64
                        ? judge_by_oracle<wide::Quad>(problem, oracle, call.bound, judged, run.outputs, run.results)
                        : judge_by_oracle<double>(problem, oracle, call.bound, judged, run.outputs, run.results);
  if (verdict.state != State::passed || run.policy != RAYO_NUMERICS_REPRODUCIBLE) return verdict;
  std::string text = check_bits(run, problem, reference);
  if (text.empty()) return verdict;
  verdict.state = State::failed;
  verdict.message = std::move(text);
  return verdict;
}

std::string check_again(const Rerun &run, bool deterministic) {
  std::string text;
  if (run.policy == RAYO_NUMERICS_REPRODUCIBLE) text = check_row(run);
  if (!deterministic) return text;
  if (text.empty()) text = check_repeats(run);
  if (text.empty()) text = check_load(run);
  if (text.empty()) text = check_fork(run);
  return text;
}

Execution execute_as(const Call &call, const Oracle &oracle, const Subject &subject, const Subject *reference,
                     std::uint32_t numerics, std::span<const KnownResult> known) {
  Inputs inputs;
  make_inputs(call.c, call.op, inputs);
  std::vector<OutputShape> outputs;
  std::string text = infer_outputs(call, subject, inputs, outputs);
  if (!text.empty()) return {failed_verdict(std::move(text)), {}, {}};
  Results results;
  Verdict verdict = run_checked(call, subject, inputs, outputs, numerics, results);
  if (verdict.state != State::passed) return {verdict, {}, {}};

  const Rerun run{call, subject, outputs, numerics, results};
  const bool flushes = subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_FLUSHES);
  KnownResult result{numerics | (flushes ? 0x100u : 0u), digest_of(outputs, results), {}};
  const auto same = std::find_if(known.begin(), known.end(), [&](const KnownResult &k) {
    return k.promise == result.promise && k.digest == result.digest;
  });
  verdict = same != known.end() ? same->verdict : judge_result(run, oracle, inputs, reference, flushes);
  Execution execution{verdict, digest_text(result.digest), {}};
  if (verdict.state != State::passed) return execution;
  result.verdict = verdict;
  execution.passed.push_back(std::move(result));

  text = check_again(run, !subject.has_flag(call.op.name, call.c.dtype, RAYO_KERNEL_NONDETERMINISTIC));
  if (text.empty()) return execution;
  execution.verdict.state = State::failed;
  execution.verdict.message = std::move(text);
  return execution;
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

Execution execute(const Case &c, const Subject &subject, const Subject *reference, std::span<const KnownResult> known) {
  const OpInfo *op = find_op(c.op);
  check_case(c, op);
  const Oracle *oracle = find_oracle(c.op);
  const Bound *bound = find_bound(c.op);
  if (oracle == nullptr || bound == nullptr) return {{State::not_evaluated, 0, 0, "no oracle for this op"}, {}, {}};
  const std::vector<std::uint32_t> classes = subject.classes(c.op, c.dtype);
  if (classes.empty()) return {{State::unsupported, 0, 0, "no kernel for this op and type"}, {}, {}};
  if (!c.law.empty()) return execute_law(c, *op, subject);
  const Call call{c, *op, rayo_op_find(c.op.c_str()), *bound};
  if (c.partial_alias) return {run_partial_alias(call, subject), {}, {}};
  // A plugin may bring kernels of several classes: each is called under the policy that reaches it.
  Execution worst;
  std::vector<KnownResult> passed;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    Execution e = execute_as(call, *oracle, subject, reference, classes[i], known);
    passed.insert(passed.end(), e.passed.begin(), e.passed.end());
    if (i == 0 || is_defect(e.verdict.state)) worst = std::move(e);
    if (is_defect(worst.verdict.state)) break;
  }
  worst.passed = std::move(passed);
  return worst;
}

}  // namespace rayo::conform
