// SPDX-License-Identifier: Apache-2.0
//
// Outputs appear whole or not at all: before commit nothing is to be seen, a failure leaves what was there, and a
// signal leaves no temporary file.
#include "temp_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "command.hpp"

namespace rayo::tools {
namespace {

namespace fs = std::filesystem;

class OutputFilesTest : public ::testing::Test {
 protected:
  OutputFilesTest() {
    std::string name = "/tmp/rayo-output-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OutputFilesTest() override { fs::remove_all(folder_); }

  std::string in(const std::string &name) const { return folder_ + "/" + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  static void put(const std::string &path, const std::string &text) { std::ofstream(path) << text; }
  static std::string get(const std::string &path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static void write(const OutputFiles &files, std::size_t index, const std::string &text) {
    ASSERT_EQ(::write(files.descriptor(index), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  using Names = std::vector<std::string>;

  std::string folder_;
};

TEST_F(OutputFilesTest, CommitMakesAllAppear) {
  put(in("a"), "old");
  {
    OutputFiles files({in("a"), in("b")});
    write(files, 0, "new a");
    write(files, 1, "new b");
    EXPECT_EQ(get(in("a")), "old");
    EXPECT_FALSE(fs::exists(in("b")));
    files.commit();
    EXPECT_EQ(get(in("a")), "new a");
    EXPECT_EQ(get(in("b")), "new b");
  }
  EXPECT_EQ(names(), (Names{"a", "b"}));
}

TEST_F(OutputFilesTest, WithoutCommitNothingChanges) {
  put(in("a"), "old");
  {
    OutputFiles files({in("a"), in("b")});
    write(files, 0, "half");
  }
  EXPECT_EQ(names(), (Names{"a"}));
  EXPECT_EQ(get(in("a")), "old");
}

TEST_F(OutputFilesTest, AFailedRenamePutsTheOthersBack) {
  put(in("a"), "old");
  OutputFiles files({in("a"), in("b"), in("c")});
  write(files, 0, "new");
  fs::create_directory(in("c"));  // what a rename of a file cannot replace
  EXPECT_THROW(files.commit(), CommandError);
  EXPECT_EQ(get(in("a")), "old");
  EXPECT_FALSE(fs::exists(in("b")));
}

TEST_F(OutputFilesTest, PlacesThatCannotBeWrittenAreRefusedAtOnce) {
  fs::create_directory(in("folder"));
  for (const std::string &path : {in("missing/a"), in("folder"), in("folder/"), std::string("/proc/a"),
                                  std::string("/dev/full"), std::string()}) {
    try {
      OutputFiles files({in("good"), path});
      FAIL() << path << " was accepted";
    } catch (const CommandError &error) {
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(names(), (Names{"folder"}));
}

TEST_F(OutputFilesTest, OneFileForTwoOutputsIsRefused) {
  fs::create_symlink(in("a"), in("link"));
  put(in("a"), "old");
  EXPECT_THROW(OutputFiles({in("a"), in("a")}), CommandError);
  EXPECT_THROW(OutputFiles({in("a"), in("link")}), CommandError);
  EXPECT_THROW(OutputFiles({in("a"), folder_ + "/./a"}), CommandError);
  EXPECT_EQ(names(), (Names{"a", "link"}));
}

TEST_F(OutputFilesTest, ModesAndLinksAreKept) {
  put(in("a"), "old");
  ASSERT_EQ(::chmod(in("a").c_str(), 0640), 0);
  fs::create_symlink("a", in("link"));
  OutputFiles files({in("link"), in("new")});
  files.commit();
  EXPECT_TRUE(fs::is_symlink(in("link")));
  struct stat status {};
  ASSERT_EQ(::stat(in("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ASSERT_EQ(::stat(in("new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0666U & ~mask);
}

TEST_F(OutputFilesTest, SignalsRemoveTemporaryFiles) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::signal(number, SIG_DFL);
      remove_temp_files_on_signals();
      const OutputFiles files({in("a"), in("b")});
      if (names().size() != 2) ::_exit(3);
      ::raise(number);
      ::_exit(4);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), number);
    EXPECT_EQ(names(), Names{});
  }
}

}  // namespace
}  // namespace rayo::tools
