// SPDX-License-Identifier: Apache-2.0
//
// Cases of softmax, log_softmax and the norms: every axis, lengths around lanes and blocks, offsets that cancel, rows
// of -inf, and one row alone against the same row in a batch.
#include "suites/lines.hpp"

namespace rayo::conform {
namespace {

// Softmax of widely spread values is one 1 among zeros; a few such cases are added by name, and short.
constexpr std::array<std::string_view, 8> kSoftmaxRotation = {"uniform",   "positive", "integers", "offset",
                                                              "sprinkled", "constant", "onenan",   "subnormal"};

void add_rows(CaseList &list, const std::vector<Shape> &shapes, const char *distribution) {
  const std::int64_t rows = shapes[0][0];
  for (const std::int64_t row : {std::int64_t{0}, rows / 2, rows - 1}) list.add(shapes, distribution).row = row;
}

void softmax(CaseList &list) {
  add_lines(list, 1, true, kSoftmaxRotation);
  for (const std::string_view name : {"cancelling", "loguniform"}) list.add({{40}}, name);
  std::size_t turn = list.plan().seed;
  for (const Shape &shape : kPlanes) {
    for (const char *axis : {"0", "1"}) {
      list.add({shape}, kSoftmaxRotation[turn++ % kSoftmaxRotation.size()]).attrs.emplace_back("axis", axis);
    }
  }
  for (const char *axis : {"0", "1", "2", "-1"}) list.add({{4, 5, 6}}).attrs.emplace_back("axis", axis);
  list.add({{3, 40}}, "neginf");
  list.add({{0, 3}});
  list.add({{3, 0}});
  for (const char *axis : {"0", "1"}) add_plane_layouts(list, "axis", axis);
  for (const std::int64_t n : {1, 17, 257}) list.add({{3, n}}).in_place = 0;
  list.add({{64}}).partial_alias = true;
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add({{301, 173}}).threads = threads;
  for (const Shape &shape : std::initializer_list<Shape>{{33, 65}, {7, 1000}, {5, 6, 40}}) {
    add_rows(list, {shape}, "uniform");
  }
}

// The rows x n case of a norm, scale and bias (if it has one) along the row.
std::vector<Shape> norm_shapes(const CaseList &list, const Shape &x, const Shape &parameter) {
  std::vector<Shape> shapes(list.plan().op->total_inputs, parameter);
  shapes[0] = x;
  return shapes;
}

void add_norm_lengths(CaseList &list) {
  std::size_t turn = list.plan().seed;
  for (const std::int64_t n : line_lengths(list.plan())) {
    const std::int64_t rows = n > 1000 ? 1 : 3;
    list.add(norm_shapes(list, {rows, n}, {n}), kLineRotation[turn++ % kLineRotation.size()]);
    if (list.plan().quick && n > 4096) continue;
    Case &c = list.add(norm_shapes(list, {rows, n}, {n}));
    c.guard = Guard::front;
    c.offsets.assign(c.shapes.size() + 1, static_cast<std::uint32_t>(turn * 11 % 64));
    if (turn % 2 == 0) c.shapes.resize(2);
  }
  for (const std::string_view name : kLineRotation) {
    list.add(norm_shapes(list, {4, 1000}, {1000})).distributions = {std::string(name), "uniform"};
  }
}

void norm(CaseList &list) {
  add_norm_lengths(list);
  for (const char *axis : {"0", "1", "2", "-1", "-2"}) {
    const std::int64_t at = parse_integer(axis, "axis");
    const Shape x = {4, 5, 6};
    const Shape inner(x.begin() + (at < 0 ? at + 3 : at), x.end());
    for (const Shape &parameter : {inner, Shape{6}, Shape{1}, Shape{}}) {
      list.add(norm_shapes(list, x, parameter), "offset").attrs.emplace_back("axis", axis);
    }
  }
  for (const char *epsilon : {"1e-12", "0.5"}) {
    list.add(norm_shapes(list, {5, 129}, {129}), "offset").attrs.emplace_back("epsilon", epsilon);
  }
  list.add({{5, 64}, {64}}, "uniform");
  list.add(norm_shapes(list, {0, 3}, {3}));
  list.add(norm_shapes(list, {3, 0}, {0}));
  for (const Shape &s : std::initializer_list<Shape>{{1, 13}, {80, 1}, {-70, -1}, {0, 1}}) {
    list.add(norm_shapes(list, {13, 70}, {70})).strides = {s, Shape{-1}};
  }
  list.add(norm_shapes(list, {13, 70}, {70})).strides = {std::nullopt, Shape{0}};
  list.add({{13, 70}, {70}}).strides = {std::nullopt, std::nullopt, Shape{1, 13}};
  for (const std::int64_t n : {1, 17, 257}) list.add(norm_shapes(list, {3, n}, {n})).in_place = 0;
  list.add(norm_shapes(list, {64}, {64})).partial_alias = true;
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add(norm_shapes(list, {301, 173}, {173})).threads = threads;
  list.add(norm_shapes(list, {7, 77}, {77})).repeat = list.plan().quick ? 5 : 100;
  for (const std::int64_t n : {65, 1000}) add_rows(list, norm_shapes(list, {17, n}, {n}), "offset");
}

constexpr std::array<Generator, 4> kGenerators = {
    {{"softmax", softmax}, {"log_softmax", softmax}, {"layer_norm", norm}, {"rms_norm", norm}}};

}  // namespace

std::span<const Generator> normalise_generators() { return kGenerators; }

}  // namespace rayo::conform
