// SPDX-License-Identifier: Apache-2.0
#include "runner/law.hpp"

#include <fmt/format.h>
#include <rayo/plugin.h>

#include <algorithm>
#include <cmath>

#include "oracle/bounds.hpp"
#include "oracle/laws.hpp"
#include "runner/call.hpp"
#include "runner/judge.hpp"

namespace rayo::conform {
namespace {

// A call of the law that gave no result; the case ends with this verdict.
struct NoAnswer {
  Verdict verdict;
};

// Values of the op's type variables as the inputs bind them; one that no input binds has the case's type.
std::vector<Dtype> bound_types(const OpInfo &op, const std::vector<Values> &inputs, Dtype otherwise) {
  std::vector<Dtype> types;
  for (const std::string &variable : bound_variables(op)) {
    types.push_back(otherwise);
    for (std::size_t i = inputs.size(); i-- > 0;) {
      if (op.inputs[i].type == variable) types.back() = inputs[i].dtype;
    }
  }
  return types;
}

Case case_of(const Question &question, const OpInfo &op, const Case &asked_by) {
  Case c;
  c.op = question.op;
  c.attrs = question.attrs;
  c.more_dtypes = bound_types(op, question.inputs, asked_by.dtype);
  c.dtype = c.more_dtypes.front();
  c.more_dtypes.erase(c.more_dtypes.begin());
  for (const Values &v : question.inputs) c.shapes.push_back(v.shape);
  c.guard = asked_by.guard;
  c.threads = asked_by.threads;
  c.seed = asked_by.seed;
  return c;
}

template <class R>
std::vector<double> tolerances(const Problem &problem, const Oracle &oracle, const Bound &bound, Judged judged) {
  Expected<R> expected;
  run_oracle<R>(oracle, problem, expected);
  std::vector<double> out(expected.elements.size(), 0);
  if (!dtype_is_float(expected.dtype)) {
    if (judged.grade == Grade::relaxed) std::fill(out.begin(), out.end(), bound.relaxed);
    return out;
  }
  const Format format = format_of(expected.dtype);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<double>(tolerance(bound, judged.grade, problem, format, expected.elements[i]));
    if (judged.flushes) out[i] += std::ldexp(1.0, format.min_exponent);
  }
  return out;
}

// One plugin under one numerics class, as the law sees it.
class Witness {
 public:
  Witness(const Case &c, const Subject &subject, std::uint32_t numerics)
      : case_(c), subject_(subject), numerics_(numerics) {}

  Answer ask(const Question &question) {
    const OpInfo &op = *find_op(question.op);
    const Oracle &oracle = *find_oracle(question.op);
    const Bound &bound = *find_bound(question.op);
    const Case c = case_of(question, op, case_);
    const Call call{c, op, rayo_op_find(c.op.c_str()), bound};
    Inputs inputs;
    make_inputs(c, question.inputs, inputs);
    std::vector<OutputShape> outputs;
    std::string text = infer_outputs(call, subject_, inputs, outputs);
    if (!text.empty()) throw NoAnswer{failed_verdict(std::move(text))};
    Results results;
    const Verdict verdict = run_checked(call, subject_, inputs, outputs, numerics_, results);
    if (verdict.state != State::passed) throw NoAnswer{verdict};
    if (digest_.empty()) digest_ = digest_text(digest_of(outputs, results));
    const Judged judged{grade_of(numerics_), subject_.has_flag(c.op, c.dtype, RAYO_KERNEL_FLUSHES)};
    const Problem problem = make_problem(c, op, question.inputs, false);
    return {{outputs[0].dtype, outputs[0].shape, results[0]},
            c.dtype == Dtype::f64 ? tolerances<wide::Quad>(problem, oracle, bound, judged)
                                  : tolerances<double>(problem, oracle, bound, judged)};
  }

  const std::string &digest() const { return digest_; }

 private:
  const Case &case_;
  const Subject &subject_;
  std::uint32_t numerics_;
  std::string digest_;
};

Execution check_law(const Law &law, const Case &c, const OpInfo &op, const Subject &subject, std::uint32_t numerics) {
  Inputs inputs;
  make_inputs(c, op, inputs);
  const Problem problem = make_problem(c, op, inputs);
  Witness witness(c, subject, numerics);
  const LawCall call{c, op, problem.inputs, numerics == RAYO_NUMERICS_REPRODUCIBLE,
                     [&witness](const Question &question) { return witness.ask(question); }};
  Execution execution;
  try {
    const std::string text = law.check(call);
    execution.verdict =
        text.empty() ? Verdict{State::passed, 0, 0, {}} : failed_verdict(fmt::format("law {}: {}", law.name, text));
  } catch (const NoAnswer &none) {
    execution.verdict = none.verdict;
  }
  execution.digest = witness.digest();
  return execution;
}

}  // namespace

Execution execute_law(const Case &c, const OpInfo &op, const Subject &subject) {
  const Law *law = find_law(c.law);
  if (law == nullptr || !law_holds_for(*law, c.op)) {
    std::vector<std::string_view> names;
    for (const Law &l : laws()) {
      if (law_holds_for(l, c.op)) names.push_back(l.name);
    }
    throw CaseError(fmt::format("@law={}: legal for {} are {}", c.law, c.op, fmt::join(names, ", ")));
  }
  Execution worst;
  bool first = true;
  for (const std::uint32_t numerics : subject.classes(c.op, c.dtype)) {
    Execution e = check_law(*law, c, op, subject, numerics);
    if (first || is_defect(e.verdict.state)) worst = std::move(e);
    first = false;
    if (is_defect(worst.verdict.state)) break;
  }
  return worst;
}

}  // namespace rayo::conform
