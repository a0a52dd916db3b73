// SPDX-License-Identifier: Apache-2.0
#include "dispatch/attributes.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace rayo {
namespace {

constexpr uint32_t kMostAttributes = 64;
constexpr uint32_t kMostValues = 1u << 16;

const char *kind_name(uint32_t kind) {
  switch (kind) {
    case RAYO_ATTR_INT:
      return "int";
    case RAYO_ATTR_FLOAT:
      return "float";
    case RAYO_ATTR_STRING:
      return "string";
    default:
      return "unknown kind";
  }
}

std::string legal_names(const Schema &schema) {
  std::string names;
  for (uint32_t i = 0; i < schema.raw->attr_count; ++i) {
    names += names.empty() ? "" : ", ";
    names += schema.raw->attrs[i]->name;
  }
  return names.empty() ? "none" : names;
}

// "0|1" holds "1"; an empty or missing list holds everything.
bool is_legal(const char *legal, std::string_view value) {
  if (legal == nullptr || *legal == '\0') return true;
  std::string_view rest(legal);
  while (true) {
    const size_t bar = rest.find('|');
    if (rest.substr(0, bar) == value) return true;
    if (bar == std::string_view::npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

std::vector<int64_t> normalise_axes(const Schema &schema, const rayo_attr_def &def, std::vector<int64_t> axes,
                                    int32_t rank) {
  const int64_t r = std::max(rank, 1);
  for (int64_t &axis : axes) {
    if (axis < -r || axis >= r) {
      fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' = {} is out of range for a tensor of rank {}: legal are {} to {}",
           schema.raw->name, def.name, axis, rank, -r, r - 1);
    }
    if (axis < 0) axis += r;
  }
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' names axis {} twice; give each axis once", schema.raw->name,
         def.name, *twice);
  }
  return axes;
}

void check_given(const Schema &schema, const rayo_attr_def &def, const rayo_attr &attr) {
  const bool converts = def.kind == RAYO_ATTR_FLOAT && attr.kind == RAYO_ATTR_INT;
  if (attr.kind != def.kind && !converts) {
    fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' has kind {}, expected {}", schema.raw->name, def.name,
         kind_name(attr.kind), kind_name(def.kind));
  }
  if (attr.data == nullptr && attr.count != 0) {
    fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' has count {} and no data", schema.raw->name, def.name, attr.count);
  }
  if (attr.count > kMostValues) {
    fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' has {} values, at most {} are taken", schema.raw->name, def.name,
         attr.count, kMostValues);
  }
  if (def.kind != RAYO_ATTR_STRING && (def.flags & RAYO_ATTR_LIST) == 0 && attr.count != 1) {
    fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' takes exactly one value, {} were given", schema.raw->name, def.name,
         attr.count);
  }
}

void add_ints(const Schema &schema, const rayo_attr_def &def, const rayo_attr &attr, int32_t rank, Attributes *out) {
  const auto *data = static_cast<const int64_t *>(attr.data);
  std::vector<int64_t> values(data, data + attr.count);
  for (const int64_t value : values) {
    if (!is_legal(def.legal, std::to_string(value))) {
      fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' = {}: legal values are {}", schema.raw->name, def.name, value,
           def.legal);
    }
  }
  if ((def.flags & RAYO_ATTR_AXES) != 0) values = normalise_axes(schema, def, std::move(values), rank);
  out->add_ints(def.name, std::move(values));
}

void add_floats(const rayo_attr_def &def, const rayo_attr &attr, Attributes *out) {
  std::vector<double> values;
  for (uint32_t i = 0; i < attr.count; ++i) {
    values.push_back(attr.kind == RAYO_ATTR_INT ? static_cast<double>(static_cast<const int64_t *>(attr.data)[i])
                                                : static_cast<const double *>(attr.data)[i]);
  }
  out->add_floats(def.name, std::move(values));
}

void add_value(const Schema &schema, const rayo_attr_def &def, const rayo_attr &attr, int32_t rank, Attributes *out) {
  if (def.kind == RAYO_ATTR_INT) {
    add_ints(schema, def, attr, rank, out);
  } else if (def.kind == RAYO_ATTR_FLOAT) {
    add_floats(def, attr, out);
  } else {
    std::string value(static_cast<const char *>(attr.data), attr.count);
    if (!is_legal(def.legal, value)) {
      fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' = '{}': legal values are {}", schema.raw->name, def.name, value,
           def.legal);
    }
    out->add_string(def.name, std::move(value));
  }
}

}  // namespace

const rayo_attr *Attributes::find(std::string_view name) const {
  for (const rayo_attr &attr : view_) {
    if (name == attr.name) return &attr;
  }
  return nullptr;
}

int64_t Attributes::int_or(std::string_view name, int64_t fallback) const {
  const rayo_attr *attr = find(name);
  if (attr == nullptr || attr->kind != RAYO_ATTR_INT || attr->count != 1) return fallback;
  return *static_cast<const int64_t *>(attr->data);
}

std::vector<int64_t> Attributes::ints(std::string_view name) const {
  const rayo_attr *attr = find(name);
  if (attr == nullptr || attr->kind != RAYO_ATTR_INT) return {};
  const auto *data = static_cast<const int64_t *>(attr->data);
  return {data, data + attr->count};
}

void Attributes::add_ints(const char *name, std::vector<int64_t> values) {
  const auto &stored = ints_.emplace_back(std::move(values));
  view_.push_back({name, RAYO_ATTR_INT, static_cast<uint32_t>(stored.size()), stored.data()});
}

void Attributes::add_floats(const char *name, std::vector<double> values) {
  const auto &stored = floats_.emplace_back(std::move(values));
  view_.push_back({name, RAYO_ATTR_FLOAT, static_cast<uint32_t>(stored.size()), stored.data()});
}

void Attributes::add_string(const char *name, std::string value) {
  const auto &stored = strings_.emplace_back(std::move(value));
  view_.push_back({name, RAYO_ATTR_STRING, static_cast<uint32_t>(stored.size()), stored.c_str()});
}

void Attributes::set_ints(std::string_view name, std::vector<int64_t> values) {
  for (rayo_attr &attr : view_) {
    if (name != attr.name) continue;
    const auto &stored = ints_.emplace_back(std::move(values));
    attr.count = static_cast<uint32_t>(stored.size());
    attr.data = stored.data();
    return;
  }
}

uint32_t count_attributes(const rayo_attr *attrs) {
  if (attrs == nullptr) return 0;
  uint32_t count = 0;
  while (attrs[count].name != nullptr) {
    if (++count > kMostAttributes) {
      fail(RAYO_INVALID_ARGUMENT, "more than {} attributes: end the list with RAYO_ATTR_END", kMostAttributes);
    }
  }
  return count;
}

Attributes resolve_attributes(const Schema &schema, const rayo_attr *given, int32_t rank) {
  const uint32_t given_count = count_attributes(given);
  const rayo_op_schema &raw = *schema.raw;
  std::vector<const rayo_attr *> chosen(raw.attr_count, nullptr);
  for (uint32_t g = 0; g < given_count; ++g) {
    uint32_t i = 0;
    while (i < raw.attr_count && std::strcmp(raw.attrs[i]->name, given[g].name) != 0) ++i;
    if (i == raw.attr_count) {
      fail(RAYO_INVALID_ARGUMENT, "{}: unknown attribute '{}'; its attributes are: {}", raw.name, given[g].name,
           legal_names(schema));
    }
    if (chosen[i] != nullptr) {
      fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' is given twice", raw.name, given[g].name);
    }
    check_given(schema, *raw.attrs[i], given[g]);
    chosen[i] = &given[g];
  }
  Attributes out;
  for (uint32_t i = 0; i < raw.attr_count; ++i) {
    const rayo_attr_def &def = *raw.attrs[i];
    if (chosen[i] == nullptr && (def.flags & RAYO_ATTR_REQUIRED) != 0) {
      fail(RAYO_INVALID_ARGUMENT, "{}: attribute '{}' ({}) must be given: {}", raw.name, def.name, kind_name(def.kind),
           def.doc == nullptr ? "" : def.doc);
    }
    if (chosen[i] != nullptr) {
      add_value(schema, def, *chosen[i], rank, &out);
    } else if ((def.flags & RAYO_ATTR_AXES) != 0 && def.default_count == 1) {
      // A default beyond the rank is the last axis: it was not asked for, and per-tensor parameters do not need it.
      const int64_t axis = std::min<int64_t>(*static_cast<const int64_t *>(def.default_data), std::max(rank, 1) - 1);
      add_value(schema, def, {def.name, RAYO_ATTR_INT, 1, &axis}, rank, &out);
    } else {
      add_value(schema, def, {def.name, def.kind, def.default_count, def.default_data}, rank, &out);
    }
  }
  return out;
}

}  // namespace rayo
