// SPDX-License-Identifier: Apache-2.0
//
// A plugin whose add is right and whose manners are not: the environment variable RAYO_TEST_DEFECT names what it does
// wrong, so that one file serves every check of the plugin itself. Without the variable it has no defect.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <rayo/plugin.hpp>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

bool defect(std::string_view name) {
  const char *asked = std::getenv("RAYO_TEST_DEFECT");
  return asked != nullptr && name == asked;
}

struct Add {
  explicit Add(const rayo_op_desc &desc)
      : loop_({desc.inputs[0], desc.inputs[1], desc.outputs[0]}), workers_(desc.max_threads > 1 ? 7 : 1) {}
  std::uint64_t workspace_size() const { return 64; }

  void operator()(const rayo_call &call) const {
    auto *space = static_cast<float *>(call.workspace);
    if (defect("workspace_overrun")) space[16] = 1;
    const float stale = defect("workspace") && space[3] != space[3] ? 1.0f : 0.0f;
    const float position = defect("executor") && call.max_threads > 1 ? 1.0f : 0.0f;
    if (defect("undeclared_threads")) {
      call.executor->parallel_for(
          call.executor->self, 2, call.max_threads, [](void *, uint64_t, uint32_t) {}, nullptr);
    }
    if (defect("call_fails")) throw rayo::plugin::Error(RAYO_INTERNAL, "planted");
    if (defect("flush")) set_mode();
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (uint64_t task = 0; task < loop_.tasks(); ++task) {
      loop_.run(task, [&](const auto &at, int64_t count) {
        const auto &s = loop_.strides();
        for (int64_t i = 0; i < count; ++i) {
          y[at[2] + i * s[2]] = a[at[0] + i * s[0]] + b[at[1] + i * s[1]] + (i == 0 ? stale + position : 0.0f);
        }
      });
    }
  }

 private:
  static void set_mode() {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#elif defined(__aarch64__)
    std::uint64_t fpcr = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (UINT64_C(1) << 24)));
#endif
  }
  rayo::plugin::StridedLoop<3> loop_;
  uint32_t workers_;
};

constexpr rayo_kernel base_kernel(const char *types) {
  return rayo::plugin::kernel<Add>({.name = "add",
                                    .op = "add",
                                    .types = types,
                                    .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                    .flags = RAYO_KERNEL_IN_PLACE,
                                    .layouts = RAYO_LAYOUT_STRIDED});
}

uint32_t supports(rayo_instance *, const rayo_op_desc *desc) {
  if (desc->inputs[0]->dtype.bits == 64) return RAYO_WHY_DTYPE;
  return defect("supports_code") ? 99 : RAYO_WHY_SUPPORTED;
}

rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  if (defect("struct_size") && desc->struct_size != sizeof(rayo_op_desc)) return RAYO_INVALID_ARGUMENT;
  if (defect("extension") && desc->next != nullptr) return RAYO_UNSUPPORTED;
  if (defect("error_null") && desc->next != nullptr) error->text[0] = '!';
  rayo_op_desc plain = *desc;
  if (defect("must_understand")) plain.next = nullptr;
  const rayo_status status = rayo::plugin::detail::prepare<Add>(instance, &plain, out, error);
  if (status == RAYO_OK && defect("header")) out->struct_size = 8;
  if (status == RAYO_OK && defect("beyond")) std::memset(reinterpret_cast<char *>(out) + sizeof(rayo_prepared), 0, 1);
  return status;
}

constexpr rayo_kernel make(const char *types) {
  rayo_kernel k = base_kernel(types);
  k.supports = supports;
  k.prepare = prepare;
  return k;
}

const rayo_host *kept = nullptr;

void handler(int) {}
void *idle(void *) {
  ::sleep(2);
  return nullptr;
}

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  if (defect("cwd")) (void)!::chdir("/");
  if (defect("umask")) ::umask(0);
  if (defect("locale")) (void)std::setlocale(LC_ALL, "C.UTF-8");
  if (defect("signals")) ::signal(SIGUSR2, handler);
  if (defect("files")) (void)!::open("/dev/null", O_RDONLY);
  if (defect("variables")) ::setenv("RAYO_TEST_LEFT_BEHIND", "1", 1);
  if (defect("stdout")) std::puts("hello from a plugin");
  if (defect("leak")) (void)host->alloc(host, 100, 64);
  if (defect("crash")) __builtin_trap();
  if (defect("threads")) {
    pthread_t thread;
    if (::pthread_create(&thread, nullptr, idle, nullptr) == 0) ::pthread_detach(thread);
  }
  if (defect("instances") && kept != nullptr) return RAYO_PRECONDITION;
  kept = host;
  return rayo::plugin::detail::create(host, out, error);
}

constexpr rayo_kernel kF32 = make("T=f32");
constexpr rayo_kernel kLying = make("T=f32,f64");
constexpr const rayo_kernel *kHonest[] = {&kF32};
constexpr const rayo_kernel *kBoasting[] = {&kLying};

rayo_plugin describe(const rayo_kernel *const *kernels, uint32_t count) {
  rayo_plugin p = rayo::plugin::plugin(
      {.name = "misfit", .vendor = "Rayo tests", .version = "0", .description = "bad manners", .preference = 1},
      kHonest);
  p.kernels = kernels;
  p.kernel_count = count;
  p.create = create;
  return p;
}

}  // namespace

RAYO_PLUGIN_NOTE("misfit", "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(misfit)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  static rayo_plugin plugin;
  static rayo_plugin other;
  plugin = describe(kHonest, 1);
  if (defect("lying_capability")) plugin = describe(kBoasting, 1);
  if (defect("major") && host != nullptr) max_abi = RAYO_ABI_VERSION;
  if (defect("minor") && max_abi > RAYO_ABI_VERSION) return RAYO_REFUSED;
  if (defect("query_null") && out_plugin == nullptr) return RAYO_OK;
  static bool odd = false;
  odd = !odd;
  if (defect("query_repeats") && odd) {
    other = plugin;
    return rayo::plugin::answer_query(host, max_abi, out_plugin, &other);
  }
  return rayo::plugin::answer_query(host, max_abi, out_plugin, &plugin);
}
