// SPDX-License-Identifier: Apache-2.0
//
// The tables of the chaos plugin: two honest kernels, and the places where a fault sets in.
#include <rayo/plugin.hpp>

#include <atomic>

#include "chaos.h"

namespace {

constexpr int64_t kLate = 1000;  // elements; the probe's calls are smaller

__attribute__((constructor)) void at_load() { chaos::act("load"); }
__attribute__((destructor)) void at_exit() { chaos::act("exit"); }

enum class Op { add, mul };

template <class T, Op op>
class Binary {
 public:
  explicit Binary(const rayo_op_desc &desc) {
    chaos::act("prepare");
    for (int32_t axis = 0; axis < desc.outputs[0]->ndim; ++axis) elements_ *= desc.outputs[0]->shape[axis];
  }

  void operator()(const rayo_call &call) const {
    const auto *a = static_cast<const T *>(call.inputs[0]);
    const auto *b = static_cast<const T *>(call.inputs[1]);
    auto *y = static_cast<T *>(call.outputs[0]);
    chaos::act("kernel");
    if (elements_ >= kLate) chaos::act("late");
    for (int64_t i = 0; i < elements_; ++i) y[i] = op == Op::add ? a[i] + b[i] : a[i] * b[i];
    spoil("kernel", call);
    if (elements_ >= kLate) spoil("late", call);
  }

 private:
  // Wrong results, and statuses that are no success.
  void spoil(const char *stage, const rayo_call &call) const {
    static std::atomic<int> counter{0};
    const int calls = ++counter;
    auto *y = static_cast<T *>(call.outputs[0]);
    const bool off = chaos::is(stage, "wrong") || (chaos::is(stage, "wrong-tail") && elements_ % 8 != 0) ||
                     (chaos::is(stage, "nondeterminism") && calls % 2 == 0) || wrong_type(stage);
    if (off && elements_ > 0) y[elements_ - 1] += T{1};
    if (chaos::is(stage, "wrong-7th") && calls % 7 == 0 && elements_ > 0) y[0] += T{1};
    if (chaos::is(stage, "overwrite")) y[elements_] = T{1};
    if (chaos::is(stage, "underwrite")) y[-1] = T{1};
    if (chaos::is(stage, "input")) const_cast<T *>(static_cast<const T *>(call.inputs[0]))[0] = T{1};
    if (chaos::is(stage, "fail")) throw rayo::plugin::Error(RAYO_INTERNAL, "chaos was asked to fail");
    if (chaos::is(stage, "memory")) throw rayo::plugin::Error(RAYO_OUT_OF_MEMORY, "chaos was asked for no memory");
    if (chaos::is(stage, "retry")) throw rayo::plugin::Error(RAYO_RETRY, "chaos was asked to try again later");
  }
  // A kernel that lists f64 and computes as if it were f32.
  static bool wrong_type(const char *stage) { return sizeof(T) == 8 && chaos::is(stage, "lying-dtype"); }

  int64_t elements_ = 1;
};

template <class T, Op op>
constexpr rayo_kernel make_kernel(const char *name, const char *op_name, const char *types) {
  return rayo::plugin::kernel<Binary<T, op>>({.name = name,
                                              .op = op_name,
                                              .types = types,
                                              .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                              .flags = RAYO_KERNEL_IN_PLACE,
                                              .layouts = RAYO_LAYOUT_CONTIGUOUS,
                                              .alignment = alignof(T)});
}

constexpr rayo_kernel kAdd = make_kernel<float, Op::add>("add_f32", "add", "T=f32");
constexpr rayo_kernel kMul = make_kernel<float, Op::mul>("mul_f32", "mul", "T=f32");
constexpr rayo_kernel kAddDouble = make_kernel<double, Op::add>("add_f64", "add", "T=f64");
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kMul, &kAddDouble};

rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) noexcept {
  chaos::act("create");  // noexcept: what is thrown ends the process
  if (chaos::is("create", "fail")) {
    *error = rayo_error{RAYO_UNSUPPORTED, "chaos was asked not to start"};
    return RAYO_UNSUPPORTED;
  }
  if (chaos::is("create", "log")) {
    host->log(host, RAYO_LOG_INFO, "chaos says what nobody needs to know");
    host->log(host, RAYO_LOG_WARN, "chaos warns");
    host->log(host, RAYO_LOG_WARN, "chaos warns");
    host->log(host, RAYO_LOG_ERROR, "chaos complains");
  }
  return rayo::plugin::detail::create(host, out, error);
}

void destroy(rayo_instance *instance) noexcept {
  chaos::act("destroy");
  if (chaos::is("destroy", "twice")) rayo::plugin::detail::destroy(instance);
  rayo::plugin::detail::destroy(instance);
}

// The answer, spoiled where the name says so.
const rayo_plugin *answer() noexcept {
  static rayo_plugin plugin = [] {
    rayo_plugin p = rayo::plugin::plugin({.name = "chaos",
                                          .vendor = "Rayo",
                                          .version = "0.1.0",
                                          .description = "bad manners, chosen by its file name",
                                          .preference = 1000},
                                         kKernels);
    p.create = create;
    p.destroy = destroy;
    if (chaos::is("answer", "short-struct")) p.struct_size = 40;
    if (chaos::is("answer", "no-type")) p.struct_type = 0;
    if (chaos::is("answer", "null-name")) p.name = nullptr;
    if (chaos::is("answer", "other-name")) p.name = "somebody_else";
    if (chaos::is("answer", "null-create")) p.create = nullptr;
    if (chaos::is("answer", "null-kernels")) p.kernels = nullptr;
    if (chaos::is("answer", "many-kernels")) p.kernel_count = 0x7fffffff;
    if (chaos::is("answer", "wild-kernels")) p.kernels = reinterpret_cast<const rayo_kernel *const *>(0x1000);
    if (chaos::is("answer", "wild-name")) p.name = reinterpret_cast<const char *>(0x1000);
    if (chaos::is("answer", "abi-99")) p.abi_version = 99u << 16;
    if (chaos::is("answer", "abi-0")) p.abi_version = 0;
    return p;
  }();
  if (chaos::is("answer", "nothing")) return nullptr;
  return &plugin;
}

}  // namespace

RAYO_PLUGIN_NOTE("chaos", "Rayo", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(chaos)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  chaos::act("query");
  if (chaos::is("query", "fail")) {
    host->report_error(host, RAYO_INTERNAL, "chaos was asked for a failing query");
    return RAYO_INTERNAL;
  }
  return rayo::plugin::answer_query(host, max_abi, out_plugin, answer());
}
