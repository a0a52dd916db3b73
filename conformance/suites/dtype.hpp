// SPDX-License-Identifier: Apache-2.0
//
// Element types by name, and dense logical tensors held as doubles (exact for every type of up to 53 bits): the
// common currency between generators, oracle and judge.
#pragma once

#include <rayo/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform {

enum class Dtype { f32, f64, f16, bf16, i8, u8, i32, i64 };

std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> parse_dtype(std::string_view name);
std::size_t dtype_size(Dtype dtype);
DLDataType dtype_dl(Dtype dtype);
std::optional<Dtype> dtype_of(DLDataType type);
bool dtype_is_float(Dtype dtype);

// Reads or writes one element at any address; writing rounds to nearest even and saturates integers.
double load_element(Dtype dtype, const void *address);
void store_element(Dtype dtype, void *address, double value);

// The same for a contiguous run.
void load_elements(Dtype dtype, const void *first, std::span<double> out);
void store_elements(Dtype dtype, void *first, std::span<const double> values);

using Shape = std::vector<std::int64_t>;

std::int64_t element_count(const Shape &shape);

struct Values {
  Dtype dtype = Dtype::f32;
  Shape shape;
  std::vector<double> data;  // row-major
};

// Steps `index` through `shape` in row-major order; false after the last one.
bool advance(Shape &index, const Shape &shape);

}  // namespace rayo::conform
