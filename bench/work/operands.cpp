// SPDX-License-Identifier: Apache-2.0
//
// Filling operands. The generator is a counter hashed by splitmix64: any element is a function of its index, so the
// values do not depend on how they are produced.
#include "operands.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/core.h>

#include "tools/dtypes.hpp"

namespace rayo::bench {
namespace {

uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

double uniform(uint64_t bits, double low, double high) {
  return low + (high - low) * static_cast<double>(bits >> 40) * 0x1p-24;
}

template <typename T>
void fill_reals(void *data, uint64_t count, uint64_t seed, Values values) {
  const double low = values == Values::positive ? 0.0625 : -3;
  auto *const to = static_cast<T *>(data);
  for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(uniform(splitmix64(seed + i), low, 5));
}

// bf16 is the upper half of an f32; f16 gets the exponents 2^-4 ... 2^1 directly.
void fill_halves(void *data, uint64_t count, uint64_t seed, bool bfloat) {
  auto *const to = static_cast<uint16_t *>(data);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t bits = splitmix64(seed + i);
    const auto sign = static_cast<uint16_t>((bits & 1) << 15);
    const auto exponent = static_cast<uint16_t>((bits >> 1) % 6);
    const auto fraction = static_cast<uint16_t>(bits >> 48);
    to[i] = bfloat ? static_cast<uint16_t>(sign | (123 + exponent) << 7 | (fraction & 0x7f))
                   : static_cast<uint16_t>(sign | (11 + exponent) << 10 | (fraction & 0x3ff));
  }
}

void fill_bytes(void *data, uint64_t bytes, uint64_t seed, bool flags) {
  auto *const to = static_cast<uint8_t *>(data);
  for (uint64_t i = 0; i < bytes; ++i) {
    const uint64_t bits = splitmix64(seed + i);
    to[i] = static_cast<uint8_t>(flags ? bits & 1 : bits);
  }
}

void fill(tools::HostTensor &tensor, const OperandSpec &spec, uint64_t seed) {
  if (spec.dtype.code == kDLFloat && spec.dtype.bits == 32) {
    fill_reals<float>(tensor.data.get(), tensor.count, seed, spec.values);
  } else if (spec.dtype.code == kDLFloat && spec.dtype.bits == 64) {
    fill_reals<double>(tensor.data.get(), tensor.count, seed, spec.values);
  } else if (spec.dtype.code == kDLFloat || spec.dtype.code == kDLBfloat) {
    fill_halves(tensor.data.get(), tensor.count, seed, spec.dtype.code == kDLBfloat);
  } else {
    fill_bytes(tensor.data.get(), tensor.bytes, seed, spec.values == Values::flag);
  }
}

uint64_t seed_of(std::size_t input) { return (uint64_t{input} + 1) << 40; }

}  // namespace

Operands::Operands(const tools::Session &session, const rayo_op_info &op, const WorkItem &item)
    : op_(op), specs_(item.inputs), attributes_(op_, item.attributes) {
  input_views_.reserve(specs_.size());
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    input_memory_.push_back(
        tools::allocate_tensor(specs_[i].dtype, specs_[i].shape, false, fmt::format("{}: input {}", op.name, i)));
    fill(input_memory_.back(), specs_[i], seed_of(i));
  }
  for (const tools::HostTensor &memory : input_memory_) {
    input_pointers_.push_back(&input_views_.emplace_back(memory.view()));
  }
  std::array<rayo_shape, RAYO_MAX_OPERANDS> shapes;
  uint32_t count = 0;
  tools::check(rayo_infer_shapes(session.runtime(), op_.op, input_pointers_.data(),
                                 static_cast<uint32_t>(input_pointers_.size()), attributes_.list(), shapes.data(),
                                 RAYO_MAX_OPERANDS, &count));
  for (uint32_t i = 0; i < count; ++i) {
    output_memory_.push_back(tools::allocate_tensor(
        shapes[i].dtype, std::vector<int64_t>(shapes[i].extents, shapes[i].extents + shapes[i].ndim), false,
        fmt::format("{}: output {}", op.name, i)));
  }
  output_views_.reserve(count);
  for (const tools::HostTensor &memory : output_memory_) {
    output_pointers_.push_back(&output_views_.emplace_back(memory.view()));
  }
}

void Operands::make_positive() {
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].values == Values::usual) specs_[i].values = Values::positive;
    fill(input_memory_[i], specs_[i], seed_of(i));
  }
}

double Operands::input_bytes() const {
  double total = 0;
  for (const tools::HostTensor &tensor : input_memory_) total += static_cast<double>(tensor.bytes);
  return total;
}

double Operands::bytes() const {
  double total = input_bytes();
  for (const tools::HostTensor &tensor : output_memory_) total += static_cast<double>(tensor.bytes);
  return total;
}

double Operands::input_elements() const { return static_cast<double>(input_memory_.front().count); }

double Operands::output_elements() const { return static_cast<double>(output_memory_.front().count); }

std::vector<void *> Operands::output_addresses() const {
  std::vector<void *> addresses;
  for (const tools::HostTensor &tensor : output_memory_) addresses.push_back(tensor.data.get());
  return addresses;
}

void Operands::poison_outputs() {
  for (tools::HostTensor &tensor : output_memory_) std::memset(tensor.data.get(), 0xa5, tensor.bytes);
}

bool Operands::output_has_nan() const {
  const auto is_nan = [](auto value) { return std::isnan(value); };
  for (const tools::HostTensor &tensor : output_memory_) {
    const void *const data = tensor.data.get();
    if (tensor.dtype.code != kDLFloat) continue;
    if (tensor.dtype.bits == 32) {
      const auto *const values = static_cast<const float *>(data);
      if (std::any_of(values, values + tensor.count, is_nan)) return true;
    } else if (tensor.dtype.bits == 64) {
      const auto *const values = static_cast<const double *>(data);
      if (std::any_of(values, values + tensor.count, is_nan)) return true;
    }
  }
  return false;
}

}  // namespace rayo::bench
