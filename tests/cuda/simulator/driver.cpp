// SPDX-License-Identifier: Apache-2.0
//
// A driver library of the name and functions of NVIDIA's (as many as the plugin calls), over the block simulator: one
// device whose work is queued and runs when someone waits or looks. Built as libcuda.so.1 in the tests' folder; a
// machine with a real driver never loads it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <cuda/driver.h>

#include "control.h"
#include "on_host.h"

#define API extern "C" __attribute__((visibility("default")))

using rayo::cuda::Address;
using rayo::cuda::Context;
using rayo::cuda::Event;
using rayo::cuda::Function;
using rayo::cuda::Module;
using rayo::cuda::Pool;
using rayo::cuda::Result;
using rayo::cuda::Stream;

struct CUctx_st {};
struct CUmod_st {};
struct CUfunc_st {
  const rayo::cuda::simulator::Kernel *kernel;
};
struct CUmemPoolHandle_st {};
struct CUevent_st {
  CUstream_st *stream = nullptr;
  std::uint64_t recorded = 0, done = 0;
};
struct CUstream_st {
  struct Op {
    std::function<void()> run;
    CUevent_st *wait = nullptr;  // first until this event has reached `version`
    std::uint64_t version = 0;
  };
  std::deque<Op> ops;
};

namespace {

constexpr std::size_t kMemory = std::size_t{1} << 30;

struct Fault {
  std::string call;
  int countdown = 0;
  Result result = 0;
  bool sticky = false, active = false;
};

std::recursive_mutex mutex;
CUctx_st the_context;
CUmod_st the_module;
CUmemPoolHandle_st the_pool;
std::map<std::string, CUfunc_st> functions;
std::map<char *, std::size_t> blocks;  // device and pinned memory by its first byte
std::size_t live = 0;
Fault fault;
bool held = false;
bool initialised = false;

Result injected(const char *call) {
  if (fault.active) return fault.result;
  if (fault.countdown == 0 || (!fault.call.empty() && fault.call != call) || --fault.countdown > 0) return 0;
  fault.active = fault.sticky;
  return fault.result;
}
#define ENTER                         \
  const std::lock_guard guard(mutex); \
  if (!initialised) return 3;         \
  if (const Result bad = injected(__func__); bad != 0) return bad

void step(Stream stream);
void reach(CUevent_st *event, std::uint64_t version) {
  while (event->done < version) step(event->stream);
}
void step(Stream stream) {
  if (stream->ops.empty()) {
    std::fprintf(stderr, "CUDA simulator: an event that is waited for is never recorded\n");
    std::abort();
  }
  const CUstream_st::Op op = std::move(stream->ops.front());
  stream->ops.pop_front();
  if (op.wait != nullptr) reach(op.wait, op.version);
  if (op.run) op.run();
}

Result allocate(void **out, std::size_t size) {
  if (size > kMemory || live > kMemory - size) return rayo::cuda::kOutOfMemory;
  // What the application forgets to write must not look like zeros.
  auto *p = static_cast<char *>(std::aligned_alloc(256, (size + 255) / 256 * 256));
  std::memset(p, 0xa5, size);
  blocks[p] = size;
  live += size;
  *out = p;
  return 0;
}
Result release(void *p) {
  const auto found = blocks.find(static_cast<char *>(p));
  if (found == blocks.end()) return rayo::cuda::kInvalidValue;
  live -= found->second;
  blocks.erase(found);
  std::free(p);
  return 0;
}
bool is_known(const char *p) {
  auto next = blocks.upper_bound(const_cast<char *>(p));
  if (next == blocks.begin()) return false;
  --next;
  return p < next->first + next->second;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void rayo_simulator_fail(const char *call, int nth, int result,
                                                                           int sticky) {
  const std::lock_guard guard(mutex);
  fault = {call != nullptr ? call : "", nth, result, sticky != 0, false};
}
extern "C" __attribute__((visibility("default"))) void rayo_simulator_heal() {
  const std::lock_guard guard(mutex);
  fault = {};
}
extern "C" __attribute__((visibility("default"))) std::size_t rayo_simulator_live_bytes() {
  const std::lock_guard guard(mutex);
  return live;
}
extern "C" __attribute__((visibility("default"))) void rayo_simulator_hold(int on) {
  const std::lock_guard guard(mutex);
  held = on != 0;
}

API Result cuInit(unsigned) {
  const std::lock_guard guard(mutex);
  initialised = true;
  return injected(__func__);
}
API Result cuDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
API Result cuGetErrorName(Result result, const char **name) {
  *name = result == rayo::cuda::kOutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_SIMULATED";
  return 0;
}
API Result cuGetErrorString(Result, const char **text) {
  *text = "an error of the simulated driver";
  return 0;
}
API Result cuDeviceGetCount(int *count) {
  ENTER;
  *count = 1;
  return 0;
}
API Result cuDeviceGetName(char *name, int size, int) {
  std::snprintf(name, static_cast<std::size_t>(size), "CUDA simulator on the CPU (tests)");
  return 0;
}
API Result cuDeviceTotalMem_v2(std::size_t *size, int) {
  *size = kMemory;
  return 0;
}
API Result cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == rayo::cuda::kAttributeMajor ? 9 : attribute == rayo::cuda::kAttributeMinor ? 0 : 1;
  return 0;
}
API Result cuDevicePrimaryCtxRetain(Context *context, int) {
  ENTER;
  *context = &the_context;
  return 0;
}
API Result cuDevicePrimaryCtxRelease_v2(int) { return 0; }
API Result cuCtxPushCurrent_v2(Context) { return 0; }
API Result cuCtxPopCurrent_v2(Context *) { return 0; }
API Result cuModuleLoadData(Module *module, const void *) {
  ENTER;
  *module = &the_module;
  return 0;
}
API Result cuModuleUnload(Module) { return 0; }
API Result cuModuleGetFunction(Function *function, Module, const char *name) {
  ENTER;
  const auto *kernel = rayo::cuda::simulator::find_kernel(name);
  if (kernel == nullptr) return 500;
  *function = &functions.insert({name, CUfunc_st{kernel}}).first->second;
  return 0;
}
API Result cuMemPoolCreate(Pool *pool, const rayo::cuda::PoolProps *) {
  ENTER;
  *pool = &the_pool;
  return 0;
}
API Result cuMemPoolDestroy(Pool) { return 0; }
API Result cuMemPoolSetAttribute(Pool, int, void *) { return 0; }
API Result cuMemPoolTrimTo(Pool, std::size_t) { return 0; }
API Result cuMemAllocFromPoolAsync(Address *out, std::size_t size, Pool, Stream) {
  ENTER;
  return allocate(reinterpret_cast<void **>(out), size);
}
API Result cuMemFreeAsync(Address p, Stream stream) {
  const std::lock_guard guard(mutex);
  stream->ops.push_back({[p] { release(reinterpret_cast<void *>(p)); }, nullptr, 0});
  while (!stream->ops.empty()) step(stream);
  return 0;
}
API Result cuMemAlloc_v2(Address *out, std::size_t size) {
  ENTER;
  return allocate(reinterpret_cast<void **>(out), size);
}
API Result cuMemFree_v2(Address p) {
  const std::lock_guard guard(mutex);
  return release(reinterpret_cast<void *>(p));
}
API Result cuMemHostAlloc(void **out, std::size_t size, unsigned) {
  ENTER;
  return allocate(out, size);
}
API Result cuMemFreeHost(void *p) {
  const std::lock_guard guard(mutex);
  return release(p);
}
API Result cuMemHostRegister_v2(void *p, std::size_t size, unsigned) {
  ENTER;
  blocks[static_cast<char *>(p)] = size;
  return 0;
}
API Result cuMemHostUnregister(void *p) {
  const std::lock_guard guard(mutex);
  blocks.erase(static_cast<char *>(p));
  return 0;
}
API Result cuMemHostGetDevicePointer_v2(Address *out, void *p, unsigned) {
  ENTER;
  *out = reinterpret_cast<Address>(p);
  return 0;
}
API Result cuPointerGetAttribute(void *out, int, Address p) {
  const std::lock_guard guard(mutex);
  if (!is_known(reinterpret_cast<const char *>(p))) return rayo::cuda::kInvalidValue;
  *static_cast<int *>(out) = 1;
  return 0;
}
API Result cuMemcpyAsync(Address dst, Address src, std::size_t size, Stream stream) {
  ENTER;
  stream->ops.push_back(
      {[=] { std::memcpy(reinterpret_cast<void *>(dst), reinterpret_cast<const void *>(src), size); }, nullptr, 0});
  return 0;
}
API Result cuStreamCreate(Stream *stream, unsigned) {
  ENTER;
  *stream = new CUstream_st;
  return 0;
}
API Result cuStreamDestroy_v2(Stream stream) {
  const std::lock_guard guard(mutex);
  delete stream;
  return 0;
}
API Result cuStreamSynchronize(Stream stream) {
  ENTER;
  while (!stream->ops.empty()) step(stream);
  return 0;
}
API Result cuStreamWaitEvent(Stream stream, Event event, unsigned) {
  ENTER;
  stream->ops.push_back({nullptr, event, event->recorded});
  return 0;
}
API Result cuEventCreate(Event *event, unsigned) {
  ENTER;
  *event = new CUevent_st;
  return 0;
}
API Result cuEventDestroy_v2(Event event) {
  delete event;
  return 0;
}
API Result cuEventRecord(Event event, Stream stream) {
  ENTER;
  event->stream = stream;
  const std::uint64_t version = ++event->recorded;
  stream->ops.push_back({[event, version] { event->done = version; }, nullptr, 0});
  return 0;
}
API Result cuEventQuery(Event event) {
  ENTER;
  if (event->done >= event->recorded) return 0;
  if (!held) step(event->stream);
  return event->done >= event->recorded ? 0 : rayo::cuda::kNotReady;
}
API Result cuEventSynchronize(Event event) {
  ENTER;
  reach(event, event->recorded);
  return 0;
}
API Result cuEventElapsedTime(float *out, Event, Event) {
  *out = 0;
  return rayo::cuda::kInvalidValue;  // a simulator has no time
}
API Result cuLaunchKernel(Function function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                          unsigned bz, unsigned, Stream stream, void **params, void **) {
  ENTER;
  if (gy != 1 || gz != 1 || by != 1 || bz != 1 || gx == 0 || bx == 0 || bx > 1024) return rayo::cuda::kInvalidValue;
  const auto *kernel = function->kernel;
  const auto *first = static_cast<const char *>(params[0]);
  stream->ops.push_back({[=, copy = std::vector<char>(first, first + kernel->params)] {
                           rayo::cuda::simulator::run_kernel(*kernel, copy.data(), gx, bx);
                         },
                         nullptr, 0});
  return 0;
}
API Result cuLaunchHostFunc(Stream stream, void (*function)(void *), void *data) {
  ENTER;
  stream->ops.push_back({[=] { function(data); }, nullptr, 0});
  return 0;
}
