// SPDX-License-Identifier: Apache-2.0
//
// Every row of the fault table: the program's verdict, the library beside the bad file, and what is left behind.
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>

#include "faults/fault_files.hpp"
#include "faults/fault_rows.hpp"
#include "faults/fault_run.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tools::test::Folder;

size_t entries(const char *folder) {
  size_t count = 0;
  for (auto it = fs::directory_iterator(folder); it != fs::directory_iterator(); ++it) ++count;
  return count;
}

// Open files, threads and children of this process.
struct Belongings {
  size_t files = entries("/proc/self/fd");
  size_t threads = entries("/proc/self/task");
  bool children = ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
};

void check_others_work(const std::string &folder) {
  ASSERT_NE(open_folder(folder), nullptr) << last_error();  // what is opened once and for ever is open now
  const Belongings before;
  {
    const Runtime runtime = open_folder(folder);
    ASSERT_NE(runtime, nullptr) << last_error();
    EXPECT_EQ(add_numbers(runtime.get(), 37), RAYO_OK) << last_error();
    EXPECT_EQ(add_numbers(runtime.get(), 5000), RAYO_OK) << last_error();
    volatile float tiny = 1e-40f;
    EXPECT_GT(tiny * 0.5f, 0.0f) << "flush-to-zero was left on";
  }
  const Belongings after;
  EXPECT_EQ(before.files, after.files);
  EXPECT_EQ(before.threads, after.threads);
  EXPECT_FALSE(after.children) << "a child was left behind";
}

class EveryFault : public testing::TestWithParam<Fault> {};

TEST_P(EveryFault, HasItsVerdictAndHarmsNobody) {
  const Fault &fault = GetParam();
  const Folder folder;
  add_scalar(folder.path());
  const std::string file = fault.make(folder.path());
  std::vector<std::string> environment = {"RAYO_PLUGIN_PATH=" + folder.path()};
  // A shorter limit where waiting is all there is to see.
  if (fault.slow) environment.emplace_back("RAYO_PROBE_MS=400");
  const json document = devices(environment);
  const json verdict = verdict_of(document, file);
  const auto reason = verdict.at("reason").get<std::string>();
  EXPECT_EQ(verdict.at("state"), fault.state) << reason;
  EXPECT_NE(reason.find(fault.reason), std::string::npos) << reason;
  EXPECT_EQ(verdict_of(document, fs::canonical(RAYO_SCALAR_FILE)).at("state"), "ready");
  if (!fault.slow) check_others_work(folder.path());
  record(fault.group, fault.name, verdict.at("state"), reason);
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryFault, testing::ValuesIn(all_faults()),
                         [](const auto &test) { return test.param.group + "_" + test.param.name; });

// The limit as it is, and the memory of it: the program answers at once the second time. Times are not asserted here.
TEST(Hanging, IsQuarantinedOnceAndRemembered) {
  const Folder folder;
  const Folder cache;
  add_scalar(folder.path());
  const std::string file = add_chaos(folder.path(), "load-wait");
  for (int round = 0; round < 2; ++round) {
    const json document = devices({"RAYO_PLUGIN_PATH=" + folder.path(), "XDG_CACHE_HOME=" + cache.path()});
    const json verdict = verdict_of(document, file);
    const auto reason = verdict.at("reason").get<std::string>();
    EXPECT_EQ(verdict.at("state"), "quarantined");
    EXPECT_NE(reason.find("hung in its probe, loading: no end after 2000 ms"), std::string::npos) << reason;
    record("load", "load_wait", verdict.at("state"), reason);
  }
  EXPECT_TRUE(fs::exists(cache / "rayo/verdicts.json"));
}

TEST(Replaced, AFileIsProbedAgain) {
  const Folder folder;
  const Folder cache;
  add_scalar(folder.path());
  const std::vector<std::string> environment = {"RAYO_PLUGIN_PATH=" + folder.path(), "XDG_CACHE_HOME=" + cache.path()};
  const std::string file = add_chaos(folder.path(), "kernel-wrong");
  EXPECT_EQ(verdict_of(devices(environment), file).at("state"), "rejected");
  // Another file takes its place: what is known of the old one does not hold for it.
  fs::rename(add_fixture(cache.path(), "good"), file);
  EXPECT_EQ(verdict_of(devices(environment), file).at("state"), "ready");
}

TEST(Damaged, TruncationsAtEvery4KiBAreRefusedUnloaded) {
  const Folder folder;
  add_scalar(folder.path());
  const std::vector<char> whole = bytes_of(RAYO_CHAOS_FILE);
  std::vector<std::string> files;
  for (size_t size = 0; size < whole.size(); size += 4096) {
    files.push_back(folder / ("cut" + std::to_string(size) + ".so"));
    write_bytes(files.back(), {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  const json document = devices({"RAYO_PLUGIN_PATH=" + folder.path()});
  for (const std::string &file : files) {
    const json verdict = verdict_of(document, file);
    EXPECT_EQ(verdict.at("state"), "rejected") << file;
    EXPECT_EQ(verdict.at("reason").get<std::string>().find("probe"), std::string::npos) << verdict.at("reason");
  }
  check_others_work(folder.path());
  record("load", "file_truncated_at_every_4_KiB", "rejected", "each by the static look");
}

// One bit at a time in the parts that a loader reads: whatever a flip does, it does it in a child.
TEST(Damaged, FlippedBitsHarmNobody) {
  const Folder folder;
  add_scalar(folder.path());
  const std::vector<char> whole = bytes_of(RAYO_CHAOS_FILE);
  constexpr size_t kFlips = 64;
  for (size_t i = 0; i < kFlips; ++i) {
    std::vector<char> bytes = whole;
    const size_t at = i < kFlips / 2 ? i * 19 % 1024 : i * 7919 % whole.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (i % 8)));
    write_bytes(folder / ("flip" + std::to_string(i) + ".so"), bytes);
  }
  const json document = devices({"RAYO_PLUGIN_PATH=" + folder.path(), "RAYO_PROBE_MS=1000"});
  size_t refused = 0;
  for (const json &plugin : document.at("plugins")) {
    if (plugin.at("state") == "ready") continue;
    EXPECT_NE(plugin.at("reason"), "");
    ++refused;
  }
  EXPECT_GE(refused, kFlips - 1);  // at most one may have the name
  record("load", "file_with_flipped_bits", "rejected", "each with a reason of its own");
}

}  // namespace
}  // namespace rayo::faults
