// SPDX-License-Identifier: Apache-2.0
#include "runner/call.hpp"

#include <fmt/format.h>
#include <rayo/plugin.h>

#include <array>
#include <bit>

namespace rayo::conform {
namespace {

// Outputs as the case wants them: an input's memory, or operands of their own.
struct Outputs {
  std::vector<std::unique_ptr<Operand>> own;
  std::vector<const Operand *> all;
};

Outputs make_outputs(const Case &c, const Inputs &inputs, const std::vector<OutputShape> &shapes) {
  Outputs out;
  const std::size_t n = inputs.operands.size();
  for (std::size_t j = 0; j < shapes.size(); ++j) {
    if (j == 0 && c.in_place >= 0) {
      const auto i = static_cast<std::size_t>(c.in_place);
      if (i >= n || !inputs.operands[i]) throw CaseError(fmt::format("@inplace={}: no such input", c.in_place));
      out.all.push_back(inputs.operands[i].get());
      continue;
    }
    out.own.push_back(std::make_unique<Operand>(shapes[j].dtype, shapes[j].shape, c.operand_strides(n + j),
                                                c.operand_offset(n + j), c.guard));
    out.all.push_back(out.own.back().get());
  }
  return out;
}

std::vector<std::vector<std::byte>> snapshots(const Inputs &inputs) {
  std::vector<std::vector<std::byte>> all;
  for (const auto &input : inputs.operands) all.push_back(input ? input->snapshot() : std::vector<std::byte>());
  return all;
}

// What a kernel touched that it should not have; empty if nothing.
std::string damage(const Case &c, const Inputs &inputs, const std::vector<std::vector<std::byte>> &before,
                   const Outputs &outputs, const std::vector<std::vector<std::byte>> &output_before) {
  for (std::size_t i = 0; i < inputs.operands.size(); ++i) {
    if (static_cast<int>(i) == c.in_place || !inputs.operands[i]) continue;
    const std::string text = inputs.operands[i]->difference(before[i], true);
    if (!text.empty()) return fmt::format("memory: input {} was written to: {}", i, text);
  }
  for (std::size_t j = 0; j < outputs.all.size(); ++j) {
    const std::string text = outputs.all[j]->difference(output_before[j], false);
    if (!text.empty()) return fmt::format("memory: written outside the output: {}", text);
  }
  return {};
}

Verdict run_on(const Call &call, const Subject &subject, const Inputs &inputs, const Outputs &outputs,
               std::uint32_t policy, Results &results) {
  const auto before = snapshots(inputs);
  std::vector<std::vector<std::byte>> output_before;
  std::vector<rayo_tensor> tensors;
  for (const Operand *output : outputs.all) {
    output_before.push_back(output->snapshot());
    tensors.push_back(output->tensor());
  }
  const rayo_status status = run(call, subject, inputs, tensors, policy);
  if (status == RAYO_UNSUPPORTED) return {State::unsupported, 0, 0, last_error()};
  if (status != RAYO_OK) {
    return failed_verdict(fmt::format("call: {}: {}", rayo_status_name(status), last_error()));
  }
  std::string text = damage(call.c, inputs, before, outputs, output_before);
  if (!text.empty()) return failed_verdict(std::move(text));
  results.clear();
  for (const Operand *output : outputs.all) results.push_back(output->read());
  return {State::passed, 0, 0, {}};
}

}  // namespace

Verdict failed_verdict(std::string message) { return {State::failed, 0, 0, std::move(message)}; }

rayo_status run(const Call &call, const Subject &subject, const Inputs &inputs, const std::vector<rayo_tensor> &outputs,
                std::uint32_t policy) {
  const AttrPack attrs(call.c, call.op);
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = call.c.threads;
  options.numerics = policy;
  std::vector<const rayo_tensor *> pointers;
  for (const rayo_tensor &output : outputs) pointers.push_back(&output);
  return rayo_run_with(subject.runtime(), call.id, inputs.pointers.data(),
                       static_cast<std::uint32_t>(inputs.pointers.size()), pointers.data(),
                       static_cast<std::uint32_t>(pointers.size()), attrs.list(), &options);
}

std::string infer_outputs(const Call &call, const Subject &subject, const Inputs &inputs,
                          std::vector<OutputShape> &outputs) {
  const AttrPack attrs(call.c, call.op);
  std::array<rayo_shape, RAYO_MAX_OPERANDS> inferred{};
  std::uint32_t count = 0;
  const rayo_status status = rayo_infer_shapes(subject.runtime(), call.id, inputs.pointers.data(),
                                               static_cast<std::uint32_t>(inputs.pointers.size()), attrs.list(),
                                               inferred.data(), static_cast<std::uint32_t>(inferred.size()), &count);
  if (status != RAYO_OK) return fmt::format("shape: {}: {}", rayo_status_name(status), last_error());
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto dtype = dtype_of(inferred[i].dtype);
    if (!dtype) return fmt::format("shape: output {}: a type that the suite does not know", i);
    outputs.push_back({*dtype, Shape(inferred[i].extents, inferred[i].extents + inferred[i].ndim)});
  }
  return {};
}

Verdict run_fresh(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs,
                  std::uint32_t policy, Results &results) {
  Inputs inputs;
  make_inputs(call.c, call.op, inputs);
  return run_checked(call, subject, inputs, outputs, policy, results);
}

Verdict run_checked(const Call &call, const Subject &subject, const Inputs &inputs,
                    const std::vector<OutputShape> &outputs, std::uint32_t policy, Results &results) {
  return run_on(call, subject, inputs, make_outputs(call.c, inputs, outputs), policy, results);
}

Verdict run_row(const Call &call, const Subject &subject, const std::vector<OutputShape> &outputs, std::uint32_t policy,
                Results &results) {
  Inputs inputs;
  make_inputs(call.c, call.op, inputs);
  const Operand &whole = *inputs.operands[0];
  if (whole.shape().empty() || call.c.row >= whole.shape()[0]) {
    throw CaseError(fmt::format("@row={}: input 0 has no such row", call.c.row));
  }
  Shape shape = whole.shape();
  shape[0] = 1;
  Shape strides = whole.strides();
  rayo_tensor &tensor = inputs.tensors[0];
  tensor.dl.shape = shape.data();
  tensor.dl.strides = strides.data();
  auto *data = static_cast<std::byte *>(tensor.dl.data);
  tensor.dl.data = data + call.c.row * strides[0] * static_cast<std::int64_t>(dtype_size(whole.dtype()));
  std::vector<OutputShape> shapes = outputs;
  for (OutputShape &output : shapes) {
    if (output.shape.empty() || output.shape[0] != whole.shape()[0]) {
      throw CaseError(fmt::format("@row={}: output rows are not input rows", call.c.row));
    }
    output.shape[0] = 1;
  }
  return run_on(call, subject, inputs, make_outputs(call.c, inputs, shapes), policy, results);
}

// The output begins one element into the input that it could be in place of (input 0 if none).
Verdict run_partial_alias(const Call &call, const Subject &subject) {
  const Case &c = call.c;
  const auto target = static_cast<std::size_t>(call.op.in_place == 0 ? 0 : std::countr_zero(call.op.in_place));
  if (c.shapes.size() <= target || c.shapes[target].size() != 1 || c.shapes[target][0] < 2) {
    throw CaseError(fmt::format("@alias=partial needs an input {} of rank 1 with at least 2 elements", target));
  }
  Inputs inputs;
  make_inputs(c, call.op, inputs);
  const Dtype dtype = inputs.operands[target]->dtype();
  Operand room(dtype, {c.shapes[target][0] + 1}, std::nullopt, 0, c.guard);
  std::vector<double> values = inputs.operands[target]->read();
  values.push_back(values.front());
  room.write(values);
  rayo_tensor overlapped = room.tensor();
  overlapped.dl.shape = inputs.tensors[target].dl.shape;
  overlapped.dl.strides = nullptr;
  inputs.pointers[target] = &overlapped;
  rayo_tensor output = overlapped;
  output.dl.byte_offset += dtype_size(dtype);
  const std::vector<std::byte> before = room.snapshot();
  const rayo_status status = run(call, subject, inputs, {output}, RAYO_POLICY_RELAXED);
  if (status != RAYO_INVALID_ARGUMENT) {
    return failed_verdict(
        fmt::format("alias: an output that overlaps input {} by part got {}, expected RAYO_INVALID_ARGUMENT", target,
                    rayo_status_name(status)));
  }
  const std::string text = room.difference(before, true);
  if (!text.empty()) return failed_verdict("alias: refused, but memory was written: " + text);
  return {State::passed, 0, 0, {}};
}

}  // namespace rayo::conform
