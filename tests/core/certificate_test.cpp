// SPDX-License-Identifier: Apache-2.0
//
// What counts as a certificate of conformance, and what does not: every refusal names what is wrong. Hostile text is
// refused like any other, without a crash.
#include "loader/certificate.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <random>

namespace {

using nlohmann::json;
using rayo::certificate_cache_path;
using rayo::judge_certificate;

const std::string kHash(64, 'a');

json report(const std::string &sha256 = kHash) {
  return {{"plugin", "acme"},
          {"sha256", sha256},
          {"good", true},
          {"refused", ""},
          {"summary",
           {{"passed", 2},
            {"failed", 0},
            {"unsupported", 1},
            {"expected_fail", 0},
            {"crashed", 0},
            {"hung", 0},
            {"distrusted", 0},
            {"not_evaluated", 0}}},
          {"cases",
           {{{"case", "add f32 1,1 - 0 uniform 1"}, {"state", "passed"}, {"bound", 0.5}},
            {{"case", "add f32 2,2 - 0 uniform 1"}, {"state", "passed"}},
            {{"case", "exp f32 2 - 0 uniform 1"}, {"state", "unsupported"}}}}};
}

json document() {
  return {{"schema", "urn:rayo:conform:1"}, {"run", {{"kind", "full"}, {"seed", 1}}}, {"reports", {report()}}};
}

void expect_refused(const json &text, const std::string &why) {
  const std::string reason = judge_certificate(text.dump(), kHash);
  EXPECT_NE(reason.find(why), std::string::npos) << "reason: " << reason;
}

TEST(Certificate, AFullPassedReportOfThisFileIsOne) {
  EXPECT_EQ(judge_certificate(document().dump(), kHash), "");
  EXPECT_EQ(judge_certificate(document().dump(2), kHash), "");
}

TEST(Certificate, MayCoverSeveralFilesAndHoldLaterFields) {
  json text = document();
  text["reports"].insert(text["reports"].begin(), report(std::string(64, 'b')));
  text["reports"][0]["good"] = false;
  text["reports"][0]["summary"]["failed"] = 3;
  text["run"]["later"] = {{"kind", "quick"}, {"list", {1, 2, {{"good", false}}}}};
  text["reports"][1]["extra"] = {{"good", false}, {"cases", {{{"state", "failed"}}}}};
  EXPECT_EQ(judge_certificate(text.dump(), kHash), "");
  EXPECT_NE(judge_certificate(text.dump(), std::string(64, 'b')), "");
}

TEST(Certificate, AnotherFileIsNotCovered) {
  EXPECT_NE(judge_certificate(document().dump(), std::string(64, 'c')).find("about other files"), std::string::npos);
}

TEST(Certificate, OnlyAFullRunCounts) {
  for (const char *kind : {"quick", "partial", ""}) {
    json text = document();
    text["run"]["kind"] = kind;
    expect_refused(text, "only a full run counts");
  }
  json text = document();
  text.erase("run");
  expect_refused(text, "only a full run counts");
}

TEST(Certificate, OnlyThisSchemaCounts) {
  json text = document();
  text["schema"] = "urn:rayo:conform:2";
  expect_refused(text, "'urn:rayo:conform:2'");
  text.erase("schema");
  expect_refused(text, "has the schema (none)");
}

TEST(Certificate, EveryKindOfFailureRefuses) {
  for (const char *state : {"failed", "crashed", "hung", "distrusted", "expected_fail"}) {
    json counted = document();
    counted["reports"][0]["summary"][state] = 1;
    expect_refused(counted, state);
    json listed = document();
    listed["reports"][0]["cases"][1]["state"] = state;
    expect_refused(listed, state);
    json missing = document();
    missing["reports"][0]["summary"].erase(state);
    expect_refused(missing, std::string("lacks summary.") + state);
  }
}

TEST(Certificate, WhatContradictsItselfIsRefused) {
  json text = document();
  text["reports"][0]["good"] = false;
  expect_refused(text, "did not pass");
  text = document();
  text["reports"][0]["refused"] = "crashed while loading";
  expect_refused(text, "was not judged");
  text = document();
  text["reports"][0]["summary"]["passed"] = 700;
  expect_refused(text, "counts 700 passed cases, but lists 2");
  text = document();
  text["reports"][0]["cases"] = json::array();
  expect_refused(text, "lists no passed case");
  text = document();
  text["reports"].push_back(report());
  text["reports"][1]["summary"]["failed"] = 1;
  expect_refused(text, "counts 1 cases as failed");
}

TEST(Certificate, WrongTypesAreMissingMembers) {
  json text = document();
  text["reports"][0]["good"] = "true";
  expect_refused(text, "lacks good");
  text = document();
  text["reports"][0]["summary"]["failed"] = -1;
  expect_refused(text, "lacks summary.failed");
  text = document();
  text["reports"][0]["summary"]["failed"] = 0.0;
  expect_refused(text, "lacks summary.failed");
  text = document();
  text["reports"] = {{"a", report()}};
  expect_refused(text, "about other files");
  EXPECT_NE(judge_certificate(json::array({document()}).dump(), kHash), "");
}

TEST(Certificate, AMemberThatDecidesStandsOnce) {
  const std::pair<const char *, const char *> twice[] = {
      {"good", "true"}, {"failed", "0"}, {"schema", "\"urn:rayo:conform:1\""}};
  for (const auto &[name, value] : twice) {
    std::string text = document().dump();
    const std::string member = "\"" + std::string(name) + "\":" + value;
    ASSERT_NE(text.find(member), std::string::npos);
    text.insert(text.find(member), member + ",");
    EXPECT_NE(judge_certificate(text, kHash).find("'" + std::string(name) + "' twice"), std::string::npos) << name;
  }
}

TEST(Certificate, WhatIsNoReportOrCaseIsSkipped) {
  json text = document();
  text["reports"].push_back(json::array({report()}));
  text["reports"].push_back(nullptr);
  text["reports"][0]["cases"].push_back(json::array({{{"state", "failed"}}}));
  text["reports"][0]["cases"].push_back({{"state", "not_evaluated"}});
  text["reports"][0]["note"] = nullptr;
  EXPECT_EQ(judge_certificate(text.dump(), kHash), "");
}

TEST(Certificate, TheFirstFailureIsTheOneThatIsNamed) {
  json text = document();
  text["reports"][0]["cases"].push_back({{"state", "hung"}});
  text["reports"][0]["cases"].push_back({{"state", "crashed"}});
  expect_refused(text, "lists a case that is 'hung'");
}

TEST(Certificate, OfTwoReportsOfAFileTheBadOneCounts) {
  for (const size_t bad : {0, 1}) {
    json text = document();
    text["reports"].push_back(report());
    text["reports"][bad]["good"] = false;
    expect_refused(text, "did not pass");
  }
}

TEST(Certificate, EveryTruncationIsRefused) {
  const std::string text = document().dump();
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_NE(judge_certificate(std::string_view(text).substr(0, length), kHash), "") << length;
  }
  EXPECT_NE(judge_certificate(text + "x", kHash), "");
}

TEST(Certificate, EveryFlippedByteIsReadWithoutACrash) {
  const std::string text = document().dump();
  std::mt19937 random(7);
  for (size_t at = 0; at < text.size(); ++at) {
    for (int turn = 0; turn < 4; ++turn) {
      std::string broken = text;
      broken[at] = static_cast<char>(random());
      (void)judge_certificate(broken, kHash);
    }
  }
}

TEST(Certificate, DeepNestingAndLongTokensAreRefused) {
  EXPECT_NE(judge_certificate(std::string(1 << 20, '['), kHash).find("nests deeper"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_NE(judge_certificate(objects, kHash).find("nests deeper"), std::string::npos);
  EXPECT_NE(judge_certificate("{\"" + std::string(1 << 20, 'x') + "\":1}", kHash), "");
  EXPECT_NE(judge_certificate("{\"schema\":\"" + std::string(1 << 20, 'x') + "\"}", kHash), "");
  EXPECT_NE(judge_certificate("{\"schema\":\"\xff\xfe\"}", kHash), "");
  EXPECT_NE(judge_certificate("{\"reports\":" + std::string(400, '9') + "}", kHash), "");
}

class CachePath : public testing::Test {
 protected:
  void SetUp() override {
    for (const char *name : {"XDG_CACHE_HOME", "HOME"}) {
      const char *value = getenv(name);
      old_.emplace_back(name, value != nullptr ? value : "");
    }
  }
  void TearDown() override {
    for (const auto &[name, value] : old_) setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<std::pair<std::string, std::string>> old_;
};

TEST_F(CachePath, FollowsTheEnvironmentAndNeverARelativeOne) {
  setenv("HOME", "/home/somebody", 1);
  setenv("XDG_CACHE_HOME", "/var/cache/somebody", 1);
  EXPECT_EQ(certificate_cache_path(kHash), "/var/cache/somebody/rayo/conformance/" + kHash + ".json");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(certificate_cache_path(kHash), "/home/somebody/.cache/rayo/conformance/" + kHash + ".json");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(certificate_cache_path(kHash), "");
}

TEST_F(CachePath, TakesNothingButAHash) {
  setenv("HOME", "/home/somebody", 1);
  for (const std::string bad : {"", "../../etc/passwd", "abc"}) EXPECT_EQ(certificate_cache_path(bad), "") << bad;
  for (const char wrong : {'A', 'g', '`', '/', ':'}) {
    EXPECT_EQ(certificate_cache_path(std::string(63, 'a') + wrong), "") << wrong;
  }
  EXPECT_NE(certificate_cache_path("0123456789abcdef" + std::string(48, 'f')), "");
  EXPECT_EQ(certificate_cache_path(std::string(61, 'a') + "/.."), "");
}

TEST_F(CachePath, WithoutAHashOrAPlaceThereIsNoCertificate) {
  EXPECT_NE(rayo::lacks_certificate("/x.so", "").find("cannot be read to take its SHA-256"), std::string::npos);
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  const std::string reason = rayo::lacks_certificate("/no/such/x.so", kHash);
  EXPECT_NE(reason.find("(/no/such/x.so.conformance.json does not exist)"), std::string::npos) << reason;
}

}  // namespace
