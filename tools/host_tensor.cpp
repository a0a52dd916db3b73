// SPDX-License-Identifier: Apache-2.0
//
// Memory of tensors: sizes checked for overflow and against the memory that is free, so that a result that cannot fit
// is a message and not a killed process.
#include "host_tensor.hpp"

#include <sha2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include <fmt/core.h>

#include "command.hpp"
#include "dtypes.hpp"

namespace rayo::tools {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kAlwaysTried = uint64_t{64} << 20;  // smaller requests are left to the allocator
constexpr uint64_t kShownValues = 6;

// The number in the first word of a file such as a cgroup's memory.max; `fallback` when it is absent or "max".
uint64_t number_in_file(const char *path, uint64_t fallback) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : fallback;
}

// Bytes that can be had without swapping: MemAvailable, and what the control group leaves.
uint64_t available_memory() {
  constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();
  uint64_t available = kUnknown;
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  uint64_t kib = 0;
  std::string unit;
  while (meminfo >> key >> kib >> unit) {
    if (key != "MemAvailable:") continue;
    available = kib * 1024;
    break;
  }
  const uint64_t limit = number_in_file("/sys/fs/cgroup/memory.max", kUnknown);
  const uint64_t used = number_in_file("/sys/fs/cgroup/memory.current", 0);
  return std::min(available, limit == kUnknown ? kUnknown : limit - std::min(limit, used));
}

std::string size_text(uint64_t bytes) {
  if (bytes < 1024 * 1024) return fmt::format("{} bytes", bytes);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
}

std::vector<int64_t> compact_strides(const std::vector<int64_t> &shape, bool fortran_order) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t axis = fortran_order ? i : shape.size() - 1 - i;
    strides[axis] = stride;
    stride *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

// Address of the element at row-major position `index`.
const std::byte *element_at(const HostTensor &tensor, uint64_t index) {
  int64_t offset = 0;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    const auto extent = static_cast<uint64_t>(tensor.shape[i]);
    offset += static_cast<int64_t>(index % extent) * tensor.strides[i];
    index /= extent;
  }
  return static_cast<const std::byte *>(tensor.data.get()) + offset * static_cast<int64_t>(dtype_size(tensor.dtype));
}

// Replaces every NaN in `count` elements at `data` by the quiet NaN without sign and payload.
void canonicalise_nans(std::byte *data, uint64_t count, DLDataType dtype) {
  const auto replace = [&](auto zero, auto infinity, auto sign, auto quiet) {
    using Bits = decltype(zero);
    for (uint64_t i = 0; i < count; ++i) {
      Bits bits;
      std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
      if (static_cast<Bits>(bits & ~sign) > infinity) std::memcpy(data + i * sizeof bits, &quiet, sizeof bits);
    }
  };
  if (dtype.code == kDLBfloat) {
    replace(uint16_t{0}, uint16_t{0x7f80}, uint16_t{0x8000}, uint16_t{0x7fc0});
  } else if (dtype.code == kDLFloat && dtype.bits == 16) {
    replace(uint16_t{0}, uint16_t{0x7c00}, uint16_t{0x8000}, uint16_t{0x7e00});
  } else if (dtype.code == kDLFloat && dtype.bits == 32) {
    replace(uint32_t{0}, uint32_t{0x7f800000}, uint32_t{0x80000000}, uint32_t{0x7fc00000});
  } else if (dtype.code == kDLFloat && dtype.bits == 64) {
    replace(uint64_t{0}, uint64_t{0x7ff0000000000000}, uint64_t{0x8000000000000000}, uint64_t{0x7ff8000000000000});
  }
}

}  // namespace

rayo_tensor HostTensor::view() const {
  return rayo_tensor_make(data.get(), dtype, static_cast<int32_t>(shape.size()), shape.data(), strides.data());
}

bool element_count(const std::vector<int64_t> &shape, uint64_t element_size, uint64_t *out_count) {
  int64_t bytes = static_cast<int64_t>(element_size);
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent == 0) empty = true;
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(extent, 1), &bytes)) return false;
  }
  *out_count = empty ? 0 : static_cast<uint64_t>(bytes) / element_size;
  return true;
}

HostTensor allocate_tensor(DLDataType dtype, const std::vector<int64_t> &shape, bool fortran_order,
                           const std::string &purpose) {
  HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape = shape;
  if (!element_count(shape, dtype_size(dtype), &tensor.count)) {
    throw CommandError(RAYO_OUT_OF_MEMORY, fmt::format("out of memory: {} of shape {} is larger than any machine's",
                                                       purpose, shape_text(shape)));
  }
  tensor.bytes = tensor.count * dtype_size(dtype);
  tensor.strides = compact_strides(shape, fortran_order);
  const uint64_t rounded = std::max(tensor.bytes + kAlignment - 1, kAlignment) / kAlignment * kAlignment;
  const uint64_t available = rounded > kAlwaysTried ? available_memory() : rounded;
  if (rounded <= available) tensor.data.reset(std::aligned_alloc(kAlignment, rounded));
  if (tensor.data == nullptr) {
    throw CommandError(
        RAYO_OUT_OF_MEMORY,
        fmt::format("out of memory: {} of type {} and shape {} needs {}{}; use smaller inputs, or free memory first",
                    purpose, dtype_name(dtype), shape_text(shape), size_text(tensor.bytes),
                    rounded > available ? fmt::format(", {} are available", size_text(available)) : ""));
  }
  return tensor;
}

std::string shape_text(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

std::string values_text(const HostTensor &tensor) {
  std::string text;
  for (uint64_t i = 0; i < std::min(tensor.count, kShownValues); ++i) {
    const double value = element_as_double(element_at(tensor, i), tensor.dtype);
    text += fmt::format("{}{:.6g}", i == 0 ? "" : " ", std::isnan(value) ? std::abs(value) : value);
  }
  return tensor.count > kShownValues ? text + " ..." : text;
}

std::string digest(const HostTensor &tensor) {
  constexpr uint64_t kChunk = 64 * 1024;
  std::vector<std::byte> chunk(std::min(kChunk, tensor.bytes));
  const auto *data = static_cast<const std::byte *>(tensor.data.get());
  SHA2_CTX hash;
  SHA256Init(&hash);
  for (uint64_t done = 0; done < tensor.bytes;) {
    const uint64_t size = std::min(kChunk, tensor.bytes - done);
    std::memcpy(chunk.data(), data + done, size);
    canonicalise_nans(chunk.data(), size / dtype_size(tensor.dtype), tensor.dtype);
    SHA256Update(&hash, reinterpret_cast<const uint8_t *>(chunk.data()), size);
    done += size;
  }
  std::array<uint8_t, SHA256_DIGEST_LENGTH> result;
  SHA256Final(result.data(), &hash);
  std::string text;
  for (const uint8_t byte : result) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace rayo::tools
