// SPDX-License-Identifier: Apache-2.0
//
// A private folder that is gone after the test, and the few file operations that loader tests need.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace rayo_test {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rayo_test_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = std::filesystem::canonical(name).string();
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;

  const std::string &path() const { return path_; }
  std::string operator/(const std::string &name) const { return path_ + "/" + name; }

  void write(const std::string &name, const std::vector<char> &bytes) const {
    std::ofstream(*this / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
#ifdef RAYO_FIXTURE_DIR
  void copy_fixture(const std::string &name, const std::string &as = "") const {
    std::filesystem::copy_file(std::string(RAYO_FIXTURE_DIR) + "/" + name + ".so",
                               *this / ((as.empty() ? name : as) + ".so"));
  }
#endif

 private:
  std::string path_;
};

inline std::vector<char> read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace rayo_test
