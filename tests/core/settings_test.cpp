// SPDX-License-Identifier: Apache-2.0
//
// Options and variables of a runtime, each by itself: what it does, and what is said of a wrong value.
#include <rayo/profile.h>

#include <cstdlib>

#include "api_helpers.hpp"
#include "temp_folder.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;
using rayo_test::TempFolder;

class Settings : public testing::Test {
 protected:
  void SetUp() override {
    folder_.copy_fixture("good");
    for (const char *name : kNames) unsetenv(name);
    setenv("XDG_CACHE_HOME", cache_.path().c_str(), 1);
    setenv("XDG_CONFIG_HOME", cache_.path().c_str(), 1);
  }
  void TearDown() override {
    for (const char *name : kNames) unsetenv(name);
  }
  rayo_runtime_options options() const {
    rayo_runtime_options out = quiet_options();
    out.flags = 0;
    out.plugin_path = folder_.path().c_str();
    return out;
  }
  static void expect_refused(const rayo_runtime_options &options, const std::string &part) {
    rayo_status status = RAYO_OK;
    make_runtime(options, &status);
    EXPECT_EQ(status, RAYO_INVALID_ARGUMENT) << last_error();
    EXPECT_NE(last_error().find(part), std::string::npos) << "'" << part << "' in: " << last_error();
  }
  void expect_refused(const char *name, const char *value, const std::string &part) const {
    setenv(name, value, 1);
    expect_refused(options(), part);
    unsetenv(name);
  }
  static std::string metrics(const RuntimePtr &runtime) {
    std::string text(rayo_metrics_text(runtime.get(), nullptr, 0) + 1, '\0');
    rayo_metrics_text(runtime.get(), text.data(), text.size());
    return text;
  }
  void twice(const RuntimePtr &runtime) {
    const int64_t shape[] = {3};
    const rayo_tensor in = rayo_tensor_make(x_, RAYO_F32, 1, shape, nullptr);
    const rayo_tensor out = rayo_tensor_make(y_, RAYO_F32, 1, shape, nullptr);
    const rayo_tensor *ins[] = {&in};
    const rayo_tensor *outs[] = {&out};
    EXPECT_EQ(rayo_run(runtime.get(), rayo_op_find("good.twice"), ins, 1, outs, 1, nullptr), RAYO_OK) << last_error();
  }

  static constexpr const char *kNames[] = {
      "RAYO_METRICS",  "RAYO_VERDICT_CACHE", "RAYO_PROBE_MS", "RAYO_ISOLATION", "RAYO_ISOLATION_MS", "RAYO_PROFILE",
      "RAYO_NUMERICS", "RAYO_LOG_FORMAT",    "RAYO_LOG",      "RAYO_VERIFY",    "RAYO_TRACE",        "RAYO_DEVICE"};
  TempFolder folder_;
  TempFolder cache_;
  float x_[3] = {1, 2, 3};
  float y_[3] = {};
};

TEST_F(Settings, WrongVariablesAreNamed) {
  expect_refused("RAYO_METRICS", "maybe", "RAYO_METRICS is 'maybe'");
  expect_refused("RAYO_VERDICT_CACHE", "7", "RAYO_VERDICT_CACHE is '7'");
  expect_refused("RAYO_PROBE_MS", "soon", "RAYO_PROBE_MS is 'soon'");
  expect_refused("RAYO_ISOLATION_MS", "-1", "RAYO_ISOLATION_MS is '-1'");
  expect_refused("RAYO_ISOLATION", "threads", "RAYO_ISOLATION is 'threads'; legal: off, process, process:NAME,NAME");
  expect_refused("RAYO_NUMERICS", "fast", "RAYO_NUMERICS is 'fast'");
  expect_refused("RAYO_VERIFY", "everything", "RAYO_VERIFY");
}

TEST_F(Settings, WrongOptionsAreNamed) {
  rayo_runtime_options wrong = options();
  wrong.plugin_file_count = 2;
  expect_refused(wrong, "options.plugin_files is NULL, but plugin_file_count is 2");
  const char *files[] = {nullptr};
  wrong.plugin_files = files;
  wrong.plugin_file_count = 1;
  expect_refused(wrong, "options.plugin_files[0] is NULL");
  wrong = options();
  wrong.flags = 1u << 30;
  expect_refused(wrong, "options.flags is 0x40000000; legal bits:");
  wrong = options();
  wrong.require_conformance = 3;
  expect_refused(wrong, "options.require_conformance is 3");
  wrong = options();
  wrong.numerics = 9;
  expect_refused(wrong, "options.numerics is 9");
}

TEST_F(Settings, MetricsCountCallsWhereTheyAreAskedFor) {
  setenv("RAYO_METRICS", "1", 1);
  const RuntimePtr counted = make_runtime(options());
  twice(counted);
  EXPECT_NE(metrics(counted).find("op=\"good.twice\""), std::string::npos) << metrics(counted);
  setenv("RAYO_METRICS", "0", 1);
  const RuntimePtr quiet = make_runtime(options());
  twice(quiet);
  EXPECT_EQ(metrics(quiet).find("op=\"good.twice\""), std::string::npos) << metrics(quiet);
}

TEST_F(Settings, WithoutItsCacheNothingIsRemembered) {
  setenv("RAYO_VERDICT_CACHE", "0", 1);
  EXPECT_NE(make_runtime(options()), nullptr);
  EXPECT_FALSE(std::filesystem::exists(cache_ / "rayo/verdicts.json"));
  setenv("RAYO_VERDICT_CACHE", "1", 1);
  EXPECT_NE(make_runtime(options()), nullptr);
  EXPECT_TRUE(std::filesystem::exists(cache_ / "rayo/verdicts.json"));
}

TEST_F(Settings, AProbeMayHaveALimitOfTheCallers) {
  setenv("RAYO_PROBE_MS", "30000", 1);
  const RuntimePtr by_variable = make_runtime(options());
  EXPECT_NE(by_variable, nullptr);
  rayo_runtime_options chosen = options();
  chosen.probe_ms = 30000;
  EXPECT_NE(make_runtime(chosen), nullptr);
}

TEST_F(Settings, IsolationIsOffByName) {
  setenv("RAYO_ISOLATION", "off", 1);
  setenv("RAYO_ISOLATION_MS", "700", 1);
  const RuntimePtr runtime = make_runtime(options());
  twice(runtime);  // an op that the plugin brings itself: gone if it were isolated
  setenv("RAYO_ISOLATION", "process:other", 1);
  const RuntimePtr others = make_runtime(options());
  twice(others);
}

TEST_F(Settings, ADeviceThatIsRejectedSaysWhy) {
  folder_.copy_fixture("null_create");
  setenv("RAYO_DEVICE", "null_create", 1);
  rayo_runtime_options with = options();
  expect_refused(with, "null_create");
  EXPECT_NE(last_error().find("create or destroy is NULL"), std::string::npos) << last_error();
  EXPECT_NE(last_error().find("legal here: auto, host, good"), std::string::npos) << last_error();
}

TEST_F(Settings, AProfileMayBeChained) {
  rayo_profile_options profile{};
  profile.struct_size = sizeof profile;
  profile.struct_type = RAYO_TYPE_PROFILE_OPTIONS;
  profile.profile = "none";
  rayo_struct other{};  // an extension that nobody knows stands before it
  other.struct_size = sizeof other;
  other.struct_type = 0x7001;
  other.next = &profile;
  std::string said;
  rayo_runtime_options with = options();
  with.log = [](void *ctx, int32_t, const char *text) { *static_cast<std::string *>(ctx) += text; };
  with.log_ctx = &said;
  with.next = &other;
  setenv("RAYO_PROFILE", "/no/such/profile.json", 1);
  EXPECT_NE(make_runtime(with), nullptr);
  EXPECT_EQ(said.find("/no/such/profile.json"), std::string::npos) << said;
  with.next = nullptr;
  rayo_status status = RAYO_OK;
  make_runtime(with, &status);
  EXPECT_EQ(status, RAYO_NOT_FOUND);
  EXPECT_NE(last_error().find("profile '/no/such/profile.json': it cannot be opened"), std::string::npos)
      << last_error();
}

TEST_F(Settings, StatusesHaveTheirNames) {
  EXPECT_STREQ(rayo_status_name(RAYO_OK), "RAYO_OK");
  const std::pair<rayo_status, const char *> names[] = {{RAYO_INVALID_ARGUMENT, "RAYO_INVALID_ARGUMENT"},
                                                        {RAYO_NOT_FOUND, "RAYO_NOT_FOUND"},
                                                        {RAYO_UNSUPPORTED, "RAYO_UNSUPPORTED"},
                                                        {RAYO_OUT_OF_MEMORY, "RAYO_OUT_OF_MEMORY"},
                                                        {RAYO_PRECONDITION, "RAYO_PRECONDITION"},
                                                        {RAYO_RETRY, "RAYO_RETRY"},
                                                        {RAYO_DEVICE_LOST, "RAYO_DEVICE_LOST"},
                                                        {RAYO_FORKED, "RAYO_FORKED"},
                                                        {RAYO_CANCELLED, "RAYO_CANCELLED"},
                                                        {RAYO_TIMEOUT, "RAYO_TIMEOUT"},
                                                        {RAYO_IO, "RAYO_IO"},
                                                        {RAYO_REFUSED, "RAYO_REFUSED"},
                                                        {RAYO_GUARD, "RAYO_GUARD"},
                                                        {RAYO_INTERNAL, "RAYO_INTERNAL"}};
  for (const auto &[status, name] : names) EXPECT_STREQ(rayo_status_name(status), name);
  EXPECT_STREQ(rayo_status_name(-77), "unknown status");
}

TEST_F(Settings, WithoutARuntimeOrARoomForAnswersCallsSaySo) {
  const RuntimePtr runtime = make_runtime(options());
  EXPECT_EQ(rayo_run(nullptr, 1, nullptr, 0, nullptr, 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_run_with(nullptr, 1, nullptr, 0, nullptr, 0, nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  uint32_t count = 0;
  rayo_shape shape{};
  EXPECT_EQ(rayo_infer_shapes(nullptr, 1, nullptr, 0, nullptr, &shape, 1, &count), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_infer_shapes(runtime.get(), 1, nullptr, 0, nullptr, &shape, 1, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("out_count is NULL"), std::string::npos);
  EXPECT_EQ(rayo_set_executor(nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  rayo_executor executor{};
  EXPECT_EQ(rayo_set_executor(runtime.get(), &executor), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("not a rayo_executor"), std::string::npos);
  executor.struct_type = RAYO_TYPE_EXECUTOR;
  EXPECT_EQ(rayo_set_executor(runtime.get(), &executor), RAYO_INVALID_ARGUMENT);
  executor.parallel_for = [](void *, uint64_t, uint32_t, rayo_task_fn, void *) {};
  EXPECT_EQ(rayo_set_executor(runtime.get(), &executor), RAYO_INVALID_ARGUMENT) << "struct_size is 0";
  executor.struct_size = sizeof executor;
  EXPECT_EQ(rayo_set_executor(runtime.get(), &executor), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_set_executor(runtime.get(), nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_device_count(nullptr), 0u);
  rayo_device_listing listing{};
  EXPECT_EQ(rayo_device_get(nullptr, 0, &listing), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_forget(nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_forget("/no/such/x.so"), RAYO_NOT_FOUND);
}

TEST_F(Settings, AForgottenPluginIsProbedAnew) {
  ASSERT_NE(make_runtime(options()), nullptr);
  const std::string file = cache_ / "rayo/verdicts.json";
  const auto text = [&] {
    const std::vector<char> bytes = rayo_test::read_file(file);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_NE(text().find("\"state\": \"ready\""), std::string::npos) << text();
  EXPECT_EQ(rayo_plugin_forget((folder_ / "good.so").c_str()), RAYO_OK) << last_error();
  EXPECT_EQ(text().find("\"state\""), std::string::npos) << text();
}

}  // namespace
