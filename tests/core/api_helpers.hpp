// SPDX-License-Identifier: Apache-2.0
//
// What tests of the C API share: a runtime over one folder, and the text of the last error.
#pragma once

#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <map>
#include <memory>
#include <string>

namespace rayo_test {

using RuntimePtr = std::unique_ptr<rayo_runtime, decltype(&rayo_runtime_destroy)>;

inline std::string last_error() {
  char text[RAYO_ERROR_TEXT] = {};
  rayo_last_error(text, sizeof text);
  return text;
}

inline rayo_runtime_options quiet_options() {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
  options.log = [](void *, int32_t, const char *) {};
  return options;
}

// nullptr in the handle when creation fails; *out_status tells.
inline RuntimePtr make_runtime(const rayo_runtime_options &options, rayo_status *out_status = nullptr) {
  rayo_runtime *runtime = nullptr;
  const rayo_status status = rayo_runtime_create(&options, &runtime);
  if (out_status != nullptr)
    *out_status = status;
  else
    EXPECT_EQ(status, RAYO_OK) << last_error();
  return {runtime, &rayo_runtime_destroy};
}

inline rayo_plugin_info plugin_at(const rayo_runtime *runtime, uint32_t index) {
  rayo_plugin_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_PLUGIN_INFO;
  EXPECT_EQ(rayo_plugin_get(runtime, index, &info), RAYO_OK) << last_error();
  return info;
}

// File name without folder -> its verdict.
inline std::map<std::string, rayo_plugin_info> plugins_of(const rayo_runtime *runtime) {
  std::map<std::string, rayo_plugin_info> all;
  for (uint32_t i = 0; i < rayo_plugin_count(runtime); ++i) {
    const rayo_plugin_info info = plugin_at(runtime, i);
    const std::string file = info.file;
    all[file.substr(file.rfind('/') + 1)] = info;
  }
  return all;
}

}  // namespace rayo_test
