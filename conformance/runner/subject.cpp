// SPDX-License-Identifier: Apache-2.0
#include "runner/subject.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "suites/catalogue.hpp"

namespace rayo::conform {
namespace {

void discard_log(void *, std::int32_t, const char *) {}

void collect_log(void *log, std::int32_t level, const char *text) {
  if (level <= RAYO_LOG_WARN) static_cast<MessageLog *>(log)->add(level, text);
}

template <class Info>
Info sized(std::uint32_t type) {
  Info info{};
  info.struct_size = sizeof(Info);
  info.struct_type = type;
  return info;
}

}  // namespace

std::string last_error() {
  std::array<char, RAYO_ERROR_TEXT> text{};
  (void)rayo_last_error(text.data(), text.size());
  return text.data();
}

void MessageLog::add(std::int32_t level, const char *text) {
  try {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, text});
  } catch (const std::bad_alloc &) {  // no memory for it: the case says what that means
  }
}

std::vector<MessageLog::Line> MessageLog::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lines_, {});
}

Subject::Subject(const std::string &file, MessageLog *log) : file_(file) {
  const char *path = file_.c_str();
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
  options.numerics = RAYO_POLICY_RELAXED;
  options.plugin_files = &path;
  options.plugin_file_count = 1;
  options.log = log == nullptr ? discard_log : collect_log;
  options.log_ctx = log;
  const rayo_status status = rayo_runtime_create(&options, &runtime_);
  if (status != RAYO_OK) throw LoadError{status, last_error()};
  auto info = sized<rayo_plugin_info>(RAYO_TYPE_PLUGIN_INFO);
  if (rayo_plugin_count(runtime_) == 0 || rayo_plugin_get(runtime_, 0, &info) != RAYO_OK) {
    throw LoadError{RAYO_NOT_FOUND, "the runtime lists no plugin after loading " + file_};
  }
  if (info.state != RAYO_PLUGIN_READY) throw LoadError{RAYO_REFUSED, info.reason};
  name_ = info.name;
  sha256_ = info.sha256;
  for (std::uint32_t i = 0; i < rayo_kernel_count(runtime_); ++i) {
    auto kernel = sized<rayo_kernel_info>(RAYO_TYPE_KERNEL_INFO);
    if (rayo_kernel_get(runtime_, i, &kernel) != RAYO_OK) continue;
    const char *op = rayo_op_name(kernel.op);
    kernels_.push_back({op == nullptr ? "" : op, kernel.types, kernel.numerics, kernel.flags});
  }
}

Subject::~Subject() { rayo_runtime_destroy(runtime_); }

std::vector<std::uint32_t> Subject::classes(std::string_view op, Dtype dtype) const {
  std::vector<std::uint32_t> found;
  for (const KernelFacts &k : kernels_) {
    if (k.op == op && types_allow(k.types, dtype)) found.push_back(k.numerics);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

bool Subject::has_flag(std::string_view op, Dtype dtype, std::uint32_t flag) const {
  return std::any_of(kernels_.begin(), kernels_.end(), [&](const KernelFacts &k) {
    return k.op == op && types_allow(k.types, dtype) && (k.flags & flag) != 0;
  });
}

std::vector<FoundPlugin> find_plugins() {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.log = discard_log;
  options.require_conformance = RAYO_CONFORMANCE_NOT_REQUIRED;  // what is to be judged has no certificate yet
  rayo_runtime *runtime = nullptr;
  const rayo_status status = rayo_runtime_create(&options, &runtime);
  if (status != RAYO_OK) throw LoadError{status, last_error()};
  std::vector<FoundPlugin> found;
  for (std::uint32_t i = 0; i < rayo_plugin_count(runtime); ++i) {
    auto info = sized<rayo_plugin_info>(RAYO_TYPE_PLUGIN_INFO);
    if (rayo_plugin_get(runtime, i, &info) != RAYO_OK) continue;
    found.push_back({info.name, info.file, info.state == RAYO_PLUGIN_READY ? "" : info.reason});
  }
  rayo_runtime_destroy(runtime);
  return found;
}

}  // namespace rayo::conform
