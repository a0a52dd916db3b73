// SPDX-License-Identifier: Apache-2.0
//
// The policy of required conformance, seen from an application: plugins without a certificate are rejected with the
// next step, those with one work, and what others could have written counts for nothing.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api_helpers.hpp"
#include "temp_folder.hpp"

namespace {

using nlohmann::json;
using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::plugins_of;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;
using rayo_test::TempFolder;

// Two good plugins in a folder, and a cache of our own.
class RequiredConformance : public testing::Test {
 protected:
  void SetUp() override {
    folder_.copy_fixture("good");
    folder_.copy_fixture("good2");
    const char *old = getenv("XDG_CACHE_HOME");
    old_cache_ = old != nullptr ? old : "";
    setenv("XDG_CACHE_HOME", cache_.path().c_str(), 1);
    path_ = folder_.path();
  }
  void TearDown() override {
    unsetenv("RAYO_REQUIRE_CONFORMANCE");
    if (old_cache_.empty()) {
      unsetenv("XDG_CACHE_HOME");
    } else {
      setenv("XDG_CACHE_HOME", old_cache_.c_str(), 1);
    }
  }

  rayo_runtime_options options(uint32_t required = RAYO_CONFORMANCE_REQUIRED) const {
    rayo_runtime_options o = quiet_options();
    o.plugin_path = path_.c_str();
    o.require_conformance = required;
    return o;
  }

  std::string hash_of(const std::string &file) const {
    const RuntimePtr runtime = make_runtime(options(RAYO_CONFORMANCE_NOT_REQUIRED));
    return plugins_of(runtime.get()).at(file).sha256;
  }

  static std::string certificate(const std::string &sha256, const std::string &kind = "full") {
    const json states = {{"passed", 1},  {"failed", 0}, {"unsupported", 0}, {"expected_fail", 0},
                         {"crashed", 0}, {"hung", 0},   {"distrusted", 0},  {"not_evaluated", 0}};
    const json report = {{"sha256", sha256},
                         {"good", true},
                         {"refused", ""},
                         {"summary", states},
                         {"cases", {{{"case", "add f32 1,1 - 0 uniform 1"}, {"state", "passed"}}}}};
    return json({{"schema", "urn:rayo:conform:1"}, {"run", {{"kind", kind}}}, {"reports", {report}}}).dump();
  }

  void beside(const std::string &file, const std::string &text) const {
    std::ofstream(folder_ / (file + ".conformance.json")) << text;
  }

  // Expects one ready and one rejected plugin; returns the reason of the rejected one.
  std::string only_good_is_ready() const {
    const RuntimePtr runtime = make_runtime(options());
    if (runtime == nullptr) return last_error();
    const auto plugins = plugins_of(runtime.get());
    EXPECT_EQ(plugins.at("good.so").state, RAYO_PLUGIN_READY) << plugins.at("good.so").reason;
    EXPECT_EQ(plugins.at("good2.so").state, RAYO_PLUGIN_REJECTED);
    return plugins.at("good2.so").reason;
  }

  TempFolder folder_;
  TempFolder cache_;
  std::string path_;
  std::string old_cache_;
};

TEST_F(RequiredConformance, IsOffByDefault) {
  const RuntimePtr runtime = make_runtime(options(0));
  ASSERT_NE(runtime, nullptr);
  for (const auto &[file, info] : plugins_of(runtime.get())) EXPECT_EQ(info.state, RAYO_PLUGIN_READY) << file;
}

TEST_F(RequiredConformance, WithoutAnyCertificateTheStartFailsAndSaysWhatToDo) {
  rayo_status status = RAYO_OK;
  make_runtime(options(), &status);
  EXPECT_EQ(status, RAYO_NOT_FOUND);
  EXPECT_NE(last_error().find("no certificate of conformance"), std::string::npos) << last_error();
}

TEST_F(RequiredConformance, ACertificateBesideThePluginIsAccepted) {
  beside("good.so", certificate(hash_of("good.so")));
  const std::string reason = only_good_is_ready();
  EXPECT_NE(reason.find("good2.so.conformance.json does not exist"), std::string::npos) << reason;
  EXPECT_NE(reason.find("rayo conform --record --plugin " + folder_.path() + "/good2.so"), std::string::npos) << reason;
}

TEST_F(RequiredConformance, ACertificateInTheCacheIsAccepted) {
  char path[4096];
  const std::string sha256 = hash_of("good.so");
  const size_t length = rayo_certificate_path(sha256.c_str(), path, sizeof path);
  ASSERT_EQ(std::string(path), cache_.path() + "/rayo/conformance/" + sha256 + ".json");
  ASSERT_EQ(length, std::string(path).size());
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << certificate(sha256);
  only_good_is_ready();
}

TEST_F(RequiredConformance, TheEnvironmentAsksForItAndAnOptionWins) {
  beside("good.so", certificate(hash_of("good.so")));
  setenv("RAYO_REQUIRE_CONFORMANCE", "1", 1);
  rayo_runtime_options from_environment = options(0);
  from_environment.flags = 0;
  RuntimePtr runtime = make_runtime(from_environment);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(plugins_of(runtime.get()).at("good2.so").state, RAYO_PLUGIN_REJECTED);
  from_environment.require_conformance = RAYO_CONFORMANCE_NOT_REQUIRED;
  runtime = make_runtime(from_environment);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(plugins_of(runtime.get()).at("good2.so").state, RAYO_PLUGIN_READY);
  setenv("RAYO_REQUIRE_CONFORMANCE", "yes", 1);
  from_environment.require_conformance = 0;
  rayo_status status = RAYO_OK;
  make_runtime(from_environment, &status);
  EXPECT_EQ(status, RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("RAYO_REQUIRE_CONFORMANCE is 'yes'; legal: 0, 1"), std::string::npos) << last_error();
}

TEST_F(RequiredConformance, AWrongOptionIsNamed) {
  rayo_status status = RAYO_OK;
  make_runtime(options(3), &status);
  EXPECT_EQ(status, RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("options.require_conformance is 3"), std::string::npos) << last_error();
}

// An application of an earlier version gives a shorter struct: the policy is then the environment's.
TEST_F(RequiredConformance, AShorterOptionsStructMeansTheDefault) {
  rayo_runtime_options o = options();
  o.struct_size = offsetof(rayo_runtime_options, require_conformance);
  const RuntimePtr runtime = make_runtime(o);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(plugins_of(runtime.get()).at("good.so").state, RAYO_PLUGIN_READY);
}

TEST_F(RequiredConformance, AChangedFileLosesItsCertificate) {
  beside("good.so", certificate(hash_of("good.so")));
  beside("good2.so", certificate(hash_of("good2.so")));
  std::ofstream(folder_ / "good2.so", std::ios::app) << "x";  // behind the last section: it would still load
  const std::string reason = only_good_is_ready();
  EXPECT_NE(reason.find("about other files"), std::string::npos) << reason;
}

TEST_F(RequiredConformance, WhatOthersCouldHaveWrittenCountsForNothing) {
  beside("good.so", certificate(hash_of("good.so")));
  beside("good2.so", certificate(hash_of("good2.so")));
  ASSERT_EQ(chmod((folder_ / "good2.so.conformance.json").c_str(), 0666), 0);
  const std::string reason = only_good_is_ready();
  EXPECT_NE(reason.find("writable by others"), std::string::npos) << reason;
}

TEST_F(RequiredConformance, ACacheThatOthersCanWriteToCountsForNothing) {
  const std::string sha256 = hash_of("good2.so");
  const std::string cache = cache_ / "rayo/conformance";
  std::filesystem::create_directories(cache);
  std::ofstream(cache + "/" + sha256 + ".json") << certificate(sha256);
  ASSERT_EQ(chmod(cache.c_str(), 0777), 0);
  beside("good.so", certificate(hash_of("good.so")));
  const std::string reason = only_good_is_ready();
  EXPECT_NE(reason.find("which is writable by others"), std::string::npos) << reason;
}

TEST_F(RequiredConformance, BadCertificatesAreNamedAndHarmless) {
  beside("good.so", certificate(hash_of("good.so")));
  const std::string sha256 = hash_of("good2.so");
  const std::string whole = certificate(sha256);
  const std::pair<std::string, std::string> bad[] = {{certificate(sha256, "quick"), "kind 'quick'"},
                                                     {whole.substr(0, whole.size() / 2), "not a complete JSON"},
                                                     {"", "not a complete JSON"},
                                                     {std::string(100000, '\0'), "not a complete JSON"},
                                                     {"[]", "has the schema (none)"},
                                                     {certificate(std::string(64, '0')), "about other files"}};
  for (const auto &[text, why] : bad) {
    beside("good2.so", text);
    const std::string reason = only_good_is_ready();
    EXPECT_NE(reason.find(why), std::string::npos) << reason;
  }
}

TEST_F(RequiredConformance, CertificatesThatAreNoOrHugeFilesAreRefusedUnread) {
  beside("good.so", certificate(hash_of("good.so")));
  const std::string place = folder_ / "good2.so.conformance.json";
  ASSERT_EQ(mkfifo(place.c_str(), 0600), 0);
  EXPECT_NE(only_good_is_ready().find("not a regular file"), std::string::npos);
  std::filesystem::remove(place);
  std::filesystem::create_directory(place);
  EXPECT_NE(only_good_is_ready().find("not a regular file"), std::string::npos);
  std::filesystem::remove(place);
  std::ofstream(place) << "{";
  ASSERT_EQ(truncate(place.c_str(), off_t{1} << 36), 0);  // sparse
  EXPECT_NE(only_good_is_ready().find("the limit is"), std::string::npos);
  std::filesystem::remove(place);
  std::filesystem::create_symlink("good2.so.conformance.json", place);
  EXPECT_NE(only_good_is_ready().find("cannot be opened"), std::string::npos);
}

TEST_F(RequiredConformance, ANamedFileIsNotExempt) {
  rayo_runtime_options o = options();
  o.flags |= RAYO_RUNTIME_ONLY_FILES;
  const std::string file = folder_ / "good.so";
  const char *files[] = {file.c_str()};
  o.plugin_files = files;
  o.plugin_file_count = 1;
  rayo_status status = RAYO_OK;
  make_runtime(o, &status);
  EXPECT_EQ(status, RAYO_REFUSED);
  EXPECT_NE(last_error().find("no certificate of conformance"), std::string::npos) << last_error();
  beside("good.so", certificate(hash_of("good.so")));
  make_runtime(o, &status);
  EXPECT_EQ(status, RAYO_OK) << last_error();
}

}  // namespace
