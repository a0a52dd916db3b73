// SPDX-License-Identifier: Apache-2.0
#include "probe/smoke_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "dispatch/plan.hpp"
#include "probe/elements.hpp"

namespace rayo::probe {
namespace {

using Shape = std::vector<int64_t>;

constexpr size_t kZone = 64;  // bytes around an operand that nobody may touch
constexpr unsigned char kCanary = 0xa5;
constexpr size_t kAlignment = 64;

// Odd extents: vectors and blocks end in the middle.
std::vector<Shape> shapes_for(ShapeRule rule, size_t index) {
  switch (rule) {
    case ShapeRule::dot:
      return {{67}};
    case ShapeRule::matmul:
    case ShapeRule::matmul_integer:
    case ShapeRule::gemm:
      return {index == 0 ? Shape{5, 19} : Shape{19, 17}};
    case ShapeRule::transpose:
      return {{5, 19}};
    case ShapeRule::quantize:
      return {index == 0 ? Shape{3, 37} : Shape{}};
    case ShapeRule::norm:
      return {index == 0 ? Shape{3, 37} : Shape{37}};
    case ShapeRule::eigh:
      return {{6, 6}};
    case ShapeRule::vendor:
      return {{37}, {6, 6}};
    default:
      return {{3, 37}};
  }
}

double value_of(const Schema &schema, size_t operand, size_t element, int round) {
  if (schema.rule == ShapeRule::quantize && operand == 1) return 0.5;  // a scale
  const size_t mixed = element * 37 + operand * 13 + 11;
  if (round == 0) return static_cast<double>(mixed % 17) - 8;
  return (static_cast<double>(mixed % 61) - 30) / 8;
}

DLDataType dtype_of(const OperandSpec &spec, const Binding &types) {
  const auto bound = types.find(spec.type);
  if (bound != types.end()) return bound->second;
  DLDataType dtype{};
  if (!parse_dtype(spec.type, &dtype)) fail(RAYO_UNSUPPORTED, "type {} is open", spec.type);
  return dtype;
}

// One task after the other, on this thread.
void serial_for(void *, uint64_t tasks, uint32_t, rayo_task_fn fn, void *ctx) {
  for (uint64_t task = 0; task < tasks; ++task) fn(ctx, task, 0);
}

constexpr rayo_executor kSerial = {sizeof(rayo_executor), RAYO_TYPE_EXECUTOR, nullptr, nullptr, serial_for};
const std::atomic<const rayo_executor *> kExecutor{&kSerial};

size_t bytes_of(const OperandDesc &desc) { return static_cast<size_t>(desc.elements()) * (desc.dtype.bits / 8u); }

bool canaries_live(const unsigned char *data, size_t bytes) {
  const auto whole = [](const unsigned char *zone) {
    return std::all_of(zone, zone + kZone, [](unsigned char byte) { return byte == kCanary; });
  };
  return whole(data - kZone) && whole(data + bytes);
}

}  // namespace

std::vector<Binding> bindings_of(const TypeBindings &types, size_t most) {
  std::vector<Binding> all = {{}};
  for (const auto &[variable, values] : types) {
    std::vector<Binding> longer;
    for (const Binding &binding : all) {
      for (const DLDataType value : values) {
        longer.push_back(binding);
        longer.back()[variable] = value;
      }
    }
    all = std::move(longer);
  }
  if (all.size() <= most) return all;
  std::vector<Binding> some;
  for (size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
  return some;
}

SmokeCall::SmokeCall(const Registry &registry, const Schema &schema, const Binding &types, int round)
    : schema_(schema), types_(types), round_(round) {
  add_attributes(schema, types);
  const size_t variants = shapes_for(schema.rule, 0).size();
  for (size_t variant = 0; variant < variants; ++variant) {
    inputs_.clear();
    in_.clear();
    for (size_t i = 0; i < schema.required_inputs; ++i) {
      auto operand = std::make_unique<Operand>();
      const Shape shape = shapes_for(schema.rule, i)[variant];
      operand->desc.dtype = dtype_of(schema.inputs[i], types);
      operand->desc.ndim = static_cast<int32_t>(shape.size());
      std::copy(shape.begin(), shape.end(), operand->desc.shape);
      operand->desc.set_compact_strides();
      inputs_.push_back(std::move(operand));
      add_input(schema.inputs[i], i);
    }
    try {
      for (OperandDesc &desc : infer_call(registry, request("auto"))) {
        auto operand = std::make_unique<Operand>();
        operand->desc = desc;
        finish_operand(operand.get());
        out_.push_back(&operand->tensor);
        outputs_.push_back(std::move(operand));
      }
      return;
    } catch (const Error &) {
      if (variant + 1 == variants) throw;
    }
  }
}

void SmokeCall::finish_operand(Operand *operand) {
  const size_t bytes = bytes_of(operand->desc);
  operand->memory.assign(bytes + 2 * kZone + kAlignment, kCanary);
  const auto address = reinterpret_cast<uintptr_t>(operand->memory.data() + kZone);
  const size_t skip = (kAlignment - address % kAlignment) % kAlignment;
  operand->tensor = rayo_tensor_make(operand->memory.data() + kZone + skip, operand->desc.dtype, operand->desc.ndim,
                                     operand->desc.shape, operand->desc.strides);
}

void SmokeCall::add_input(const OperandSpec &spec, size_t index) {
  Operand &operand = *inputs_.back();
  finish_operand(&operand);
  auto *data = static_cast<unsigned char *>(operand.tensor.dl.data);
  const size_t size = operand.desc.dtype.bits / 8u;
  for (size_t i = 0; i < static_cast<size_t>(operand.desc.elements()); ++i) {
    const double value = value_of(schema_, index, i, round_);
    store_element(operand.desc.dtype, spec.name == "condition" ? std::fmod(std::abs(value), 2) : value,
                  data + i * size);
  }
  in_.push_back(&operand.tensor);
}

// Attributes that name the type of an output.
void SmokeCall::add_attributes(const Schema &schema, const Binding &types) {
  for (uint32_t i = 0; i < schema.raw->attr_count; ++i) {
    const std::string_view name = schema.raw->attrs[i]->name;
    if (schema.rule == ShapeRule::vendor || (name != "to" && name != "output_dtype")) continue;
    text_attribute_ = dtype_name(dtype_of(schema.outputs[0], types));
    attributes_.push_back({schema.raw->attrs[i]->name, RAYO_ATTR_STRING, static_cast<uint32_t>(text_attribute_.size()),
                           text_attribute_.c_str()});
  }
  attributes_.push_back(RAYO_ATTR_END);
}

CallRequest SmokeCall::request(const std::string &device) const {
  CallRequest request;
  request.op = schema_.op;
  request.inputs = in_.data();
  request.input_count = static_cast<uint32_t>(in_.size());
  request.outputs = out_.data();
  request.output_count = static_cast<uint32_t>(out_.size());
  request.attrs = attributes_.data();
  request.device = device.c_str();
  request.threads = 1;
  request.policy = RAYO_POLICY_RELAXED;
  request.host_only = true;  // kernels of a device are enumerated with it, not tried
  return request;
}

std::string SmokeCall::run(const Registry &registry, const std::string &device) {
  std::vector<std::vector<unsigned char>> inputs_before;
  for (const auto &input : inputs_) inputs_before.push_back(input->memory);
  for (const auto &output : outputs_) std::fill(output->memory.begin(), output->memory.end(), kCanary);
  const CallRequest call = request(device);
  const Addressing addressing = addressing_of(in_.data(), call.input_count, out_.data(), call.output_count);
  std::unique_ptr<Plan> plan;
  try {
    plan = std::make_unique<Plan>(registry, std::make_shared<PlanSet>(&kExecutor), call, addressing);
  } catch (const Error &error) {
    if (error.status() == RAYO_UNSUPPORTED) return "";
    throw;
  }
  bool rebind = false;
  const rayo_status status = plan->run(in_.data(), out_.data(), &kSerial, &rebind);
  if (rebind) return "";
  check_memory(inputs_before);
  if (status != RAYO_OK) fail(RAYO_REFUSED, "fails a call that it claims to take: {}", last_error());
  std::string result;
  for (const auto &output : outputs_) {
    result.append(static_cast<const char *>(output->tensor.dl.data), bytes_of(output->desc));
  }
  return result;
}

void SmokeCall::check_memory(const std::vector<std::vector<unsigned char>> &inputs_before) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i]->memory != inputs_before[i]) {
      fail(RAYO_REFUSED, "its kernel for {} writes to its input {}", schema_.raw->name, schema_.inputs[i].name);
    }
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!canaries_live(static_cast<const unsigned char *>(outputs_[i]->tensor.dl.data), bytes_of(outputs_[i]->desc))) {
      fail(RAYO_REFUSED, "its kernel for {} writes outside its output {}", schema_.raw->name, schema_.outputs[i].name);
    }
  }
}

std::string SmokeCall::difference(const std::string &result, const std::string &expected) const {
  size_t at = 0;
  for (size_t o = 0; o < outputs_.size(); ++o) {
    const OperandDesc &desc = outputs_[o]->desc;
    const size_t size = desc.dtype.bits / 8u;
    for (size_t i = 0; i < static_cast<size_t>(desc.elements()); ++i, at += size) {
      if (at + size > result.size() || at + size > expected.size()) return "results of unequal size";
      if (std::memcmp(result.data() + at, expected.data() + at, size) == 0) continue;
      const double got = load_element(desc.dtype, reinterpret_cast<const unsigned char *>(result.data() + at));
      const double want = load_element(desc.dtype, reinterpret_cast<const unsigned char *>(expected.data() + at));
      if (std::isnan(got) && std::isnan(want)) continue;
      return fmt::format("{}[{}] of {} elements of type {} is {:.17g}, expected {:.17g}", schema_.outputs[o].name, i,
                         desc.elements(), dtype_name(desc.dtype), got, want);
    }
  }
  return "";
}

}  // namespace rayo::probe
