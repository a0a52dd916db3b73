// SPDX-License-Identifier: Apache-2.0
#include "runner/nightly_cache.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace rayo::conform {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;

fs::path file_of(const NightlyKey &key) {
  const fs::path folder = nightly_folder();
  if (folder.empty()) return {};
  const std::string attributes = key.attributes.empty() ? "" : "_" + key.attributes;
  return folder / key.sha256 / fmt::format("{}_{}{}.{}.json", key.op, key.dtype, attributes, key.check);
}

fs::path from_environment(const char *name) {
  const char *value = std::getenv(name);
  const fs::path path = value == nullptr ? "" : value;
  return path.is_absolute() ? path : fs::path();
}

}  // namespace

fs::path nightly_folder() {
  fs::path root = from_environment("XDG_CACHE_HOME");
  if (root.empty() && !from_environment("HOME").empty()) root = from_environment("HOME") / ".cache";
  return root.empty() ? root : root / "rayo" / "conformance";
}

void store_nightly(const NightlyKey &key, const NightlyVerdict &verdict) {
  const fs::path file = file_of(key);
  if (file.empty()) {
    throw std::runtime_error("no place to keep the nightly verdict: set XDG_CACHE_HOME or HOME to an absolute folder");
  }
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const json root = {
      {"version", kVersion},
      {"plugin", verdict.plugin},
      {"sha256", key.sha256},
      {"op", key.op},
      {"dtype", key.dtype},
      {"attributes", key.attributes},
      {"check", key.check},
      {"inputs", verdict.inputs},
      {"state", state_name(verdict.verdict.state)},
      {"error_ulp", verdict.verdict.error_ulp},
      {"bound", verdict.verdict.bound},
      {"message", verdict.verdict.message},
      {"date", verdict.date.empty() ? fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr))) : verdict.date}};
  const fs::path temporary = file.string() + fmt::format(".{}.tmp", ::getpid());
  std::ofstream stream(temporary);
  stream << root.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
  stream.close();
  if (stream) fs::rename(temporary, file, error);
  if (!stream || error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw std::runtime_error(fmt::format("{}: the nightly verdict could not be written{}", file.string(),
                                         error ? ": " + error.message() : std::string()));
  }
}

std::optional<NightlyVerdict> load_nightly(const NightlyKey &key) {
  const fs::path file = file_of(key);
  if (file.empty()) return std::nullopt;
  std::ifstream stream(file);
  const json root = json::parse(stream, nullptr, false);
  if (!root.is_object() || root.value("version", 0) != kVersion) return std::nullopt;
  try {
    NightlyVerdict v;
    if (root.at("sha256") != key.sha256 || root.at("check") != key.check) return std::nullopt;
    v.plugin = root.at("plugin");
    v.inputs = root.at("inputs");
    v.date = root.at("date");
    v.verdict.error_ulp = root.at("error_ulp");
    v.verdict.bound = root.at("bound");
    v.verdict.message = root.at("message");
    const std::string state = root.at("state");
    for (std::size_t i = 0; i < kStateNames.size(); ++i) {
      if (kStateNames[i] != state) continue;
      v.verdict.state = static_cast<State>(i);
      return v;
    }
  } catch (const json::exception &) {
  }
  return std::nullopt;
}

}  // namespace rayo::conform
