// SPDX-License-Identifier: Apache-2.0
#include "guard/reference.hpp"

#include <array>
#include <cmath>
#include <deque>

#include "base/error.hpp"
#include "guard/bounds.hpp"
#include "guard/elements.hpp"

namespace rayo {
namespace {

constexpr const char *kScalar = "scalar";

rayo_tensor tensor_of(const OperandDesc &operand, const void *data) {
  return rayo_tensor_make(const_cast<void *>(data), operand.dtype, operand.ndim, operand.shape, operand.strides);
}

// Operands as the C API takes them; absent ones are NULL.
struct TensorList {
  TensorList(const std::vector<OperandDesc> &operands, const void *const *data) {
    for (size_t i = 0; i < operands.size(); ++i) {
      tensors[i] = tensor_of(operands[i], data != nullptr ? data[i] : nullptr);
      pointers[i] = operands[i].absent() ? nullptr : &tensors[i];
    }
  }
  std::array<rayo_tensor, RAYO_MAX_OPERANDS> tensors{};
  std::array<const rayo_tensor *, RAYO_MAX_OPERANDS> pointers{};
};

}  // namespace

Reference::Reference(const Registry &registry, std::shared_ptr<PlanSet> plans, const BoundCall &call,
                     const KernelRecord &judged, const Cut *cut)
    : registry_(registry),
      plans_(std::move(plans)),
      call_(call),
      judged_(judged),
      inputs_(call.inputs()),
      outputs_(call.outputs()) {
  if (cut == nullptr) return;
  outputs_[0] = piece_of(outputs_[0], cut->output_axis, cut->rows);
  for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i] = piece_of(inputs_[i], cut->input_axes[i], cut->rows);
}

std::unique_ptr<Plan> Reference::bind(bool magnitudes) const {
  const TensorList inputs(inputs_, nullptr);
  std::vector<rayo_attr> attrs = call_.attributes().view();
  std::deque<std::vector<double>> positive;
  for (rayo_attr &attr : attrs) {
    if (!magnitudes || attr.kind != RAYO_ATTR_FLOAT) continue;
    const auto *values = static_cast<const double *>(attr.data);
    std::vector<double> &copy = positive.emplace_back(values, values + attr.count);
    for (double &value : copy) value = std::fabs(value);
    attr.data = copy.data();
  }
  attrs.push_back({nullptr, 0, 0, nullptr});
  CallRequest request;
  request.op = call_.desc().op;
  request.inputs = inputs.pointers.data();
  request.input_count = static_cast<uint32_t>(inputs_.size());
  request.attrs = attrs.data();
  request.device = kScalar;
  request.threads = call_.desc().max_threads;
  request.policy = RAYO_POLICY_RELAXED;  // whatever scalar has
  request.watched = false;
  return std::make_unique<Plan>(registry_, plans_, request, Addressing{false, 1});
}

const std::string &Reference::missing() {
  std::call_once(bound_, [this] {
    if (judged_.owner->name == kScalar) {
      missing_ = "it ran on scalar itself";
    } else if (!has_bound(call_.schema().raw->name)) {
      missing_ = "no two results of this op can be compared";
    } else {
      try {
        plan_ = bind(false);
      } catch (const Error &error) {
        missing_ = error.what();
      }
    }
  });
  return missing_;
}

std::vector<std::vector<char>> Reference::run_plan(const Plan &plan, const void *const *inputs,
                                                   const rayo_executor *executor) const {
  const std::vector<OperandDesc> &operands = plan.call().outputs();
  std::vector<std::vector<char>> results;
  std::array<const void *, RAYO_MAX_OPERANDS> addresses{};
  for (size_t i = 0; i < operands.size(); ++i) {
    results.emplace_back(static_cast<size_t>(operands[i].elements()) * (operands[i].dtype.bits / 8u));
    addresses[i] = results.back().data();
  }
  const TensorList in(inputs_, inputs);
  const TensorList out(operands, addresses.data());
  bool rebind = false;
  const rayo_status status = plan.run(in.pointers.data(), out.pointers.data(), executor, &rebind);
  if (status != RAYO_OK) throw Error(status, std::string(last_error()));
  if (rebind) fail(RAYO_UNSUPPORTED, "scalar cannot work on these addresses");
  return results;
}

std::vector<std::vector<char>> Reference::run(const void *const *inputs, const rayo_executor *executor) const {
  return run_plan(*plan_, inputs, executor);
}

std::vector<char> Reference::magnitudes(const void *const *inputs, const rayo_executor *executor) const {
  std::array<const void *, RAYO_MAX_OPERANDS> positive{};
  std::deque<Shadow> copies;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const OperandDesc &operand = inputs_[i];
    if (operand.absent() || operand.elements() == 0) continue;
    const Shadow &copy = copies.emplace_back(operand, inputs[i]);
    copy_elements(operand, inputs[i], operand, copy.data());
    make_absolute(operand, copy.data());
    positive[i] = copy.data();
  }
  return std::move(run_plan(*bind(true), positive.data(), executor)[0]);
}

}  // namespace rayo
