// SPDX-License-Identifier: Apache-2.0
//
// Operands at the C API, one thing wrong at a time: what stands in a rayo_tensor is checked before a kernel sees it.
#include "fixture.hpp"

namespace rayo_test {
namespace {

class Operands : public ScalarRuntime {
 protected:
  void expect_text(const std::string &part) {
    EXPECT_NE(last_error().find(part), std::string::npos) << "'" << part << "' in: " << last_error();
  }
  // neg of a changed input.
  template <class Change>
  rayo_status neg_of(Change &&change) {
    View in(x_, {3});
    const View out(y_, {3});
    change(in.tensor);
    return run(runtime_, "neg", {&in}, {&out});
  }
  // neg into a changed output.
  template <class Change>
  rayo_status neg_into(Change &&change) {
    const View in(x_, {3});
    View out(y_, {3});
    change(out.tensor);
    return run(runtime_, "neg", {&in}, {&out});
  }
  float x_[6] = {1, 2, 3, 4, 5, 6};
  float y_[6] = {};
};

TEST_F(Operands, MayLieInPinnedMemory) {
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.dl.device = {kDLCUDAHost, 0}; }), RAYO_OK) << last_error();
  EXPECT_EQ(y_[2], -3.0f);
}

TEST_F(Operands, MayBeOfAnOlderHeader) {
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.struct_size = offsetof(rayo_tensor, buffer); }), RAYO_OK) << last_error();
  EXPECT_EQ(y_[2], -3.0f);
}

TEST_F(Operands, AHeaderThatIsNoTensorsIsRefused) {
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.struct_size = offsetof(rayo_tensor, buffer) - 1; }), RAYO_INVALID_ARGUMENT);
  expect_text("neg: input X: not a rayo_tensor");
  EXPECT_EQ(neg_into([](rayo_tensor &t) { t.struct_type = RAYO_TYPE_PLUGIN; }), RAYO_INVALID_ARGUMENT);
  expect_text("neg: output Y: not a rayo_tensor");
}

TEST_F(Operands, RanksAndShapesAreChecked) {
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.dl.ndim = -1; }), RAYO_INVALID_ARGUMENT);
  expect_text("rank -1 is outside 0 to");
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.dl.ndim = RAYO_MAX_NDIM + 1; }), RAYO_UNSUPPORTED);
  expect_text("is outside 0 to");
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.dl.shape = nullptr; }), RAYO_INVALID_ARGUMENT);
  expect_text("shape is NULL at rank 1");
  EXPECT_EQ(neg_into([](rayo_tensor &t) { t.dl.ndim = 0; }), RAYO_INVALID_ARGUMENT);
  expect_text("output Y has shape [], expected [3]");
  float scalar = 5;
  const View in(&scalar, {});
  View out(y_, {});
  out.tensor.dl.shape = nullptr;  // there is none to give
  EXPECT_EQ(run(runtime_, "neg", {&in}, {&out}), RAYO_OK) << last_error();
  EXPECT_EQ(y_[0], -5.0f);
}

TEST_F(Operands, TypesAreWholeBytesOfOneLane) {
  for (const DLDataType dtype : {DLDataType{kDLFloat, 32, 2}, DLDataType{kDLFloat, 0, 1}, DLDataType{kDLInt, 12, 1}}) {
    EXPECT_EQ(neg_of([&](rayo_tensor &t) { t.dl.dtype = dtype; }), RAYO_UNSUPPORTED);
    expect_text("neg: input X: dtype code");
  }
  EXPECT_EQ(neg_into([](rayo_tensor &t) { t.dl.dtype = RAYO_F64; }), RAYO_INVALID_ARGUMENT);
  expect_text("output Y has dtype f64, expected f32");
}

TEST_F(Operands, MemoryOfNoKnownDeviceIsRefused) {
  EXPECT_EQ(neg_of([](rayo_tensor &t) { t.dl.device = {kDLMetal, 3}; }), RAYO_UNSUPPORTED);
  expect_text("is not host memory, and no loaded plugin takes plain pointers to it");
}

TEST_F(Operands, NumbersOfOperandsAreChecked) {
  const View x(x_, {3});
  const View y(y_, {3});
  EXPECT_EQ(run(runtime_, "add", {&x}, {&y}), RAYO_INVALID_ARGUMENT);
  expect_text("add: 1 inputs were given, 2 are taken");
  EXPECT_EQ(run(runtime_, "add", {&x, &x, &x}, {&y}), RAYO_INVALID_ARGUMENT);
  expect_text("add: 3 inputs were given, 2 are taken");
  EXPECT_EQ(run(runtime_, "clip", {&x, &x, &x, &x}, {&y}), RAYO_INVALID_ARGUMENT);
  expect_text("clip: 4 inputs were given, 1 to 3 are taken");
  EXPECT_EQ(run(runtime_, "neg", {&x}, {&y, &y}), RAYO_INVALID_ARGUMENT);
  expect_text("neg: 2 outputs were given, 1 are needed");
  const rayo_tensor *in[] = {&x.tensor};
  EXPECT_EQ(rayo_run(runtime_, rayo_op_find("neg"), in, 1, nullptr, 1, nullptr), RAYO_INVALID_ARGUMENT);
  expect_text("neg: 0 outputs were given, 1 are needed");
}

TEST_F(Operands, AnOptionalOneMayBeLeftOutInTheMiddle) {
  const View x(x_, {6});
  float five = 5;
  const View most(&five, {});
  const View y(y_, {6});
  EXPECT_EQ(run(runtime_, "clip", {&x, nullptr, &most}, {&y}), RAYO_OK) << last_error();
  EXPECT_EQ(y_[5], 5.0f);
  EXPECT_EQ(y_[0], 1.0f);
  EXPECT_EQ(run(runtime_, "clip", {&x, nullptr, nullptr}, {&y}), RAYO_OK) << last_error();
  EXPECT_EQ(y_[5], 6.0f);
}

TEST_F(Operands, OutputsNeedNotBeThereToBeDescribed) {
  const View a(x_, {2, 3});
  const View b(x_, {3, 2});
  const rayo_tensor *in[] = {&a.tensor, &b.tensor};
  rayo_shape shape{};
  uint32_t count = 0;
  EXPECT_EQ(rayo_infer_shapes(runtime_, rayo_op_find("matmul"), in, 2, nullptr, &shape, 1, &count), RAYO_OK)
      << last_error();
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(shape.ndim, 2);
  EXPECT_EQ(shape.extents[1], 2);
  EXPECT_EQ(rayo_infer_shapes(runtime_, rayo_op_find("matmul"), in, 2, nullptr, nullptr, 5, &count),
            RAYO_INVALID_ARGUMENT);
  expect_text("room for 0 shapes was given, matmul has 1 outputs");
  EXPECT_EQ(rayo_infer_shapes(runtime_, rayo_op_find("matmul"), in, 2, nullptr, &shape, 0, &count),
            RAYO_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rayo_test
