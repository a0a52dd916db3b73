// SPDX-License-Identifier: Apache-2.0
//
// Values of attributes: integers, floats and strings, single or lists, from text and from JSON.
#include "attributes.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/core.h>

#include "command.hpp"
#include "lists.hpp"
#include "suggest.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

std::string json_text(const json &value) {
  constexpr std::size_t kLongest = 80;
  std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

template <typename T>
bool parse_number(const std::string &text, T *out_value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out_value);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_number(const json &value, int64_t *out_value) {
  if (value.is_string()) return parse_number(value.get<std::string>(), out_value);
  if (value.is_boolean()) {
    *out_value = value.get<bool>() ? 1 : 0;
    return true;
  }
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) return false;
  *out_value = value.get<int64_t>();
  return true;
}

bool read_number(const json &value, double *out_value) {
  if (value.is_string()) return parse_number(value.get<std::string>(), out_value);
  if (!value.is_number()) return false;
  *out_value = value.get<double>();
  return true;
}

const char *kind_name(uint32_t kind) {
  return kind == RAYO_ATTR_INT ? "INT" : kind == RAYO_ATTR_FLOAT ? "FLOAT" : "STRING";
}

[[noreturn]] void bad_value(const rayo_attr_def &definition, const json &value, const std::string &op) {
  throw usage_error(fmt::format("{}: attribute {}: '{}' is no legal value; legal: {}", op, definition.name,
                                json_text(value), attribute_text(definition)));
}

// All values of an attribute: a list may be an array, a comma-separated string or one number.
template <typename T>
std::vector<T> read_numbers(const rayo_attr_def &definition, const json &value, const std::string &op) {
  const bool is_list = (definition.flags & RAYO_ATTR_LIST) != 0;
  json items = json::array();
  if (value.is_array() && is_list) {
    items = value;
  } else if (value.is_string() && is_list) {
    for (const std::string &part : split_list(value.get<std::string>(), ',')) items.push_back(part);
  } else {
    items.push_back(value);
  }
  std::vector<T> numbers;
  for (const json &item : items) {
    T number{};
    if (!read_number(item, &number)) bad_value(definition, value, op);
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

json attributes_from_arguments(const std::vector<std::string> &arguments) {
  json values = json::object();
  for (const std::string &argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw usage_error(fmt::format("--attr '{}': expected NAME=VALUE, e.g. --attr axes=0,2", argument));
    }
    const std::string name = argument.substr(0, equals);
    if (values.contains(name)) throw usage_error(fmt::format("--attr {}: given twice; give it once", name));
    values[name] = argument.substr(equals + 1);
  }
  return values;
}

AttributeList::AttributeList(const rayo_op_info &op, const json &values) {
  const std::string op_name = op.name;
  if (!values.is_object()) {
    throw usage_error(
        fmt::format("{}: attrs is {}; legal: an object such as {{\"axes\":[0,2]}}", op_name, json_text(values)));
  }
  for (const auto &[name, value] : values.items()) {
    const rayo_attr_def *definition = nullptr;
    std::vector<std::string> legal;
    for (uint32_t i = 0; i < op.attr_count; ++i) {
      legal.emplace_back(op.attrs[i]->name);
      if (name == op.attrs[i]->name) definition = op.attrs[i];
    }
    if (definition == nullptr) {
      throw usage_error(fmt::format("{}: unknown attribute '{}'{}; legal: {}; 'rayo ops {}' explains them", op_name,
                                    name, did_you_mean(name, legal), join_names(legal), op_name));
    }
    if (definition->kind == RAYO_ATTR_INT) {
      add_integers(*definition, value, op_name);
    } else if (definition->kind == RAYO_ATTR_FLOAT) {
      add_floats(*definition, value, op_name);
    } else {
      add_string(*definition, value, op_name);
    }
  }
  attributes_.push_back(RAYO_ATTR_END);
}

void AttributeList::add_integers(const rayo_attr_def &definition, const json &value, const std::string &op) {
  const auto &stored = integers_.emplace_back(read_numbers<int64_t>(definition, value, op));
  attributes_.push_back(rayo_attr_ints(definition.name, stored.data(), static_cast<uint32_t>(stored.size())));
}

void AttributeList::add_floats(const rayo_attr_def &definition, const json &value, const std::string &op) {
  const auto &stored = floats_.emplace_back(read_numbers<double>(definition, value, op));
  attributes_.push_back(rayo_attr_floats(definition.name, stored.data(), static_cast<uint32_t>(stored.size())));
}

void AttributeList::add_string(const rayo_attr_def &definition, const json &value, const std::string &op) {
  if (!value.is_string()) bad_value(definition, value, op);
  const std::string &stored = strings_.emplace_back(value.get<std::string>());
  attributes_.push_back({definition.name, RAYO_ATTR_STRING, static_cast<uint32_t>(stored.size()), stored.c_str()});
}

json attribute_default(const rayo_attr_def &definition) {
  if ((definition.flags & RAYO_ATTR_REQUIRED) != 0) return nullptr;
  const bool is_list = (definition.flags & RAYO_ATTR_LIST) != 0;
  if (definition.kind == RAYO_ATTR_STRING) {
    return definition.default_data == nullptr ? json(nullptr)
                                              : json(static_cast<const char *>(definition.default_data));
  }
  json values = json::array();
  for (uint32_t i = 0; i < definition.default_count; ++i) {
    if (definition.kind == RAYO_ATTR_INT) {
      values.push_back(static_cast<const int64_t *>(definition.default_data)[i]);
    } else {
      values.push_back(static_cast<const double *>(definition.default_data)[i]);
    }
  }
  if (is_list) return values;
  return values.empty() ? json(nullptr) : values[0];
}

std::string attribute_text(const rayo_attr_def &definition) {
  const std::string kind = kind_name(definition.kind);
  const bool has_legal = definition.legal != nullptr && definition.legal[0] != '\0';
  std::string text = fmt::format("{}={}", definition.name, has_legal ? definition.legal : kind);
  if ((definition.flags & RAYO_ATTR_LIST) != 0) text = fmt::format("{},{},...", text, kind);
  if ((definition.flags & RAYO_ATTR_REQUIRED) != 0) return text + " (required)";
  const json value = attribute_default(definition);
  if (value.is_null() || (value.is_array() && value.empty())) return text;
  return fmt::format("{} (default {})", text, json_text(value));
}

}  // namespace rayo::tools
