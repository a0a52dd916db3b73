// SPDX-License-Identifier: Apache-2.0
//
// The layout of every ABI struct as this compiler sees it, against the golden file of the released minor. To accept a
// new minor's appended members, run the program with --print-layout and commit its output.
#include <gtest/gtest.h>
#include <rayo/plugin.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

struct Entry {
  std::string name;  // "rayo_host" or "rayo_host.alloc"
  std::size_t offset;
  std::size_t size;
};

std::vector<Entry> actual_layout() {
  std::vector<Entry> list;
#define STRUCT(type, size) list.push_back({#type, 0, sizeof(type)});
#define MEMBER(type, member, offset, size) \
  list.push_back({#type "." #member, offsetof(type, member), sizeof(decltype(type::member))});
#include <rayo/abi_0_1.def>
#undef STRUCT
#undef MEMBER
  return list;
}

std::string line(const Entry &e) { return e.name + " " + std::to_string(e.offset) + " " + std::to_string(e.size); }

bool is_struct(const Entry &e) { return e.name.find('.') == std::string::npos; }

TEST(Layout, EqualsTheGoldenFile) {
  if (sizeof(void *) != 8) GTEST_SKIP() << "the golden file holds for 8-byte pointers";
  std::ifstream golden(LAYOUT_FILE);
  ASSERT_TRUE(golden) << "cannot read " << LAYOUT_FILE;
  std::vector<std::string> expected;
  for (std::string text; std::getline(golden, text);)
    if (!text.empty() && text[0] != '#') expected.push_back(text);
  const std::vector<Entry> actual = actual_layout();
  ASSERT_EQ(actual.size(), expected.size()) << "members were added or removed: see tests/abi/layout_test.cpp";
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(line(actual[i]), expected[i]);
}

// No struct has padding, so a gap between neighbours in the list, or after the last, is a member the list forgot.
TEST(Layout, ListHoldsEveryMember) {
  const std::vector<Entry> list = actual_layout();
  std::size_t end = 0, size = 0;
  std::string owner;
  for (const Entry &e : list) {
    if (is_struct(e)) {
      EXPECT_EQ(end, size) << owner << " has members after the last one listed";
      owner = e.name;
      size = e.size;
      end = 0;
    } else {
      EXPECT_EQ(e.offset, end) << "something lies before " << e.name;
      end = e.offset + e.size;
    }
  }
  EXPECT_EQ(end, size) << owner;
}

// A struct that plugin.h or types.h defines and the list leaves out would be unguarded.
TEST(Layout, ListHoldsEveryStruct) {
  const std::vector<Entry> list = actual_layout();
  std::size_t found = 0;
  for (const char *header : {INCLUDE_DIR "/rayo/types.h", INCLUDE_DIR "/rayo/plugin.h"}) {
    std::ifstream in(header);
    ASSERT_TRUE(in) << header;
    for (std::string text; std::getline(in, text);) {
      const std::size_t at = text.find("struct rayo_");
      if (at == std::string::npos || text.back() != '{') continue;
      const std::string name = text.substr(at + 7, text.find(' ', at + 7) - at - 7);
      ++found;
      bool listed = false;
      for (const Entry &e : list) listed = listed || e.name == name;
      EXPECT_TRUE(listed) << name << " of " << header << " is not in abi_0_1.def";
    }
  }
  EXPECT_GT(found, 20u);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc == 2 && std::strcmp(argv[1], "--print-layout") == 0) {
    for (const Entry &e : actual_layout()) std::printf("%s%s\n", is_struct(e) ? "\n" : "", line(e).c_str());
    return 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
