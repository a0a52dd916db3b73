// SPDX-License-Identifier: Apache-2.0
//
// Executors by name: the same bits on each, wrong names are told, a forked child computes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "fixture.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::View;

// `executor_name` may be NULL. NULL on failure, with rayo_last_error.
rayo_runtime *make_runtime(const char *executor_name, const rayo_executor *executor = nullptr) {
  const char *file = RAYO_SCALAR_PLUGIN;
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_ONLY_FILES;
  options.plugin_files = &file;
  options.plugin_file_count = 1;
  options.threads = 3;
  options.executor_name = executor_name;
  options.executor = executor;
  rayo_runtime *runtime = nullptr;
  return rayo_runtime_create(&options, &runtime) == RAYO_OK ? runtime : nullptr;
}

constexpr int64_t kN = 160;  // large enough that a product is cut into tasks

std::vector<float> product(rayo_runtime *runtime) {
  std::vector<float> a(kN * kN), b(kN * kN), c(kN * kN);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i % 977) * 0.013f - 5;
    b[i] = static_cast<float>(i % 641) * 0.017f - 4;
  }
  const View va(a.data(), {kN, kN}), vb(b.data(), {kN, kN}), vc(c.data(), {kN, kN});
  EXPECT_EQ(rayo_test::run(runtime, "matmul", {&va, &vb}, {&vc}), RAYO_OK) << last_error();
  return c;
}

size_t thread_count() {
  size_t n = 0;
  for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

#define REQUIRE_OPENMP() \
  if (!std::filesystem::exists(RAYO_EXECUTOR_OPENMP)) GTEST_SKIP() << "built without OpenMP"

TEST(Executor, OpenMPGivesThePoolsBits) {
  REQUIRE_OPENMP();
  rayo_runtime *pool = make_runtime("pool");
  ASSERT_NE(pool, nullptr) << last_error();
  const std::vector<float> expected = product(pool);
  rayo_runtime_destroy(pool);
  const size_t before = thread_count();
  rayo_runtime *openmp = make_runtime("openmp");
  ASSERT_NE(openmp, nullptr) << last_error();
  EXPECT_EQ(product(openmp), expected);
  EXPECT_GT(thread_count(), before) << "no thread of OpenMP's was started";
  rayo_runtime_destroy(openmp);
}

TEST(Executor, TheEnvironmentChoosesToo) {
  REQUIRE_OPENMP();
  ASSERT_EQ(setenv("RAYO_EXECUTOR", "openmp", 1), 0);
  rayo_runtime *runtime = make_runtime(nullptr);
  EXPECT_NE(runtime, nullptr) << last_error();
  rayo_runtime_destroy(runtime);
  ASSERT_EQ(setenv("RAYO_EXECUTOR", "tbb", 1), 0);
  EXPECT_EQ(make_runtime(nullptr), nullptr);
  const std::string text = last_error();
  unsetenv("RAYO_EXECUTOR");
  EXPECT_NE(text.find("RAYO_EXECUTOR"), std::string::npos) << text;
  EXPECT_NE(text.find("'tbb'"), std::string::npos) << text;
  EXPECT_NE(text.find("pool, openmp"), std::string::npos) << text;
}

TEST(Executor, AForkedChildOfAnOpenMPProgramComputes) {
  REQUIRE_OPENMP();
  rayo_runtime *runtime = make_runtime("openmp");
  ASSERT_NE(runtime, nullptr) << last_error();
  const std::vector<float> expected = product(runtime);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);  // a hang is a failure
    _exit(product(runtime) == expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  EXPECT_EQ(product(runtime), expected);
  rayo_runtime_destroy(runtime);
}

TEST(Executor, TwoAtOnceAreRefused) {
  rayo_executor own = {sizeof(rayo_executor), RAYO_TYPE_EXECUTOR, nullptr, nullptr,
                       [](void *, uint64_t tasks, uint32_t, rayo_task_fn fn, void *ctx) {
                         for (uint64_t task = 0; task < tasks; ++task) fn(ctx, task, 0);
                       }};
  rayo_runtime *runtime = make_runtime(nullptr, &own);
  ASSERT_NE(runtime, nullptr) << last_error();
  rayo_runtime_destroy(runtime);
  EXPECT_EQ(make_runtime("pool", &own), nullptr);
  EXPECT_NE(last_error().find("options.executor_name"), std::string::npos) << last_error();
}

}  // namespace
