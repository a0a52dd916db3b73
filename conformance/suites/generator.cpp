// SPDX-License-Identifier: Apache-2.0
#include "suites/generator.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "suites/probes.hpp"

namespace rayo::conform {

Case &CaseList::add(std::vector<Shape> shapes, std::string_view distribution) {
  Case c;
  c.op = plan_.op->name;
  c.dtype = plan_.dtype;
  c.shapes = std::move(shapes);
  c.distributions = {std::string(distribution)};
  c.seed = plan_.seed * 1000003 + cases_.size();
  cases_.push_back(std::move(c));
  return cases_.back();
}

namespace {

// The threaded case of each op (the repeated one where there is none) again in a forked child and beside busy threads.
void add_circumstances(CaseList &list) {
  // Busy threads are dear: one op of each way to use threads in a quick run.
  constexpr std::array<std::string_view, 6> kQuick = {"add", "exp", "reduce_sum", "softmax", "matmul", "gemm"};
  const bool chosen = std::find(kQuick.begin(), kQuick.end(), list.plan().op->name) != kQuick.end();
  if (list.plan().quick && (!chosen || list.plan().dtype == Dtype::f64)) return;
  const std::vector<Case> &all = list.cases();
  auto model = std::find_if(all.begin(), all.end(), [](const Case &c) { return c.threads == 7; });
  if (model == all.end()) model = std::find_if(all.begin(), all.end(), [](const Case &c) { return c.repeat > 1; });
  if (model == all.end()) return;
  Case c = *model;
  c.repeat = 1;
  c.forked = true;
  list.cases().push_back(c);
  c.forked = false;
  c.load = 3;
  list.cases().push_back(std::move(c));
}

}  // namespace

const Generator *find_generator(std::string_view op) {
  const std::array<std::span<const Generator>, 5> tables = {elementwise_generators(), reduce_generators(),
                                                            normalise_generators(), linear_generators(),
                                                            quantise_generators()};
  for (const auto table : tables) {
    for (const Generator &generator : table) {
      if (generator.op == op) return &generator;
    }
  }
  return nullptr;
}

std::vector<Case> generate(std::span<const std::string> ops, bool quick, std::uint64_t seed) {
  std::vector<Case> all;
  for (const OpInfo &op : catalogue()) {
    if (!ops.empty() && std::find(ops.begin(), ops.end(), op.name) == ops.end()) continue;
    const Generator *generator = find_generator(op.name);
    if (generator == nullptr) continue;
    for (const Dtype dtype : op_dtypes(op)) {
      CaseList list({&op, dtype, quick, seed});
      generator->fill(list);
      add_circumstances(list);
      add_law_cases(list);
      std::vector<Case> cases = list.take();
      if (op.name == "gelu") vary(cases, "approximate", {"tanh"});
      all.insert(all.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
    }
  }
  for (const ProbeInfo &probe : probes()) {
    if (!ops.empty() && std::find(ops.begin(), ops.end(), probe.suite) == ops.end()) continue;
    Case c;
    c.op = probe.suite;
    c.probe = probe.name;
    all.push_back(std::move(c));
  }
  return all;
}

std::vector<Case> slice(std::vector<Case> cases, std::uint64_t parts, std::uint64_t seed) {
  std::vector<Case> kept;
  std::map<std::string, std::uint64_t> place;  // within the op and type, so that all of them keep their share
  for (Case &c : cases) {
    const std::uint64_t i = place[c.op + std::string(dtype_name(c.dtype))]++;
    // The places of one round of `parts` are permuted by a different rotation each, so that patterns in a generator
    // (guard pages front and back in turn) do not line up with the parts.
    const std::uint64_t round = i / parts;
    if ((i + round * 7 + (round >> 3)) % parts == seed % parts) kept.push_back(std::move(c));
  }
  return kept;
}

std::vector<std::int64_t> boundary_lengths(const Plan &plan) {
  // f64 fills a vector with half as many elements, and its oracle is dear.
  if (plan.quick && plan.dtype == Dtype::f64) return {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 129};
  std::vector<std::int64_t> lengths = {0,  1,  2,  3,  4,  5,  7,  8,  9,  15,  16,  17,  23,  24,  25,
                                       31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257};
  if (!plan.quick) lengths.insert(lengths.end(), {4095, 4096, 4097, 65537});
  return lengths;
}

void vary(std::vector<Case> &cases, std::string_view attr, std::initializer_list<std::string_view> others) {
  const std::size_t n = cases.size();
  for (const std::string_view value : others) {
    for (std::size_t i = 0; i < n; ++i) {
      Case c = cases[i];
      c.attrs.emplace_back(attr, value);
      cases.push_back(std::move(c));
    }
  }
}

}  // namespace rayo::conform
