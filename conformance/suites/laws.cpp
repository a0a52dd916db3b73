// SPDX-License-Identifier: Apache-2.0
//
// Cases of the metamorphic laws: for each op the shapes its laws are written for (oracle/axis_laws.cpp), each law that
// holds for the op on each of them.
#include <array>

#include "oracle/laws.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

struct Template {
  std::vector<Shape> shapes;
  std::vector<std::pair<std::string, std::string>> attrs;
};

// Reductions run along axis 1 of a plane.
std::vector<std::pair<std::string, std::string>> plane_attrs(const OpInfo &op) {
  for (const AttrInfo &attr : op.attrs) {
    if (attr.kind == AttrKind::axis) return {{attr.name, "1"}};
    if (attr.kind == AttrKind::axes) return {{attr.name, "1"}};
  }
  return {};
}

std::vector<Template> product_templates(const OpInfo &op) {
  std::vector<Template> all;
  struct Extents {
    std::int64_t m, n, k;
  };
  for (const auto &[m, n, k] : std::initializer_list<Extents>{{13, 9, 21}, {33, 40, 29}, {65, 34, 130}}) {
    if (op.name == "gemm") {
      all.push_back({{{m, k}, {k, n}, {m, n}}, {{"alpha", "0.7"}, {"beta", "-1"}}});
    } else if (op.name == "matmul_integer") {
      all.push_back({{{m, k}, {k, n}, {m}, {n}}, {}});
    } else {
      all.push_back({{{m, k}, {k, n}}, {}});
    }
  }
  if (op.name == "matmul") {  // thin products, where the order along k might change with the shape
    all.push_back({{{6, 70}, {70, 1}}, {{"batch_invariant", "1"}}});
    all.push_back({{{1, 70}, {70, 6}}, {{"batch_invariant", "1"}}});
  }
  return all;
}

std::vector<Template> templates(const OpInfo &op) {
  if (op.name == "matmul" || op.name == "gemm" || op.name == "matmul_integer") return product_templates(op);
  std::vector<Template> all;
  if (op.name == "dot") {
    for (const std::int64_t n : {67, 1000, 20000}) all.push_back({{{n}, {n}}, {}});
  } else if (op.family == "quantise" && op.name != "cast") {
    for (const std::int64_t n : {67, 1000}) all.push_back({{{n}, {}, {}}, {{"axis", "0"}}});
  } else if (op.shape_rule == "broadcast" || op.name == "cast") {
    for (const std::int64_t n : {21, 133, 1000}) all.push_back({std::vector<Shape>(op.total_inputs, {n}), {}});
  } else {
    for (const Shape &plane : std::initializer_list<Shape>{{5, 21}, {7, 133}, {40, 1000}}) {
      std::vector<Shape> shapes = {plane};
      if (op.shape_rule == "norm") shapes.resize(op.total_inputs, {plane[1]});
      all.push_back({std::move(shapes), plane_attrs(op)});
    }
  }
  return all;
}

// Inputs under which the law's premise holds: no rounding in x + c, roots of what is not negative.
std::vector<std::string> distributions(const Law &law, const OpInfo &op) {
  if (law.name == "shift") return {"integers", "uniform", "uniform"};
  if (op.family == "quantise" && op.name != "cast") {
    return {op.name == "quantize_linear" ? "uniform" : "bits", law.name == "round_trip" ? "tiny" : "positive", "bits"};
  }
  if (op.name == "matmul_integer") return {"bits"};
  if (op.name == "where") return {"flags", "uniform", "uniform"};
  if (op.name == "sqrt" || op.name == "rsqrt" || op.name == "log" || op.name == "pow") return {"positive"};
  return {"uniform"};
}

}  // namespace

void add_law_cases(CaseList &list) {
  const OpInfo &op = *list.plan().op;
  for (const Law &law : laws()) {
    if (!law_holds_for(law, op.name)) continue;
    std::size_t left = list.plan().quick ? 2 : SIZE_MAX;
    for (const Template &t : templates(op)) {
      if (law.name == "transpose" && (t.shapes[0][0] == 1 || t.shapes[1].back() == 1)) continue;
      if (left-- == 0) break;
      Case &c = list.add(t.shapes);
      c.distributions = distributions(law, op);
      c.attrs = t.attrs;
      c.law = law.name;
      if (op.name == "matmul_integer" && list.plan().seed % 2 == 0) c.more_dtypes = {Dtype::i8};
    }
  }
}

}  // namespace rayo::conform
