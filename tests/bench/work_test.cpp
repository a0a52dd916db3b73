// SPDX-License-Identifier: Apache-2.0
//
// Every op of the catalogue has work that its shapes, types and attributes allow.
#include <gtest/gtest.h>

#include <cstdlib>

#include "bench/work/catalogue_work.hpp"
#include "bench/work/operands.hpp"
#include "tools/command.hpp"

namespace rayo::bench {
namespace {

class Work : public testing::Test {
 protected:
  void SetUp() override { ::setenv("RAYO_PLUGIN_PATH", RAYO_PLUGIN_FOLDER, 1); }
};

std::string name_of(const WorkItem &item) {
  return item.op + " " + item.dtype + " " + item.shape_text() + " " + item.attribute_text();
}

TEST_F(Work, EveryOpHasItemsAtEveryDepth) {
  const tools::Session session(tools::SessionOptions{});
  ASSERT_GT(session.ops().size(), 40U);
  for (const rayo_op_info &op : session.ops()) {
    for (const Depth depth : {Depth::smoke, Depth::quick, Depth::full}) {
      Selection selection;
      selection.depth = depth;
      EXPECT_FALSE(work_of(op, selection).empty())
          << op.name << ": family '" << op.family << "' has no entry in bench/work/shapes.cpp";
    }
  }
}

TEST_F(Work, EveryItemIsALegalCall) {
  const tools::Session session(tools::SessionOptions{});
  for (const rayo_op_info &op : session.ops()) {
    for (const Depth depth : {Depth::smoke, Depth::quick, Depth::full}) {
      Selection selection;
      selection.depth = depth;
      for (const WorkItem &item : work_of(op, selection)) {
        double elements = 0;
        for (const OperandSpec &input : item.inputs) {
          double count = 1;
          for (const int64_t extent : input.shape) count *= static_cast<double>(extent);
          elements += count;
        }
        if (elements > 1e6) continue;  // the rules are the same; the memory is not needed
        EXPECT_NO_THROW(Operands(session, op, item)) << name_of(item);
      }
    }
  }
}

TEST_F(Work, NoItemIsThereTwice) {
  const tools::Session session(tools::SessionOptions{});
  std::vector<std::string> names;
  for (const rayo_op_info &op : session.ops()) {
    for (const WorkItem &item : work_of(op, {})) names.push_back(name_of(item));
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  EXPECT_TRUE(twice == names.end()) << *twice;
}

TEST_F(Work, TypesAreThoseAskedFor) {
  const tools::Session session(tools::SessionOptions{});
  Selection selection;
  selection.dtypes = {"f64"};
  for (const WorkItem &item : work_of(session.find_op("add"), selection)) EXPECT_EQ(item.dtype, "f64");
  EXPECT_TRUE(work_of(session.find_op("matmul_integer"), selection).empty());
}

TEST_F(Work, ArithmeticOfAProductIsCountedFromItsShapes) {
  const tools::Session session(tools::SessionOptions{});
  Selection selection;
  selection.dtypes = {"f32"};
  selection.shapes = {{{3, 5}, {5, 7}}};
  const std::vector<WorkItem> items = work_of(session.find_op("matmul"), selection);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].operations, 2 * 3 * 5 * 7);
  EXPECT_EQ(items[0].chain, 5);
  selection.shapes = {{{5}}};
  EXPECT_THROW(work_of(session.find_op("matmul"), selection), tools::CommandError);
}

TEST_F(Work, PositiveInputsHaveNoNegativeValue) {
  const tools::Session session(tools::SessionOptions{});
  Selection selection;
  selection.depth = Depth::smoke;
  selection.dtypes = {"f32"};
  Operands operands(session, session.find_op("log"), work_of(session.find_op("log"), selection).front());
  const auto least = [&operands] {
    const DLTensor &tensor = operands.inputs()[0]->dl;
    const auto *const values = static_cast<const float *>(tensor.data);
    return *std::min_element(values, values + tensor.shape[0]);
  };
  EXPECT_LT(least(), 0);
  operands.make_positive();
  EXPECT_GT(least(), 0);
}

}  // namespace
}  // namespace rayo::bench
