// SPDX-License-Identifier: Apache-2.0
#include "claims/bare_runtime.hpp"

#include <fmt/format.h>
#include <rayo/profile.h>

#include "claims/calls.hpp"
#include "suites/distribution.hpp"

namespace rayo::conform::claims {
namespace {

void discard(void *, std::int32_t, const char *) {}

[[noreturn]] void fail_with(rayo_status status) {
  throw CallFailed(fmt::format("{}: {}", rayo_status_name(status), last_error()));
}

rayo_status create(const std::vector<std::string> &files, std::uint32_t threads, rayo_runtime **out) {
  std::vector<const char *> paths;
  for (const std::string &file : files) paths.push_back(file.c_str());
  rayo_profile_options no_profile = RAYO_PROFILE_OPTIONS_INIT;  // one that is there must not decide
  no_profile.profile = "none";
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.next = &no_profile;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
  options.threads = threads;
  options.plugin_files = paths.data();
  options.plugin_file_count = static_cast<std::uint32_t>(paths.size());
  options.log = discard;
  return rayo_runtime_create(&options, out);
}

}  // namespace

BareRuntime::BareRuntime(const std::vector<std::string> &files, std::uint32_t threads) {
  const rayo_status status = create(files, threads, &runtime_);
  if (status != RAYO_OK) fail_with(status);
}

rayo_status try_load(const std::string &file, std::string &out_text) {
  rayo_runtime *runtime = nullptr;
  const rayo_status status = create({file}, 1, &runtime);
  if (status == RAYO_OK) rayo_runtime_destroy(runtime);
  out_text = status == RAYO_OK ? std::string() : last_error();
  return status;
}

DenseCall::DenseCall(const std::string &op, Dtype dtype, std::vector<Shape> inputs, Shape output)
    : op_(rayo_op_find(op.c_str())), dtype_(dtype), shapes_(std::move(inputs)) {
  shapes_.push_back(std::move(output));
  for (const Shape &shape : shapes_) {
    memory_.emplace_back(static_cast<std::size_t>(element_count(shape)) * dtype_size(dtype));
  }
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    tensors_.push_back(rayo_tensor_make(memory_[i].data(), dtype_dl(dtype),
                                        static_cast<std::int32_t>(shapes_[i].size()), shapes_[i].data(), nullptr));
  }
  for (std::size_t i = 0; i + 1 < tensors_.size(); ++i) in_.push_back(&tensors_[i]);
  out_.push_back(&tensors_.back());
}

void DenseCall::fill(std::string_view distribution, std::uint64_t seed) {
  for (std::size_t i = 0; i + 1 < memory_.size(); ++i) {
    store_elements(dtype_, memory_[i].data(),
                   draw(distribution, dtype_, seed, i, memory_.size() - 1, element_count(shapes_[i])));
  }
}

void DenseCall::set_attribute(const std::string &name, const std::string &text) {
  name_ = name;
  text_ = text;
  attrs_ = {{name_.c_str(), RAYO_ATTR_STRING, static_cast<std::uint32_t>(text_.size()), text_.data()}, RAYO_ATTR_END};
}

rayo_call_desc DenseCall::desc(const rayo_run_options *options) const {
  rayo_call_desc d = RAYO_CALL_DESC_INIT;
  d.op = op_;
  d.input_count = input_count();
  d.output_count = 1;
  d.inputs = in_.data();
  d.outputs = out_.data();
  d.attrs = attrs_.empty() ? nullptr : attrs_.data();
  d.options = options;
  return d;
}

BoundPlan::BoundPlan(const BareRuntime &runtime, const DenseCall &call, std::uint32_t threads, const char *device)
    : call_(call) {
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = threads;
  options.device = device;
  const rayo_call_desc desc = call.desc(&options);
  const rayo_status status = rayo_plan_create(runtime.get(), &desc, &plan_);
  if (status != RAYO_OK) fail_with(status);
}

void BoundPlan::run() const {
  const rayo_status status = rayo_plan_run(plan_, call_.inputs(), call_.outputs());
  if (status != RAYO_OK) fail_with(status);
}

}  // namespace rayo::conform::claims
