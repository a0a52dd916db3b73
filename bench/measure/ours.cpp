// SPDX-License-Identifier: Apache-2.0
//
// Plans through the public C API.
#include "ours.hpp"

#include "tools/command.hpp"

namespace rayo::bench {
namespace {

std::string chosen_device(const tools::Session &session, const rayo_call_desc &desc) {
  rayo_explanation *handle = nullptr;
  tools::check(rayo_explain(session.runtime(), &desc, &handle));
  const std::unique_ptr<rayo_explanation, decltype(&rayo_explanation_destroy)> explanation(handle,
                                                                                           rayo_explanation_destroy);
  const int32_t chosen = rayo_explanation_chosen(handle);
  if (chosen < 0) throw tools::CommandError(RAYO_UNSUPPORTED, "no kernel takes this call");
  rayo_candidate candidate{};
  candidate.struct_size = sizeof candidate;
  candidate.struct_type = RAYO_TYPE_CANDIDATE;
  tools::check(rayo_explanation_get(handle, static_cast<uint32_t>(chosen), &candidate));
  return candidate.device;
}

}  // namespace

Ours::Ours(const tools::Session &session, const Operands &operands, const std::string &device, uint32_t threads)
    : operands_(operands) {
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = device.c_str();
  options.threads = threads;
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = operands.op().op;
  desc.inputs = operands.inputs().data();
  desc.input_count = static_cast<uint32_t>(operands.inputs().size());
  desc.outputs = operands.outputs().data();
  desc.output_count = static_cast<uint32_t>(operands.outputs().size());
  desc.attrs = operands.attributes();
  desc.options = &options;
  device_ = chosen_device(session, desc);
  rayo_plan *plan = nullptr;
  tools::check(rayo_plan_create(session.runtime(), &desc, &plan));
  plan_.reset(plan);
  for (const rayo_tensor *const output : operands.outputs()) outputs_.push_back(*output);
  for (const rayo_tensor &output : outputs_) output_pointers_.push_back(&output);
}

Contestant Ours::contestant() { return {device_, run, this, 0}; }

int Ours::run(void *work, void *const *outputs) {
  auto *const self = static_cast<Ours *>(work);
  for (std::size_t i = 0; i < self->outputs_.size(); ++i) self->outputs_[i].dl.data = outputs[i];
  return rayo_plan_run(self->plan_.get(), self->operands_.inputs().data(), self->output_pointers_.data()) == RAYO_OK
             ? 1
             : 0;
}

}  // namespace rayo::bench
