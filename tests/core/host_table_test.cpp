// SPDX-License-Identifier: Apache-2.0
//
// What a plugin is given to call: each function takes what a plugin may pass, wrong things too.
#include "capi/host_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/error.hpp"

namespace rayo {
namespace {

class Host : public testing::Test {
 protected:
  void SetUp() override { fill_host_table(&host_, &log_, nullptr); }

  std::string said_;
  Log log_{RAYO_LOG_DEBUG,
           [](void *ctx, int32_t level, const char *text) {
             *static_cast<std::string *>(ctx) += std::to_string(level) + text + ";";
           },
           &said_};
  HostTable host_{};
};

TEST_F(Host, KeepsTheErrorOfTheThread) {
  host_.report_error(&host_, RAYO_IO, "no paper");
  EXPECT_EQ(last_error(), "no paper");
  std::thread([] { EXPECT_EQ(last_error(), ""); }).join();
  host_.report_error(&host_, RAYO_IO, nullptr);
  EXPECT_EQ(last_error(), "");
}

TEST_F(Host, LogsAtALevelThatThereIs) {
  host_.log(&host_, RAYO_LOG_INFO, "a");
  host_.log(&host_, -7, "b");
  host_.log(&host_, 99, "c");
  host_.log(&host_, RAYO_LOG_INFO, nullptr);
  host_.log(nullptr, RAYO_LOG_INFO, "d");
  EXPECT_EQ(said_, std::to_string(RAYO_LOG_INFO) + "a;" + std::to_string(RAYO_LOG_ERROR) + "b;" +
                       std::to_string(RAYO_LOG_DEBUG) + "c;");
}

TEST_F(Host, GivesAlignedMemoryOrNone) {
  for (const uint64_t alignment : {uint64_t{0}, uint64_t{1}, uint64_t{8}, uint64_t{64}, uint64_t{4096}}) {
    void *memory = host_.alloc(&host_, 3, alignment);
    ASSERT_NE(memory, nullptr) << alignment;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % std::max<uint64_t>(alignment, 1), 0u);
    host_.free(&host_, memory);
  }
  void *none = host_.alloc(&host_, 0, 8);
  EXPECT_NE(none, nullptr);
  host_.free(&host_, none);
  host_.free(&host_, nullptr);
  EXPECT_EQ(host_.alloc(&host_, 8, 24), nullptr);
  EXPECT_EQ(host_.alloc(&host_, UINT64_MAX, 8), nullptr);
}

TEST_F(Host, NamesOps) {
  const rayo_op op = host_.intern(&host_, "acme.of_the_host_test");
  EXPECT_NE(op, RAYO_OP_NONE);
  EXPECT_EQ(host_.intern(&host_, "acme.of_the_host_test"), op);
  EXPECT_STREQ(host_.op_name(&host_, op), "acme.of_the_host_test");
  EXPECT_EQ(host_.intern(&host_, ""), RAYO_OP_NONE);
  EXPECT_EQ(host_.intern(&host_, nullptr), RAYO_OP_NONE);
  EXPECT_EQ(host_.op_name(&host_, RAYO_OP_NONE), nullptr);
  EXPECT_EQ(host_.op_name(&host_, 0x7fffffff), nullptr);
}

TEST_F(Host, WithoutATraceNothingIsTraced) {
  EXPECT_EQ(host_.trace_begin(&host_, "x"), 0u);
  EXPECT_EQ(host_.trace_begin(nullptr, "x"), 0u);
  host_.trace_end(&host_, 0);
  host_.trace_end(nullptr, 5);
  EXPECT_EQ(host_.trace_track(&host_, "x"), 0u);
  EXPECT_EQ(host_.trace_track(nullptr, "x"), 0u);
  rayo_trace_work work{};
  work.name = "x";
  host_.trace_work(&host_, 1, &work);
  host_.trace_work(nullptr, 1, &work);
}

}  // namespace
}  // namespace rayo
