// SPDX-License-Identifier: Apache-2.0
//
// plugin.hpp's parts that a plugin cannot show from outside: fence, attribute lookup, exceptions out of tasks.
#include <gtest/gtest.h>
#include <rayo/plugin.hpp>

#include "mini_host.h"

namespace {

using namespace rayo::plugin;

TEST(Fence, MapsEachKindOfException) {
  rayo_error error{};
  EXPECT_EQ(fence(&error, [] {}), RAYO_OK);
  EXPECT_EQ(fence(&error, [] { throw Error(RAYO_RETRY, "busy"); }), RAYO_RETRY);
  EXPECT_STREQ(error.text, "busy");
  EXPECT_EQ(fence(&error, [] { throw std::bad_alloc(); }), RAYO_OUT_OF_MEMORY);
  EXPECT_EQ(fence(&error, [] { throw std::out_of_range("index 9"); }), RAYO_INTERNAL);
  EXPECT_STREQ(error.text, "index 9");
  EXPECT_EQ(fence(&error, [] { throw 7; }), RAYO_INTERNAL);
  EXPECT_EQ(fence(static_cast<rayo_error *>(nullptr), [] { throw 7; }), RAYO_INTERNAL);
}

TEST(Fence, CutsLongTexts) {
  rayo_error error{};
  EXPECT_EQ(fence(&error, [] { throw Error(RAYO_IO, std::string(2000, 'x')); }), RAYO_IO);
  EXPECT_EQ(std::string(error.text).size(), std::size_t{RAYO_ERROR_TEXT - 1});
}

TEST(Attributes, AreFoundByNameAndKind) {
  mini::Host host;
  const int64_t axes[] = {0, 2};
  const double alpha = 0.25;
  mini::Call c(host, "acme.any");
  c.attr({"axes", RAYO_ATTR_INT, 2, axes}).attr({"alpha", RAYO_ATTR_FLOAT, 1, &alpha});
  c.attr({"mode", RAYO_ATTR_STRING, 4, "tanh"}).attr({"perm", RAYO_ATTR_INT, 0, nullptr});
  const rayo_op_desc &desc = c.desc();
  EXPECT_EQ(attr_ints(desc, "axes")[1], 2);
  EXPECT_EQ(attr_float(desc, "alpha"), 0.25);
  EXPECT_EQ(attr_string(desc, "mode"), "tanh");
  EXPECT_TRUE(attr_ints(desc, "perm").empty());
  EXPECT_THROW(attr_int(desc, "axes"), Error) << "a list taken for one value";
  EXPECT_THROW(attr_int(desc, "alpha"), Error) << "another kind";
  EXPECT_THROW(attr_int(desc, "axis"), Error) << "not there";
}

TEST(ParallelFor, RunsEveryTaskOnceAndRethrows) {
  rayo_call call{};
  call.executor = &mini::executor();
  for (uint32_t threads : {1u, 3u}) {
    call.max_threads = threads;
    std::vector<std::atomic<int>> hits(1001);
    parallel_for(call, hits.size(), [&](uint64_t task, uint32_t worker) {
      EXPECT_LT(worker, threads);
      ++hits[task];
    });
    for (const auto &h : hits) ASSERT_EQ(h, 1);
    const auto failing = [](uint64_t task, uint32_t) {
      if (task == 500) throw Error(RAYO_GUARD, "task 500");
    };
    EXPECT_THROW(parallel_for(call, 1001, failing), Error) << threads << " threads";
  }
  parallel_for(call, 0, [](uint64_t, uint32_t) { FAIL() << "there is no task"; });
}

TEST(Fill, StopsAtTheCallersSize) {
  rayo_prepared out = mini::empty_prepared(), value{};
  out.struct_size = offsetof(rayo_prepared, workspace_size);
  value.workspace_size = 5;
  value.state = &value;
  fill(&out, value);
  EXPECT_EQ(out.state, &value);
  EXPECT_EQ(out.workspace_size, 0u);
  EXPECT_EQ(out.struct_type, RAYO_TYPE_PREPARED);
  EXPECT_TRUE(RAYO_HAS(&out, rayo_prepared, state));
  EXPECT_FALSE(RAYO_HAS(&out, rayo_prepared, workspace_size));
}

TEST(StridedLoop, CutsByShapeAlone) {
  rayo_tensor_desc d{};
  const int64_t shape[] = {3, 40000}, strides[] = {50000, 1};
  d.ndim = 2;
  d.shape = shape;
  d.strides = strides;
  const StridedLoop<1> loop({&d});
  EXPECT_EQ(loop.tasks(), 9u);  // 3 rows of 3 pieces
  int64_t elements = 0;
  for (uint64_t t = 0; t < loop.tasks(); ++t)
    loop.run(t, [&](const auto &at, int64_t count) {
      EXPECT_EQ(at[0], static_cast<int64_t>(t / 3) * 50000 + static_cast<int64_t>(t % 3) * 16384);
      elements += count;
    });
  EXPECT_EQ(elements, 120000);
}

}  // namespace
