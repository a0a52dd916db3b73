// SPDX-License-Identifier: Apache-2.0
#include "base/json_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/folder_names.hpp"
#include "temp_folder.hpp"

namespace {

using rayo::JsonError;
using rayo::JsonValue;

TEST(JsonValue, ReadsEachKindAndWritesItBack) {
  const char *text = R"({"a":[null,true,-3,18446744073709551615,0.1,"x\"\n"],"b":{},"c":[]})";
  const JsonValue value = JsonValue::parse(text, 3);
  EXPECT_EQ(value.dump(), text);
  const JsonValue::Array &list = value.at("a").items();
  EXPECT_TRUE(list.at(0).is_null());
  EXPECT_TRUE(list.at(1).boolean());
  EXPECT_EQ(list.at(2).integer(), -3);
  EXPECT_EQ(list.at(3).count(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(list.at(4).number(), 0.1);
  EXPECT_EQ(list.at(5).text(), "x\"\n");
  EXPECT_EQ(JsonValue::parse(value.dump(2), 3).dump(), text);
}

TEST(JsonValue, RefusesOtherKindsAndRanges) {
  const JsonValue value = JsonValue::parse(R"({"big":18446744073709551615,"low":-1,"text":"1","half":0.5})", 1);
  EXPECT_THROW((void)value.at("big").integer(), JsonError);
  EXPECT_THROW((void)value.at("low").count(), JsonError);
  EXPECT_THROW((void)value.at("text").number(), JsonError);
  EXPECT_THROW((void)value.at("half").integer(), JsonError);
  EXPECT_THROW((void)value.at("half").items(), JsonError);
  EXPECT_THROW((void)value.at("none"), JsonError);
  EXPECT_EQ(value.at("text").find("x"), nullptr);
}

TEST(JsonValue, TheLastOfTwoMembersOfOneNameCounts) {
  EXPECT_EQ(JsonValue::parse(R"({"a":1,"a":2})", 1).at("a").count(), 2u);
}

TEST(JsonValue, RefusesWhatIsNoJsonAndWhatNestsTooDeeply) {
  for (const char *text : {"", "{", "[1,]", "nul", "{\"a\":1} x", "\"\xff\"", "1e999"}) {
    EXPECT_THROW((void)JsonValue::parse(text, 4), JsonError) << text;
  }
  EXPECT_EQ(JsonValue::parse("[[[]]]", 3).dump(), "[[[]]]");
  EXPECT_THROW((void)JsonValue::parse("[[[[]]]]", 3), JsonError);
  // A million brackets neither overflow the stack nor take long.
  EXPECT_THROW((void)JsonValue::parse(std::string(1'000'000, '['), 64), JsonError);
}

TEST(JsonValue, WritesBytesThatAreNoUtf8AsReplacements) { EXPECT_EQ(JsonValue("a\xff").dump(), "\"a\xef\xbf\xbd\""); }

TEST(FolderNames, ListsAllUpToALimitAndSaysWhatIsWrong) {
  const rayo_test::TempFolder folder;
  folder.write("one", {});
  folder.write(".two", {});
  std::vector<std::string> names;
  EXPECT_EQ(rayo::folder_names(folder.path(), &names), 0);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{".two", "one"}));
  names.clear();
  EXPECT_EQ(rayo::folder_names(folder.path(), &names, 1), 0);
  EXPECT_EQ(names.size(), 1u);
  EXPECT_EQ(rayo::folder_names(folder / "none", &names), ENOENT);
  EXPECT_EQ(rayo::folder_names(folder / "one", &names), ENOTDIR);
}

}  // namespace
