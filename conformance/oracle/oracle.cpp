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

OutputShape elementwise_output(const Problem &p) {
  // The last operand has the output's type in every elementwise op; where's first has not.
  OutputShape out{p.inputs.back().dtype, {}};
  for (const Values &v : p.inputs) {
    if (!is_absent(v.shape)) out.shape = broadcast_shapes(out.shape, v.shape);
  }
  return out;
}

BroadcastCursor::BroadcastCursor(const Problem &p, const Shape &output, std::size_t first)
    : problem_(p), output_(output), at_(first), index_(output.size(), 0), same_(true) {
  for (const Values &v : p.inputs) same_ = same_ && v.shape == output;
  std::size_t rest = first;
  for (std::size_t d = output.size(); d-- > 0;) {
    const auto extent = static_cast<std::size_t>(output[d]);
    index_[d] = static_cast<std::int64_t>(rest % extent);
    rest /= extent;
  }
}

double BroadcastCursor::value(std::size_t i, double absent) const {
  if (i >= problem_.inputs.size()) return absent;
  const Values &v = problem_.inputs[i];
  if (same_) return v.data[at_];
  return is_absent(v.shape) ? absent : v.data[broadcast_position(index_, v.shape)];
}

void BroadcastCursor::next() {
  ++at_;
  if (!same_) advance(index_, output_);
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
