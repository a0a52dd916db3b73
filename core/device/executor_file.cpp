// SPDX-License-Identifier: Apache-2.0
#include "device/executor_file.hpp"

#include <dlfcn.h>

#include "base/env.hpp"
#include "base/error.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

const rayo_executor *load_executor(const std::string &file) {
  if (const std::string reason = distrust(file); !reason.empty()) {
    fail(RAYO_PRECONDITION, "executor {} {}", quote(file), reason);
  }
  void *handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char *text = ::dlerror();
    fail(RAYO_UNSUPPORTED, "executor {} cannot be loaded: {}", quote(file), text != nullptr ? text : "?");
  }
  const auto query = reinterpret_cast<decltype(&rayo_executor_query)>(::dlsym(handle, "rayo_executor_query"));
  const rayo_executor *executor = query != nullptr ? query() : nullptr;
  if (executor == nullptr) fail(RAYO_UNSUPPORTED, "executor {} does not work here", quote(file));
  return executor;
}

}  // namespace

const rayo_executor *find_executor(std::string_view source, std::string_view name) {
  if (name == "pool") return nullptr;
  if (name != "openmp") fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: pool, openmp", source, quote(name));
  std::string folders;
  for (const std::string &folder : default_folders("executors")) {
    const std::string file = real_path(folder + "/openmp.so");
    if (!file.empty()) return load_executor(file);
    folders += " " + quote(folder);
  }
  fail(RAYO_NOT_FOUND, "{} is \"openmp\", but there is no openmp.so in{}; install it, or use pool", source,
       folders.empty() ? " lib/rayo/executors (no such folder)" : folders);
}

}  // namespace rayo
