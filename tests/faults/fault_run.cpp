// SPDX-License-Identifier: Apache-2.0
#include "faults/fault_run.hpp"

#include <filesystem>
#include <fstream>

#include "tools/program.hpp"

namespace rayo::faults {

using nlohmann::json;

std::string last_error() {
  char text[RAYO_ERROR_TEXT] = "";
  rayo_last_error(text, sizeof text);
  return text;
}

Runtime open_folder(const std::string &plugin_path) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
  options.plugin_path = plugin_path.c_str();
  options.log = [](void *, int32_t, const char *) {};
  rayo_runtime *runtime = nullptr;
  return Runtime(rayo_runtime_create(&options, &runtime) == RAYO_OK ? runtime : nullptr);
}

rayo_status add_numbers(rayo_runtime *runtime, int64_t n) {
  std::vector<float> a(static_cast<size_t>(n));
  std::vector<float> b(a.size());
  std::vector<float> y(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i % 19) - 9;
    b[i] = static_cast<float>(i % 7);
  }
  const rayo_status status = rayo_add_f32(runtime, n, a.data(), b.data(), y.data());
  if (status != RAYO_OK) return status;
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] != a[i] + b[i]) return RAYO_INTERNAL;
  }
  return RAYO_OK;
}

json devices(const std::vector<std::string> &environment) {
  const auto result = tools::test::rayo({"devices", "--all", "--json"}, {"", environment, 0});
  EXPECT_EQ(result.exit_code, 0) << "the host did not live: " << result.err;
  return json::accept(result.out) ? result.json() : json{{"plugins", json::array()}};
}

json verdict_of(const json &document, const std::string &file) {
  for (const json &plugin : document.at("plugins")) {
    if (plugin.at("file") == file) return plugin;
  }
  return {{"state", "not listed"}, {"reason", document.dump(1)}};
}

void record(const std::string &group, const std::string &fault, const std::string &state, const std::string &reason) {
  std::filesystem::create_directories(RAYO_FAULT_ROWS);
  const json row = {{"group", group},
                    {"fault", fault},
                    {"state", state},
                    {"reason", reason},
                    {"passed", !testing::Test::HasFailure()}};
  std::ofstream(std::string(RAYO_FAULT_ROWS) + "/" + group + "." + fault + ".json") << row.dump();
}

}  // namespace rayo::faults
