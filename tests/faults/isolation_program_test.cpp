// SPDX-License-Identifier: Apache-2.0
//
// `rayo run --isolate`, as a user runs it.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <string>
#include <vector>

#include "faults/fault_files.hpp"
#include "npy.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

using nlohmann::json;
using tools::test::Folder;
using tools::test::ProgramResult;
using tools::test::read_file;

constexpr int64_t kLate = 5000;  // elements: more than a probe tries

// A folder of plugins with a cache of its own, and two arrays.
struct Place {
  Place() {
    tools::test::write_array(files / "a.npy", RAYO_F32, {kLate}, [](uint64_t i) { return std::sin(0.37 * i) * 9; });
    tools::test::write_array(files / "b.npy", RAYO_F32, {kLate}, [](uint64_t i) { return std::cos(1.9 * i) + 0.1; });
  }
  // run add or mul on both arrays, into `out`.
  ProgramResult run(const std::string &op, const std::string &out, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"run", op, files / "a.npy", files / "b.npy", "-o", files / out};
    words.insert(words.end(), more.begin(), more.end());
    return tools::test::rayo(
        words, {.input = "", .environment = {"RAYO_PLUGIN_PATH=" + plugins.path(), "XDG_CACHE_HOME=" + cache.path()}});
  }
  Folder plugins, cache, files;
};

// A copy that the package's manifest does not list: another file, the same plugin.
void add_own_scalar(const std::string &folder) {
  std::vector<char> bytes = bytes_of(RAYO_SCALAR_FILE);
  bytes.push_back('x');
  write_bytes(folder + "/scalar.so", bytes);
}

TEST(IsolatedRun, HasTheBitsOfTheDirectRun) {
  const Place place;
  add_own_scalar(place.plugins.path());
  for (const char *op : {"div", "pow", "max"}) {
    const ProgramResult direct = place.run(op, "direct.npy", {"--device", "scalar"});
    ASSERT_EQ(direct.exit_code, 0) << op << ": " << direct.err;
    const ProgramResult isolated = place.run(op, "isolated.npy", {"--device", "scalar", "--isolate", "--json"});
    ASSERT_EQ(isolated.exit_code, 0) << op << ": " << isolated.err;
    EXPECT_EQ(isolated.json().at("device"), "scalar");
    EXPECT_TRUE(isolated.json().at("fallbacks").empty()) << isolated.out;
    EXPECT_EQ(read_file(place.files / "direct.npy"), read_file(place.files / "isolated.npy")) << op;
  }
}

TEST(IsolatedRun, ACrashGivesAMessageAndTheFallbacksResult) {
  const Place place;
  add_scalar(place.plugins.path());
  add_chaos(place.plugins.path(), "late-segv");
  const ProgramResult by_scalar = place.run("add", "scalar.npy", {"--device", "scalar"});
  ASSERT_EQ(by_scalar.exit_code, 0) << by_scalar.err;

  const ProgramResult isolated = place.run("add", "isolated.npy", {"--isolate"});
  ASSERT_EQ(isolated.exit_code, 0) << isolated.err;
  EXPECT_NE(isolated.out.find("fell back from chaos (1 call): worker: its worker process crashed: SIGSEGV"),
            std::string::npos)
      << isolated.out;
  EXPECT_EQ(read_file(place.files / "isolated.npy"), read_file(place.files / "scalar.npy"));

  const json document = place.run("add", "isolated.npy", {"--isolate", "--json"}).json();
  ASSERT_EQ(document.at("fallbacks").size(), 1u) << document;
  EXPECT_EQ(document.at("fallbacks")[0].at("device"), "chaos");
}

TEST(IsolatedRun, ACrashOfTheOnlyDeviceAskedForIsAnErrorWithoutAFile) {
  const Place place;
  add_scalar(place.plugins.path());
  add_chaos(place.plugins.path(), "late-segv");
  const ProgramResult isolated = place.run("add", "isolated.npy", {"--isolate", "--device", "chaos"});
  EXPECT_EQ(isolated.exit_code, 1) << isolated.out;
  EXPECT_NE(isolated.err.find("its worker process crashed: SIGSEGV"), std::string::npos) << isolated.err;
  EXPECT_EQ(place.files.names(), (std::vector<std::string>{"a.npy", "b.npy"}));
  // The same without isolation takes the program with it.
  EXPECT_EQ(place.run("add", "direct.npy", {"--device", "chaos"}).exit_code, 128 + SIGSEGV);
}

}  // namespace
}  // namespace rayo::faults
