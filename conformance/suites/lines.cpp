// SPDX-License-Identifier: Apache-2.0
#include "suites/lines.hpp"

namespace rayo::conform {

std::vector<std::int64_t> line_lengths(const Plan &plan) {
  std::vector<std::int64_t> lengths = boundary_lengths(plan);
  const std::int64_t block = plan.dtype == Dtype::f64 ? 8192 : 16384;
  lengths.insert(lengths.end(), {block - 1, block, block + 1, 3 * block + 65});
  if (!plan.quick) lengths.insert(lengths.end(), {2 * block, 4 * block + 1, 7 * block - 63});
  return lengths;
}

void add_lines(CaseList &list, std::size_t inputs, bool empty, std::span<const std::string_view> rotation) {
  std::size_t turn = list.plan().seed;
  for (const std::int64_t n : line_lengths(list.plan())) {
    if (n == 0 && !empty) continue;
    list.add(std::vector<Shape>(inputs, {n}), rotation[turn++ % rotation.size()]);
    if (list.plan().quick && n > 4096) continue;
    Case &c = list.add(std::vector<Shape>(inputs, {n}), "uniform");
    c.guard = Guard::front;
    c.offsets.assign(inputs, static_cast<std::uint32_t>(turn * 11 % 64));
  }
  for (const std::string_view name : rotation) list.add(std::vector<Shape>(inputs, {1000}), name);
  for (const std::int64_t stride : {2, 3, -1, 0}) {
    list.add(std::vector<Shape>(inputs, {200})).strides.assign(inputs, Shape{stride});
  }
  const std::int64_t large = !list.plan().quick ? 200000 : list.plan().dtype == Dtype::f64 ? 20000 : 50000;
  for (const std::uint32_t threads : {1u, 2u, 7u}) {
    if (list.plan().quick && threads == 1) continue;  // every short case is one thread's
    list.add(std::vector<Shape>(inputs, {large})).threads = threads;
  }
  const std::string &op = list.plan().op->name;
  if (!list.plan().quick && list.plan().dtype == Dtype::f32 && (op == "reduce_sum" || op == "dot")) {
    list.add(std::vector<Shape>(inputs, {1 << 24}));
  }
  list.add(std::vector<Shape>(inputs, {777})).repeat = list.plan().quick ? 5 : 100;
  for (int i = 0; i < 6; ++i) list.add(std::vector<Shape>(inputs, {19 + 17 * i}), "onenan");
}

void add_plane_layouts(CaseList &list, const char *attr, const char *value) {
  const std::array<Shape, 4> strides = {{{1, 13}, {80, 1}, {-70, -1}, {0, 1}}};
  for (const Shape &s : strides) {
    Case &c = list.add({{13, 70}});
    c.strides = {s};
    c.attrs.emplace_back(attr, value);
  }
}

}  // namespace rayo::conform
