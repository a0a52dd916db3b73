// SPDX-License-Identifier: Apache-2.0
//
// The claims themselves: a hundred, each with a verdict and its evidence, none upheld without the backend it names; and
// stand-ins with one planted bug, each of which refutes the claim that the bug is about.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "claims/report.hpp"
#include "claims/run.hpp"
#include "claims/schema.hpp"
#include "runner/command.hpp"
#include "runner/nightly_cache.hpp"

namespace rayo::conform::claims {
namespace {

std::string stand_in(const std::string &name) { return std::string(RAYO_CLAIM_DIR) + "/claim_" + name + ".so"; }

std::vector<Finding> decide_on(const std::vector<std::string> &files, const std::string &list, Setting setting = {}) {
  setting.backends = survey(files, {});
  return decide(choose_claims(list), setting, {});
}

Finding one(const std::vector<std::string> &files, const std::string &id, Setting setting = {}) {
  return decide_on(files, id, std::move(setting)).at(0);
}

void expect(const Finding &f, Outcome outcome, const std::string &part) {
  EXPECT_EQ(f.outcome, outcome) << f.claim->id << ": " << f.evidence;
  EXPECT_NE(f.evidence.find(part), std::string::npos) << f.claim->id << ": " << f.evidence;
}

// A nightly verdict of the machine's user must not decide a test.
class Claims : public ::testing::Test {
 protected:
  void SetUp() override {
    cache_ = std::filesystem::path(::testing::TempDir()) / ("rayo-claims-cache-" + std::to_string(::getpid()));
    ::setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(cache_); }
  std::filesystem::path cache_;
};

TEST_F(Claims, AShaderThatIsMissingRefutesTheirClaim) {
  const std::filesystem::path file = RAYO_VULKAN_FILE;
  if (file.empty()) GTEST_SKIP() << "no plugin vulkan in this build";
  const Finding whole = one({file}, "E-066");
  if (whole.outcome == Outcome::not_evaluated) GTEST_SKIP() << whole.evidence;
  expect(whole, Outcome::upheld, "modules in the plugin's file pass");
  // The last module's first word is spoilt: what is left is valid.
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const std::string head("\x03\x02\x23\x07\x00\x05\x01\x00", 8);
  const std::size_t last = bytes.rfind(head);
  ASSERT_NE(last, std::string::npos);
  bytes[last] = 0;
  std::filesystem::create_directories(cache_);
  const std::filesystem::path copy = cache_ / "vulkan.so";
  std::ofstream(copy, std::ios::binary) << bytes;
  expect(one({copy}, "E-066"), Outcome::refuted, "SPIR-V modules; its build counted");
}

TEST_F(Claims, AreAHundredWithDistinctIds) {
  std::set<std::string_view> ids;
  for (const Claim &claim : all_claims()) {
    ids.insert(claim.id);
    EXPECT_FALSE(claim.title.empty()) << claim.id;
    EXPECT_TRUE(claim.decide != nullptr || claim.needs != Needs::nothing) << claim.id;
  }
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_TRUE(std::is_sorted(all_claims().begin(), all_claims().end(),
                             [](const Claim &a, const Claim &b) { return a.id.substr(2) < b.id.substr(2); }));
}

TEST_F(Claims, WithoutAnyPluginOnlyWhatNeedsNoneIsUpheld) {
  for (const Finding &f : decide_on({}, "")) {
    EXPECT_FALSE(f.evidence.empty()) << f.claim->id;
    EXPECT_NE(f.outcome, Outcome::refuted) << f.claim->id << ": " << f.evidence;
    if (f.outcome == Outcome::upheld) {
      EXPECT_EQ(f.claim->id, "B-018") << f.evidence;
    }
  }
}

TEST_F(Claims, AMissingBackendIsNotEvaluated) {
  const std::vector<Finding> findings = decide_on({RAYO_SCALAR_FILE}, "A-002,A-003,A-012,C-046,C-047,A-015,E-067");
  for (const Finding &f : findings) EXPECT_EQ(f.outcome, Outcome::not_evaluated) << f.claim->id << ": " << f.evidence;
  EXPECT_NE(findings[0].evidence.find("no plugin 'avx2'"), std::string::npos) << findings[0].evidence;
}

TEST_F(Claims, ABackendThatIsNotReadySaysWhy) {
  Setting setting;
  setting.backends = survey({}, std::vector<FoundPlugin>{{"avx512", "/x/avx512.so", "needs avx512f: not on this CPU"}});
  const Finding f = decide(choose_claims("A-003"), setting, {}).at(0);
  expect(f, Outcome::not_evaluated, "needs avx512f: not on this CPU");
}

TEST_F(Claims, AStandInWithoutABugRefutesNothing) {
  // Not those about time, nor the whole suite, nor ten million elements.
  const std::string list =
      "A-001,A-002,B-017,B-019,B-021,B-023,B-025,B-029,B-030,C-031,C-032,C-033,C-036,C-042,C-044,C-045,G-095,G-099";
  for (const Finding &f : decide_on({stand_in("avx2_none"), stand_in("scalar_none")}, list)) {
    EXPECT_NE(f.outcome, Outcome::refuted) << f.claim->id << ": " << f.evidence;
  }
  expect(one({stand_in("avx2_none"), RAYO_SCALAR_FILE}, "A-002"), Outcome::upheld, "0 of ");
}

TEST_F(Claims, AWrongSumRefutesThatBitsAreScalars) {
  const Finding f = one({stand_in("avx2_wrong_add"), RAYO_SCALAR_FILE}, "A-002");
  expect(f, Outcome::refuted, "add f32");
  EXPECT_NE(f.command.find("--case 'add f32"), std::string::npos) << f.command;
}

TEST_F(Claims, UnequalRunsRefuteDeterminism) {
  expect(one({stand_in("scalar_unstable")}, "A-001"), Outcome::refuted, "run 0");
  expect(one({stand_in("scalar_none")}, "A-001"), Outcome::upheld, "first of 1000");
  for (const char *id : {"B-017", "B-019", "B-025", "B-026"}) {
    expect(one({stand_in("avx2_unstable")}, id), Outcome::refuted, "run 0");
  }
}

TEST_F(Claims, APlantedBugRefutesItsOwnClaim) {
  expect(one({stand_in("avx2_lopsided")}, "C-031"), Outcome::refuted, "add(b, a)");
  expect(one({stand_in("avx2_lopsided")}, "C-033"), Outcome::upheld, "mul(b, a)");
  expect(one({stand_in("avx2_minus_zero")}, "C-036"), Outcome::refuted, "relu(-0x0p+0)");
  expect(one({stand_in("avx2_over_write")}, "C-042"), Outcome::refuted, "f32");
  expect(one({stand_in("avx2_over_write")}, "C-045"), Outcome::refuted, "f32");
  expect(one({stand_in("avx2_greedy")}, "G-095"), Outcome::refuted, "MiB beyond its inputs");
  expect(one({stand_in("avx2_stale")}, "B-021"), Outcome::refuted, "shuffled");
  expect(one({stand_in("avx2_forked")}, "B-029"), Outcome::refuted, "in a forked child");
  expect(one({stand_in("avx2_starved")}, "B-023"), Outcome::refuted, "address space");
  expect(one({stand_in("avx2_flushing")}, "C-050"), Outcome::refuted, "mul f32");
  expect(one({stand_in("avx2_wrong_add")}, "G-096"), Outcome::refuted, "add f32");
}

TEST_F(Claims, ACrashOfThePluginRefutesAndNamesTheCall) {
  const Finding f = one({stand_in("avx2_crashing"), RAYO_SCALAR_FILE}, "A-002");
  expect(f, Outcome::refuted, "crashed (signal SIG");
  EXPECT_NE(f.evidence.find("--case 'add f32"), std::string::npos) << f.evidence;
  expect(one({stand_in("avx2_crashing")}, "C-044"), Outcome::refuted, "crashed");
}

TEST_F(Claims, APluginWithoutTheOpsOfAClaimLeavesItOpen) {
  expect(one({stand_in("avx2_none")}, "C-034"), Outcome::not_evaluated, "nothing was compared");
  expect(one({stand_in("avx2_none")}, "C-037"), Outcome::not_evaluated, "no ready plugin has sigmoid");
  expect(one({stand_in("avx2_none")}, "C-046"), Outcome::not_evaluated, "stripped, or is not built");
}

TEST_F(Claims, OnlyAWholeNightlyVerdictUpholdsAClaimOnAllInputs) {
  const std::string file = stand_in("avx2_none");
  expect(one({file}, "C-036"), Outcome::not_evaluated, "only a part was judged");
  const NightlyKey key{survey(std::vector<std::string>{file}, {}).at(0).sha256, "relu", "f32", "", "exact"};
  NightlyVerdict verdict{"avx2", std::uint64_t{1} << 31, {State::passed, 0, 0, ""}, "2026-03-01"};
  store_nightly(key, verdict);
  expect(one({file}, "C-036"), Outcome::not_evaluated, "only a part was judged");
  verdict.inputs = std::uint64_t{1} << 32;
  store_nightly(key, verdict);
  expect(one({file}, "C-036"), Outcome::upheld, "nightly run of 2026-03-01");
  verdict.verdict = {State::failed, 0, 0, "relu(0x1p-1) = 0"};
  store_nightly(key, verdict);
  expect(one({file}, "C-036"), Outcome::refuted, "relu(0x1p-1) = 0");
  // Of another file: says nothing.
  expect(one({stand_in("scalar_none")}, "C-036"), Outcome::not_evaluated, "only a part was judged");
}

TEST_F(Claims, TheCommandWritesAVerdictAndEvidenceForEachAndSaysWhetherOneIsRefuted) {
  const std::string out = ::testing::TempDir() + "/claims.json";
  const auto run = [&](const std::string &name, const std::string &list) {
    return conform_command(std::vector<std::string>{"--plugin", stand_in(name), "--reference", RAYO_SCALAR_FILE,
                                                    "--claim", list, "--json", "-o", out});
  };
  EXPECT_EQ(run("avx2_none", "A-002,B-018,F-081"), 0);
  std::ifstream file(out);
  const nlohmann::json root = nlohmann::json::parse(file);
  EXPECT_EQ(schema_violation(nlohmann::json::parse(report_schema()), root), "");
  ASSERT_EQ(root.at("claims").size(), 3u);
  EXPECT_EQ(root["claims"][0]["id"], "A-002");
  EXPECT_EQ(root["claims"][0]["verdict"], "upheld");
  EXPECT_EQ(root["claims"][2]["verdict"], "not_evaluated");
  for (const auto &claim : root["claims"]) {
    for (const char *field : {"id", "title", "verdict", "evidence", "command"}) {
      EXPECT_FALSE(claim.at(field).get<std::string>().empty()) << claim.dump();
    }
  }
  EXPECT_EQ(run("avx2_wrong_add", "A-002"), 1);
  EXPECT_EQ(run("avx2_none", "A-999"), 2);
  EXPECT_EQ(conform_command(std::vector<std::string>{"--claims", "--format", "junit"}), 2);
  EXPECT_EQ(conform_command(std::vector<std::string>{"--claim", "B-018", "--quick"}), 2);
}

#ifdef RAYO_DEVICE_FILE
// A profile that sends every add of f32 in host memory to mock0, and the verdict on it.
Finding sent_to_the_device(const char *host_cost, const char *device_cost) {
  ::setenv("RAYO_COST_MOCK_A", host_cost, 1);
  ::setenv("RAYO_COST_MOCK0", device_cost, 1);
  const std::vector<std::string> files = {RAYO_COST_FILE, RAYO_DEVICE_FILE};
  const std::vector<Backend> backends = survey(files, {});
  using nlohmann::json;
  const auto candidate = [](int plugin, const char *device) {
    return json{{"plugin", plugin}, {"device", device}, {"kernel", ""}, {"threads", 1}, {"checked", "none"}};
  };
  const json row = {{"threads", 1}, {"class", 0}, {"level", 0}, {"from", {0}}, {"candidate", {1}}};
  const json entry = {{"op", "add"},
                      {"schema_version", 1},
                      {"types", "T=f32"},
                      {"layout", "contiguous"},
                      {"residency", "host"},
                      {"candidates", {candidate(0, "mock_a"), candidate(1, "mock0")}},
                      {"surfaces", json::array()},
                      {"choices", json::array({row})},
                      {"rejected", json::array()}};
  const json device = {{"id", "mock0"}, {"name", "mock device with memory of its own"}, {"driver", ""}};
  const json profile = {{"schema", "urn:rayo:profile:1"},
                        {"created", ""},
                        {"kind", "written"},
                        {"complete", true},
                        {"machine",
                         {{"class", "*"},
                          {"instance", ""},
                          {"cpu", ""},
                          {"isa", ""},
                          {"caches", ""},
                          {"topology", ""},
                          {"devices", json::array({device})}}},
                        {"plugins",
                         {{{"name", "mock_a"}, {"sha256", backends[0].sha256}, {"version", "1"}},
                          {{"name", "mock"}, {"sha256", backends[1].sha256}, {"version", "0.1.0"}}}},
                        {"transfers", json::array()},
                        {"entries", json::array({entry})}};
  const std::string path = ::testing::TempDir() + "/rayo-claim-profile-" + std::to_string(::getpid()) + ".json";
  std::ofstream(path) << profile.dump();
  ::setenv("RAYO_PROFILE", path.c_str(), 1);
  Finding finding = one(files, "A-011");
  for (const char *name : {"RAYO_PROFILE", "RAYO_COST_MOCK_A", "RAYO_COST_MOCK0"}) ::unsetenv(name);
  std::filesystem::remove(path);
  return finding;
}

TEST_F(Claims, AProfileThatSendsCallsToASlowerDeviceIsRefuted) {
  // The kernel itself is the faster one; with its transfers it is not.
  expect(sent_to_the_device("fixed=300000", "launch=10000 latency=3000000"), Outcome::refuted, "mock0 was picked");
}

TEST_F(Claims, AProfileThatSendsCallsToAFasterDeviceIsUpheld) {
  expect(sent_to_the_device("fixed=5000000", "launch=10000"), Outcome::upheld, "mock0 (mock device");
}
#endif

}  // namespace
}  // namespace rayo::conform::claims
