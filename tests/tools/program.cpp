// SPDX-License-Identifier: Apache-2.0
//
// fork and exec with three temporary files for the standard streams: no pipe can fill up.
#include "program.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "npy_header.hpp"

namespace rayo::tools::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> child_environment(const ProgramOptions &options) {
  std::vector<std::string> environment;
  for (char **entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "RAYO_", 5) != 0) environment.emplace_back(*entry);
  }
  environment.emplace_back("RAYO_PLUGIN_PATH=" RAYO_PLUGIN_FOLDER);
  for (const std::string &entry : options.environment) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(environment, [&](const std::string &other) { return other.rfind(name, 0) == 0; });
    environment.push_back(entry);
  }
  return environment;
}

std::vector<char *> pointers(std::vector<std::string> &strings) {
  std::vector<char *> list;
  for (std::string &string : strings) list.push_back(string.data());
  list.push_back(nullptr);
  return list;
}

template <typename T>
void append(std::string &bytes, T value) {
  bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

}  // namespace

ProgramResult rayo(const std::vector<std::string> &arguments, const ProgramOptions &options) {
  const Folder streams;
  write_file(streams / "in", options.input);
  std::vector<std::string> words = {RAYO_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = child_environment(options);
  const std::vector<char *> argv = pointers(words);
  const std::vector<char *> envp = pointers(environment);
  const std::string in = streams / "in";
  const std::string out = streams / "out";
  const std::string err = streams / "err";
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    if (options.address_space != 0) {
      const rlimit limit{options.address_space, options.address_space};
      ::setrlimit(RLIMIT_AS, &limit);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "rayo-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  for (const auto &entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const std::string &path, const std::string &content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void write_array(const std::string &path, DLDataType dtype, const std::vector<int64_t> &shape,
                 const std::function<double(uint64_t)> &value, bool fortran_order) {
  uint64_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<uint64_t>(extent);
  std::string bytes = make_npy_header(dtype, shape);
  if (fortran_order) bytes.replace(bytes.find("False"), 5, "True ");
  for (uint64_t i = 0; i < count; ++i) {
    if (dtype.code == kDLFloat && dtype.bits == 32) append(bytes, static_cast<float>(value(i)));
    if (dtype.code == kDLFloat && dtype.bits == 64) append(bytes, value(i));
    if (dtype.code == kDLInt && dtype.bits == 64) append(bytes, static_cast<int64_t>(value(i)));
    if (dtype.code == kDLInt && dtype.bits == 32) append(bytes, static_cast<int32_t>(value(i)));
    if (dtype.code == kDLInt && dtype.bits == 8) append(bytes, static_cast<int8_t>(value(i)));
    if (dtype.code == kDLUInt && dtype.bits == 8) append(bytes, static_cast<uint8_t>(value(i)));
  }
  write_file(path, bytes);
}

std::vector<std::string> ready_devices() {
  std::vector<std::string> ids;
  const ProgramResult result = rayo({"devices", "--json"});
  if (result.exit_code != 0) throw std::runtime_error("rayo devices failed: " + result.err);
  const nlohmann::json document = result.json();
  for (const auto &plugin : document.at("plugins")) {
    for (const auto &device : plugin.at("devices")) ids.push_back(device.at("id").get<std::string>());
  }
  if (ids.empty()) throw std::runtime_error("rayo devices lists no device: " + result.out);
  return ids;
}

}  // namespace rayo::tools::test
