// SPDX-License-Identifier: Apache-2.0
//
// One call of one case, through the C API, on operands that tell on the kernel. execute.cpp judges what comes back.
#pragma once

#include "oracle/bounds.hpp"
#include "runner/operands.hpp"
#include "runner/state.hpp"
#include "runner/subject.hpp"

namespace rayo::conform {

struct Call {
  const Case &c;
  const OpInfo &op;
  rayo_op id;
  const Bound &bound;
};

// Data of each output, row-major.
using Results = std::vector<std::vector<double>>;

Verdict failed_verdict(std::string message);

// Shapes and types of the outputs by the plugin's own rule (the catalogue's for the catalogue's ops). What went wrong,
// or empty.
std::string infer_outputs(const Call &call, const Subject &subject, const Inputs &inputs,
                          std::vector<OutputShape> &outputs);

// The bare call.
rayo_status run(const Call &call, const Subject &subject, const Inputs &inputs, const std::vector<rayo_tensor> &outputs,
                std::uint32_t policy);

// One call with everything around its operands checked: inputs unchanged, nothing written outside the outputs. Passed
// (with `results` filled), failed or unsupported.
Verdict run_checked(const Call &call, const Subject &subject, const Inputs &inputs,
                    const std::vector<OutputShape> &outputs, std::uint32_t policy, Results &results);
// The same on fresh inputs.
Verdict run_fresh(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs,
                  std::uint32_t policy, Results &results);

// The same on row call.c.row of input 0 alone (its leading axis cut to extent 1), everything else as in the case.
Verdict run_row(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs, std::uint32_t policy,
                Results &results);

// An output that overlaps an input by part: nothing but a refusal is right.
Verdict run_partial_alias(const Call &call, const Subject &subject);

}  // namespace rayo::conform
