// SPDX-License-Identifier: Apache-2.0
#include "claims/calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "runner/digest.hpp"
#include "runner/judge.hpp"

namespace rayo::conform::claims {
namespace {

std::vector<Shape> product_shapes(const OpInfo &op, Extent e) {
  std::vector<Shape> shapes = {{e.rows, e.depth}, {e.depth, e.length}};
  if (op.shape_rule == "gemm") shapes.push_back({e.length});
  return shapes;
}

// Shapes by the op's shape rule; empty for a rule that is not known.
std::vector<Shape> shapes_of(const OpInfo &op, Extent e) {
  const std::string &rule = op.shape_rule;
  const Shape line = {e.length};
  if (rule == "broadcast" || rule == "reduce" || rule == "arg_reduce" || rule == "dot" || rule == "same") {
    return std::vector<Shape>(op.total_inputs, line);
  }
  if (rule == "norm") {
    std::vector<Shape> shapes(op.total_inputs, line);
    shapes[0] = {e.rows, e.length};
    return shapes;
  }
  if (rule == "quantize") return {line, {}, {}};
  if (rule == "matmul" || rule == "gemm" || rule == "matmul_integer") return product_shapes(op, e);
  if (rule == "transpose") return {{e.rows, e.length}};
  if (rule == "eigh") return {{std::min<std::int64_t>(e.length, 64), std::min<std::int64_t>(e.length, 64)}};
  return {};
}

std::int64_t byte_count(const Operand &operand) {
  return element_count(operand.shape()) * static_cast<std::int64_t>(dtype_size(operand.dtype()));
}

// Compact inputs, all of them given.
void copy_inputs(const Case &c, const Inputs &from, Inputs &to) {
  for (std::size_t i = 0; i < from.operands.size(); ++i) {
    const Operand &source = *from.operands[i];
    to.operands.push_back(
        std::make_unique<Operand>(source.dtype(), source.shape(), std::nullopt, c.operand_offset(i), c.guard));
    const auto bytes = static_cast<std::size_t>(byte_count(source));
    if (bytes != 0) std::memcpy(to.operands[i]->origin(), source.origin(), bytes);
  }
  for (const auto &operand : to.operands) to.tensors.push_back(operand->tensor());
  for (const rayo_tensor &tensor : to.tensors) to.pointers.push_back(&tensor);
}

std::vector<OutputShape> infer(const Subject &subject, const Case &c, const OpInfo &op, const Inputs &inputs) {
  const AttrPack attrs(c, op);
  std::array<rayo_shape, RAYO_MAX_OPERANDS> inferred{};
  std::uint32_t count = 0;
  const rayo_status status = rayo_infer_shapes(subject.runtime(), rayo_op_find(c.op.c_str()), inputs.pointers.data(),
                                               static_cast<std::uint32_t>(inputs.pointers.size()), attrs.list(),
                                               inferred.data(), static_cast<std::uint32_t>(inferred.size()), &count);
  if (status != RAYO_OK) throw CallFailed(fmt::format("shape: {}: {}", rayo_status_name(status), last_error()));
  std::vector<OutputShape> shapes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto dtype = dtype_of(inferred[i].dtype);
    if (!dtype) throw CallFailed(fmt::format("output {} has a type that the suite does not know", i));
    shapes.push_back({*dtype, Shape(inferred[i].extents, inferred[i].extents + inferred[i].ndim)});
  }
  return shapes;
}

std::vector<std::vector<double>> values(const BoundCase &call, const std::vector<std::vector<std::byte>> &bytes) {
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    all.emplace_back(static_cast<std::size_t>(element_count(call.shapes()[i].shape)));
    if (!all.back().empty()) load_elements(call.shapes()[i].dtype, bytes[i].data(), all.back());
  }
  return all;
}

}  // namespace

std::optional<Case> shaped_case(const OpInfo &op, const std::vector<Dtype> &types, Extent extent,
                                std::string_view distribution, std::uint64_t seed) {
  Case c;
  c.op = op.name;
  c.dtype = types.at(0);
  c.more_dtypes.assign(types.begin() + 1, types.end());
  c.shapes = shapes_of(op, extent);
  if (c.shapes.empty()) return std::nullopt;
  c.distributions = {std::string(distribution)};
  c.seed = seed;
  // Integers and conditions have distributions of their own; a scale of U(-1, 1) would saturate everything.
  const std::string real(distribution);
  if (!dtype_is_float(c.dtype)) c.distributions = {"bits"};
  if (op.name == "where") c.distributions = {"flags", real, real};
  if (op.shape_rule == "quantize") {
    c.distributions = {op.name == "quantize_linear" ? real : "bits", "tiny", "bits"};
    c.attrs.emplace_back("axis", "0");
  }
  if (op.shape_rule == "arg_reduce") c.attrs.emplace_back("axis", "0");
  if (op.name == "cast") c.attrs.emplace_back("to", c.dtype == Dtype::f16 ? "f32" : "f16");
  return c;
}

std::optional<Case> sized_case(const OpInfo &op, const std::vector<Dtype> &types, std::int64_t elements,
                               std::string_view distribution, std::uint64_t seed) {
  const auto side = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(elements))));
  Extent extent{1, elements, 1};
  if (op.shape_rule == "matmul" || op.shape_rule == "gemm" || op.shape_rule == "matmul_integer") {
    const std::int64_t small = std::min<std::int64_t>(side, 512);
    extent = {small, small, small};
  } else if (op.shape_rule == "transpose" || op.shape_rule == "eigh" || op.shape_rule == "norm") {
    extent = {side, side, 1};
  }
  return shaped_case(op, types, extent, distribution, seed);
}

std::vector<Typed> all_typed_ops() {
  std::vector<Typed> all;
  for (const OpInfo &op : catalogue()) {
    std::vector<std::vector<Dtype>> combinations = {{}};
    for (std::size_t variable = 0; !op_dtypes(op, variable).empty(); ++variable) {
      std::vector<std::vector<Dtype>> longer;
      for (const std::vector<Dtype> &head : combinations) {
        for (const Dtype dtype : op_dtypes(op, variable)) {
          longer.push_back(head);
          longer.back().push_back(dtype);
        }
      }
      combinations = std::move(longer);
    }
    for (std::vector<Dtype> &types : combinations) all.push_back({&op, std::move(types)});
  }
  return all;
}

BoundCase::BoundCase(const Case &c, const Subject &subject, const BoundCase *same)
    : op_(*find_op(c.op)), subject_(subject), case_(c) {
  const std::vector<std::uint32_t> classes = subject.classes(c.op, c.dtype);
  if (classes.empty()) return;
  policy_ = classes.front();
  if (same != nullptr) {
    copy_inputs(case_, same->inputs_, inputs_);
  } else {
    make_inputs(case_, op_, inputs_);
  }
  shapes_ = infer(subject, case_, op_, inputs_);
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const std::size_t operand = case_.shapes.size() + i;
    outputs_.push_back(std::make_unique<Operand>(shapes_[i].dtype, shapes_[i].shape, case_.operand_strides(operand),
                                                 case_.operand_offset(operand), case_.guard));
  }
}

bool BoundCase::run(std::uint32_t threads) {
  std::vector<rayo_tensor> tensors;
  for (const auto &output : outputs_) {
    // What the last run left there must not pass for this one's result.
    if (!case_.operand_strides(case_.shapes.size())) {
      std::memset(output->origin(), 0xA5, static_cast<std::size_t>(byte_count(*output)));
    }
    tensors.push_back(output->tensor());
  }
  Case with_threads = case_;
  if (threads != 0) with_threads.threads = threads;
  const Call call{with_threads, op_, rayo_op_find(op_.name.c_str()), *find_bound(op_.name)};
  const rayo_status status = conform::run(call, subject_, inputs_, tensors, policy_);
  if (status == RAYO_UNSUPPORTED) return false;
  if (status != RAYO_OK) throw CallFailed(fmt::format("{}: {}", rayo_status_name(status), last_error()));
  return true;
}

std::vector<std::vector<std::byte>> BoundCase::bytes() const {
  std::vector<std::vector<std::byte>> all;
  for (const auto &output : outputs_) {
    all.emplace_back(static_cast<std::size_t>(byte_count(*output)));
    if (all.back().empty()) continue;
    if (case_.operand_strides(case_.shapes.size() + all.size() - 1)) {
      store_elements(output->dtype(), all.back().data(), output->read());
    } else {
      std::memcpy(all.back().data(), output->origin(), all.back().size());
    }
  }
  return all;
}

std::string BoundCase::digest() const { return digest_text(digest_of(shapes_, values(*this, bytes()))); }

std::string difference(const BoundCase &call, const std::vector<std::vector<std::byte>> &a,
                       const std::vector<std::vector<std::byte>> &b, std::string_view a_name, std::string_view b_name) {
  if (a == b) return {};
  const auto a_values = values(call, a);
  const auto b_values = values(call, b);
  for (std::size_t i = 0; i < a_values.size(); ++i) {
    std::string text = bit_difference(a_values[i], b_values[i], a_name, b_name);
    if (!text.empty()) return text;
  }
  return {};
}

void Tally::count(const Backend &backend, const Case &c, std::uint64_t comparisons) {
  comparisons_ += comparisons;
  ops_.insert(c.op);
  std::string pair = fmt::format("{} {}", c.op, dtype_name(c.dtype));
  for (const Dtype dtype : c.more_dtypes) pair += fmt::format(",{}", dtype_name(dtype));
  pairs_.insert(std::move(pair));
  if (std::find(backends_.begin(), backends_.end(), backend.name) == backends_.end()) backends_.push_back(backend.name);
}

std::string Tally::text(std::string_view what) const {
  if (comparisons_ == 0) throw NotEvaluated("nothing was compared: no ready plugin has a kernel for the claim's ops");
  return fmt::format("{} {}; {} op{} in {} op-type pairs, on {}", grouped(comparisons_), what, ops_.size(),
                     ops_.size() == 1 ? "" : "s", pairs_.size(), fmt::join(backends_, ", "));
}

std::string grouped(std::uint64_t n) {
  return n < 1000 ? std::to_string(n) : fmt::format("{},{:03}", grouped(n / 1000), n % 1000);
}

std::unique_ptr<Subject> load(const Setting &setting, const Backend &backend) {
  setting.step(fmt::format("loading {}", backend.file));
  try {
    return std::make_unique<Subject>(backend.file);
  } catch (const LoadError &error) {
    throw NotEvaluated(fmt::format("{}: {}", backend.file, error.text));
  }
}

}  // namespace rayo::conform::claims
