// SPDX-License-Identifier: Apache-2.0
//
// The cases of each op, keyed by its name. A generator only writes case lines; nothing here knows plugins or oracles.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "suites/case.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {

struct Plan {
  const OpInfo *op = nullptr;
  Dtype dtype = Dtype::f32;
  bool quick = false;
  std::uint64_t seed = 1;
};

// Collects cases of one plan; each gets its own seed, so that inserting a case does not change the others' kind.
class CaseList {
 public:
  explicit CaseList(const Plan &plan) : plan_(plan) {}
  const Plan &plan() const { return plan_; }

  // The reference stays valid until the next add.
  Case &add(std::vector<Shape> shapes, std::string_view distribution = "uniform");
  std::vector<Case> &cases() { return cases_; }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  Plan plan_;
  std::vector<Case> cases_;
};

using GeneratorFn = void (*)(CaseList &);
struct Generator {
  std::string_view op;
  GeneratorFn fill;
};

const Generator *find_generator(std::string_view op);
std::span<const Generator> elementwise_generators();
std::span<const Generator> reduce_generators();
std::span<const Generator> normalise_generators();
std::span<const Generator> linear_generators();
std::span<const Generator> quantise_generators();

// Cases of the metamorphic laws that hold for the plan's op.
void add_law_cases(CaseList &list);

// All cases of the catalogue (or of `ops`, if not empty; "abi" and "env" count as ops) in every dtype that the
// catalogue lists.
std::vector<Case> generate(std::span<const std::string> ops, bool quick, std::uint64_t seed);

// The pieces of the nightly run: unary ops, all inputs in f32, 2^24 in f64.
std::vector<Case> generate_nightly(std::span<const std::string> ops, std::uint64_t seed);

// One part in `parts` of the cases, another for each seed below `parts`; every case belongs to exactly one part.
std::vector<Case> slice(std::vector<Case> cases, std::uint64_t parts, std::uint64_t seed);

// Lengths around every vector width, cache line and block that kernels switch at; fewer in quick.
std::vector<std::int64_t> boundary_lengths(const Plan &plan);

// Every case so far, again with each of the other values of one attribute.
void vary(std::vector<Case> &cases, std::string_view attr, std::initializer_list<std::string_view> others);

}  // namespace rayo::conform
