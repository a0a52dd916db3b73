// SPDX-License-Identifier: Apache-2.0
//
// An installation that lacks a part: what cannot be probed is not used, and the reason says what to do.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "faults/fault_files.hpp"
#include "faults/fault_run.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tools::test::Folder;

// librayo alone in a folder of its own, and a plugin that is not the package's.
class Installation : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(home_ / "lib/rayo");
    fs::copy_file(RAYO_LIBRARY, home_ / "lib/librayo.so.0");
    file_ = add_chaos(plugins_.path(), "none-at-all");
  }
  void add_probe(mode_t mode) const {
    const std::string probe = home_ / "lib/rayo/rayo-probe";
    fs::copy_file(RAYO_PROBE, probe, fs::copy_options::overwrite_existing);
    ASSERT_EQ(::chmod(probe.c_str(), mode), 0);
  }
  json verdict() const {
    const auto result = tools::test::rayo({"devices", "--all", "--json"},
                                          {"",
                                           {"RAYO_PLUGIN_PATH=" + plugins_.path(), "LD_LIBRARY_PATH=" + (home_ / "lib"),
                                            "XDG_CACHE_HOME=" + home_.path()},
                                           0});
    return verdict_of(json::accept(result.out) ? result.json() : json{{"plugins", json::array()}}, file_);
  }
  void expect_unprobed(const std::string &why) const {
    const json is = verdict();
    EXPECT_EQ(is.at("state"), "rejected");
    const auto reason = is.at("reason").get<std::string>();
    EXPECT_NE(reason.find("is not one of the package's own plugins and cannot be probed: "), std::string::npos)
        << reason;
    EXPECT_NE(reason.find(why), std::string::npos) << reason;
    EXPECT_NE(reason.find("reinstall Rayo"), std::string::npos) << reason;
  }
  Folder home_;
  Folder plugins_;
  std::string file_;
};

TEST_F(Installation, WithoutTheProbe) { expect_unprobed("there is no rayo-probe in lib/rayo beside librayo"); }

TEST_F(Installation, WithAProbeThatIsNoProgram) {
  add_probe(0644);
  expect_unprobed("lib/rayo/rayo-probe' is not executable");
}

TEST_F(Installation, WithAProbeThatOthersMayWrite) {
  add_probe(0777);
  expect_unprobed("lib/rayo/rayo-probe' is writable by others");
}

TEST_F(Installation, WithoutScalarItsResultsAreNotComparedWithAnything) {
  add_probe(0755);
  EXPECT_EQ(verdict().at("state"), "ready") << verdict();
  file_ = add_chaos(plugins_.path(), "kernel-segv");
  EXPECT_EQ(verdict().at("state"), "quarantined") << verdict();
}

// Whoever installed librayo may install plugins.
TEST_F(Installation, OfAnotherUserTrustsWhatIsThatUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  constexpr uid_t kOwner = 12345;
  add_probe(0755);
  ASSERT_EQ(::chown(file_.c_str(), kOwner, kOwner), 0);
  EXPECT_EQ(verdict().at("state"), "rejected");
  EXPECT_NE(verdict().at("reason").get<std::string>().find("belongs to user 12345"), std::string::npos) << verdict();
  for (const char *part : {"lib/librayo.so.0", "lib/rayo/rayo-probe"}) {
    ASSERT_EQ(::chown((home_ / part).c_str(), kOwner, kOwner), 0);
  }
  EXPECT_EQ(verdict().at("state"), "ready") << verdict();
}

}  // namespace
}  // namespace rayo::faults
