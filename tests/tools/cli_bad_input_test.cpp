// SPDX-License-Identifier: Apache-2.0
//
// Bad input, each with its exit code, a message that names the thing and the legal values, and nothing half-written.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "program.hpp"

namespace rayo::tools::test {
namespace {

class CliBadInput : public ::testing::Test {
 protected:
  CliBadInput() {
    write_array(a_, RAYO_F32, {2, 3}, [](uint64_t i) { return static_cast<double>(i); });
    write_array(b_, RAYO_F32, {4}, [](uint64_t i) { return static_cast<double>(i); });
  }
  // Runs and expects this exit code, every word in the message, nothing on stdout and no file but the inputs.
  void expect(const std::vector<std::string> &arguments, int exit_code, const std::vector<std::string> &words,
              const ProgramOptions &options = {}) {
    const std::vector<std::string> before = folder_.names();
    const ProgramResult result = rayo(arguments, options);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    for (const std::string &word : words) {
      EXPECT_NE(result.err.find(word), std::string::npos) << result.err << "lacks: " << word;
    }
    EXPECT_EQ(folder_.names(), before);
  }
  Folder folder_;
  const std::string a_ = folder_ / "a.npy";
  const std::string b_ = folder_ / "b.npy";
  const std::string out_ = folder_ / "out.npy";
};

TEST_F(CliBadInput, Commands) {
  expect({"rum"}, 2, {"unknown command 'rum'", "'run'"});
  expect({"run"}, 2, {"no op given"});
  expect({"run", "--colour", "add"}, 2, {"unknown option '--colour'", "--device"});
  expect({"run", "--dev", "scalar", "neg", a_}, 2, {"unknown option '--dev'", "--device"});
  expect({"run", "neg", a_, "--repeat", "0"}, 2, {"--repeat '0'", "1 to"});
  expect({"run", "neg", a_, "--threads", "x"}, 2, {"--threads 'x'", "1 to"});
  expect({"run", "neg", a_, "--numerics", "exact"}, 2, {"'exact'", "reproducible, accurate, relaxed"});
  expect({"run", "neg", a_, "--dtype", "f8"}, 2, {"'f8'", "bf16"});
  expect({"run", "neg", "--batch", "x"}, 2, {"--batch"});
  expect({"explain", "add"}, 2, {"--shape is missing"});
  expect({"explain", "add", "--shape", "3xx,3"}, 2, {"'3xx'", "legal"});
  expect({"explain", "add", "--shape", "3,3", "--dtype", "f33"}, 2, {"'f33'", "f32"});
}

TEST_F(CliBadInput, OpsAttributesAndDevices) {
  expect({"run", "matmull", a_, a_, "-o", out_}, 2, {"unknown op 'matmull'", "'matmul'", "rayo ops"});
  expect({"run", "neg", a_, "--attr", "axis=1", "-o", out_}, 2, {"neg", "unknown attribute 'axis'", "legal: none"});
  expect({"run", "softmax", a_, "--attr", "axs=1", "-o", out_}, 2, {"'axs'", "'axis'"});
  expect({"run", "softmax", a_, "--attr", "axis=x", "-o", out_}, 2, {"axis", "'x'", "INT"});
  expect({"run", "softmax", a_, "--attr", "axis=7", "-o", out_}, 1, {"axis", "7"});
  expect({"run", "gelu", a_, "--attr", "approximate=fast", "-o", out_}, 1, {"approximate", "fast", "tanh"});
  expect({"run", "neg", a_, "--device", "avx1024", "-o", out_}, 2, {"unknown device 'avx1024'", "scalar"});
  expect({"run", "neg", a_, "--plugin", folder_ / "no.so", "-o", out_}, 1, {"no.so", "no such file"});
  expect({"run", "neg", a_, "--plugin", a_, "-o", out_}, 1, {"a.npy"});
}

TEST_F(CliBadInput, OperandsThatDoNotFit) {
  expect({"run", "add", a_, b_, "-o", out_}, 1, {"add", "3", "4"});
  expect({"run", "matmul", a_, a_, "-o", out_}, 1, {"matmul", "3", "2"});
  expect({"run", "add", a_, "-o", out_}, 2, {"1 input given", "it takes 2", "A:T B:T"});
  expect({"run", "neg", a_, "-o", out_, "-o", folder_ / "more.npy"}, 2, {"2 output files", "1 output"});
  write_array(folder_ / "i.npy", RAYO_I8, {2, 3}, [](uint64_t i) { return static_cast<double>(i); });
  expect({"run", "neg", folder_ / "i.npy", "-o", out_}, 3, {"neg", "i8"});
}

TEST_F(CliBadInput, Files) {
  const std::string whole = read_file(a_);
  expect({"run", "neg", folder_ / "missing.npy", "-o", out_}, 1, {"missing.npy", "No such file"});
  write_file(folder_ / "cut.npy", whole.substr(0, whole.size() - 1));
  expect({"run", "neg", folder_ / "cut.npy", "-o", out_}, 1, {"cut.npy", "truncated", "24 bytes"});
  write_file(folder_ / "text.npy", "not an array at all");
  expect({"run", "neg", folder_ / "text.npy", "-o", out_}, 1, {"text.npy", "not an .npy file"});
  std::string pickled = whole;
  pickled.replace(pickled.find("'<f4'"), 5, "'|O' ");
  write_file(folder_ / "pickled.npy", pickled);
  expect({"run", "neg", folder_ / "pickled.npy", "-o", out_}, 1, {"pickled.npy", "never unpickles"});
  std::string complex = whole;
  complex.replace(complex.find("'<f4'"), 5, "'<c8'");
  write_file(folder_ / "complex.npy", complex);
  expect({"run", "neg", folder_ / "complex.npy", "-o", out_}, 3, {"'<c8'", "legal types: f2, f4"});
  write_file(folder_ / "huge.npy", std::string("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12) + std::string(100, ' '));
  expect({"run", "neg", folder_ / "huge.npy", "-o", out_}, 1, {"header of 2147483647 bytes", "65536"});
}

TEST_F(CliBadInput, PlacesThatCannotBeWritten) {
  expect({"run", "neg", a_, "-o", folder_ / "no/out.npy"}, 1, {"no/out.npy", "cannot be written"});
  expect({"run", "neg", a_, "-o", folder_.path()}, 1, {folder_.path(), "folder"});
  expect({"run", "neg", a_, "-o", "/proc/out.npy"}, 1, {"/proc/out.npy"});
  expect({"run", "neg", a_, "-o", "/dev/null"}, 1, {"/dev/null", "not a regular file"});
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode)) << "/dev/null was replaced";
}

TEST_F(CliBadInput, AFullStandardOutputIsAMessage) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const std::string command =
      std::string("RAYO_PLUGIN_PATH=" RAYO_PLUGIN_FOLDER " ") + RAYO_PROGRAM + " ops >/dev/full 2>" + (folder_ / "err");
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_NE(read_file(folder_ / "err").find("standard output"), std::string::npos);
}

TEST_F(CliBadInput, OutOfMemoryIsAMessage) {
  write_array(folder_ / "row.npy", RAYO_F32, {1, 2000000}, [](uint64_t) { return 1.0; });
  write_array(folder_ / "column.npy", RAYO_F32, {2000000, 1}, [](uint64_t) { return 1.0; });
  expect({"run", "add", folder_ / "row.npy", folder_ / "column.npy", "-o", out_}, 1, {"out of memory", "2000000"});
}

// The inputs fit, the output does not.
TEST_F(CliBadInput, ALimitOnTheProcessIsAMessageToo) {
  write_array(folder_ / "short.npy", RAYO_F32, {1, 10000}, [](uint64_t) { return 1.0; });
  write_array(folder_ / "tall.npy", RAYO_F32, {10000, 1}, [](uint64_t) { return 1.0; });
  expect({"run", "add", folder_ / "short.npy", folder_ / "tall.npy", "-o", out_}, 1, {"out of memory"},
         {.input = "", .environment = {}, .address_space = uint64_t{350} << 20});
}

TEST_F(CliBadInput, PluginFoldersWithoutPlugins) {
  expect({"devices"}, 1, {folder_ / "none"}, {.input = "", .environment = {"RAYO_PLUGIN_PATH=" + (folder_ / "none")}});
  std::filesystem::create_directory(folder_ / "junk");
  write_file(folder_ / "junk/bad.so", "this is no ELF file");
  expect({"devices"}, 1, {"bad.so"}, {.input = "", .environment = {"RAYO_PLUGIN_PATH=" + (folder_ / "junk")}});
}

}  // namespace
}  // namespace rayo::tools::test
