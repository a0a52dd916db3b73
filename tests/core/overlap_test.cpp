// SPDX-License-Identifier: Apache-2.0
//
// Overlap of strided operands, judged against enumeration of every byte.
#include "dispatch/overlap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace rayo {
namespace {

OperandDesc operand(std::initializer_list<int64_t> shape, std::initializer_list<int64_t> strides) {
  OperandDesc out;
  out.dtype = RAYO_F32;
  for (const int64_t extent : shape) out.shape[out.ndim++] = extent;
  int32_t axis = 0;
  for (const int64_t stride : strides) out.strides[axis++] = stride;
  return out;
}

std::multiset<uintptr_t> addresses(const OperandDesc &operand, uintptr_t at) {
  std::multiset<uintptr_t> bytes;
  const int64_t count = operand.elements();
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    int64_t offset = 0;
    for (int32_t axis = operand.ndim; axis-- > 0;) {
      offset += rest % operand.shape[axis] * operand.strides[axis];
      rest /= operand.shape[axis];
    }
    for (int64_t byte = 0; byte < 4; ++byte) bytes.insert(at + static_cast<uintptr_t>(offset * 4 + byte));
  }
  return bytes;
}

bool disjoint_by_enumeration(const OperandDesc &a, uintptr_t a_at, const OperandDesc &b, uintptr_t b_at) {
  const auto in_a = addresses(a, a_at);
  for (const uintptr_t byte : addresses(b, b_at)) {
    if (in_a.contains(byte)) return false;
  }
  return true;
}

TEST(Overlap, EvenAndOddElementsAreDisjoint) {
  const OperandDesc every_second = operand({1000}, {2});
  EXPECT_TRUE(disjoint(every_second, 4096, every_second, 4100));
  EXPECT_FALSE(disjoint(every_second, 4096, every_second, 4104));
}

TEST(Overlap, NeighbouringColumnsAreDisjoint) {
  const OperandDesc columns = operand({10, 3}, {6, 1});
  EXPECT_TRUE(disjoint(columns, 4096, columns, 4096 + 12));
  EXPECT_FALSE(disjoint(columns, 4096, columns, 4096 + 8));
}

TEST(Overlap, EqualsEnumerationOnRandomLayouts) {
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  int overlapping = 0;
  for (int round = 0; round < 20000; ++round) {
    const OperandDesc a = operand({pick(0, 4), pick(1, 4)}, {pick(-9, 9), pick(-4, 4)});
    const OperandDesc b = operand({pick(1, 4), pick(1, 4)}, {pick(-9, 9), pick(-4, 4)});
    const uintptr_t a_at = 40000;
    const uintptr_t b_at = a_at - 160 + static_cast<uintptr_t>(pick(0, 320));
    const bool expected = disjoint_by_enumeration(a, a_at, b, b_at);
    overlapping += expected ? 0 : 1;
    ASSERT_EQ(disjoint(a, a_at, b, b_at), expected)
        << shape_text(a) << " " << a.strides[0] << "," << a.strides[1] << " vs " << shape_text(b) << " " << b.strides[0]
        << "," << b.strides[1] << " at " << static_cast<int64_t>(b_at) - 40000;
  }
  EXPECT_GT(overlapping, 1000);
}

TEST(Overlap, DistinctElementsNeverMissesSharing) {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    const OperandDesc a = operand({pick(1, 4), pick(1, 4), pick(1, 3)}, {pick(-20, 20), pick(-9, 9), pick(-3, 3)});
    if (!distinct_elements(a)) continue;
    ++accepted;
    const auto bytes = addresses(a, 40000);
    const std::set<uintptr_t> unique(bytes.begin(), bytes.end());
    ASSERT_EQ(unique.size(), bytes.size()) << shape_text(a);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Overlap, DistinctElementsTakesPermutedAndReversedLayouts) {
  EXPECT_TRUE(distinct_elements(operand({3, 4}, {1, 3})));
  EXPECT_TRUE(distinct_elements(operand({3, 4}, {-4, -1})));
  EXPECT_TRUE(distinct_elements(operand({1, 4}, {0, 1})));
  EXPECT_FALSE(distinct_elements(operand({3, 4}, {0, 1})));
  EXPECT_FALSE(distinct_elements(operand({3, 4}, {3, 1})));
}

}  // namespace
}  // namespace rayo
