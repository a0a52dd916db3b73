// SPDX-License-Identifier: Apache-2.0
//
// fork() in an application whose threads are in the middle of calls: the child computes, binds and finds names.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace {

using rayo_test::last_error;

class Fork : public rayo_test::ScalarRuntime {
 protected:
  // x + x over `n` elements; every new n is bound anew. True if right.
  bool add(int64_t n) {
    std::vector<float> x(static_cast<size_t>(n), 1.5f), y(static_cast<size_t>(n));
    return rayo_add_f32(runtime_, n, x.data(), x.data(), y.data()) == RAYO_OK && y.front() == 3 && y.back() == 3;
  }
  // Large enough to be cut into tasks.
  bool multiply() {
    constexpr int64_t kN = 160;
    std::vector<float> a(kN * kN, 1), c(kN * kN);
    return rayo_matmul_f32(runtime_, kN, kN, kN, a.data(), a.data(), c.data()) == RAYO_OK && c.front() == kN &&
           c.back() == kN;
  }
  bool everything(int64_t n) { return rayo_op_find("softmax") != RAYO_OP_NONE && add(n) && multiply(); }
};

TEST_F(Fork, AChildComputesWhileTheParentsThreadsAreInTheMiddleOfCalls) {
  ASSERT_TRUE(everything(1)) << last_error();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, t, &stop] {
      for (int64_t n = 1; !stop; ++n) {
        EXPECT_TRUE(t == 0 ? multiply() : add(1 + n % 200)) << last_error();
        EXPECT_EQ(rayo_op_find("no_such_op"), RAYO_OP_NONE);
      }
    });
  }
  int failed = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);  // a lock that nobody will open again
      _exit(everything(300 + round) && everything(301 + round) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    failed += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
  }
  stop = true;
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(failed, 0) << "of 40 children";
  EXPECT_TRUE(everything(2)) << "the parent goes on: " << last_error();
}

TEST_F(Fork, AChildMayForkAndDestroyToo) {
  ASSERT_TRUE(everything(1)) << last_error();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      const bool right = everything(5);
      rayo_runtime_destroy(runtime_);
      _exit(right ? 0 : 1);
    }
    int status = 0;
    waitpid(grandchild, &status, 0);
    _exit(status == 0 && everything(6) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
