// SPDX-License-Identifier: Apache-2.0
//
// Folders full of faulty plugins: each gets its verdict and reason, the good ones work, the host is unharmed.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "api_helpers.hpp"
#include "temp_folder.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::plugins_of;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;
using rayo_test::TempFolder;

struct Fault {
  const char *fixture;
  const char *reason;  // must appear in the verdict
};

class FaultyPlugin : public testing::TestWithParam<Fault> {};

TEST_P(FaultyPlugin, IsRejectedWithItsReasonAndTheOthersWork) {
  const TempFolder folder;
  folder.copy_fixture(GetParam().fixture);
  folder.copy_fixture("good");
  rayo_runtime_options options = quiet_options();
  options.plugin_path = folder.path().c_str();
  const RuntimePtr runtime = make_runtime(options);
  ASSERT_NE(runtime, nullptr);
  const auto plugins = plugins_of(runtime.get());
  ASSERT_EQ(plugins.size(), 2u);
  const rayo_plugin_info faulty = plugins.at(std::string(GetParam().fixture) + ".so");
  EXPECT_EQ(faulty.state, RAYO_PLUGIN_REJECTED);
  EXPECT_NE(std::string(faulty.reason).find(GetParam().reason), std::string::npos) << faulty.reason;
  EXPECT_EQ(std::string(faulty.sha256).size(), 64u);
  EXPECT_EQ(plugins.at("good.so").state, RAYO_PLUGIN_READY);

  const float x[3] = {1, -2, 0.5f};
  float y[3] = {};
  const int64_t shape[1] = {3};
  const rayo_tensor in = rayo_tensor_make(const_cast<float *>(x), RAYO_F32, 1, shape, nullptr);
  const rayo_tensor out = rayo_tensor_make(y, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor *ins[] = {&in};
  const rayo_tensor *outs[] = {&out};
  ASSERT_EQ(rayo_run(runtime.get(), rayo_op_find("good.twice"), ins, 1, outs, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(y[0], 2.0f);
  EXPECT_EQ(y[1], -4.0f);
  EXPECT_EQ(y[2], 1.0f);
  // Subnormals still work: no plugin has left flush-to-zero behind.
  volatile float tiny = 1e-40f;
  EXPECT_GT(tiny * 0.5f, 0.0f);
}

INSTANTIATE_TEST_SUITE_P(
    All, FaultyPlugin,
    testing::Values(
        Fault{"no_note", "has no .note.rayo"}, Fault{"no_symbol", "does not export rayo_plugin_query"},
        Fault{"short_name", "name is not"}, Fault{"abi_major", "is built for ABI 99.0"},
        Fault{"abi_zero", "is built for ABI 0.0"}, Fault{"abi_needs_newer", "needs a core of ABI 0.8"},
#if defined(__x86_64__)
        Fault{"flush_to_zero", "changed the floating-point environment"},
#endif
        Fault{"needs_bit40", "needs bit 40: not on this CPU"},
        Fault{"unresolved", "rayo_test_symbol_that_nobody_defines"},
        Fault{"unknown_op", "'stranger.thrice' is neither in the catalogue"}, Fault{"types", "unknown dtype 'f99'"},
        Fault{"lying_types", "types give T=i8"}, Fault{"null_prepare", "prepare is NULL"},
        Fault{"null_kernel", "kernel 1 of 2 is NULL"}, Fault{"duplicate_kernel", "two kernels are called 'twice_f32'"},
        Fault{"create", "the test asked for this failure"}, Fault{"struct_size", "struct_size 40"},
        Fault{"name", "calls it 'somebody_else', its note 'name'"},
        Fault{"null_table", "are NULL, but the count is not 0"}, Fault{"null_create", "create or destroy is NULL"},
        Fault{"not_for_host", "no such chip in this machine"}, Fault{"query", "the test asked for a failing query"}),
    [](const auto &test) { return std::string(test.param.fixture); });

TEST(Loading, ListsEveryJunkFileWithAReason) {
  const TempFolder folder;
  folder.copy_fixture("good");
  folder.write("empty.so", {});
  folder.write("text.so", {'j', 'u', 'n', 'k'});
  folder.write("readme.txt", {'x'});
  std::filesystem::create_directory(folder / "folder.so");
  ASSERT_EQ(mkfifo((folder / "fifo.so").c_str(), 0600), 0);
  std::vector<char> cut = rayo_test::read_file(std::string(RAYO_FIXTURE_DIR) + "/good2.so");
  cut.resize(cut.size() / 2);
  folder.write("cut.so", cut);
  folder.write("open.so", cut);
  ASSERT_EQ(chmod((folder / "open.so").c_str(), 0666), 0);
  rayo_runtime_options options = quiet_options();
  options.plugin_path = folder.path().c_str();
  const RuntimePtr runtime = make_runtime(options);
  ASSERT_NE(runtime, nullptr);
  const auto plugins = plugins_of(runtime.get());
  EXPECT_EQ(plugins.size(), 7u);
  for (const auto &[file, info] : plugins) {
    if (file == "good.so") continue;
    EXPECT_EQ(info.state, RAYO_PLUGIN_REJECTED) << file;
    EXPECT_STRNE(info.reason, "") << file;
  }
  EXPECT_NE(std::string(plugins.at("cut.so").reason).find("truncated"), std::string::npos);
  EXPECT_NE(std::string(plugins.at("open.so").reason).find("writable by others"), std::string::npos);
}

TEST(Loading, TheFirstOfANameWins) {
  const TempFolder first;
  const TempFolder second;
  first.copy_fixture("good", "b");
  second.copy_fixture("good", "a");
  const std::string path = first.path() + ":" + second.path();
  rayo_runtime_options options = quiet_options();
  options.plugin_path = path.c_str();
  const RuntimePtr runtime = make_runtime(options);
  ASSERT_NE(runtime, nullptr);
  const auto plugins = plugins_of(runtime.get());
  EXPECT_EQ(plugins.at("b.so").state, RAYO_PLUGIN_READY);
  EXPECT_EQ(plugins.at("a.so").state, RAYO_PLUGIN_REJECTED);
  EXPECT_NE(std::string(plugins.at("a.so").reason).find("the first one found wins"), std::string::npos);
  EXPECT_EQ(rayo_device_count(runtime.get()), 1u);
}

TEST(Loading, KeepsTheNewerOpOutAndThePluginIn) {
  const TempFolder folder;
  folder.copy_fixture("good");
  std::string log;
  rayo_runtime_options options = quiet_options();
  options.plugin_path = folder.path().c_str();
  options.log = [](void *ctx, int32_t, const char *text) { *static_cast<std::string *>(ctx) += text; };
  options.log_ctx = &log;
  const RuntimePtr runtime = make_runtime(options);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(rayo_kernel_count(runtime.get()), 1u);
  EXPECT_NE(log.find("'op_of_a_later_catalogue'"), std::string::npos) << log;
}

TEST(Loading, ANamedFileThatIsRefusedFailsTheStart) {
  const TempFolder folder;
  folder.copy_fixture("null_table");
  rayo_runtime_options options = quiet_options();
  options.flags |= RAYO_RUNTIME_ONLY_FILES;
  const std::string file = folder / "null_table.so";
  const std::string missing = folder / "missing.so";
  const char *files[] = {file.c_str()};
  options.plugin_files = files;
  options.plugin_file_count = 1;
  rayo_status status = RAYO_OK;
  make_runtime(options, &status);
  EXPECT_EQ(status, RAYO_REFUSED);
  EXPECT_NE(last_error().find("null_table.so' is refused"), std::string::npos) << last_error();
  files[0] = missing.c_str();
  make_runtime(options, &status);
  EXPECT_EQ(status, RAYO_NOT_FOUND);
  const std::string good = std::string(RAYO_FIXTURE_DIR) + "/good.so";
  files[0] = good.c_str();
  const RuntimePtr runtime = make_runtime(options, &status);
  EXPECT_EQ(status, RAYO_OK) << last_error();
}

TEST(Loading, AnOpOfAVendorsMayHaveOptionalInputsAlone) {
  rayo_runtime_options options = quiet_options();
  options.flags |= RAYO_RUNTIME_ONLY_FILES;
  const std::string file = std::string(RAYO_FIXTURE_DIR) + "/optional.so";
  const char *files[] = {file.c_str()};
  options.plugin_files = files;
  options.plugin_file_count = 1;
  const RuntimePtr runtime = make_runtime(options);
  ASSERT_NE(runtime, nullptr);
  const rayo_op op = rayo_op_find("optional.twice");
  float x = 4;
  float y = -1;
  const rayo_tensor in = rayo_tensor_make(&x, RAYO_F32, 0, nullptr, nullptr);
  const rayo_tensor out = rayo_tensor_make(&y, RAYO_F32, 0, nullptr, nullptr);
  const rayo_tensor *ins[] = {&in, &in};
  const rayo_tensor *outs[] = {&out};
  EXPECT_EQ(rayo_run(runtime.get(), op, nullptr, 0, outs, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(y, -1.0f) << "without its input it writes nothing";
  const rayo_tensor *none[] = {nullptr};
  EXPECT_EQ(rayo_run(runtime.get(), op, none, 1, outs, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(y, -1.0f);
  EXPECT_EQ(rayo_run(runtime.get(), op, ins, 1, outs, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(y, 8.0f);
  EXPECT_EQ(rayo_run(runtime.get(), op, ins, 2, outs, 1, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("2 inputs were given, 0 to 1 are taken"), std::string::npos) << last_error();
  EXPECT_EQ(rayo_run(runtime.get(), op, nullptr, 1, outs, 1, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("inputs is NULL"), std::string::npos) << last_error();
}

TEST(Loading, TwoRuntimesUseOnePluginAtOnce) {
  rayo_runtime_options options = quiet_options();
  options.flags |= RAYO_RUNTIME_ONLY_FILES;
  const std::string good = std::string(RAYO_FIXTURE_DIR) + "/good.so";
  const char *files[] = {good.c_str()};
  options.plugin_files = files;
  options.plugin_file_count = 1;
  RuntimePtr first = make_runtime(options);
  const RuntimePtr second = make_runtime(options);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  first.reset();
  EXPECT_EQ(rayo_device_count(second.get()), 1u);
}

TEST(Library, ExportsOnlyTheApi) {
  FILE *nm = popen("nm -D --defined-only " RAYO_LIBRARY, "r");
  ASSERT_NE(nm, nullptr);
  int count = 0;
  char line[4096];
  while (fgets(line, sizeof line, nm) != nullptr) {
    std::string text(line);
    text.erase(text.find_last_not_of(" \n") + 1);
    const std::string name = text.substr(text.rfind(' ') + 1);
    if (name.rfind("RAYO_0", 0) == 0) continue;  // the version node itself
    EXPECT_EQ(name.rfind("rayo_", 0), 0u) << name;
    ++count;
  }
  EXPECT_EQ(pclose(nm), 0);
  EXPECT_GT(count, 40);
}

}  // namespace
