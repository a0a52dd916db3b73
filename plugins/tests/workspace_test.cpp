// SPDX-License-Identifier: Apache-2.0
//
// The memory that calls take beside their operands, against the bounds that docs/performance.md states.
#include <algorithm>

#include "cases.h"

namespace rayo_test {
namespace {

constexpr uint64_t kKiB = 1024, kMiB = 1024 * kKiB;

struct Call {
  std::string op;
  std::vector<View> inputs;
  View output;
  std::vector<Attr> attrs;
  /// Bytes, shared by all threads and of each.
  uint64_t shared;
  uint64_t each;
};

uint64_t bytes(const View &v) {
  uint64_t n = v.dtype.bits / 8;
  for (const int64_t extent : v.shape) n *= static_cast<uint64_t>(extent);
  return n;
}

/// The same shape over columns of a matrix twice as wide: no two elements are neighbours.
View spread(View v) {
  int64_t stride = 2;
  v.strides.assign(v.shape.size(), 0);
  for (size_t i = v.shape.size(); i-- > 0; stride *= v.shape[i]) v.strides[i] = stride;
  return v;
}

void check(const Call &call) {
  for (const auto &plugin : plugins()) {
    for (const uint32_t threads : {1u, 4u}) {
      for (const bool apart : {false, true}) {
        std::vector<View> inputs = call.inputs;
        View output = call.output;
        if (apart) {
          for (View &input : inputs) input = spread(input);
          output = spread(output);
        }
        const uint64_t size = plugin->workspace(call.op, inputs, output, call.attrs, threads);
        ASSERT_NE(size, ~uint64_t{0}) << plugin->name() << " cannot prepare " << call.op;
        EXPECT_LE(size, call.shared + threads * call.each)
            << plugin->name() << " " << call.op << (apart ? " of strided operands, " : ", ") << threads
            << " threads, first input of " << bytes(call.inputs[0]) << " bytes";
      }
    }
  }
}

template <class T>
View view(std::vector<int64_t> shape) {
  return compact(std::move(shape), dtype_of<T>());
}

template <class T>
class Workspace : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Workspace, Types);

TYPED_TEST(Workspace, ElementwiseOpsAndTranspositionsTakeNone) {
  for (const int64_t n : {1, 1000, 3000000}) {
    const View v = view<TypeParam>({n, 3});
    for (const char *op : {"exp", "relu", "gelu"}) check({op, {v}, v, {}, 0, 0});
    for (const char *op : {"add", "max", "pow"}) check({op, {v, v}, v, {}, 0, 0});
    check({"transpose", {v}, view<TypeParam>({3, n}), {int_attr("perm", {1, 0})}, 0, 0});
    for (const int64_t axis : {0, 1}) {
      View index = compact({axis == 0 ? 3 : n}, RAYO_I64);
      check({"argmax", {v}, index, {int_attr("axis", {axis})}, 0, 0});
    }
  }
}

TYPED_TEST(Workspace, ReductionsKeepAResultPerBlock) {
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{1, 1}, {3000000, 3}, {3, 3000000}}) {
    const View x = view<TypeParam>(shape);
    const uint64_t shared = bytes(x) / 2048 + kKiB;
    for (const char *op : {"reduce_sum", "reduce_l2", "reduce_max", "variance"}) {
      check({op, {x}, view<TypeParam>({shape[1]}), {int_attr("axes", {0})}, shared, 128 * kKiB});
      check({op, {x}, view<TypeParam>({shape[0]}), {int_attr("axes", {1})}, shared, 128 * kKiB});
      check({op, {x}, view<TypeParam>({}), {int_attr("axes", {0, 1})}, shared, 128 * kKiB});
    }
    const View row = view<TypeParam>({shape[0] * shape[1]});
    check({"dot", {row, row}, view<TypeParam>({}), {}, shared, 128 * kKiB});
  }
}

TYPED_TEST(Workspace, NormalisationsTakeARowOfEachThread) {
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{1, 1}, {30000, 30}, {30, 300000}}) {
    const View x = view<TypeParam>(shape);
    for (const int64_t axis : {0, 1}) {
      const uint64_t row = static_cast<uint64_t>(shape[static_cast<size_t>(axis)]) * sizeof(TypeParam);
      const uint64_t each = row + row / 512 + 128 * kKiB;
      check({"softmax", {x}, x, {int_attr("axis", {axis})}, bytes(x) / 2048 + kKiB, each});
      check({"log_softmax", {x}, x, {int_attr("axis", {axis})}, bytes(x) / 2048 + kKiB, each});
    }
    const uint64_t row = static_cast<uint64_t>(shape[1]) * sizeof(TypeParam);
    const std::vector<Attr> attrs = {int_attr("axis", {1}), float_attr("epsilon", 1e-5)};
    const View parameter = view<TypeParam>({shape[1]});
    check({"layer_norm", {x, parameter, parameter}, x, attrs, 2 * row + kKiB, row + row / 512 + kKiB});
    check({"rms_norm", {x, parameter}, x, attrs, 2 * row + kKiB, row + row / 512 + kKiB});
  }
}

TYPED_TEST(Workspace, ProductsTakeBlocks) {
  const uint64_t blocks = sizeof(TypeParam) == 4 ? 5 * kMiB : 9 * kMiB;
  const std::vector<std::vector<int64_t>> shapes = {{1, 1, 1},         {100, 100, 100},   {3000, 3000, 3000},
                                                    {18, 5000, 40000}, {5000, 18, 40000}, {1, 7000, 40000},
                                                    {7000, 1, 40000},  {5000, 5000, 2},   {40, 30, 900000}};
  for (const std::vector<int64_t> &s : shapes) {
    for (const int64_t trans : {0, 1, 2, 3}) {
      for (const int64_t invariant : {0, 1}) {
        const View a = trans & 1 ? view<TypeParam>({s[2], s[0]}) : view<TypeParam>({s[0], s[2]});
        const View b = trans & 2 ? view<TypeParam>({s[1], s[2]}) : view<TypeParam>({s[2], s[1]});
        // A matrix of up to 18 columns or rows may be copied whole.
        const uint64_t thin = 18 * static_cast<uint64_t>(s[2]) * sizeof(TypeParam);
        check({"gemm",
               {a, b},
               view<TypeParam>({s[0], s[1]}),
               {int_attr("transA", {trans & 1}), int_attr("transB", {trans >> 1}), float_attr("alpha", 1),
                float_attr("beta", 0), int_attr("batch_invariant", {invariant})},
               kKiB,
               blocks + (std::min(s[0], s[1]) <= 18 ? thin : 0)});
      }
    }
  }
}

TEST(WorkspaceOfIntegers, ProductsTakeBlocks) {
  for (const int64_t n : {1, 300, 5000}) {
    const View x = compact({n, n}, RAYO_U8), y = compact({n, n}, RAYO_I32);
    check({"matmul_integer", {x, x}, y, {}, kKiB, 2 * kMiB});
  }
}

}  // namespace
}  // namespace rayo_test
