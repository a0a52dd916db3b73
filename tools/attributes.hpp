// SPDX-License-Identifier: Apache-2.0
//
// Attributes of a call from text or JSON, typed by the op's schema. Which values are legal is the core's to judge;
// here names must exist and values must have the attribute's kind.
#pragma once

#include <rayo/rayo.h>

#include <deque>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rayo::tools {

// "KEY=VALUE" arguments as a JSON object of strings. Throws a usage error for text without '=' and repeated keys.
nlohmann::json attributes_from_arguments(const std::vector<std::string> &arguments);

// Owns the values; list() is what the C API takes.
class AttributeList {
 public:
  // `values`: an object; strings are read as on the command line ("0,2"), numbers and arrays are taken as they are.
  // Throws a usage error naming the op, the attribute, the value and the legal ones.
  AttributeList(const rayo_op_info &op, const nlohmann::json &values);
  AttributeList(const AttributeList &) = delete;
  AttributeList &operator=(const AttributeList &) = delete;

  const rayo_attr *list() const { return attributes_.data(); }

 private:
  void add_integers(const rayo_attr_def &definition, const nlohmann::json &value, const std::string &op);
  void add_floats(const rayo_attr_def &definition, const nlohmann::json &value, const std::string &op);
  void add_string(const rayo_attr_def &definition, const nlohmann::json &value, const std::string &op);

  std::deque<std::vector<int64_t>> integers_;  // deques: addresses stay while they grow
  std::deque<std::vector<double>> floats_;
  std::deque<std::string> strings_;
  std::vector<rayo_attr> attributes_;  // ends with RAYO_ATTR_END
};

// "axes=INT,INT,... (default: all)": an attribute as help and messages show it.
std::string attribute_text(const rayo_attr_def &definition);

// The default value as JSON: null where there is none.
nlohmann::json attribute_default(const rayo_attr_def &definition);

}  // namespace rayo::tools
