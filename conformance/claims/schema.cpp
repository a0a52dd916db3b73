// SPDX-License-Identifier: Apache-2.0
#include "claims/schema.hpp"

#include <fmt/format.h>

#include <regex>
#include <set>
#include <stdexcept>

namespace rayo::conform::claims {
namespace {

using nlohmann::json;

const std::set<std::string_view> kAnnotations = {"$schema", "$id", "title", "description", "$defs", "then", "else"};

bool is_type(const json &value, const std::string &type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  throw std::invalid_argument(fmt::format("schema: unknown type '{}'", type));
}

class Validator {
 public:
  explicit Validator(const json &root) : root_(root) {}

  std::string check(const json &schema, const json &value, const std::string &path) const {
    for (const auto &[keyword, rule] : schema.items()) {
      if (kAnnotations.contains(keyword)) continue;
      std::string text = check_keyword(keyword, rule, schema, value, path);
      if (!text.empty()) return text;
    }
    return {};
  }

 private:
  std::string check_keyword(const std::string &keyword, const json &rule, const json &schema, const json &value,
                            const std::string &path) const {
    if (keyword == "$ref") return check(resolve(rule), value, path);
    if (keyword == "anyOf") return check_any(rule, value, path);
    if (keyword == "allOf") return check_all(rule, value, path);
    if (keyword == "if") return check_if(rule, schema, value, path);
    if (keyword == "properties") return check_properties(rule, value, path);
    if (keyword == "items") return check_items(rule, value, path);
    if (keyword == "required") return check_required(rule, value, path);
    return check_value(keyword, rule, value)
               ? ""
               : fmt::format("{}: {} breaks {} {}", path, value.dump(), keyword, rule.dump());
  }

  // Keywords that say something of the value itself; those of another type than the value's say nothing.
  static bool check_value(const std::string &keyword, const json &rule, const json &value) {
    if (keyword == "type") return is_type(value, rule);
    if (keyword == "const") return value == rule;
    if (keyword == "enum") return std::find(rule.begin(), rule.end(), value) != rule.end();
    if (keyword == "minimum") return !value.is_number() || value.get<double>() >= rule.get<double>();
    if (keyword == "minLength") return !value.is_string() || value.get<std::string>().size() >= rule.get<std::size_t>();
    if (keyword == "pattern") {
      return !value.is_string() || std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()));
    }
    throw std::invalid_argument(fmt::format("schema: keyword '{}' is not known here", keyword));
  }

  const json &resolve(const std::string &reference) const {
    if (!reference.starts_with("#/")) throw std::invalid_argument("schema: reference " + reference);
    return root_.at(json::json_pointer(reference.substr(1)));
  }

  std::string check_any(const json &rules, const json &value, const std::string &path) const {
    std::string all;
    for (const json &rule : rules) {
      const std::string text = check(rule, value, path);
      if (text.empty()) return {};
      all += (all.empty() ? "" : " | ") + text;
    }
    return fmt::format("{}: none of the alternatives: {}", path, all);
  }

  std::string check_all(const json &rules, const json &value, const std::string &path) const {
    for (const json &rule : rules) {
      std::string text = check(rule, value, path);
      if (!text.empty()) return text;
    }
    return {};
  }

  std::string check_if(const json &condition, const json &schema, const json &value, const std::string &path) const {
    const char *branch = check(condition, value, path).empty() ? "then" : "else";
    return schema.contains(branch) ? check(schema[branch], value, path) : std::string();
  }

  std::string check_properties(const json &rules, const json &value, const std::string &path) const {
    if (!value.is_object()) return {};
    for (const auto &[name, rule] : rules.items()) {
      if (!value.contains(name)) continue;
      std::string text = check(rule, value[name], fmt::format("{}.{}", path, name));
      if (!text.empty()) return text;
    }
    return {};
  }

  std::string check_items(const json &rule, const json &value, const std::string &path) const {
    if (!value.is_array()) return {};
    for (std::size_t i = 0; i < value.size(); ++i) {
      std::string text = check(rule, value[i], fmt::format("{}[{}]", path, i));
      if (!text.empty()) return text;
    }
    return {};
  }

  static std::string check_required(const json &names, const json &value, const std::string &path) {
    if (!value.is_object()) return {};
    for (const std::string name : names) {
      if (!value.contains(name)) return fmt::format("{}: has no '{}'", path, name);
    }
    return {};
  }

  const json &root_;
};

}  // namespace

std::string schema_violation(const json &schema, const json &document) {
  return Validator(schema).check(schema, document, "$");
}

}  // namespace rayo::conform::claims
