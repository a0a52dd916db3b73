// SPDX-License-Identifier: Apache-2.0
#include "plugin_template.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/core.h>

#include "command.hpp"
#include "plugin_template_text.hpp"

namespace rayo::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 24;

bool legal_name(const std::string &name) {
  return !name.empty() && name.size() <= kLongestName && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void replace_all(std::string *text, const std::string &from, const std::string &to) {
  for (std::size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// Where this program's own plugin.h lies, when it was installed with its headers; "" = the compiler will know.
std::string include_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path folder = program.parent_path().parent_path() / "include";
  return !error && fs::exists(folder / "rayo/plugin.h", error) ? folder.string() : std::string();
}

}  // namespace

std::vector<std::string> write_plugin_template(const std::string &name) {
  if (!legal_name(name)) {
    throw usage_error(fmt::format("'{}' is no name of a plugin: legal are [a-z][a-z0-9_]*, at most {} characters", name,
                                  kLongestName));
  }
  std::error_code error;
  if (!fs::create_directory(name, error)) {
    throw CommandError(RAYO_IO, fmt::format("folder {}: {}; choose another name, or remove it", name,
                                            error ? error.message() : "is there already"));
  }
  const std::array<std::pair<std::string, std::string>, 3> files = {
      {{"CMakeLists.txt", kTemplateBuild}, {name + ".cpp", kTemplateSource}, {"README.md", kTemplateReadme}}};
  std::vector<std::string> written;
  for (auto [file, text] : files) {
    replace_all(&text, "acme", name);
    replace_all(&text, "Acme Inc.", "Your name here");
    if (const std::string folder = include_folder(); !folder.empty()) {
      replace_all(&text, "set(RAYO_INCLUDE_DIR \"\"", fmt::format("set(RAYO_INCLUDE_DIR \"{}\"", folder));
    }
    written.push_back(fmt::format("{}/{}", name, file));
    std::ofstream out(written.back());
    out << text;
    if (!out.flush()) throw CommandError(RAYO_IO, written.back() + " cannot be written");
  }
  return written;
}

}  // namespace rayo::tools
