// SPDX-License-Identifier: Apache-2.0
//
// The part of NVIDIA's driver API that the plugin calls, opened at run time: libcuda.so.1 belongs to the driver, so a
// machine without one loads this plugin all the same and is told why it is of no use there. Types and values are
// declared here, so that the plugin's host half builds without the toolkit; driver_check.cpp compares them with
// <cuda.h>.
#ifndef RAYO_CUDA_DRIVER_H
#define RAYO_CUDA_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

// The driver's own opaque types.
struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;
struct CUmemPoolHandle_st;

namespace rayo::cuda {

using Result = int;  // CUresult
using Ordinal = int;
using Address = unsigned long long;  // CUdeviceptr
using Context = CUctx_st *;
using Module = CUmod_st *;
using Function = CUfunc_st *;
using Stream = CUstream_st *;
using Event = CUevent_st *;
using Pool = CUmemPoolHandle_st *;

inline constexpr Result kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2, kDeinitialized = 4, kNoDevice = 100,
                        kInvalidContext = 201, kNoBinary = 209, kEccError = 214, kNotReady = 600, kIllegalAddress = 700,
                        kLaunchTimeout = 702, kContextDestroyed = 709, kAssert = 710, kHardwareStack = 714,
                        kLaunchFailed = 719, kSystemDriverMismatch = 803, kUnknown = 999;
// CUdevice_attribute
inline constexpr int kAttributeSms = 16, kAttributeMajor = 75, kAttributeMinor = 76, kAttributePools = 115;
// CUmemPool_attribute, CUpointer_attribute
inline constexpr int kPoolReleaseThreshold = 4, kPointerMemoryType = 2;
inline constexpr unsigned kStreamNonBlocking = 1, kEventDisableTiming = 2, kHostPortable = 1, kRegisterDevicemap = 2;

struct PoolProps {     // CUmemPoolProps
  int alloc_type = 1;  // pinned
  int handle_types = 0;
  int location_type = 1;  // a device
  int location_id = 0;
  void *security = nullptr;
  std::size_t max_size = 0;
  unsigned short usage = 0;
  unsigned char reserved[54] = {};
};

// X(member, exported name, parameters)
#define RAYO_CUDA_DRIVER(X)                                                                                     \
  X(init, cuInit, (unsigned))                                                                                   \
  X(driver_version, cuDriverGetVersion, (int *))                                                                \
  X(error_name, cuGetErrorName, (Result, const char **))                                                        \
  X(error_string, cuGetErrorString, (Result, const char **))                                                    \
  X(device_count, cuDeviceGetCount, (int *))                                                                    \
  X(device_name, cuDeviceGetName, (char *, int, Ordinal))                                                       \
  X(device_memory, cuDeviceTotalMem_v2, (std::size_t *, Ordinal))                                               \
  X(device_attribute, cuDeviceGetAttribute, (int *, int, Ordinal))                                              \
  X(context_retain, cuDevicePrimaryCtxRetain, (Context *, Ordinal))                                             \
  X(context_release, cuDevicePrimaryCtxRelease_v2, (Ordinal))                                                   \
  X(context_push, cuCtxPushCurrent_v2, (Context))                                                               \
  X(context_pop, cuCtxPopCurrent_v2, (Context *))                                                               \
  X(module_load, cuModuleLoadData, (Module *, const void *))                                                    \
  X(module_unload, cuModuleUnload, (Module))                                                                    \
  X(module_function, cuModuleGetFunction, (Function *, Module, const char *))                                   \
  X(pool_create, cuMemPoolCreate, (Pool *, const PoolProps *))                                                  \
  X(pool_destroy, cuMemPoolDestroy, (Pool))                                                                     \
  X(pool_set, cuMemPoolSetAttribute, (Pool, int, void *))                                                       \
  X(pool_trim, cuMemPoolTrimTo, (Pool, std::size_t))                                                            \
  X(pool_alloc, cuMemAllocFromPoolAsync, (Address *, std::size_t, Pool, Stream))                                \
  X(pool_free, cuMemFreeAsync, (Address, Stream))                                                               \
  X(alloc, cuMemAlloc_v2, (Address *, std::size_t))                                                             \
  X(free, cuMemFree_v2, (Address))                                                                              \
  X(host_alloc, cuMemHostAlloc, (void **, std::size_t, unsigned))                                               \
  X(host_free, cuMemFreeHost, (void *))                                                                         \
  X(host_register, cuMemHostRegister_v2, (void *, std::size_t, unsigned))                                       \
  X(host_unregister, cuMemHostUnregister, (void *))                                                             \
  X(host_address, cuMemHostGetDevicePointer_v2, (Address *, void *, unsigned))                                  \
  X(pointer_attribute, cuPointerGetAttribute, (void *, int, Address))                                           \
  X(copy, cuMemcpyAsync, (Address, Address, std::size_t, Stream))                                               \
  X(stream_create, cuStreamCreate, (Stream *, unsigned))                                                        \
  X(stream_destroy, cuStreamDestroy_v2, (Stream))                                                               \
  X(stream_synchronize, cuStreamSynchronize, (Stream))                                                          \
  X(stream_wait, cuStreamWaitEvent, (Stream, Event, unsigned))                                                  \
  X(event_create, cuEventCreate, (Event *, unsigned))                                                           \
  X(event_destroy, cuEventDestroy_v2, (Event))                                                                  \
  X(event_record, cuEventRecord, (Event, Stream))                                                               \
  X(event_query, cuEventQuery, (Event))                                                                         \
  X(event_synchronize, cuEventSynchronize, (Event))                                                             \
  X(event_elapsed, cuEventElapsedTime, (float *, Event, Event))                                                 \
  X(launch, cuLaunchKernel,                                                                                     \
    (Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void **, void **)) \
  X(launch_host, cuLaunchHostFunc, (Stream, void (*)(void *), void *))

/// The functions, and the library they came from, which is never closed: the driver keeps threads in it.
struct Driver {
#define RAYO_CUDA_MEMBER(member, symbol, parameters) Result(*member) parameters = nullptr;
  RAYO_CUDA_DRIVER(RAYO_CUDA_MEMBER)
#undef RAYO_CUDA_MEMBER
  int version = 0;  // 13000 = CUDA 13.0

  /// "CUDA_ERROR_OUT_OF_MEMORY (2): out of memory".
  std::string describe(Result result) const;
};

/// Opens and initialises the driver. Throws plugin::Error RAYO_UNSUPPORTED with "no NVIDIA driver: ..." or "no NVIDIA
/// GPU: ..." where there is none.
std::shared_ptr<const Driver> open_driver();

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_DRIVER_H
