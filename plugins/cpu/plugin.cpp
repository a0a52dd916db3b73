// SPDX-License-Identifier: Apache-2.0
//
// The CPU plugin itself: query, instances, and the helpers of cpu/plugin.h. Baseline ISA.
#include <cpu/plugin.h>
#include <pthread.h>

namespace rayo {
namespace {

constexpr uint32_t kMaxKernels = 256;

void destroy_instance(rayo_instance *instance) {
  if (instance != nullptr) instance->host->free(instance->host, instance);
}

const void *get_extension(rayo_instance *, const char *, uint32_t) { return nullptr; }

uint32_t append(const KernelList &list, const rayo_kernel **out, uint32_t n) {
  for (uint32_t i = 0; i < list.count && n < kMaxKernels; ++i) out[n++] = list.kernels[i];
  return n;
}

const rayo_kernel *all_kernels[kMaxKernels];
rayo_plugin answer;

/// Collects the families' lists, once per process: the only writer of the two variables above.
void fill_answer() {
  uint32_t n = 0;
  n = append(elementwise_kernels, all_kernels, n);
  n = append(reduce_kernels, all_kernels, n);
  n = append(reduce_misc_kernels, all_kernels, n);
  n = append(normalise_kernels, all_kernels, n);
  n = append(normalise_layer_kernels, all_kernels, n);
  n = append(transpose_kernels, all_kernels, n);
  n = append(gemm_kernels, all_kernels, n);
  n = append(gemm_int_kernels, all_kernels, n);
  n = append(quantise_kernels, all_kernels, n);
  answer.struct_size = sizeof(rayo_plugin);
  answer.struct_type = RAYO_TYPE_PLUGIN;
  answer.abi_version = RAYO_ABI_VERSION;
  answer.name = plugin_identity.name;
  answer.vendor = "Rayo";
  answer.version = RAYO_PLUGIN_VERSION;
  answer.description = plugin_identity.description;
  answer.preference = plugin_identity.preference;
  answer.kernel_count = n;
  answer.kernels = all_kernels;
  answer.create = plugin_identity.create;
  answer.destroy = destroy_instance;
  answer.get_extension = get_extension;
}

}  // namespace

rayo_status fail(rayo_error *error, rayo_status status, const char *text) {
  if (error != nullptr) {
    error->status = status;
    strncpy(error->text, text, sizeof(error->text) - 1);
    error->text[sizeof(error->text) - 1] = '\0';
  }
  return status;
}

rayo_status refuse_extensions(const rayo_op_desc &desc, rayo_error *error) {
  for (auto *s = static_cast<const rayo_struct *>(desc.next); s != nullptr;
       s = static_cast<const rayo_struct *>(s->next)) {
    if ((s->struct_type & RAYO_MUST_UNDERSTAND) != 0) {
      return fail(error, RAYO_UNSUPPORTED, "the call carries an extension that this plugin must know and does not");
    }
  }
  return RAYO_OK;
}

void *state_alloc(const rayo_instance *instance, uint64_t size, rayo_error *error) {
  void *p = instance->host->alloc(instance->host, size, 64);
  if (p == nullptr) {
    fail(error, RAYO_OUT_OF_MEMORY, "no memory for a kernel's state");
    return nullptr;
  }
  return memset(p, 0, size);
}

void state_release(rayo_instance *instance, void *state) {
  if (state != nullptr) instance->host->free(instance->host, state);
}

const rayo_attr *find_attr(const rayo_op_desc &desc, const char *name) {
  for (uint32_t i = 0; i < desc.attr_count; ++i) {
    if (strcmp(desc.attrs[i].name, name) == 0) return &desc.attrs[i];
  }
  return nullptr;
}

int64_t int_attr(const rayo_op_desc &desc, const char *name) {
  const rayo_attr *a = find_attr(desc, name);
  return a != nullptr && a->count > 0 ? *static_cast<const int64_t *>(a->data) : 0;
}

double float_attr(const rayo_op_desc &desc, const char *name) {
  const rayo_attr *a = find_attr(desc, name);
  return a != nullptr && a->count > 0 ? *static_cast<const double *>(a->data) : 0.0;
}

bool string_attr_is(const rayo_op_desc &desc, const char *name, const char *value) {
  const rayo_attr *a = find_attr(desc, name);
  return a != nullptr && a->data != nullptr && strcmp(static_cast<const char *>(a->data), value) == 0;
}

Split make_split(const rayo_op_desc &desc, int64_t units, int64_t unit_work, int64_t task_work, int64_t parallel_from) {
  Split s;
  s.units = units;
  s.group = max64(1, task_work / max64(1, unit_work));
  s.tasks = ceil_div(units, s.group);
  const bool worth = s.tasks > 1 && units >= parallel_from / max64(1, unit_work);
  s.threads = worth ? desc.max_threads : 1;  // a call may offer any worker below the descriptor's max_threads
  return s;
}

rayo_status create_instance(const rayo_host *host, const KernelTables *tables, rayo_instance **out, rayo_error *error) {
  auto *instance = static_cast<rayo_instance *>(host->alloc(host, sizeof(rayo_instance), 64));
  if (instance == nullptr) return fail(error, RAYO_OUT_OF_MEMORY, "no memory for the plugin's instance");
  instance->host = host;
  instance->tables = tables;
  *out = instance;
  return RAYO_OK;
}

rayo_status answer_query(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (host == nullptr || out_plugin == nullptr) return RAYO_INVALID_ARGUMENT;
  *out_plugin = nullptr;
  if (max_abi >> 16 != RAYO_ABI_MAJOR) {
    host->report_error(host, RAYO_REFUSED, "the host's ABI major differs from the one this plugin was compiled for");
    return RAYO_REFUSED;
  }
  if ((host->cpu_features & plugin_identity.cpu_features) != plugin_identity.cpu_features) {
    host->report_error(host, RAYO_UNSUPPORTED, "this CPU or operating system lacks an instruction set of the plugin");
    return RAYO_OK;
  }
  pthread_once(&once, fill_answer);
  *out_plugin = &answer;
  return RAYO_OK;
}

}  // namespace rayo
