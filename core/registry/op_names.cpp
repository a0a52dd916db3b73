// SPDX-License-Identifier: Apache-2.0
//
// The process-wide table of op names. It is never destroyed: ids and names outlive every runtime, static destructors
// of the application included.
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/fork_mutex.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

struct NameTable {
  ForkMutex mutex{ForkMutex::Kind::inner};
  std::deque<std::string> names;  // names[id - 1]; a deque never moves its elements
  std::unordered_map<std::string_view, rayo_op> ids;
};

NameTable &table() {
  static NameTable *const instance = new NameTable;
  return *instance;
}

}  // namespace

rayo_op find_op(std::string_view name) noexcept {
  NameTable &t = table();
  const std::lock_guard lock(t.mutex);
  const auto it = t.ids.find(name);
  return it == t.ids.end() ? RAYO_OP_NONE : it->second;
}

rayo_op intern_op(std::string_view name) {
  if (const rayo_op known = find_op(name); known != RAYO_OP_NONE) return known;
  NameTable &t = table();
  const std::lock_guard lock(t.mutex);
  if (const auto it = t.ids.find(name); it != t.ids.end()) return it->second;
  t.names.emplace_back(name);
  const auto id = static_cast<rayo_op>(t.names.size());
  try {
    t.ids.emplace(t.names.back(), id);
  } catch (...) {
    t.names.pop_back();
    throw;
  }
  return id;
}

const char *op_name(rayo_op op) noexcept {
  NameTable &t = table();
  const std::lock_guard lock(t.mutex);
  return op >= 1 && op <= t.names.size() ? t.names[op - 1].c_str() : nullptr;
}

}  // namespace rayo
