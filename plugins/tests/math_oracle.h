// SPDX-License-Identifier: Apache-2.0
//
// The transcendental functions as mathematics: long double from the C library judges f32, MPFR judges f64. Formulas are
// the textbook's, none is the kernels'.
#ifndef RAYO_PLUGINS_TESTS_MATH_ORACLE_H
#define RAYO_PLUGINS_TESTS_MATH_ORACLE_H

#include <string>
#include <vector>

#include "plugin_harness.h"

namespace rayo_test {

/// A function, and what may be wrong with a kernel's result.
struct MathOp {
  std::string name;
  std::string op;
  std::vector<Attr> attrs;
  int arity = 1;
  double ulp = 0;      // bound
  bool tiny = false;   // where e^x is below the normal range an absolute error of the smallest normal number passes
  bool per_x = false;  // an error of 2^-22 |x| (f32), 2^-51 |x| (f64) passes
  bool rises = false;  // never falls
};
const std::vector<MathOp> &math_ops();

/// One judgement: `wrong` where the kind of number is wrong, else the error in ULP of the true value (0 where an
/// absolute or relative allowance of the op covers it), and whether that passes the bound.
struct Verdict {
  bool wrong = false;
  bool beyond = false;
  double ulp = 0;
};
Verdict judge(const MathOp &op, float x, float second, float got);
/// The same for many inputs of a unary function, judged in double: its errors are 2^-29 ULP of f32, and it is ten times
/// faster, which all 2^32 inputs need.
std::vector<Verdict> judge_all(const MathOp &op, const std::vector<float> &x, const std::vector<float> &got);
/// MPFR at 200 bits; `wrong` for everything where the build has no MPFR (math_oracle_has_f64() is false then).
Verdict judge(const MathOp &op, double x, double second, double got);
bool math_oracle_has_f64();

}  // namespace rayo_test

#endif  // RAYO_PLUGINS_TESTS_MATH_ORACLE_H
