// SPDX-License-Identifier: Apache-2.0
//
// Cases that every op along a line shares: reductions, softmax and the norms.
#pragma once

#include <array>

#include "suites/generator.hpp"

namespace rayo::conform {

constexpr std::array<std::string_view, 10> kLineRotation = {"uniform",    "positive",  "integers", "cancelling",
                                                            "offset",     "sprinkled", "constant", "onenan",
                                                            "loguniform", "subnormal"};

inline const std::array<Shape, 11> kPlanes = {
    {{3, 5}, {17, 64}, {64, 17}, {1, 257}, {257, 1}, {300, 3}, {600, 7}, {9, 70}, {5, 129}, {513, 33}, {40, 1000}}};

// Lengths of one reduced line: the boundaries, the contract's blocks (16384 for f32, 8192 for f64) and several blocks.
std::vector<std::int64_t> line_lengths(const Plan &plan);

// Vectors of every such length, layouts, threads, repeats; `empty`: length 0 is legal.
void add_lines(CaseList &list, std::size_t inputs, bool empty,
               std::span<const std::string_view> rotation = kLineRotation);

// A plane of 13 x 70 in four layouts, with one attribute set.
void add_plane_layouts(CaseList &list, const char *attr, const char *value);

}  // namespace rayo::conform
