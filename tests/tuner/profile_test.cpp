// SPDX-License-Identifier: Apache-2.0
//
// The profile's JSON: it survives a round trip, and nothing that a damaged file holds is believed or crashes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "sample.hpp"
#include "tests/core/temp_folder.hpp"

namespace {

using namespace rayo;
using rayo_test::entry_of;
using rayo_test::profile_of;

Profile sample() {
  return profile_of({{"mock_a", std::string(64, 'a'), "1"}, {"mock_b", std::string(64, 'b'), "1"}},
                    {entry_of({{0, "mock_a", "add_model", 1, "bound"}, {1, "mock_b", "add_model", 1, "bound"}},
                              {{0, 2}, {2000, 0.5}})});
}

std::string refusal(const std::string &text) {
  try {
    parse_profile(text);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(Profile, ComesBackAsItWasWritten) {
  const std::string text = profile_text(sample());
  const Profile back = parse_profile(text);
  EXPECT_EQ(profile_text(back), text);
  ASSERT_EQ(back.entries.size(), 1u);
  EXPECT_EQ(back.entries[0].choices.at(0).from, sample().entries[0].choices.at(0).from);
  EXPECT_EQ(back.machine.class_key, this_machine().class_key);
}

// Those that are installed with the library: `rayo tune --class` wrote them.
TEST(Profile, ShippedOnesAreWholeAndOfAClass) {
  int files = 0;
  for (const auto &file : std::filesystem::directory_iterator(RAYO_PROFILES)) {
    SCOPED_TRACE(file.path());
    const Profile profile = read_profile(file.path().string());
    ++files;
    EXPECT_EQ(profile.kind, "class");
    EXPECT_TRUE(profile.complete);
    EXPECT_FALSE(profile.machine.class_key.empty());
    EXPECT_TRUE(profile.machine.instance_key.empty());
    EXPECT_TRUE(profile.machine.devices.empty());
    EXPECT_GT(profile.entries.size(), 50u);
    for (const ProfilePlugin &plugin : profile.plugins) {
      EXPECT_TRUE(plugin.sha256.empty()) << plugin.name << ": one build alone could use it";
      EXPECT_FALSE(plugin.version.empty()) << plugin.name;
    }
    for (const ProfileEntry &entry : profile.entries) {
      EXPECT_FALSE(entry.choices.empty()) << entry.op;
      EXPECT_EQ(entry.residency, "host") << entry.op;
      EXPECT_TRUE(entry.rejected.empty()) << entry.op;
    }
  }
  EXPECT_GE(files, 1);
}

TEST(Profile, CrossoverOfTwoLinesIsWhereTheyMeet) {
  // 2 v = 2000 + v / 2 at v = 1333.3: from the first whole volume behind it on.
  const ProfileEntry entry = sample().entries[0];
  ASSERT_EQ(entry.choices.size(), 1u);
  EXPECT_EQ(entry.choices[0].from, (std::vector<uint64_t>{0, 1334}));
  EXPECT_EQ(entry.choices[0].candidate, (std::vector<uint32_t>{0, 1}));
}

TEST(Profile, GainWithinTheNoiseMovesNothing) {
  ProfileEntry entry = sample().entries[0];
  entry.surfaces[0].times[1] = {2, 1990, 1990000};  // half a percent faster than candidate 0's line
  entry.surfaces[0].times[0] = {2, 2000, 2000000};
  for (auto &row : entry.surfaces[0].noise) row.assign(row.size(), 0.02);
  const std::vector<ChoiceRow> rows = derive_choices(entry, 1, [](uint32_t) { return true; });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].candidate, (std::vector<uint32_t>{0}));
}

TEST(Profile, FewerThreadsWinATie) {
  const ProfileEntry entry =
      entry_of({{0, "mock_a", "k", 2, "bits"}, {0, "mock_a", "k", 1, "bits"}}, {{10, 1}, {10, 1}});
  const std::vector<ChoiceRow> rows = derive_choices(entry, 2, [](uint32_t) { return true; });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].candidate, (std::vector<uint32_t>{1}));
}

TEST(Profile, LastPointThatNobodyWasMeasuredAtLeavesTheChoiceBefore) {
  ProfileEntry entry = entry_of({{0, "a", "k", 1, "bits"}, {0, "b", "k", 1, "bits"}}, {{0, 2}, {10, 1}});
  for (auto &times : entry.surfaces[0].times) times.back() = -1;
  const std::vector<ChoiceRow> rows = derive_choices(entry, 1, [](uint32_t) { return true; });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].candidate, (std::vector<uint32_t>{0, 1}));
}

TEST(Profile, FollowsThePublishedSchemaInItsMembers) {
  const auto schema = nlohmann::json::parse(std::ifstream(RAYO_SCHEMA_FILE));
  const auto document = nlohmann::json::parse(profile_text(sample()));
  const auto complete = [](const nlohmann::json &rules, const nlohmann::json &object) {
    for (const auto &[name, value] : object.items()) EXPECT_TRUE(rules["properties"].contains(name)) << name;
    for (const std::string name : rules["required"]) EXPECT_TRUE(object.contains(name)) << name;
  };
  complete(schema, document);
  complete(schema["properties"]["machine"], document["machine"]);
  complete(schema["$defs"]["entry"], document["entries"][0]);
  complete(schema["$defs"]["candidate"], document["entries"][0]["candidates"][0]);
  complete(schema["$defs"]["surface"], document["entries"][0]["surfaces"][0]);
  complete(schema["$defs"]["choice"], document["entries"][0]["choices"][0]);
  complete(schema["$defs"]["plugin"], document["plugins"][0]);
}

TEST(Profile, CutOffAnywhereIsRefused) {
  const std::string text = profile_text(sample());
  const size_t whole = text.find_last_of('}') + 1;
  for (size_t length = 0; length < whole; ++length) {
    EXPECT_NE(refusal(text.substr(0, length)), "") << "cut off after " << length << " bytes";
  }
}

TEST(Profile, FlippedBitsAreRefusedOrChangeNothing) {
  const std::string text = profile_text(sample());
  const std::string same = profile_text(parse_profile(text));
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try {
        EXPECT_EQ(profile_text(parse_profile(damaged)), same) << "byte " << at << ", bit " << bit;
      } catch (const Error &) {
      }
    }
  }
}

TEST(Profile, NewerSchemaIsNamed) {
  std::string text = profile_text(sample());
  text.replace(text.find("profile:1"), 9, "profile:2");
  EXPECT_NE(refusal(text).find("from another version of Rayo"), std::string::npos);
}

TEST(Profile, HostileValuesAreRefused) {
  const auto with = [](const char *from, const std::string &to) {
    std::string text = profile_text(sample());
    text.erase(text.find(",\n  \"checksum\""), text.find("\"\n}") - text.find(",\n  \"checksum\"") + 1);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, std::string(from).size(), to);
  };
  EXPECT_EQ(refusal(with("\"kind\": \"default\"", "\"kind\": \"quick\"")), "");  // without a checksum, by hand
  EXPECT_NE(refusal(with("\"plugin\": 0", "\"plugin\": 7")), "");
  EXPECT_NE(refusal(with("\"plugin\": 0", "\"plugin\": -1")), "");
  EXPECT_NE(refusal(with("\"threads\": 1", "\"threads\": 0")), "");
  EXPECT_NE(refusal(with("\"volumes\": [1, 1000", "\"volumes\": [1000, 1000")), "");
  EXPECT_NE(refusal(with("\"volumes\": [1, ", "\"volumes\": [")), "");
  EXPECT_NE(refusal(with("\"candidate\": [0, 1]", "\"candidate\": [0, 2]")), "");
  EXPECT_NE(refusal(with("\"from\": [0, ", "\"from\": [1, ")), "");
  EXPECT_NE(refusal(with("\"level\": 0", "\"level\": 100000")), "");
  EXPECT_NE(refusal(with("\"level\": 0", "\"level\": -3")), "");
  EXPECT_NE(refusal(with("\"schema_version\": 1", "\"schema_version\": \"1\"")), "");
  EXPECT_NE(refusal(std::string(100000, '[')), "");
  EXPECT_NE(refusal("[]"), "");
  EXPECT_NE(refusal("null"), "");
}

TEST(Profile, FileOfAHundredMegabytesIsNotRead) {
  const rayo_test::TempFolder folder;
  const std::string path = folder / "large.json";
  std::ofstream(path) << '[';
  ASSERT_EQ(::truncate(path.c_str(), off_t{100} << 20), 0);
  try {
    read_profile(path);
    FAIL() << "it was read";
  } catch (const Error &error) {
    EXPECT_NE(std::string(error.what()).find("104857600 bytes"), std::string::npos) << error.what();
  }
}

TEST(Profile, LevelsBetweenMeasuredOnesAreBlended) {
  ProfileEntry entry = sample().entries[0];
  Surface next = entry.surfaces[0];
  entry.surfaces[0].shape_class = next.shape_class = 1;
  entry.surfaces[0].level = 2;
  next.level = 6;
  for (auto &row : next.times) {
    for (double &ns : row) ns *= 4;
  }
  entry.surfaces.push_back(next);
  EXPECT_NEAR(predict(entry, 0, {1, 4, 1000}), 2 * 2000, 1);  // half-way in the level: the geometric mean
  EXPECT_LT(predict(entry, 0, {3, 4, 1000}), 0);              // no such class
}

}  // namespace
