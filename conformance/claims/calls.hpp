// SPDX-License-Identifier: Apache-2.0
//
// What most deciders share: a case of any op at any length, and a case bound to a plugin, run as often as wanted on
// the same memory. No oracle is asked: these compare runs with each other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "claims/claim.hpp"
#include "runner/call.hpp"
#include "runner/operands.hpp"
#include "runner/subject.hpp"

namespace rayo::conform::claims {

// One call of `op` along lines of `length` elements: an elementwise op or a reduction takes one line, a norm `rows` of
// them, a product is rows x depth x length. `types` has one dtype per type variable. Nothing for a shape rule that is
// not known here (a test names the op).
struct Extent {
  std::int64_t rows = 1;
  std::int64_t length = 1;
  std::int64_t depth = 5;
};
std::optional<Case> shaped_case(const OpInfo &op, const std::vector<Dtype> &types, Extent extent,
                                std::string_view distribution, std::uint64_t seed);
// About `elements` elements per operand; products are square and stop growing at 512.
std::optional<Case> sized_case(const OpInfo &op, const std::vector<Dtype> &types, std::int64_t elements,
                               std::string_view distribution, std::uint64_t seed);

// Every combination of types that an op's inputs bind, for every op of the catalogue: ("cast", {f32}), ...
struct Typed {
  const OpInfo *op;
  std::vector<Dtype> types;
};
std::vector<Typed> all_typed_ops();

// The status of a call that failed, with its text.
struct CallFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A case on a plugin. Inputs are drawn once; every run writes the outputs anew, into poisoned memory. Throws CaseError
// for a malformed case, CallFailed where shapes cannot be inferred.
class BoundCase {
 public:
  // `same`: a bound case with the same inputs, to copy them from instead of drawing them.
  BoundCase(const Case &c, const Subject &subject, const BoundCase *same = nullptr);

  const Case &call() const { return case_; }
  bool supported() const { return policy_ != 0; }  // the plugin has a kernel for the op and types
  // Tightest numerics class of its kernels (RAYO_NUMERICS_*); 0 = none.
  std::uint32_t numerics() const { return policy_; }
  // threads: 0 = as the case says. False: the kernel declares that it cannot. Throws CallFailed.
  bool run(std::uint32_t threads = 0);

  std::vector<std::vector<std::byte>> bytes() const;  // of the outputs' elements, row-major
  std::string digest() const;                         // of the outputs; any NaN for any other
  Inputs &inputs() { return inputs_; }
  const Operand &output(std::size_t i) const { return *outputs_[i]; }
  const std::vector<OutputShape> &shapes() const { return shapes_; }

 private:
  const OpInfo &op_;
  const Subject &subject_;
  Case case_;
  std::uint32_t policy_ = 0;
  Inputs inputs_;
  std::vector<OutputShape> shapes_;
  std::vector<std::unique_ptr<Operand>> outputs_;
};

// Empty if both hold the same bits, any NaN for any other; else the first difference.
std::string difference(const BoundCase &call, const std::vector<std::vector<std::byte>> &a,
                       const std::vector<std::vector<std::byte>> &b, std::string_view a_name, std::string_view b_name);

// What a decider went through, for its evidence.
class Tally {
 public:
  void count(const Backend &backend, const Case &c, std::uint64_t comparisons);
  void skip(const Case &c);  // the plugin has no kernel for it
  std::uint64_t comparisons() const { return comparisons_; }
  bool has(std::string_view op) const { return ops_.contains(std::string(op)); }
  // "12,300 comparisons of 58 ops (112 op-type pairs) on scalar, avx2". Throws NotEvaluated if there was none.
  std::string text(std::string_view what) const;

 private:
  std::uint64_t comparisons_ = 0;
  std::set<std::string> ops_;
  std::set<std::string> pairs_;
  std::vector<std::string> backends_;
};

// "1,234,567"
std::string grouped(std::uint64_t n);

// Loads the plugin; a load that fails is NotEvaluated: the runs before found it ready.
std::unique_ptr<Subject> load(const Setting &setting, const Backend &backend);

}  // namespace rayo::conform::claims
