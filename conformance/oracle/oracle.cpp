// SPDX-License-Identifier: Apache-2.0
#include "oracle/oracle.hpp"

#include <algorithm>
#include <array>

namespace rayo::conform {

const Oracle *find_oracle(std::string_view op) {
  const std::array<std::span<const Oracle>, 7> tables = {elementwise_oracles(),  ternary_oracles(),   reduce_oracles(),
                                                         linear_oracles(),       normalise_oracles(), integer_oracles(),
                                                         decomposition_oracles()};
  for (const auto table : tables) {
    for (const Oracle &oracle : table) {
      if (oracle.op == op) return &oracle;
    }
  }
  return nullptr;
}

double scalar_attr(const Problem &p, std::string_view name) {
  const double v = attr_real(*p.call, *p.op, name);
  return p.call->dtype == Dtype::f32 ? static_cast<double>(static_cast<float>(v)) : v;
}

Shape broadcast_shapes(const Shape &a, const Shape &b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < out.size(); ++d) {
    const std::int64_t x = d < a.size() ? a[a.size() - 1 - d] : 1;
    const std::int64_t y = d < b.size() ? b[b.size() - 1 - d] : 1;
    out[out.size() - 1 - d] = x == 1 ? y : x;
  }
  return out;
}

std::size_t broadcast_position(const Shape &index, const Shape &shape) {
  std::size_t position = 0;
  const std::size_t skip = index.size() - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t i = shape[d] == 1 ? 0 : index[skip + d];
    position = position * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(i);
  }
  return position;
}

Shape normalise_axes(const std::vector<std::int64_t> &axes, std::size_t rank) {
  Shape out;
  if (axes.empty()) {
    for (std::size_t d = 0; d < rank; ++d) out.push_back(static_cast<std::int64_t>(d));
    return out;
  }
  for (const std::int64_t axis : axes) out.push_back(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
  std::sort(out.begin(), out.end());
  return out;
}

Shape reduced_shape(const Shape &shape, const Shape &axes, bool keepdims) {
  Shape out;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    if (!reduced) {
      out.push_back(shape[d]);
    } else if (keepdims) {
      out.push_back(1);
    }
  }
  return out;
}

}  // namespace rayo::conform
