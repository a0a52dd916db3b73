// SPDX-License-Identifier: Apache-2.0
#include "batch_line.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "suggest.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

// Copying and printing JSON takes a stack frame per level.
constexpr int kDeepest = 32;

std::vector<std::string> string_list(const json &object, const char *key) {
  std::vector<std::string> list;
  const json &value = object.at(key);
  if (!value.is_array()) throw usage_error(fmt::format("key '{}': legal: an array of file names", key));
  for (const json &item : value) {
    if (!item.is_string()) throw usage_error(fmt::format("key '{}': legal: an array of file names", key));
    list.push_back(item.get<std::string>());
  }
  return list;
}

std::string string_value(const json &object, const char *key) {
  if (!object.at(key).is_string()) throw usage_error(fmt::format("key '{}': legal: a string", key));
  return object.at(key).get<std::string>();
}

}  // namespace

Job parse_batch_line(const std::string &line, const BatchSettings &settings) {
  json object;
  try {
    object = json::parse(line, [](int depth, json::parse_event_t, json &) {
      if (depth > kDeepest) throw usage_error(fmt::format("JSON nested deeper than {}; a job needs 3", kDeepest));
      return true;
    });
  } catch (const json::exception &error) {
    throw usage_error(fmt::format("no JSON: {}; legal: {{\"op\":\"add\",\"inputs\":[\"a.npy\",\"b.npy\"]}}",
                                  std::string(error.what()).substr(0, 200)));
  }
  if (!object.is_object())
    throw usage_error("no JSON object; legal: {\"op\":\"add\",\"inputs\":[..],\"outputs\":[..]}");
  Job job;
  job.u2_is_bf16 = settings.u2_is_bf16;
  job.repeat = settings.repeat;
  job.verify = settings.verify;
  const std::vector<std::string> legal = {"op", "attrs", "inputs", "outputs", "device"};
  for (const auto &[key, value] : object.items()) {
    if (key == "op") {
      job.op = string_value(object, "op");
    } else if (key == "attrs") {
      job.attributes = value;
    } else if (key == "inputs") {
      job.inputs = string_list(object, "inputs");
    } else if (key == "outputs") {
      job.outputs = string_list(object, "outputs");
    } else if (key == "device") {
      job.device = string_value(object, "device");
    } else {
      throw usage_error(fmt::format("unknown key '{}'{}; legal: {}", key, did_you_mean(key, legal), join_names(legal)));
    }
  }
  if (job.op.empty()) throw usage_error("key 'op' is missing; 'rayo ops' lists the ops");
  if (!object.contains("inputs")) throw usage_error("key 'inputs' is missing; legal: an array of .npy files");
  return job;
}

}  // namespace rayo::tools
