// SPDX-License-Identifier: Apache-2.0
#include "capi/host_table.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

void host_report_error(const rayo_host *, rayo_status, const char *text) {
  set_last_error(text != nullptr ? text : "");
}

void host_log(const rayo_host *host, int32_t level, const char *text) {
  if (host == nullptr || text == nullptr) return;
  static_cast<const HostTable *>(host)->log_of_runtime->write(std::clamp(level, RAYO_LOG_ERROR, RAYO_LOG_DEBUG), text);
}

void *host_alloc(const rayo_host *, uint64_t size, uint64_t alignment) {
  const uint64_t aligned = std::max<uint64_t>(alignment, sizeof(void *));
  if ((aligned & (aligned - 1)) != 0 || size > SIZE_MAX / 2) return nullptr;
  void *memory = nullptr;
  return ::posix_memalign(&memory, aligned, std::max<uint64_t>(size, 1)) == 0 ? memory : nullptr;
}

void host_free(const rayo_host *, void *memory) { std::free(memory); }

rayo_op host_intern(const rayo_host *, const char *name) {
  if (name == nullptr || *name == '\0') return RAYO_OP_NONE;
  rayo_op op = RAYO_OP_NONE;
  fence([&] { op = intern_op(name); });
  return op;
}

const char *host_op_name(const rayo_host *, rayo_op op) { return op_name(op); }

uint64_t host_trace_begin(const rayo_host *host, const char *name) {
  Trace *trace = host != nullptr ? static_cast<const HostTable *>(host)->trace : nullptr;
  return trace != nullptr ? trace->begin(name) : 0;
}

void host_trace_end(const rayo_host *host, uint64_t token) {
  if (token != 0 && host != nullptr) static_cast<const HostTable *>(host)->trace->end(token);
}

uint64_t host_trace_track(const rayo_host *host, const char *name) {
  Trace *trace = host != nullptr ? static_cast<const HostTable *>(host)->trace : nullptr;
  return trace != nullptr && name != nullptr ? trace->track(name) : 0;
}

void host_trace_work(const rayo_host *host, uint64_t track, const rayo_trace_work *work) {
  Trace *trace = host != nullptr ? static_cast<const HostTable *>(host)->trace : nullptr;
  if (trace == nullptr || track == 0 || work == nullptr || work->name == nullptr) return;
  const TraceEvent event =
      trace_event(SpanKind::work, work->name, work->begin_ns, work->end_ns, static_cast<uint32_t>(track));
  trace->add_work(event, {work->waits, work->wait_count}, {work->signals, work->signal_count});
}

}  // namespace

void fill_host_table(HostTable *table, const Log *log, Trace *trace) {
  table->struct_size = sizeof(rayo_host);
  table->struct_type = RAYO_TYPE_HOST;
  table->abi_version = RAYO_ABI_VERSION;
  table->report_error = host_report_error;
  table->log = host_log;
  table->alloc = host_alloc;
  table->free = host_free;
  table->intern = host_intern;
  table->op_name = host_op_name;
  table->trace_begin = host_trace_begin;
  table->trace_end = host_trace_end;
  table->trace_track = host_trace_track;
  table->trace_work = host_trace_work;
  table->log_of_runtime = log;
  table->trace = trace;
}

}  // namespace rayo
