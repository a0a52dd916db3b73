// SPDX-License-Identifier: Apache-2.0
//
// Attributes of a call: what the caller gave, checked against the op's schema, defaults filled in, owned.
#pragma once

#include <rayo/plugin.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "registry/ops.hpp"

namespace rayo {

// An owned list of attributes in the schema's order. Movable; `view()` stays valid while it lives.
class Attributes {
 public:
  Attributes() = default;
  Attributes(Attributes &&) = default;
  Attributes &operator=(Attributes &&) = default;
  Attributes(const Attributes &) = delete;
  Attributes &operator=(const Attributes &) = delete;

  const std::vector<rayo_attr> &view() const { return view_; }
  const rayo_attr *find(std::string_view name) const;
  int64_t int_or(std::string_view name, int64_t fallback) const;
  std::vector<int64_t> ints(std::string_view name) const;  // empty if absent

  void add_ints(const char *name, std::vector<int64_t> values);
  void add_floats(const char *name, std::vector<double> values);
  void add_string(const char *name, std::string value);
  void set_ints(std::string_view name, std::vector<int64_t> values);  // the attribute exists

 private:
  // deques: growing never moves what view_ points to
  std::deque<std::vector<int64_t>> ints_;
  std::deque<std::vector<double>> floats_;
  std::deque<std::string> strings_;
  std::vector<rayo_attr> view_;
};

// Number of attributes in a list ended by RAYO_ATTR_END (NULL = 0). Refuses absurd lists.
uint32_t count_attributes(const rayo_attr *attrs);

// Checks `given` against the schema (unknown names, kinds, counts, legal values), fills defaults, and normalises axes
// to [0, rank) where rank is input 0's; rank 0 counts as 1. Throws Error.
Attributes resolve_attributes(const Schema &schema, const rayo_attr *given, int32_t rank);

}  // namespace rayo
