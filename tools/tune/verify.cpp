// SPDX-License-Identifier: Apache-2.0
#include "verify.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/core.h>

#include "conformance/oracle/bounds.hpp"
#include "tools/compare.hpp"
#include "tools/dtypes.hpp"

namespace rayo::tools::tune {
namespace {

using conform::BoundKind;

uint32_t numerics_of(const Session &session, rayo_op op, const std::string &plugin, const std::string &kernel) {
  for (const rayo_kernel_info &info : session.kernels()) {
    if (info.op == op && plugin == info.plugin && kernel == info.name) return info.numerics;
  }
  return RAYO_NUMERICS_RELAXED;
}

// Both results may lie this far from the true value, in units of the type's u times the largest |value| (gelu: or
// |argument|): the op's bound over the longest line that n elements can form, with the inputs of the benchmarks (|x| <
// 5).
double allowance(const conform::Bound &bound, conform::Grade grade, double n) {
  const double factor = conform::grade_factor(bound, grade);
  switch (bound.kind) {
    case BoundKind::exact:
      return factor;
    case BoundKind::ulp:
    case BoundKind::sigmoid:
    case BoundKind::gelu:
      return 2 * (factor + bound.per_argument * 8);  // ULP to u
    case BoundKind::softmax:
    case BoundKind::log_softmax:
      return factor * (32 + 2 * std::sqrt(n));
    case BoundKind::layer_norm:
    case BoundKind::rms_norm:
      return factor * (4 * (4 + 2 * std::sqrt(n)) + 8);
    case BoundKind::accumulate:
    case BoundKind::root:
    case BoundKind::variance:
      return factor * 4 * (n + 1);
  }
  return factor;
}

double unit_of(DLDataType dtype) {
  if (dtype.code != kDLFloat) return 1;
  return dtype.bits == 64 ? 0x1p-53 : dtype.bits == 32 ? 0x1p-24 : 0x1p-11;
}

// The largest finite |element|.
double largest_of(const void *data, DLDataType dtype, uint64_t count) {
  const std::size_t size = dtype_size(dtype);
  double largest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const double value = element_as_double(static_cast<const char *>(data) + i * size, dtype);
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

// gelu's bound is in units of its argument, which near x = 0 and far below it is larger than the value.
double largest_argument(const bench::Operands &operands) {
  const DLTensor &x = operands.inputs()[0]->dl;
  uint64_t count = 1;
  for (int32_t axis = 0; axis < x.ndim; ++axis) count *= static_cast<uint64_t>(x.shape[axis]);
  return largest_of(static_cast<const char *>(x.data) + x.byte_offset, x.dtype, count);
}

std::string outside_bound(const HostTensor &actual, const HostTensor &expected, double units, double at_least) {
  const std::size_t size = dtype_size(expected.dtype);
  const double largest = std::max(largest_of(expected.data.get(), expected.dtype, expected.count), at_least);
  const double limit = units * unit_of(expected.dtype) * std::max(largest, 1e-30);
  for (uint64_t i = 0; i < expected.count; ++i) {
    const double e = element_as_double(static_cast<const char *>(expected.data.get()) + i * size, expected.dtype);
    const double a = element_as_double(static_cast<const char *>(actual.data.get()) + i * size, actual.dtype);
    if (std::isnan(e) && std::isnan(a)) continue;
    if (e == a || std::abs(e - a) <= limit) continue;
    return fmt::format("element {} is {:.9g}, scalar has {:.9g}, allowed is a difference of {:.3g}", i, a, e, limit);
  }
  return "";
}

}  // namespace

std::vector<HostTensor> copy_outputs(bench::Operands &operands) {
  std::vector<HostTensor> copies;
  for (const HostTensor &output : operands.output_memory()) {
    copies.push_back(allocate_tensor(output.dtype, output.shape, false, "a result to compare with"));
    std::memcpy(copies.back().data.get(), output.data.get(), output.bytes);
  }
  return copies;
}

Verified verify_outputs(const Session &session, bench::Operands &operands, const std::vector<HostTensor> &expected,
                        const std::string &plugin, const std::string &kernel) {
  Verified out;
  const uint32_t numerics = numerics_of(session, operands.op().op, plugin, kernel);
  const conform::Bound *bound = conform::find_bound(operands.op().name);
  const bool bits = numerics == RAYO_NUMERICS_REPRODUCIBLE && operands.op().numerics == RAYO_NUMERICS_REPRODUCIBLE;
  out.how = bits ? "bits" : bound != nullptr ? "bound" : "none";
  for (std::size_t i = 0; i < expected.size() && out.wrong.empty(); ++i) {
    const HostTensor &actual = operands.output_memory()[i];
    if (bits) {
      const Comparison comparison = compare(actual, expected[i]);
      if (comparison.differing != 0) {
        out.wrong = fmt::format("{} of {} elements differ from scalar's bits, element {} first by the distance",
                                comparison.differing, actual.count, comparison.worst_element);
      }
    } else if (bound != nullptr) {
      const conform::Grade grade = numerics == RAYO_NUMERICS_RELAXED ? conform::Grade::relaxed : conform::Grade::strict;
      const double n = std::max(operands.input_elements(), 1.0);
      const double argument = bound->kind == BoundKind::gelu ? largest_argument(operands) : 0;
      out.wrong = outside_bound(actual, expected[i],
                                allowance(*bound, grade, n) + allowance(*bound, conform::Grade::ours, n), argument);
    }
  }
  return out;
}

}  // namespace rayo::tools::tune
