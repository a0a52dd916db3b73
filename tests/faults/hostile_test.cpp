// SPDX-License-Identifier: Apache-2.0
//
// Places that somebody else prepared: folders, paths, environments.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "faults/fault_files.hpp"
#include "faults/fault_run.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tools::test::Folder;

// A good folder and a bad entry beside it on the path: the entry is refused with its reason, the folder is used.
void refused_entry(const std::string &name, const std::string &entry, const std::string &reason) {
  const Folder good;
  add_scalar(good.path());
  const json document = devices({"RAYO_PLUGIN_PATH=" + entry + ":" + good.path()});
  const json verdict = verdict_of(document, entry);
  const auto said = verdict.at("reason").get<std::string>();
  EXPECT_EQ(verdict.at("state"), "rejected") << said;
  EXPECT_NE(said.find(reason), std::string::npos) << said;
  EXPECT_EQ(verdict_of(document, fs::canonical(RAYO_SCALAR_FILE)).at("state"), "ready");
  const Runtime runtime = open_folder(entry + ":" + good.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(add_numbers(runtime.get(), 5000), RAYO_OK) << last_error();
  record("hostile", name, verdict.at("state"), said);
}

TEST(Hostile, FolderWritableByOthers) {
  const Folder folder;
  add_chaos(folder.path(), "load-segv");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  refused_entry("folder_writable_by_others", folder.path(), "is writable by others");
}

TEST(Hostile, ParentFolderWritableByOthers) {
  const Folder folder;
  const std::string inner = folder / "plugins";
  fs::create_directory(inner);
  add_chaos(inner, "load-segv");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  refused_entry("parent_folder_writable_by_others", inner, "which is writable by others");
}

TEST(Hostile, RelativePathElement) { refused_entry("relative_path_element", "some/where", "is not absolute"); }
TEST(Hostile, EmptyPathElement) { refused_entry("empty_path_element", "", "an empty entry of the plugin path"); }
TEST(Hostile, MissingFolder) { refused_entry("missing_folder", "/there/is/no/such/folder", "does not exist"); }

TEST(Hostile, FolderOfAStranger) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const Folder folder;
  add_chaos(folder.path(), "load-segv");
  ASSERT_EQ(::chown(folder.path().c_str(), 65534, 65534), 0);
  refused_entry("folder_of_a_stranger", folder.path(), "belongs to user 65534");
}

TEST(Hostile, PluginInTheWorkingDirectory) {
  const Folder here;
  add_chaos(here.path(), "load-segv");
  const fs::path before = fs::current_path();
  fs::current_path(here.path());
  const json document = devices({});
  fs::current_path(before);
  for (const json &plugin : document.at("plugins")) {
    EXPECT_EQ(plugin.at("file").get<std::string>().rfind(here.path(), 0), std::string::npos) << plugin.at("file");
  }
  record("hostile", "plugin_in_the_working_directory", "not listed", "the current directory is never searched");
}

TEST(Hostile, AMegabyteOfPluginPath) {
  const Folder good;
  add_scalar(good.path());
  std::string path;
  while (path.size() < (size_t{1} << 20)) path += "/no/such/place" + std::to_string(path.size()) + ":";
  ASSERT_EQ(::setenv("RAYO_PLUGIN_PATH", (path + good.path()).c_str(), 1), 0);
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.log = [](void *, int32_t, const char *) {};
  rayo_runtime *runtime = nullptr;
  const rayo_status status = rayo_runtime_create(&options, &runtime);
  ::unsetenv("RAYO_PLUGIN_PATH");  // no other program can be run with it
  ASSERT_EQ(status, RAYO_OK) << last_error();
  const Runtime owner(runtime);
  EXPECT_EQ(add_numbers(runtime, 5000), RAYO_OK) << last_error();
  record("hostile", "a_megabyte_of_plugin_path", "rejected", "each missing folder is listed; the good one is used");
}

// A set-uid program gets nothing from its caller's environment: neither plugins nor verdicts.
TEST(Hostile, EnvironmentOfAPrivilegedProcess) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a set-uid program of another user";
  const Folder folder;
  const Folder cache;
  const std::string program = folder / "rayo";
  fs::copy_file(RAYO_PROGRAM, program);
  ASSERT_EQ(::chown(program.c_str(), 65534, 65534), 0);
  ASSERT_EQ(::chmod(program.c_str(), 04755), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const std::string plugins = folder / "plugins";
  fs::create_directory(plugins);
  const std::string file = add_chaos(plugins, "load-segv");
  const std::string command = "RAYO_PLUGIN_PATH=" + plugins + " XDG_CACHE_HOME=" + cache.path() + " " + program +
                              " devices --all --json 2>" + folder.path() + "/err";
  FILE *pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string out;
  char buffer[4096];
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, got);
  ::pclose(pipe);
  const std::string err = tools::test::read_file(folder / "err");
  if (err.find("is ignored in a privileged") == std::string::npos)
    GTEST_SKIP() << "set-uid has no effect here: " << err;
  ASSERT_TRUE(json::accept(out)) << out << err;
  EXPECT_EQ(verdict_of(json::parse(out), file).at("state"), "not listed");
  EXPECT_TRUE(fs::is_empty(cache.path()));
  record("hostile", "environment_of_a_privileged_process", "not listed", "RAYO_PLUGIN_PATH and the cache are ignored");
}

}  // namespace
}  // namespace rayo::faults
