// SPDX-License-Identifier: Apache-2.0
//
// Cases of reductions: lengths around the contract's lanes and blocks, every subset of axes, layouts,
// distributions that cancel, drift, tie or hide one NaN.
#include <array>
#include <utility>

#include "suites/lines.hpp"

namespace rayo::conform {
namespace {

void reduce(CaseList &list) {
  add_lines(list, 1, true);
  std::size_t turn = list.plan().seed;
  for (const Shape &shape : kPlanes) {
    for (const char *axes : {"0", "1", "0,1", "-1"}) {
      Case &c = list.add({shape}, kLineRotation[turn++ % kLineRotation.size()]);
      c.attrs.emplace_back("axes", axes);
      if (turn % 2 == 0) c.attrs.emplace_back("keepdims", "0");
    }
  }
  for (const char *axes : {"", "0", "1", "2", "0,1", "0,2", "1,2", "0,1,2", "-3,-1"}) {
    for (const char *keep : {"0", "1"}) {
      Case &c = list.add({{4, 5, 6}}, kLineRotation[turn++ % kLineRotation.size()]);
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

void variance(CaseList &list) {
  reduce(list);
  for (const char *correction : {"1", "5"}) {
    for (const Shape &shape : std::initializer_list<Shape>{{1}, {5}, {6}, {1000}, {0}}) {
      list.add({shape}, "offset").attrs.emplace_back("correction", correction);
    }
    Case &c = list.add({{300, 7}});
    c.attrs = {{"axes", "0"}, {"correction", correction}};
  }
}

void arg_reduce(CaseList &list) {
  add_lines(list, 1, false);
  std::size_t turn = list.plan().seed;
  for (const Shape &shape : kPlanes) {
    for (const char *axis : {"0", "1", "-1"}) {
      for (const char *last : {"0", "1"}) {
        Case &c = list.add({shape}, kLineRotation[turn++ % kLineRotation.size()]);
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

void dot(CaseList &list) {
  add_lines(list, 2, true);
  for (const char *pair : {"integers,uniform", "sprinkled,uniform", "loguniform,offset"}) {
    list.add({{333}, {333}}).distributions = split(pair, ',');
  }
  list.add({{100}, {100}}).strides = {Shape{-1}, Shape{3}};
}

constexpr std::array<Generator, 10> kGenerators = {{{"reduce_sum", reduce},
                                                    {"reduce_mean", reduce},
                                                    {"reduce_max", reduce},
                                                    {"reduce_min", reduce},
                                                    {"reduce_l1", reduce},
                                                    {"reduce_l2", reduce},
                                                    {"variance", variance},
                                                    {"argmax", arg_reduce},
                                                    {"argmin", arg_reduce},
                                                    {"dot", dot}}};

}  // namespace

std::span<const Generator> reduce_generators() { return kGenerators; }

}  // namespace rayo::conform
