// SPDX-License-Identifier: Apache-2.0
#include "suites/generator.hpp"

#include <algorithm>
#include <array>

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

const Generator *find_generator(std::string_view op) {
  const std::array<std::span<const Generator>, 3> tables = {elementwise_generators(), reduce_generators(),
                                                            linear_generators()};
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
      std::vector<Case> cases = list.take();
      if (op.name == "gelu") vary(cases, "approximate", {"tanh"});
      all.insert(all.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
    }
  }
  return all;
}

std::vector<std::int64_t> boundary_lengths(bool large) {
  std::vector<std::int64_t> lengths = {0,  1,  2,  3,  4,  5,  7,  8,  9,  15,  16,  17,  23,  24,  25,
                                       31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257};
  if (large) lengths.insert(lengths.end(), {4095, 4096, 4097, 65537});
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
