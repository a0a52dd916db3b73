// SPDX-License-Identifier: Apache-2.0
//
// Cases of reductions and softmax: lengths around the contract's lanes and blocks, every subset of axes, layouts,
// distributions that cancel, drift, tie or hide one NaN.
#include <array>
#include <utility>

#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

constexpr std::array<std::string_view, 10> kRotation = {"uniform",   "positive", "integers", "cancelling", "offset",
                                                        "sprinkled", "constant", "onenan",   "loguniform", "subnormal"};

// Softmax of widely spread values is one 1 among zeros; a few such cases are added by name, and short.
constexpr std::array<std::string_view, 8> kSoftmaxRotation = {"uniform",   "positive", "integers", "offset",
                                                              "sprinkled", "constant", "onenan",   "subnormal"};

// Lengths of one reduced line: the boundaries, the contract's blocks (16384 for f32, 8192 for f64) and several blocks.
std::vector<std::int64_t> line_lengths(const Plan &plan) {
  std::vector<std::int64_t> lengths = boundary_lengths(!plan.quick);
  const std::int64_t block = plan.dtype == Dtype::f64 ? 8192 : 16384;
  lengths.insert(lengths.end(), {block - 1, block, block + 1, 3 * block + 65});
  if (!plan.quick) lengths.insert(lengths.end(), {2 * block, 4 * block + 1, 7 * block - 63});
  return lengths;
}

void add_lines(CaseList &list, std::size_t inputs, bool empty, std::span<const std::string_view> rotation = kRotation) {
  std::size_t turn = list.plan().seed;
  for (const std::int64_t n : line_lengths(list.plan())) {
    if (n == 0 && !empty) continue;
    list.add(std::vector<Shape>(inputs, {n}), rotation[turn++ % rotation.size()]);
    Case &c = list.add(std::vector<Shape>(inputs, {n}), "uniform");
    c.guard = Guard::front;
    c.offsets.assign(inputs, static_cast<std::uint32_t>(turn * 11 % 64));
  }
  for (const std::string_view name : rotation) list.add(std::vector<Shape>(inputs, {1000}), name);
  for (const std::int64_t stride : {2, 3, -1, 0}) {
    list.add(std::vector<Shape>(inputs, {200})).strides.assign(inputs, Shape{stride});
  }
  const std::int64_t large = list.plan().quick ? 50000 : 200000;
  for (const std::uint32_t threads : {1u, 2u, 7u}) {
    list.add(std::vector<Shape>(inputs, {large})).threads = threads;
  }
  list.add(std::vector<Shape>(inputs, {777})).repeat = list.plan().quick ? 5 : 100;
  for (int i = 0; i < 6; ++i) list.add(std::vector<Shape>(inputs, {19 + 17 * i}), "onenan");
}

const std::array<Shape, 11> kPlanes = {
    {{3, 5}, {17, 64}, {64, 17}, {1, 257}, {257, 1}, {300, 3}, {600, 7}, {9, 70}, {5, 129}, {513, 33}, {40, 1000}}};

void add_plane_layouts(CaseList &list, const char *attr, const char *value) {
  const std::array<Shape, 4> strides = {{{1, 13}, {80, 1}, {-70, -1}, {0, 1}}};
  for (const Shape &s : strides) {
    Case &c = list.add({{13, 70}});
    c.strides = {s};
    c.attrs.emplace_back(attr, value);
  }
}

void reduce(CaseList &list) {
  add_lines(list, 1, true);
  std::size_t turn = list.plan().seed;
  for (const Shape &shape : kPlanes) {
    for (const char *axes : {"0", "1", "0,1", "-1"}) {
      Case &c = list.add({shape}, kRotation[turn++ % kRotation.size()]);
      c.attrs.emplace_back("axes", axes);
      if (turn % 2 == 0) c.attrs.emplace_back("keepdims", "0");
    }
  }
  for (const char *axes : {"", "0", "1", "2", "0,1", "0,2", "1,2", "0,1,2", "-3,-1"}) {
    for (const char *keep : {"0", "1"}) {
      Case &c = list.add({{4, 5, 6}}, kRotation[turn++ % kRotation.size()]);
      if (*axes != '\0') c.attrs.emplace_back("axes", axes);
      c.attrs.emplace_back("keepdims", keep);
    }
  }
  list.add({{300, 4, 70}}).attrs.emplace_back("axes", "0,2");
  list.add({{20, 30, 9}}).attrs.emplace_back("axes", "0,1");
  list.add({{}});
  for (const char *axes : {"0", "1", "0,1"}) list.add({{0, 3}}).attrs.emplace_back("axes", axes);
  for (const char *axes : {"0", "1"}) add_plane_layouts(list, "axes", axes);
  for (const std::uint32_t threads : {1u, 2u, 7u}) {
    for (const char *axes : {"0", "1"}) {
      Case &c = list.add({{301, 173}});
      c.attrs.emplace_back("axes", axes);
      c.threads = threads;
    }
  }
  Case &strided = list.add({{6, 40}});
  strided.attrs.emplace_back("axes", "1");
  strided.attrs.emplace_back("keepdims", "0");
  strided.strides = {std::nullopt, Shape{-3}};
}

void arg_reduce(CaseList &list) {
  add_lines(list, 1, false);
  std::size_t turn = list.plan().seed;
  for (const Shape &shape : kPlanes) {
    for (const char *axis : {"0", "1", "-1"}) {
      for (const char *last : {"0", "1"}) {
        Case &c = list.add({shape}, kRotation[turn++ % kRotation.size()]);
        c.attrs.emplace_back("axis", axis);
        c.attrs.emplace_back("select_last_index", last);
        if (turn % 2 == 0) c.attrs.emplace_back("keepdims", "0");
      }
    }
  }
  for (const char *axis : {"0", "1", "2"}) list.add({{4, 5, 6}}, "integers").attrs.emplace_back("axis", axis);
  list.add({{0, 3}}).attrs.emplace_back("axis", "1");
  for (const char *axis : {"0", "1"}) add_plane_layouts(list, "axis", axis);
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
}

void dot(CaseList &list) {
  add_lines(list, 2, true);
  for (const char *pair : {"integers,uniform", "sprinkled,uniform", "loguniform,offset"}) {
    list.add({{333}, {333}}).distributions = split(pair, ',');
  }
  list.add({{100}, {100}}).strides = {Shape{-1}, Shape{3}};
}

constexpr std::array<Generator, 7> kGenerators = {{{"reduce_sum", reduce},
                                                   {"reduce_mean", reduce},
                                                   {"reduce_max", reduce},
                                                   {"reduce_min", reduce},
                                                   {"argmax", arg_reduce},
                                                   {"dot", dot},
                                                   {"softmax", softmax}}};

}  // namespace

std::span<const Generator> reduce_generators() { return kGenerators; }

}  // namespace rayo::conform
