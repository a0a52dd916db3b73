// SPDX-License-Identifier: Apache-2.0
//
// Creating runtimes: options, environment, growable structs, misuse.
#include <cstring>

#include "api_helpers.hpp"
#include "temp_folder.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;
using rayo_test::TempFolder;

// Sets variables and takes them back.
class Environment {
 public:
  ~Environment() {
    for (const std::string &name : names_) unsetenv(name.c_str());
  }
  void set(const char *name, const std::string &value) {
    names_.emplace_back(name);
    setenv(name, value.c_str(), 1);
  }

 private:
  std::vector<std::string> names_;
};

class Runtime : public testing::Test {
 protected:
  void SetUp() override {
    for (const char *name :
         {"RAYO_PLUGIN_PATH", "RAYO_DEVICE", "RAYO_NUM_THREADS", "RAYO_NUMERICS", "RAYO_LOG", "RAYO_CPU_DISABLE"}) {
      unsetenv(name);
    }
    folder_.copy_fixture("good");
    folder_.copy_fixture("good2");
  }
  rayo_runtime_options options() const {
    rayo_runtime_options out = quiet_options();
    out.flags = 0;
    out.plugin_path = folder_.path().c_str();
    return out;
  }
  // Creates, expects the status and returns the text.
  static std::string refused(const rayo_runtime_options &options, rayo_status expected) {
    rayo_status status = RAYO_OK;
    const RuntimePtr runtime = make_runtime(options, &status);
    EXPECT_EQ(status, expected) << last_error();
    EXPECT_EQ(runtime, nullptr);
    return last_error();
  }
  TempFolder folder_;
  Environment environment_;
};

TEST_F(Runtime, WrongEnvironmentIsNamedWithTheLegalValues) {
  const struct {
    const char *name, *value, *legal;
  } cases[] = {{"RAYO_NUM_THREADS", "many", "1 to 1024"},
               {"RAYO_NUMERICS", "fast", "reproducible, accurate, relaxed"},
               {"RAYO_CPU_DISABLE", "avx3", "avx2"},
               {"RAYO_DEVICE", "cuda7", "auto, host, good, good2"}};
  for (const auto &wrong : cases) {
    setenv(wrong.name, wrong.value, 1);
    const std::string text = refused(options(), RAYO_INVALID_ARGUMENT);
    unsetenv(wrong.name);
    EXPECT_NE(text.find(wrong.name), std::string::npos) << text;
    EXPECT_NE(text.find("'" + std::string(wrong.value) + "'"), std::string::npos) << text;
    EXPECT_NE(text.find(wrong.legal), std::string::npos) << text;
  }
  environment_.set("RAYO_LOG", "loud");
  rayo_runtime_options without_log = options();
  without_log.log = nullptr;
  EXPECT_NE(refused(without_log, RAYO_INVALID_ARGUMENT).find("error, warn, info, debug, off"), std::string::npos);
}

TEST_F(Runtime, OptionsWinOverTheEnvironmentWhichCanBeIgnored) {
  environment_.set("RAYO_NUM_THREADS", "3");
  RuntimePtr runtime = make_runtime(options());
  EXPECT_EQ(rayo_runtime_threads(runtime.get()), 3u);
  rayo_runtime_options five = options();
  five.threads = 5;
  runtime = make_runtime(five);
  EXPECT_EQ(rayo_runtime_threads(runtime.get()), 5u);
  environment_.set("RAYO_NUM_THREADS", "nonsense");
  rayo_runtime_options alone = options();
  alone.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
  runtime = make_runtime(alone);
  EXPECT_GE(rayo_runtime_threads(runtime.get()), 1u);
}

TEST_F(Runtime, PluginPathComesFromTheEnvironment) {
  environment_.set("RAYO_PLUGIN_PATH", "relative:" + folder_.path());
  rayo_runtime_options from_environment = options();
  from_environment.plugin_path = nullptr;
  const RuntimePtr runtime = make_runtime(from_environment);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(rayo_plugin_count(runtime.get()), 3u);  // the refused entry and the two files: nothing else was searched
  EXPECT_EQ(rayo_device_count(runtime.get()), 2u);
}

TEST_F(Runtime, NoUsablePluginTellsEachReason) {
  const TempFolder junk;
  junk.write("a.so", {'x'});
  junk.copy_fixture("no_note");
  rayo_runtime_options wrong = options();
  wrong.plugin_path = junk.path().c_str();
  const std::string text = refused(wrong, RAYO_NOT_FOUND);
  EXPECT_NE(text.find("a.so' is not an ELF file"), std::string::npos) << text;
  EXPECT_NE(text.find("no_note.so' has no .note.rayo"), std::string::npos) << text;
  wrong.plugin_path = "/no/such/folder";
  EXPECT_NE(refused(wrong, RAYO_NOT_FOUND).find("'/no/such/folder' does not exist"), std::string::npos);
  const TempFolder empty;
  wrong.plugin_path = empty.path().c_str();
  EXPECT_NE(refused(wrong, RAYO_NOT_FOUND).find("no plugin file was found in '" + empty.path()), std::string::npos);
  // Many files and a path of a megabyte: cut, not overflowed.
  for (int i = 0; i < 50; ++i) junk.write("junk" + std::to_string(i) + ".so", {'x'});
  wrong.plugin_path = junk.path().c_str();
  EXPECT_NE(refused(wrong, RAYO_NOT_FOUND).find("more: see rayo devices --all"), std::string::npos);
  const std::string megabyte = "/" + std::string(1 << 20, 'p');
  wrong.plugin_path = megabyte.c_str();
  refused(wrong, RAYO_NOT_FOUND);
}

TEST_F(Runtime, ReadsSmallerAndLargerStructs) {
  struct {
    rayo_runtime_options options;
    uint64_t unknown;
  } larger = {options(), 0xdeadbeef};
  larger.options.struct_size = sizeof larger;
  EXPECT_NE(make_runtime(larger.options), nullptr);
  // An older caller that knows the struct up to `threads`: what lies behind must not be read.
  environment_.set("RAYO_PLUGIN_PATH", folder_.path());
  rayo_runtime_options smaller;
  std::memset(static_cast<void *>(&smaller), 0xff, sizeof smaller);
  smaller.struct_size = offsetof(rayo_runtime_options, numerics);
  smaller.struct_type = RAYO_TYPE_RUNTIME_OPTIONS;
  smaller.next = nullptr;
  smaller.flags = 0;
  smaller.threads = 2;
  const RuntimePtr runtime = make_runtime(smaller);
  EXPECT_EQ(rayo_runtime_threads(runtime.get()), 2u);
}

TEST_F(Runtime, SkipsUnknownExtensionsUnlessTheyInsist) {
  rayo_struct extension = {sizeof extension, 0x7777, nullptr};
  rayo_runtime_options extended = options();
  extended.next = &extension;
  EXPECT_NE(make_runtime(extended), nullptr);
  extension.struct_type |= RAYO_MUST_UNDERSTAND;
  EXPECT_NE(refused(extended, RAYO_UNSUPPORTED).find("0x80007777"), std::string::npos);
  extension.struct_type = 0x7777;
  extension.next = &extension;
  EXPECT_NE(refused(extended, RAYO_INVALID_ARGUMENT).find("circle"), std::string::npos);
}

TEST_F(Runtime, MisuseIsAnErrorWithText) {
  EXPECT_EQ(rayo_runtime_create(nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(last_error(), "out_runtime is NULL");
  rayo_runtime_destroy(nullptr);
  rayo_runtime_options wrong = options();
  wrong.struct_type = 0;
  refused(wrong, RAYO_INVALID_ARGUMENT);
  wrong = options();
  wrong.struct_size = 0;
  refused(wrong, RAYO_INVALID_ARGUMENT);
  wrong = options();
  wrong.flags = 0x100;
  EXPECT_NE(refused(wrong, RAYO_INVALID_ARGUMENT).find("0x100"), std::string::npos);
  wrong = options();
  wrong.numerics = 4;
  refused(wrong, RAYO_INVALID_ARGUMENT);
  wrong = options();
  wrong.threads = 100000;
  refused(wrong, RAYO_INVALID_ARGUMENT);
  wrong = options();
  wrong.plugin_file_count = 1;
  refused(wrong, RAYO_INVALID_ARGUMENT);
  const rayo_executor without_function = {sizeof without_function, RAYO_TYPE_EXECUTOR, nullptr, nullptr, nullptr};
  wrong = options();
  wrong.executor = &without_function;
  EXPECT_NE(refused(wrong, RAYO_INVALID_ARGUMENT).find("parallel_for"), std::string::npos);

  const RuntimePtr runtime = make_runtime(options());
  rayo_plugin_info info{};
  EXPECT_EQ(rayo_plugin_get(runtime.get(), 0, &info), RAYO_INVALID_ARGUMENT);  // header not filled
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_PLUGIN_INFO;
  EXPECT_EQ(rayo_plugin_get(runtime.get(), 99, &info), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("99"), std::string::npos);
  EXPECT_EQ(rayo_plugin_get(runtime.get(), 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_get(nullptr, 0, &info), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_device_get(nullptr, 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_op_get(nullptr, 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_kernel_get(nullptr, 0, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_count(nullptr), 0u);
  EXPECT_EQ(rayo_op_find(nullptr), RAYO_OP_NONE);
  EXPECT_EQ(rayo_op_find("no_such_op"), RAYO_OP_NONE);
  EXPECT_EQ(rayo_runtime_set_threads(nullptr, 1), RAYO_INVALID_ARGUMENT);
  EXPECT_STREQ(rayo_status_name(RAYO_REFUSED), "RAYO_REFUSED");
  EXPECT_STREQ(rayo_status_name(-999), "unknown status");
}

TEST_F(Runtime, OutStructsOfOlderCallersAreNotOverrun) {
  const RuntimePtr runtime = make_runtime(options());
  rayo_plugin_info info;
  std::memset(static_cast<void *>(&info), 0x5a, sizeof info);
  info.struct_size = offsetof(rayo_plugin_info, vendor);
  info.struct_type = RAYO_TYPE_PLUGIN_INFO;
  info.next = nullptr;
  ASSERT_EQ(rayo_plugin_get(runtime.get(), 0, &info), RAYO_OK) << last_error();
  EXPECT_STREQ(info.name, "good");
  EXPECT_EQ(info.struct_size, offsetof(rayo_plugin_info, vendor));
  EXPECT_EQ(info.kernel_count, 0x5a5a5a5au);
}

TEST_F(Runtime, ThreadsCanBeChangedAndReset) {
  rayo_runtime_options two = options();
  two.threads = 2;
  const RuntimePtr runtime = make_runtime(two);
  EXPECT_EQ(rayo_runtime_set_threads(runtime.get(), 7), RAYO_OK);
  EXPECT_EQ(rayo_runtime_threads(runtime.get()), 7u);
  EXPECT_EQ(rayo_runtime_set_threads(runtime.get(), 0), RAYO_OK);
  EXPECT_EQ(rayo_runtime_threads(runtime.get()), 2u);
  EXPECT_EQ(rayo_runtime_set_threads(runtime.get(), 4096), RAYO_INVALID_ARGUMENT);
}

TEST_F(Runtime, ListsCatalogueAndVendorOps) {
  const RuntimePtr runtime = make_runtime(options());
  std::map<std::string, rayo_op_info> ops;
  for (uint32_t i = 0; i < rayo_op_count(runtime.get()); ++i) {
    rayo_op_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_OP_INFO;
    ASSERT_EQ(rayo_op_get(runtime.get(), i, &info), RAYO_OK);
    EXPECT_EQ(rayo_op_find(info.name), info.op);
    EXPECT_STREQ(rayo_op_name(info.op), info.name);
    ops[info.name] = info;
  }
  EXPECT_STREQ(ops.at("matmul").origin, "rayo");
  EXPECT_STREQ(ops.at("good2.twice").origin, "good2");
}

}  // namespace
