// SPDX-License-Identifier: Apache-2.0
#include "abi/host.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace rayo::conform::abi {
namespace {

std::uint64_t cpu_features() {
#if defined(__x86_64__)
  std::uint64_t features = 0;
  const auto add = [&features](bool has, std::uint64_t bit) { features |= has ? bit : 0; };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("sse4.2") != 0, RAYO_CPU_SSE42);
  add(__builtin_cpu_supports("avx") != 0, RAYO_CPU_AVX);
  add(__builtin_cpu_supports("fma") != 0, RAYO_CPU_FMA);
  add(__builtin_cpu_supports("avx") != 0 && __builtin_cpu_supports("fma") != 0, RAYO_CPU_F16C);
  add(__builtin_cpu_supports("avx2") != 0, RAYO_CPU_AVX2);
  add(__builtin_cpu_supports("bmi2") != 0, RAYO_CPU_BMI2);
  add(__builtin_cpu_supports("avx512f") != 0, RAYO_CPU_AVX512F);
  add(__builtin_cpu_supports("avx512bw") != 0, RAYO_CPU_AVX512BW);
  add(__builtin_cpu_supports("avx512dq") != 0, RAYO_CPU_AVX512DQ);
  add(__builtin_cpu_supports("avx512vl") != 0, RAYO_CPU_AVX512VL);
  add(__builtin_cpu_supports("avx512vnni") != 0, RAYO_CPU_AVX512VNNI);
  return features;
#elif defined(__aarch64__)
  const unsigned long caps = ::getauxval(AT_HWCAP);
  constexpr unsigned long kFp16 = 1ul << 10;
  constexpr unsigned long kDotprod = 1ul << 20;
  return RAYO_CPU_NEON | ((caps & kDotprod) != 0 ? RAYO_CPU_DOTPROD : 0) | ((caps & kFp16) != 0 ? RAYO_CPU_FP16 : 0);
#else
  return 0;
#endif
}

}  // namespace

Host &Host::of(const rayo_host *table) { return *reinterpret_cast<const Table *>(table)->self; }

Host::Host() {
  std::memset(&table_, 0x5a, sizeof table_);  // what lies beyond a plugin's knowledge is no zero
  table_.self = this;
  rayo_host &h = table_.host;
  h = rayo_host{};
  h.struct_size = sizeof(rayo_host);
  h.struct_type = RAYO_TYPE_HOST;
  h.abi_version = RAYO_ABI_VERSION;
  h.cpu_features = cpu_features();
  h.max_threads = 7;
  h.report_error = [](const rayo_host *host, rayo_status, const char *text) { of(host).reported_ = text; };
  h.log = [](const rayo_host *, std::int32_t, const char *) {};
  h.alloc = [](const rayo_host *host, std::uint64_t size, std::uint64_t alignment) -> void * {
    const std::uint64_t unit = alignment < sizeof(void *) ? sizeof(void *) : alignment;
    void *memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
    if (memory != nullptr) of(host).allocations_[memory] = size;
    return memory;
  };
  h.free = [](const rayo_host *host, void *memory) {
    of(host).allocations_.erase(memory);
    std::free(memory);
  };
  h.intern = [](const rayo_host *host, const char *name) { return of(host).intern(name); };
  h.op_name = [](const rayo_host *host, rayo_op op) -> const char * {
    const auto &names = of(host).names_;
    return op == 0 || op > names.size() ? nullptr : names[op - 1]->c_str();
  };
  h.trace_begin = [](const rayo_host *, const char *) { return std::uint64_t{0}; };
  h.trace_end = [](const rayo_host *, std::uint64_t) {};
}

rayo_op Host::intern(const std::string &name) {
  const auto [at, added] = ids_.emplace(name, static_cast<rayo_op>(names_.size() + 1));
  if (added) names_.push_back(std::make_unique<std::string>(name));
  return at->second;
}

SerialExecutor::SerialExecutor(bool backwards) : backwards_(backwards) {
  executor_.struct_size = sizeof executor_;
  executor_.struct_type = RAYO_TYPE_EXECUTOR;
  executor_.self = this;
  executor_.parallel_for = run;
}

void SerialExecutor::run(void *self, std::uint64_t tasks, std::uint32_t max_threads, rayo_task_fn fn, void *ctx) {
  auto &executor = *static_cast<SerialExecutor *>(self);
  ++executor.regions_;
  for (std::uint64_t i = 0; i < tasks; ++i) {
    const std::uint64_t task = executor.backwards_ ? tasks - 1 - i : i;
    fn(ctx, task, static_cast<std::uint32_t>((i * 5 + (executor.backwards_ ? 1 : 0)) % max_threads));
  }
}

Library::Library(const std::string &file) : handle_(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw Defect(fmt::format("dlopen: {}", ::dlerror()));
  query_ = reinterpret_cast<rayo_plugin_query_fn>(::dlsym(handle_, "rayo_plugin_query"));
  if (query_ != nullptr) return;
  ::dlclose(handle_);
  throw Defect("the file has no symbol rayo_plugin_query");
}

Library::~Library() { ::dlclose(handle_); }

const rayo_plugin &Library::plugin(const Host &host) const {
  const rayo_plugin *plugin = nullptr;
  const rayo_status status = query_(host.table(), RAYO_ABI_VERSION, &plugin);
  if (status != RAYO_OK) throw Defect(fmt::format("query answers {}: {}", status, host.reported()));
  if (plugin == nullptr) throw Defect("query answers RAYO_OK without a plugin: not for this host");
  return *plugin;
}

Instance::Instance(const rayo_plugin &plugin, const Host &host) : plugin_(plugin) {
  rayo_error error{};
  const rayo_status status = plugin.create(host.table(), &instance_, &error);
  if (status != RAYO_OK) throw Defect(fmt::format("create answers {}: {}", status, error.text));
}

Instance::~Instance() { plugin_.destroy(instance_); }

}  // namespace rayo::conform::abi
