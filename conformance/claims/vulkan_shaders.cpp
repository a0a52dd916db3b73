// SPDX-License-Identifier: Apache-2.0
//
// The claim about the Vulkan plugin's shaders: every SPIR-V module in the plugin's file, found by its own structure and
// without the plugin's help, given to spirv-val.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "claims/claim.hpp"
#include "claims/command_output.hpp"

namespace rayo::conform::claims {
namespace {

constexpr std::uint32_t kMagic = 0x07230203;
constexpr std::size_t kHeaderWords = 5;
constexpr std::uint32_t kOpLine = 8, kOpFunction = 54, kOpFunctionEnd = 56, kOpNoLine = 317;

// What the plugin's build wrote into the file: "rayo vulkan shaders: 06". How many modules there should be.
constexpr std::string_view kMark = "rayo vulkan shaders: ";

std::size_t promised_modules(const std::string &bytes, const std::string &file) {
  const std::size_t at = bytes.find(kMark);
  const std::size_t digits = at + kMark.size();
  const auto is_digit = [&](std::size_t i) { return i < bytes.size() && bytes[i] >= '0' && bytes[i] <= '9'; };
  if (at == std::string::npos || !is_digit(digits) || !is_digit(digits + 1)) {
    throw NotEvaluated(fmt::format("{} does not say how many shaders it holds", file));
  }
  return static_cast<std::size_t>(bytes[digits] - '0') * 10 + static_cast<std::size_t>(bytes[digits + 1] - '0');
}

std::string bytes_of(const std::string &file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::uint32_t> words_of(const std::string &bytes) {
  std::vector<std::uint32_t> words(bytes.size() / sizeof(std::uint32_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(std::uint32_t));
  return words;
}

// Magic number, version 1.0 to 1.6 as 0x0001mm00, any generator and bound, schema 0. The magic number alone also stands
// in the code that looks for it.
bool begins_module(const std::vector<std::uint32_t> &words, std::size_t at) {
  return words[at] == kMagic && words.size() - at > kHeaderWords && (words[at + 1] & 0xfffff8ffu) == 0x00010000u &&
         words[at + 4] == 0;
}

// Words of the module that starts at `start`, or 0: functions end a module, and nothing but another may follow one.
std::size_t module_length(const std::vector<std::uint32_t> &words, std::size_t start) {
  std::size_t end = 0;
  std::size_t at = start + kHeaderWords;
  while (at < words.size()) {
    const std::uint32_t count = words[at] >> 16;
    const std::uint32_t opcode = words[at] & 0xffffu;
    const bool between = end == at;
    if (between && opcode != kOpFunction && opcode != kOpLine && opcode != kOpNoLine) break;
    if (count == 0 || count > words.size() - at) break;
    at += count;
    if (opcode == kOpFunctionEnd) end = at;
  }
  return end == 0 ? 0 : end - start;
}

}  // namespace

std::string vulkan_shaders_valid(const Setting &setting) {
  const Backend &backend = setting.need("vulkan");
  const std::string bytes = bytes_of(backend.file);
  const std::size_t promised = promised_modules(bytes, backend.file);
  const std::vector<std::uint32_t> words = words_of(bytes);
  const auto module = (std::filesystem::temp_directory_path() / fmt::format("rayo-claims-{}.spv", ::getpid())).string();
  std::size_t modules = 0;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (!begins_module(words, at)) continue;
    const std::size_t length = module_length(words, at);
    if (length == 0) continue;
    setting.step(fmt::format("spirv-val on module {} of {}", modules, backend.file));
    std::ofstream(module, std::ios::binary)
        .write(reinterpret_cast<const char *>(&words[at]), static_cast<std::streamsize>(length * sizeof words[at]));
    const CommandOutput output = run_command({"spirv-val", "--target-env", "vulkan1.2", module});
    std::filesystem::remove(module);
    if (!output.started) throw NotEvaluated(output.error);
    if (output.exit_status != 0)
      throw Refuted(
          fmt::format("module {} at byte {} of {}: {}", modules, at * sizeof words[at], backend.file, output.error));
    ++modules;
    at += length - 1;
  }
  if (modules != promised) {
    throw Refuted(fmt::format("{} holds {} SPIR-V modules; its build counted {}", backend.file, modules, promised));
  }
  return fmt::format("{} of {} modules in the plugin's file pass spirv-val for Vulkan 1.2", modules, promised);
}

}  // namespace rayo::conform::claims
