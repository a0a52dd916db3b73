// SPDX-License-Identifier: Apache-2.0
//
// plugin-api stands alone: its C headers include C standard headers, <dlpack/dlpack.h> and each other; its C++ headers
// add the C++ standard library. A vendor needs nothing else on the include path.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const std::set<std::string> kC = {"stddef.h", "stdint.h", "dlpack/dlpack.h"};

// A C++ standard header is one word without a suffix.
bool is_cxx_standard(const std::string &name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string::npos;
}

bool allowed(const std::string &name, bool cxx, const fs::path &include_dir) {
  if (kC.contains(name)) return true;
  if (name.rfind("rayo/", 0) == 0 && fs::exists(include_dir / name)) return cxx || fs::path(name).extension() != ".hpp";
  return cxx && is_cxx_standard(name);
}

std::string included(const std::string &line) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string::npos || line[at] != '#') return "";
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string::npos || line.compare(at, 7, "include") != 0) return "";
  const std::size_t open = line.find_first_of("<\"", at);
  if (open == std::string::npos) return "?";  // computed includes are refused
  return line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1);
}

TEST(PluginApiIncludes, OnlyStandardHeadersDlpackAndItself) {
  const fs::path root = PLUGIN_API_DIR;
  int files = 0, includes = 0;
  for (const auto &entry : fs::recursive_directory_iterator(root)) {
    const std::string suffix = entry.path().extension().string();
    if (suffix != ".h" && suffix != ".hpp" && suffix != ".def" && suffix != ".c" && suffix != ".cpp") continue;
    ++files;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      const std::string name = included(line);
      if (name.empty()) continue;
      ++includes;
      EXPECT_TRUE(allowed(name, suffix == ".hpp" || suffix == ".cpp", root / "include"))
          << entry.path() << " includes <" << name << ">";
    }
  }
  EXPECT_GE(files, 6);
  EXPECT_GE(includes, 10);
}

TEST(PluginApiIncludes, TheRuleRefusesWhatItShould) {
  const fs::path include = fs::path(PLUGIN_API_DIR) / "include";
  EXPECT_FALSE(allowed("rayo/rayo.h", true, include)) << "the application API is not part of the plugin API";
  EXPECT_FALSE(allowed("boost/dll.hpp", true, include));
  EXPECT_FALSE(allowed("string", false, include)) << "a C++ header in a C header";
  EXPECT_FALSE(allowed("rayo/plugin.hpp", false, include));
  EXPECT_FALSE(allowed("unistd.h", true, include));
  EXPECT_EQ(included("  #  include <a/b.h>  // why"), "a/b.h");
  EXPECT_EQ(included("#include RAYO_HEADER"), "?");
  EXPECT_EQ(included("// #include <x>"), "");
}

}  // namespace
