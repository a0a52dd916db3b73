// SPDX-License-Identifier: Apache-2.0
#include "faults/fault_files.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rayo::faults {

namespace fs = std::filesystem;

std::string add_chaos(const std::string &folder, const std::string &fault) {
  std::string path = folder + "/chaos-" + fault + ".so";
  // Bytes of its own behind the end: a verdict is remembered by the file's hash, and each fault is another file.
  std::vector<char> bytes = bytes_of(RAYO_CHAOS_FILE);
  bytes.insert(bytes.end(), fault.begin(), fault.end());
  write_bytes(path, bytes);
  return path;
}

void add_scalar(const std::string &folder) { fs::create_symlink(RAYO_SCALAR_FILE, folder + "/scalar.so"); }

std::string add_fixture(const std::string &folder, const std::string &name) {
  std::string path = folder + "/" + name + ".so";
  fs::copy_file(std::string(RAYO_FIXTURE_DIR) + "/" + name + ".so", path);
  return path;
}

std::vector<char> bytes_of(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string &path, const std::vector<char> &bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

size_t note_at(const std::vector<char> &bytes) {
  // namesz 5, descsz, type 1, "Rayo" and its padding.
  constexpr char kOwner[] = {1, 0, 0, 0, 'R', 'a', 'y', 'o', 0, 0, 0, 0};
  const auto found = std::search(bytes.begin(), bytes.end(), std::begin(kOwner), std::end(kOwner));
  if (found == bytes.end()) throw std::runtime_error("no note in the plugin");
  return static_cast<size_t>(found - bytes.begin()) + sizeof kOwner;
}

void put_u32(std::vector<char> *bytes, size_t at, unsigned value) {
  std::memcpy(bytes->data() + at, &value, sizeof value);
}

}  // namespace rayo::faults
