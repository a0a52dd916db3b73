// SPDX-License-Identifier: Apache-2.0
#include "loader/search.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temp_folder.hpp"

namespace rayo {
namespace {

using rayo_test::TempFolder;

TEST(PluginPath, KeepsEmptyEntriesToRefuseThem) {
  EXPECT_EQ(split_plugin_path("/a:/b"), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(split_plugin_path(":/a:"), (std::vector<std::string>{"", "/a", ""}));
}

TEST(Search, RefusesRelativeEmptyAndMissingFolders) {
  const SearchResult result = search_folders({"", "plugins", "./x", "/no/such/folder"});
  EXPECT_TRUE(result.files.empty());
  ASSERT_EQ(result.refused.size(), 4u);
  EXPECT_NE(result.refused[0].reason.find("never means the current directory"), std::string::npos);
  EXPECT_NE(result.refused[1].reason.find("is not absolute"), std::string::npos);
  EXPECT_NE(result.refused[2].reason.find("is not absolute"), std::string::npos);
  EXPECT_NE(result.refused[3].reason.find("does not exist"), std::string::npos);
}

TEST(Search, ListsSharedObjectsSortedAndNothingElse) {
  const TempFolder folder;
  for (const char *name : {"b.so", "a.so", "notes.txt", ".so", "c.so.1", "a\nb.so"}) folder.write(name, {'x'});
  const SearchResult result = search_folders({folder.path()});
  EXPECT_EQ(result.files, (std::vector<std::string>{folder / "a\nb.so", folder / "a.so", folder / "b.so"}));
  EXPECT_TRUE(result.refused.empty());
}

TEST(Search, ListsABrokenLinkAsRefused) {
  const TempFolder folder;
  ASSERT_EQ(symlink("/no/such/file", (folder / "broken.so").c_str()), 0);
  const SearchResult result = search_folders({folder.path()});
  EXPECT_TRUE(result.files.empty());
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].path, folder / "broken.so");
}

TEST(Search, FollowsLinksToTheRealFile) {
  const TempFolder folder;
  const TempFolder other;
  other.write("real.so", {'x'});
  ASSERT_EQ(symlink((other / "real.so").c_str(), (folder / "link.so").c_str()), 0);
  EXPECT_EQ(search_folders({folder.path()}).files, (std::vector<std::string>{other / "real.so"}));
}

TEST(Trust, RefusesWhatOthersMayWrite) {
  const TempFolder folder;
  folder.write("p.so", {'x'});
  EXPECT_EQ(distrust(folder / "p.so"), "");  // /tmp above it is sticky and passes
  ASSERT_EQ(chmod((folder / "p.so").c_str(), 0666), 0);
  EXPECT_NE(distrust(folder / "p.so").find("writable by others (mode 0666)"), std::string::npos);
  ASSERT_EQ(chmod((folder / "p.so").c_str(), 0644), 0);

  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  EXPECT_NE(distrust(folder / "p.so").find("lies in"), std::string::npos);
  const SearchResult open = search_folders({folder.path()});
  EXPECT_TRUE(open.files.empty());
  ASSERT_EQ(open.refused.size(), 1u);
  EXPECT_NE(open.refused[0].reason.find("writable by others"), std::string::npos);

  std::filesystem::create_directory(folder / "inner");
  EXPECT_NE(search_folders({folder / "inner"}).refused.at(0).reason.find("lies in"), std::string::npos);
  ASSERT_EQ(chmod(folder.path().c_str(), 0700), 0);
  EXPECT_TRUE(search_folders({folder / "inner"}).refused.empty());
}

TEST(Trust, RefusesAStrangersFile) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TempFolder folder;
  folder.write("p.so", {'x'});
  ASSERT_EQ(chown((folder / "p.so").c_str(), 12345, 12345), 0);
  EXPECT_NE(distrust(folder / "p.so").find("belongs to user 12345"), std::string::npos);
}

TEST(Trust, TakesWhatThisUserAndRootOwn) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const TempFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  for (const uid_t owner : {0u, 12345u, 54321u}) {
    const std::string name = std::to_string(owner) + ".so";
    folder.write(name, {'x'});
    ASSERT_EQ(chown((folder / name).c_str(), owner, owner), 0);
  }
  ASSERT_EQ(seteuid(12345), 0);
  const std::string of_root = distrust(folder / "0.so");
  const std::string own = distrust(folder / "12345.so");
  const std::string of_another = distrust(folder / "54321.so");
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(of_root, "");
  EXPECT_EQ(own, "");
  EXPECT_NE(of_another.find("belongs to user 54321"), std::string::npos);
}

TEST(Search, SaysWhyAFolderCannotBeOpened) {
  const TempFolder folder;
  folder.write("file", {'x'});
  ASSERT_EQ(symlink("circle", (folder / "circle").c_str()), 0);
  const SearchResult result = search_folders({folder / "file/plugins", folder / "circle", folder / "file"});
  ASSERT_EQ(result.refused.size(), 3u);
  EXPECT_NE(result.refused[0].reason.find("does not exist"), std::string::npos) << result.refused[0].reason;
  EXPECT_NE(result.refused[1].reason.find("cannot be opened: "), std::string::npos) << result.refused[1].reason;
  EXPECT_NE(result.refused[2].reason.find("cannot be listed: "), std::string::npos) << result.refused[2].reason;
}

TEST(PackagePaths, LieBesideTheLibrary) {
  const std::vector<std::string> found = package_paths("rayo-probe");
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(found[0].ends_with("/lib/rayo/rayo-probe")) << found[0];
  EXPECT_TRUE(package_paths("no such thing").empty());
}

// Linked statically, its path is the program's, whatever it was called by.
TEST(PackagePaths, AreFoundByAProgramUnderAnotherName) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), "found-by-path", "--gtest_filter=PackagePaths.LieBesideTheLibrary", "--gtest_brief=1",
          nullptr);
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Trust, ALookAtNothingIsNoTrust) {
  EXPECT_NE(distrust(""), "");
  EXPECT_NE(distrust("/no/such/file"), "");
  EXPECT_EQ(distrust("/"), "");
}

}  // namespace
}  // namespace rayo
