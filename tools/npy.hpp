// SPDX-License-Identifier: Apache-2.0
//
// .npy files (NumPy 1.0, 2.0, 3.0) in and out: f2 f4 f8 i1 u1 i4 i8 b1, bf16 as u2; any rank from 0, C and Fortran
// order, either byte order in, little endian out.
#pragma once

#include <string>

#include "host_tensor.hpp"

namespace rayo::tools {

// Reads a whole file into memory of its own. A Fortran-order file becomes a tensor with column-major strides: its
// logical elements are those that NumPy sees. Throws CommandError naming the file, what was found and what is legal.
HostTensor read_npy(const std::string &file, bool u2_is_bf16 = false);

// Writes a compact row-major tensor to an open file; `name` is for messages. Throws CommandError RAYO_IO.
void write_npy(int descriptor, const HostTensor &tensor, const std::string &name);

}  // namespace rayo::tools
