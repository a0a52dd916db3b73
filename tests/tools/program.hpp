// SPDX-License-Identifier: Apache-2.0
//
// Running the real `rayo` in tests: a process with its output caught, and a folder that goes away.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host_tensor.hpp"

namespace rayo::tools::test {

struct ProgramResult {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

struct ProgramOptions {
  std::string input;                     // standard input
  std::vector<std::string> environment;  // "NAME=VALUE", added to a copy of ours without RAYO_*
  uint64_t address_space = 0;            // RLIMIT_AS in bytes; 0 = unlimited
};

// Runs rayo with the built plugins and waits for it.
ProgramResult rayo(const std::vector<std::string> &arguments, const ProgramOptions &options = {});

// A new folder below the system's temporary folder, removed with all that is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  std::string operator/(const std::string &name) const { return path_ + "/" + name; }
  const std::string &path() const { return path_; }
  // Names in it, sorted.
  std::vector<std::string> names() const;

 private:
  std::string path_;
};

std::string read_file(const std::string &path);
void write_file(const std::string &path, const std::string &content);

// Writes an .npy file of `dtype` with value(i) as its i-th element in memory.
void write_array(const std::string &path, DLDataType dtype, const std::vector<int64_t> &shape,
                 const std::function<double(uint64_t)> &value, bool fortran_order = false);

// The ids of the devices that are ready in the built plugins; throws when there is none.
std::vector<std::string> ready_devices();

}  // namespace rayo::tools::test
