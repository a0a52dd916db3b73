// SPDX-License-Identifier: Apache-2.0
//
// Element types as the command line names them ("f32", "bf16") and their place in DLPack's terms.
#pragma once

#include <rayo/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace rayo::tools {

bool same_dtype(DLDataType a, DLDataType b);

// "f32" for RAYO_F32; types without a short name give "code2/bits16".
std::string dtype_name(DLDataType dtype);

// The type called `name`, if there is one.
std::optional<DLDataType> dtype_from_name(std::string_view name);

// "f16, bf16, f32, ...": the legal names for messages.
const std::string &dtype_names();

// Bytes of one element.
constexpr uint64_t dtype_size(DLDataType dtype) { return (uint64_t{dtype.bits} * dtype.lanes + 7) / 8; }

// The element at `data` (any alignment) as a number, for summaries.
double element_as_double(const void *data, DLDataType dtype);

}  // namespace rayo::tools
