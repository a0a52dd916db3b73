// SPDX-License-Identifier: Apache-2.0
//
// Compares driver.h's types and values with the toolkit's. Compiled where the toolkit is; makes no code.
#include <cuda.h>

#include "driver.h"

#include <type_traits>

namespace rayo::cuda {

static_assert(kSuccess == CUDA_SUCCESS && kInvalidValue == CUDA_ERROR_INVALID_VALUE);
static_assert(kOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY && kDeinitialized == CUDA_ERROR_DEINITIALIZED);
static_assert(kNoDevice == CUDA_ERROR_NO_DEVICE && kInvalidContext == CUDA_ERROR_INVALID_CONTEXT);
static_assert(kNoBinary == CUDA_ERROR_NO_BINARY_FOR_GPU && kEccError == CUDA_ERROR_ECC_UNCORRECTABLE);
static_assert(kNotReady == CUDA_ERROR_NOT_READY && kIllegalAddress == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(kLaunchTimeout == CUDA_ERROR_LAUNCH_TIMEOUT && kContextDestroyed == CUDA_ERROR_CONTEXT_IS_DESTROYED);
static_assert(kAssert == CUDA_ERROR_ASSERT && kHardwareStack == CUDA_ERROR_HARDWARE_STACK_ERROR);
static_assert(kLaunchFailed == CUDA_ERROR_LAUNCH_FAILED && kUnknown == CUDA_ERROR_UNKNOWN);
static_assert(kSystemDriverMismatch == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
static_assert(kAttributeSms == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(kAttributeMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(kAttributeMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(kAttributePools == CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED);
static_assert(kPoolReleaseThreshold == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
static_assert(kPointerMemoryType == CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
static_assert(kStreamNonBlocking == CU_STREAM_NON_BLOCKING && kEventDisableTiming == CU_EVENT_DISABLE_TIMING);
static_assert(kHostPortable == CU_MEMHOSTALLOC_PORTABLE && kRegisterDevicemap == CU_MEMHOSTREGISTER_DEVICEMAP);
static_assert(std::is_same_v<Address, CUdeviceptr> && std::is_same_v<Stream, CUstream>);
static_assert(std::is_same_v<Context, CUcontext> && std::is_same_v<Module, CUmodule>);
static_assert(std::is_same_v<Function, CUfunction> && std::is_same_v<Event, CUevent>);
static_assert(std::is_same_v<Pool, CUmemoryPool> && sizeof(Result) == sizeof(CUresult));

static_assert(sizeof(PoolProps) == sizeof(CUmemPoolProps));
static_assert(offsetof(PoolProps, location_type) == offsetof(CUmemPoolProps, location));
static_assert(offsetof(PoolProps, max_size) == offsetof(CUmemPoolProps, maxSize));
static_assert(offsetof(PoolProps, reserved) == offsetof(CUmemPoolProps, reserved));
static_assert(CU_MEM_ALLOCATION_TYPE_PINNED == 1 && CU_MEM_LOCATION_TYPE_DEVICE == 1);

// Functions: the parameters' sizes must agree; enums are int here.
template <class F>
struct Shape;
template <class... A>
struct Shape<CUresult(A...)> {
  template <class... B>
  static constexpr bool fits(Result (*)(B...)) {
    if constexpr (sizeof...(A) != sizeof...(B)) {
      return false;
    } else {
      return ((sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>)&&...);
    }
  }
};
#define RAYO_CUDA_FITS(member, symbol, parameters) \
  static_assert(Shape<decltype(symbol)>::fits(static_cast<Result(*) parameters>(nullptr)), #symbol);
RAYO_CUDA_DRIVER(RAYO_CUDA_FITS)

}  // namespace rayo::cuda
