// SPDX-License-Identifier: Apache-2.0
//
// Default shapes per family. Sizes run from a few cache lines to beyond the caches; matrix products are the squares
// and the skinny, tall, short-k and batched shapes that users complain about in other libraries.
#include "shapes.hpp"

#include <array>
#include <cstring>

namespace rayo::bench {
namespace {

using Shape = std::vector<int64_t>;
using Cases = std::vector<ShapeCase>;

std::vector<int64_t> lengths(Depth depth) {
  if (depth == Depth::smoke) return {64};
  if (depth == Depth::quick) return {1000, 100'000};
  return {64, 1000, 10'000, 100'000, 1'000'000, 10'000'000};
}

void add(Cases &cases, std::vector<Shape> shapes, nlohmann::json attributes = nlohmann::json::object()) {
  cases.push_back({std::move(shapes), std::move(attributes), 0, 0});
}

Cases elementwise(const OpView &op, Depth depth) {
  Cases cases;
  const auto with = [&op](const Shape &first, const Shape &others) {
    std::vector<Shape> shapes(op.required, others);
    shapes[0] = first;
    shapes.resize(op.total);  // optional bounds are scalars
    return shapes;
  };
  for (const int64_t n : lengths(depth)) add(cases, with({n}, {n}));
  if (depth != Depth::full || op.required < 2) return cases;
  add(cases, with({1000, 1000}, {1000}));     // a row
  add(cases, with({1000, 1000}, {1000, 1}));  // a column
  add(cases, with({1000, 1000}, {}));         // a scalar
  return cases;
}

Cases reduce(const OpView &op, Depth depth) {
  Cases cases;
  const bool list = op.has_attribute("axes"), one = op.has_attribute("axis");
  for (const int64_t n : lengths(depth)) add(cases, std::vector<Shape>(op.total, Shape{n}));
  if (depth == Depth::smoke || (!list && !one)) return cases;
  const char *const name = list ? "axes" : "axis";
  add(cases, {{1000, 1000}}, {{name, 1}});
  add(cases, {{1000, 1000}}, {{name, 0}});
  if (depth != Depth::full) return cases;
  add(cases, {{100'000, 16}}, {{name, 1}});
  add(cases, {{64, 100'000}}, {{name, 1}});
  add(cases, {{32, 256, 100}}, {{name, 1}});
  return cases;
}

Cases normalise(const OpView &op, Depth depth) {
  Cases cases;
  std::vector<Shape> planes = {{4, 16}};
  if (depth == Depth::quick) planes = {{100'000}, {256, 1024}};
  if (depth == Depth::full)
    planes = {{1000}, {100'000}, {1024, 1024}, {64, 128}, {10'000, 64}, {128, 4096}, {32, 50'000}};
  for (const Shape &plane : planes) {
    std::vector<Shape> shapes(op.total, Shape{plane.back()});
    shapes[0] = plane;
    add(cases, shapes);
  }
  if (depth == Depth::full && op.total == 1) add(cases, {{1024, 1024}}, {{"axis", 0}});
  return cases;
}

Cases transposes(Depth depth) {
  Cases cases;
  if (depth == Depth::smoke) {
    add(cases, {{8, 12}});
    return cases;
  }
  add(cases, {{1000, 1000}});
  if (depth == Depth::quick) return cases;
  for (const Shape &shape : {Shape{64, 64}, {256, 256}, {1024, 1024}, {3000, 4000}, {16, 100'000}, {100'000, 16}}) {
    add(cases, {shape});
  }
  add(cases, {{16, 512, 64}}, {{"perm", {0, 2, 1}}});
  add(cases, {{8, 128, 12, 64}}, {{"perm", {0, 2, 1, 3}}});
  return cases;
}

struct Product {
  int64_t m, n, k;
};

constexpr Product kSquares[] = {{16, 16, 16},       {32, 32, 32},       {64, 64, 64},      {128, 128, 128},
                                {256, 256, 256},    {384, 384, 384},    {511, 511, 511},   {512, 512, 512},
                                {1000, 1000, 1000}, {1024, 1024, 1024}, {2048, 2048, 2048}};
constexpr Product kOddShapes[] = {
    {1024, 8, 1024},  {8, 1024, 1024},  {256, 256, 16},   {256, 256, 1},     {256, 256, 4},    {64, 64, 4096},
    {16, 16, 4096},   {1000, 1000, 10}, {10, 1000, 1000}, {1000, 10, 1000},  {1, 1000, 1000},  {1000, 1, 1000},
    {1, 4096, 4096},  {4096, 1, 4096},  {4096, 16, 256},  {16, 4096, 256},   {100, 100, 100},  {33, 65, 129},
    {127, 127, 127},  {513, 513, 513},  {768, 3072, 768}, {128, 768, 768},   {128, 3072, 768}, {32, 1024, 4096},
    {3, 5000, 100},   {5000, 3, 100},   {48, 48, 1000},   {2000, 100, 2000}, {100, 2000, 500}, {1024, 1024, 64},
    {31, 1023, 1025}, {12, 32, 256}};

void add_product(Cases &cases, const OpView &op, const Product &p, bool trans_a = false, bool trans_b = false) {
  nlohmann::json attributes = nlohmann::json::object();
  if (trans_a) attributes["transA"] = 1;
  if (trans_b) attributes["transB"] = 1;
  std::vector<Shape> shapes = {trans_a ? Shape{p.k, p.m} : Shape{p.m, p.k},
                               trans_b ? Shape{p.n, p.k} : Shape{p.k, p.n}};
  shapes.resize(op.total);
  // gemm's third operand is a bias row; zero points are scalars.
  if (op.total == 3) shapes[2] = {p.n};
  add(cases, shapes, attributes);
}

Cases linear(const OpView &op, Depth depth) {
  if (op.required == 1) return transposes(depth);
  Cases cases;
  if (depth == Depth::smoke) {
    add_product(cases, op, {8, 9, 10});
    return cases;
  }
  if (depth == Depth::quick) {
    for (const Product &p : {Product{64, 64, 64}, {256, 256, 256}, {1, 1000, 1000}}) add_product(cases, op, p);
    return cases;
  }
  for (const Product &p : kSquares) add_product(cases, op, p);
  if (op.has_attribute("transA")) {
    for (const int64_t n : {128, 512, 1024}) {
      add_product(cases, op, {n, n, n}, true, false);
      add_product(cases, op, {n, n, n}, false, true);
      add_product(cases, op, {n, n, n}, true, true);
    }
    return cases;
  }
  for (const Product &p : kOddShapes) add_product(cases, op, p);
  for (const Shape &batch : {Shape{64, 64, 64}, {32, 128, 64}, {512, 16, 16}}) {  // batch, m = n, k
    std::vector<Shape> shapes = {{batch[0], batch[1], batch[2]}, {batch[0], batch[2], batch[1]}};
    shapes.resize(op.total);
    add(cases, shapes);
  }
  if (!op.has_attribute("batch_invariant")) return cases;
  add(cases, {{1, 1000}, {1000, 1000}}, {{"batch_invariant", 1}});
  add(cases, {{1000, 1000}, {1000, 1}}, {{"batch_invariant", 1}});
  return cases;
}

Cases linalg(const OpView &, Depth depth) {
  Cases cases;
  std::vector<int64_t> orders = {8};
  if (depth == Depth::quick) orders = {64};
  if (depth == Depth::full) orders = {16, 64, 256, 512};
  for (const int64_t n : orders) add(cases, {{n, n}});
  return cases;
}

Cases quantise(const OpView &op, Depth depth) {
  Cases cases;
  for (const int64_t n : lengths(depth)) {
    std::vector<Shape> shapes(op.total);  // scale and zero point: scalars
    shapes[0] = {n};
    add(cases, shapes);
  }
  if (depth != Depth::full || op.total < 2) return cases;
  std::vector<Shape> per_axis(op.total, Shape{1024});
  per_axis[0] = {1024, 1024};
  add(cases, per_axis, {{"axis", 1}});
  add(cases, per_axis, {{"axis", 0}});
  return cases;
}

constexpr FamilyTable kFamilies[] = {
    {"binary", elementwise, true, true, Values::usual},   {"ternary", elementwise, true, true, Values::usual},
    {"unary", elementwise, true, true, Values::usual},    {"reduce", reduce, false, true, Values::usual},
    {"normalise", normalise, false, true, Values::usual}, {"linear", linear, false, true, Values::usual},
    {"linalg", linalg, false, false, Values::usual},      {"quantise", quantise, true, true, Values::positive},
};

}  // namespace

const FamilyTable *find_family(const std::string &family) {
  for (const FamilyTable &table : kFamilies) {
    if (family == table.family) return &table;
  }
  return nullptr;
}

void count_arithmetic(const std::string &family, ShapeCase &shape_case) {
  const Shape &first = shape_case.shapes[0];
  double elements = 1;
  for (const int64_t extent : first) elements *= static_cast<double>(extent);
  if (family == "reduce") shape_case.operations = static_cast<double>(shape_case.shapes.size()) * elements;
  if (family != "linear" || shape_case.shapes.size() < 2 || first.empty()) return;
  const Shape &second = shape_case.shapes[1];
  if (second.size() < 2) return;
  const bool trans_a = shape_case.attributes.value("transA", 0) == 1;
  const bool trans_b = shape_case.attributes.value("transB", 0) == 1;
  const auto k = static_cast<double>(trans_a ? first[first.size() - 2] : first.back());
  const auto n = static_cast<double>(trans_b ? second[second.size() - 2] : second.back());
  shape_case.operations = 2 * elements * n;
  // A product with one row or one column is a sum of many lanes; the others are one chain per element.
  const double m = first.size() == 2 ? elements / k : 2;
  if (m > 1 && n > 1) shape_case.chain = k;
}

}  // namespace rayo::bench
