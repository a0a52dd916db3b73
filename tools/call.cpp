// SPDX-License-Identifier: Apache-2.0
//
// From host tensors to the C API and back.
#include "call.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "command.hpp"
#include "schema.hpp"

namespace rayo::tools {

void check_input_count(const rayo_op_info &op, std::size_t count) {
  const std::vector<OperandText> operands = parse_operands(op.inputs);
  const auto required = static_cast<std::size_t>(
      std::count_if(operands.begin(), operands.end(), [](const OperandText &operand) { return !operand.optional; }));
  if (count >= required && count <= operands.size()) return;
  throw usage_error(fmt::format(
      "{}: {} input{} given; it takes {}: {}", op.name, count, count == 1 ? "" : "s",
      required == operands.size() ? fmt::format("{}", required) : fmt::format("{} to {}", required, operands.size()),
      op.inputs));
}

rayo_run_options call_options(const SessionOptions &session, const std::string &device) {
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = session.threads;
  if (!device.empty()) options.device = device.c_str();
  return options;
}

Explanation::Explanation(const Session &session, const rayo_op_info &op, const std::vector<const rayo_tensor *> &inputs,
                         const AttributeList &attributes, const rayo_run_options &options) {
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = op.op;
  desc.inputs = inputs.data();
  desc.input_count = static_cast<uint32_t>(inputs.size());
  desc.attrs = attributes.list();
  desc.options = &options;
  rayo_explanation *handle = nullptr;
  check(rayo_explain(session.runtime(), &desc, &handle));
  handle_.reset(handle);
  for (uint32_t i = 0; i < rayo_explanation_count(handle); ++i) {
    rayo_candidate candidate{};
    candidate.struct_size = sizeof candidate;
    candidate.struct_type = RAYO_TYPE_CANDIDATE;
    check(rayo_explanation_get(handle, i, &candidate));
    candidates_.push_back(candidate);
  }
  chosen_ = rayo_explanation_chosen(handle);
}

Call::Call(const Session &session, const rayo_op_info &op, const AttributeList &attributes,
           std::vector<std::optional<HostTensor>> inputs)
    : session_(session), op_(op), attributes_(attributes), inputs_(std::move(inputs)) {
  input_views_.reserve(inputs_.size());
  for (const std::optional<HostTensor> &input : inputs_) {
    input_views_.push_back(input ? input->view() : rayo_tensor{});
    input_pointers_.push_back(input ? &input_views_.back() : nullptr);
  }
  output_shapes_.resize(RAYO_MAX_OPERANDS);
  uint32_t count = 0;
  check(rayo_infer_shapes(session.runtime(), op_.op, input_pointers_.data(),
                          static_cast<uint32_t>(input_pointers_.size()), attributes_.list(), output_shapes_.data(),
                          RAYO_MAX_OPERANDS, &count));
  output_shapes_.resize(count);
}

std::vector<HostTensor> Call::allocate_outputs() const {
  std::vector<HostTensor> outputs;
  for (const rayo_shape &shape : output_shapes_) {
    const std::vector<int64_t> extents(shape.extents, shape.extents + shape.ndim);
    outputs.push_back(allocate_tensor(shape.dtype, extents, false, fmt::format("{}: the output", op_.name)));
  }
  return outputs;
}

double Call::run(std::vector<HostTensor> &outputs, const rayo_run_options &options) const {
  std::vector<rayo_tensor> views;
  views.reserve(outputs.size());
  std::vector<const rayo_tensor *> pointers;
  for (const HostTensor &output : outputs) pointers.push_back(&views.emplace_back(output.view()));
  const auto begin = std::chrono::steady_clock::now();
  const rayo_status status =
      rayo_run_with(session_.runtime(), op_.op, input_pointers_.data(), static_cast<uint32_t>(input_pointers_.size()),
                    pointers.data(), static_cast<uint32_t>(pointers.size()), attributes_.list(), &options);
  const auto end = std::chrono::steady_clock::now();
  check(status);
  return std::chrono::duration<double, std::nano>(end - begin).count();
}

}  // namespace rayo::tools
