// SPDX-License-Identifier: Apache-2.0
#include "base/json_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json_text.hpp"

namespace rayo {
namespace {

using nlohmann::json;

// Builds the tree from the stream of tokens; false ends the reading.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(size_t deepest) : deepest_(deepest) {}

  const std::string &problem() const { return problem_; }
  JsonValue take() { return std::move(root_); }

  bool null() override { return add(JsonValue()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t &) override { return add(value); }
  bool string(string_t &value) override { return add(std::move(value)); }
  bool binary(binary_t &) override { return false; }  // no such token in a text

  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t &name) override {
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string &, const nlohmann::detail::exception &error) override {
    const std::string_view what = error.what();
    const size_t words = what.find(": ");
    problem_ = fmt::format("unreadable at byte {}: {}", position,
                           words == std::string_view::npos ? what : what.substr(words + 2, 160));
    return false;
  }

 private:
  struct Level {
    bool object;
    std::string key;  // of the member that is being read
    JsonValue::Array items;
    JsonValue::Object members;
  };

  bool open(bool object) {
    if (open_.size() == deepest_) {
      problem_ = fmt::format("nests deeper than {}", deepest_);
      return false;
    }
    open_.push_back({object, {}, {}, {}});
    return true;
  }

  bool close() {
    Level done = std::move(open_.back());
    open_.pop_back();
    return done.object ? add(std::move(done.members)) : add(std::move(done.items));
  }

  bool add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().object) {
      open_.back().members.push_back({std::move(open_.back().key), std::move(value)});
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  size_t deepest_;
  std::vector<Level> open_;
  JsonValue root_;
  std::string problem_;
};

void new_line(std::string *out, size_t indent, size_t level) {
  if (indent == 0) return;
  out->push_back('\n');
  out->append(indent * level, ' ');
}

}  // namespace

JsonValue JsonValue::parse(std::string_view text, size_t deepest) {
  Builder builder(deepest);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) throw JsonError(builder.problem());
  return builder.take();
}

std::string JsonValue::dump(size_t indent) const {
  std::string out;
  write(&out, indent, 0);
  return out;
}

void JsonValue::write(std::string *out, size_t indent, size_t level) const {
  const auto separate = [&](size_t i) {
    if (i > 0) out->push_back(',');
    new_line(out, indent, level + 1);
  };
  if (const auto *list = get<Array>()) {
    out->push_back('[');
    for (size_t i = 0; i < list->size(); ++i) {
      separate(i);
      (*list)[i].write(out, indent, level + 1);
    }
    if (!list->empty()) new_line(out, indent, level);
    out->push_back(']');
  } else if (const auto *object = get<Object>()) {
    out->push_back('{');
    for (size_t i = 0; i < object->size(); ++i) {
      separate(i);
      *out += json_string((*object)[i].name);
      *out += indent == 0 ? ":" : ": ";
      (*object)[i].value.write(out, indent, level + 1);
    }
    if (!object->empty()) new_line(out, indent, level);
    out->push_back('}');
  } else if (const auto *text = get<std::string>()) {
    *out += json_string(*text);
  } else if (const auto *truth = get<bool>()) {
    *out += *truth ? "true" : "false";
  } else if (const auto *whole = get<int64_t>()) {
    *out += fmt::to_string(*whole);
  } else if (const auto *natural = get<uint64_t>()) {
    *out += fmt::to_string(*natural);
  } else if (const auto *real = get<double>()) {
    *out += json(*real).dump();  // the shortest text that reads back as the same number
  } else {
    *out += "null";
  }
}

const JsonValue *JsonValue::find(std::string_view name) const {
  const Object *object = get<Object>();
  if (object == nullptr) return nullptr;
  const auto last =
      std::find_if(object->rbegin(), object->rend(), [name](const auto &each) { return each.name == name; });
  return last == object->rend() ? nullptr : &last->value;
}

const JsonValue &JsonValue::at(std::string_view name) const {
  const JsonValue *value = find(name);
  if (value == nullptr) throw JsonError(fmt::format("has no '{}'", name));
  return *value;
}

const JsonValue &JsonValue::item(size_t index) const {
  const Array &list = items();
  if (index >= list.size()) throw JsonError("is too short");
  return list[index];
}

int64_t JsonValue::integer() const {
  if (const auto *whole = get<int64_t>()) return *whole;
  const auto *natural = get<uint64_t>();
  if (natural == nullptr || *natural > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    throw JsonError("is not a whole number of 64 bits");
  }
  return static_cast<int64_t>(*natural);
}

double JsonValue::number() const {
  if (const auto *whole = get<int64_t>()) return static_cast<double>(*whole);
  if (const auto *natural = get<uint64_t>()) return static_cast<double>(*natural);
  return need<double>("a number");
}

}  // namespace rayo
