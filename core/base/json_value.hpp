// SPDX-License-Identifier: Apache-2.0
//
// A JSON document in memory, for what the core reads and writes: caches, profiles, answers of the probe, reports.
// nlohmann::json does the parsing but is not the tree: its destructor allocates, and where that allocation fails the
// process ends. Nothing here allocates to let go.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rayo {

// The document is no JSON, nests too deeply, or holds something else than was asked for.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct JsonMember;

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;  // in the order of the text

  JsonValue();  // null
  ~JsonValue();
  JsonValue(const JsonValue &);
  JsonValue(JsonValue &&) noexcept;
  JsonValue &operator=(const JsonValue &);
  JsonValue &operator=(JsonValue &&) noexcept;
  // NOLINTBEGIN(google-explicit-constructor): a value stands for what it holds, so that a document reads like its text
  JsonValue(bool value);
  template <std::signed_integral T>
  JsonValue(T value);
  template <std::unsigned_integral T>
  JsonValue(T value);
  JsonValue(double value);  // finite; JSON has no other
  JsonValue(std::string value);
  JsonValue(std::string_view value);
  JsonValue(const char *value);
  JsonValue(Array value);
  JsonValue(Object value);
  // NOLINTEND(google-explicit-constructor)

  // `deepest`: how many arrays and objects may lie in each other. Throws JsonError.
  static JsonValue parse(std::string_view text, size_t deepest);
  // indent 0: on one line. Bytes that are no UTF-8 become U+FFFD.
  std::string dump(size_t indent = 0) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_number() const { return is<int64_t>() || is<uint64_t>() || is<double>(); }

  // nullptr: it is of another kind. Whole numbers from 0 up are uint64_t, below it int64_t.
  template <class T>
  const T *get() const {
    return std::get_if<T>(&value_);
  }

  // What follows throws JsonError where the value is of another kind or out of range.
  const JsonValue &at(std::string_view name) const;  // of an object
  const JsonValue &item(size_t index) const;         // of a list
  const Array &items() const { return need<Array>("a list"); }
  const Object &members() const { return need<Object>("an object"); }
  const std::string &text() const { return need<std::string>("a text"); }
  bool boolean() const { return need<bool>("true or false"); }
  int64_t integer() const;
  uint64_t count() const { return need<uint64_t>("a whole number from 0 up"); }
  double number() const;

  // An object's member, the last of that name; nullptr: no object, or none.
  const JsonValue *find(std::string_view name) const;

 private:
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(value_);
  }
  template <class T>
  const T &need(const char *what) const {
    if (const T *value = get<T>()) return *value;
    throw JsonError(std::string("is not ") + what);
  }
  void write(std::string *out, size_t indent, size_t level) const;

  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// All that makes or ends a value stands here, where a member is a complete type.
inline JsonValue::JsonValue() = default;
inline JsonValue::~JsonValue() = default;
inline JsonValue::JsonValue(const JsonValue &) = default;
inline JsonValue::JsonValue(JsonValue &&) noexcept = default;
inline JsonValue &JsonValue::operator=(const JsonValue &) = default;
inline JsonValue &JsonValue::operator=(JsonValue &&) noexcept = default;
inline JsonValue::JsonValue(bool value) : value_(value) {}
inline JsonValue::JsonValue(double value) : value_(value) {}
inline JsonValue::JsonValue(std::string value) : value_(std::move(value)) {}
inline JsonValue::JsonValue(std::string_view value) : value_(std::string(value)) {}
inline JsonValue::JsonValue(const char *value) : value_(std::string(value)) {}
inline JsonValue::JsonValue(Array value) : value_(std::move(value)) {}
inline JsonValue::JsonValue(Object value) : value_(std::move(value)) {}
template <std::signed_integral T>
JsonValue::JsonValue(T value) {
  if (value >= 0) {
    value_ = static_cast<uint64_t>(value);
  } else {
    value_ = int64_t{value};
  }
}
template <std::unsigned_integral T>
JsonValue::JsonValue(T value) : value_(uint64_t{value}) {}

}  // namespace rayo
