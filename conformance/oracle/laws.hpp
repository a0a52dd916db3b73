// SPDX-License-Identifier: Apache-2.0
//
// Metamorphic laws: what the mathematics of an op says about its results for related inputs, whatever those results
// are. A law asks the plugin for further calls and compares answers with answers; no expected value is computed. One
// table (laws()) drives cases, checks and tests. Where the arithmetic contract makes a law exact, kernels of class
// reproducible are held to the bit; elsewhere the distance may be the sum of what each call's own bound allows.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oracle/oracle.hpp"

namespace rayo::conform {

// A call to be made: the inputs are compact.
struct Question {
  std::string op;
  std::vector<std::pair<std::string, std::string>> attrs;
  std::vector<Values> inputs;
};

struct Answer {
  Values output;
  std::vector<double> tolerance;  // per element, by the op's bound for the kernel's class; 0 = exact
};

struct LawCall {
  const Case &call;  // the case, for its attributes
  const OpInfo &op;
  const std::vector<Values> &inputs;
  bool reproducible = false;  // the kernel claims the contract's bits
  std::function<Answer(const Question &)> ask;

  // The case's own call, perhaps on other inputs.
  Answer same_op(std::vector<Values> changed) const { return ask({op.name, call.attrs, std::move(changed)}); }
};

struct Law {
  std::string_view name;  // as in @law=NAME
  std::string_view says;  // in one line
  std::span<const std::string_view> ops;
  // Empty if the law holds, else which element breaks it.
  std::string (*check)(const LawCall &);
};

std::span<const Law> laws();
const Law *find_law(std::string_view name);
bool law_holds_for(const Law &law, std::string_view op);

// What laws are written with (laws.cpp, axis_laws.cpp).

// actual against predicted, element by element, as far as the tolerances allow. `exact`: to the bit.
std::string compare(const Values &actual, const std::vector<double> &predicted, const std::vector<double> &slack,
                    bool exact, std::string_view what);
std::vector<double> add_slack(const std::vector<double> &a, const std::vector<double> &b);

// The laws of axes: ops that are maps along an axis, or combine along it.
std::string check_permutation(const LawCall &law);
std::string check_split(const LawCall &law);
std::span<const std::string_view> axis_law_ops();

}  // namespace rayo::conform
