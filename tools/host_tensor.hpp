// SPDX-License-Identifier: Apache-2.0
//
// A tensor that owns its host memory: what an .npy file is read into and what results are computed into.
#pragma once

#include <rayo/rayo.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace rayo::tools {

// Extents of any rank, 0 included. `strides` are in elements; column-major for Fortran order.
struct HostTensor {
  DLDataType dtype{};
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  uint64_t count = 0;  // elements; never 0 for rank 0
  uint64_t bytes = 0;
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> data;  // 64-byte aligned; not NULL, also for 0 elements

  // Borrows shape, strides and data.
  rayo_tensor view() const;
};

// Elements of a shape. Extents must be >= 0; false if the product of the non-zero ones, in bytes, exceeds int64.
bool element_count(const std::vector<int64_t> &shape, uint64_t element_size, uint64_t *out_count);

// Uninitialised memory for a shape. Throws CommandError RAYO_OUT_OF_MEMORY with `purpose`, the size and what is free
// when the machine cannot hold it, before anything is touched.
HostTensor allocate_tensor(DLDataType dtype, const std::vector<int64_t> &shape, bool fortran_order,
                           const std::string &purpose);

// "[2, 3]", "[]" for rank 0.
std::string shape_text(const std::vector<int64_t> &shape);

// The first values in row-major order: "1 2 3 ...".
std::string values_text(const HostTensor &tensor);

// SHA-256 over the elements in row-major order, each NaN replaced by the one quiet NaN: equal for equal results on
// every backend. Compact row-major tensors only (results are).
std::string digest(const HostTensor &tensor);

}  // namespace rayo::tools
