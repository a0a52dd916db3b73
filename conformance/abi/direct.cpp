// SPDX-License-Identifier: Apache-2.0
#include "abi/direct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "oracle/oracle.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::abi {
namespace {

constexpr unsigned char kNoise = 0xC7;
constexpr std::uint32_t kDescThreads = 7;

// Types and shapes of a case's outputs by the oracle.
std::vector<OutputShape> output_shapes(const Case &c, const OpInfo &op, const Inputs &inputs) {
  const Problem problem = make_problem(c, op, inputs);
  Expected<double> expected;
  run_oracle<double>(*find_oracle(op.name), problem, expected);
  std::vector<OutputShape> shapes = {{expected.dtype, expected.shape}};
  shapes.insert(shapes.end(), expected.more.begin(), expected.more.end());
  return shapes;
}

bool plain(const Case &c) {
  if (!c.strides.empty() || !c.offsets.empty() || c.in_place >= 0 || c.partial_alias || c.threads != 0 ||
      c.repeat != 1 || c.row >= 0 || !c.law.empty() || c.load != 0 || c.forked || c.guard != Guard::back) {
    return false;
  }
  for (const Shape &shape : c.shapes) {
    if (is_absent(shape)) return false;
  }
  return true;
}

std::int64_t largest_operand(const Case &c) {
  std::int64_t largest = 0;
  for (const Shape &shape : c.shapes) largest = std::max(largest, element_count(shape));
  return largest;
}

// Broadcasting belongs to the core; its kernels see equal shapes.
bool equal_shapes(const Case &c) {
  return std::all_of(c.shapes.begin(), c.shapes.end(), [&](const Shape &s) { return s == c.shapes[0]; });
}

bool kernel_takes(const rayo_kernel &kernel, const Case &c, const OpInfo &op) {
  const std::vector<std::string> variables = bound_variables(op);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Dtype dtype = i == 0 || i > c.more_dtypes.size() ? c.dtype : c.more_dtypes[i - 1];
    if (!types_allow(kernel.types, variables[i], dtype)) return false;
  }
  if (op.name != "cast") return true;
  const auto to = parse_dtype(attr_text(c, op, "to"));
  return to && types_allow(kernel.types, "D", *to);
}

}  // namespace

std::vector<Case> sample_cases(const rayo_kernel &kernel, std::int64_t elements) {
  std::vector<Case> samples;
  const OpInfo *op = find_op(kernel.op);
  if (op == nullptr || (kernel.flags & RAYO_KERNEL_DEVICE) != 0) return samples;
  std::map<std::string, std::size_t> taken;  // by types, the place in samples
  for (Case &c : generate(std::vector<std::string>{op->name}, true, 1)) {
    if (!plain(c) || (op->shape_rule == "broadcast" && !equal_shapes(c)) || !kernel_takes(kernel, c, *op)) continue;
    std::string types(dtype_name(c.dtype));
    for (const Dtype dtype : c.more_dtypes) types += dtype_name(dtype);
    if (op->name == "cast") types += attr_text(c, *op, "to");
    const std::int64_t size = largest_operand(c);
    if (size < 2 || size > elements) continue;
    const auto [at, first] = taken.emplace(types, samples.size());
    if (first) {
      samples.push_back(std::move(c));
    } else if (size > largest_operand(samples[at->second])) {
      samples[at->second] = std::move(c);
    }
  }
  return samples;
}

DirectCall::DirectCall(rayo_instance *instance, Host &host, const rayo_kernel &kernel, const Case &c)
    : kernel_(kernel), instance_(instance), case_(c) {
  const OpInfo &op = *find_op(c.op);
  make_inputs(case_, op, inputs_);
  shapes_ = output_shapes(case_, op, inputs_);
  std::memset(&grown_, kNoise, sizeof grown_);
  std::memset(&prepared_, kNoise, sizeof prepared_);
  grown_.desc = rayo_op_desc{};
  prepared_.prepared = rayo_prepared{};
  prepared_.prepared.struct_size = sizeof(rayo_prepared);
  prepared_.prepared.struct_type = RAYO_TYPE_PREPARED;
  describe_operands(case_, op);
  desc().op = host.intern(c.op);
}

DirectCall::~DirectCall() {
  if (ready_ && kernel_.release != nullptr) kernel_.release(instance_, prepared_.prepared.state);
}

void DirectCall::describe_operands(const Case &c, const OpInfo &op) {
  tensors_.reserve(inputs_.operands.size() + shapes_.size());
  const auto add = [&](Dtype dtype, const Shape &shape) {
    rayo_tensor_desc t{};
    t.dtype = dtype_dl(dtype);
    t.ndim = static_cast<std::int32_t>(shape.size());
    extents_.push_back(shape);
    t.shape = extents_.back().data();
    extents_.push_back(compact_strides(shape));
    t.strides = extents_.back().data();
    t.device = {kDLCPU, 0};
    tensors_.push_back(t);
    return &tensors_.back();
  };
  for (const auto &operand : inputs_.operands) in_.push_back(add(operand->dtype(), operand->shape()));
  for (const OutputShape &output : shapes_) out_.push_back(add(output.dtype, output.shape));
  add_attributes(c, op);
  rayo_op_desc &d = desc();
  d.struct_size = sizeof(rayo_op_desc);
  d.struct_type = RAYO_TYPE_OP_DESC;
  d.schema_version = kernel_.schema_min;
  d.input_count = static_cast<std::uint32_t>(in_.size());
  d.output_count = static_cast<std::uint32_t>(out_.size());
  d.inputs = in_.data();
  d.outputs = out_.data();
  d.attr_count = static_cast<std::uint32_t>(attrs_.size());
  d.attrs = attrs_.data();
  d.numerics = RAYO_NUMERICS_RELAXED;
  d.max_threads = kDescThreads;
}

// Complete and in the schema's order; axes normalised.
void DirectCall::add_attributes(const Case &c, const OpInfo &op) {
  const auto rank = static_cast<std::int64_t>(c.shapes[0].size());
  for (const AttrInfo &attr : op.attrs) {
    rayo_attr a{attr.name.c_str(), RAYO_ATTR_INT, 1, nullptr};
    if (attr.kind == AttrKind::real) {
      a.kind = RAYO_ATTR_FLOAT;
      a.data = &reals_.emplace_back(attr_real(c, op, attr.name));
    } else if (attr.kind == AttrKind::text) {
      const std::string &text = texts_.emplace_back(attr_text(c, op, attr.name));
      a = {attr.name.c_str(), RAYO_ATTR_STRING, static_cast<std::uint32_t>(text.size()), text.c_str()};
    } else {
      std::vector<std::int64_t> &list = ints_.emplace_back(attr_list(c, op, attr.name));
      const bool axes = attr.kind == AttrKind::axis || attr.kind == AttrKind::axes;
      for (std::int64_t &v : list) v += axes && v < 0 ? rank : 0;
      a.count = static_cast<std::uint32_t>(list.size());
      a.data = list.data();
    }
    attrs_.push_back(a);
  }
}

void DirectCall::grow() {
  grown_.desc.struct_size = sizeof grown_;
  prepared_.prepared.struct_size = sizeof prepared_;
}

std::uint32_t DirectCall::why() const {
  return kernel_.supports == nullptr ? RAYO_WHY_SUPPORTED : kernel_.supports(instance_, &grown_.desc);
}

rayo_status DirectCall::prepare(rayo_error *error) {
  const rayo_status status = kernel_.prepare(instance_, &grown_.desc, &prepared_.prepared, error);
  ready_ = status == RAYO_OK;
  return status;
}

std::string DirectCall::stray_writes() const {
  const rayo_prepared &p = prepared_.prepared;
  if (p.struct_type != RAYO_TYPE_PREPARED || p.next != nullptr ||
      (p.struct_size != sizeof(rayo_prepared) && p.struct_size != sizeof prepared_)) {
    return "prepare changed the header of the struct it fills";
  }
  for (const unsigned char byte : prepared_.future) {
    if (byte != kNoise) return "prepare wrote beyond the members of its ABI version";
  }
  return {};
}

std::vector<std::vector<double>> DirectCall::call(SerialExecutor &executor, std::uint32_t threads, int workspace_fill) {
  const rayo_prepared &p = prepared_.prepared;
  const Operand workspace(Dtype::u8, {static_cast<std::int64_t>(p.workspace_size)}, std::nullopt, 0, Guard::front);
  if (p.workspace_size > 0) std::memset(workspace.origin(), workspace_fill, p.workspace_size);
  std::vector<std::unique_ptr<Operand>> outputs;
  std::vector<void *> out;
  std::vector<std::vector<std::byte>> before;
  for (const OutputShape &shape : shapes_) {
    outputs.push_back(std::make_unique<Operand>(shape.dtype, shape.shape, std::nullopt, 0, Guard::back));
    out.push_back(outputs.back()->origin());
    before.push_back(outputs.back()->snapshot());
  }
  std::vector<const void *> in;
  for (const auto &operand : inputs_.operands) in.push_back(operand->origin());
  const auto workspace_before = workspace.snapshot();
  rayo_call packet{};
  packet.inputs = in.data();
  packet.outputs = out.data();
  packet.state = p.state;
  packet.workspace = p.workspace_size == 0 ? nullptr : workspace.origin();
  packet.executor = executor.get();
  packet.max_threads = threads;
  const std::uint64_t regions = executor.regions();
  const rayo_status status = p.fn(&packet);
  if (status != RAYO_OK) throw Defect(fmt::format("{}: the call answers {}", name(), status));
  if (p.threads <= 1 && executor.regions() != regions) {
    throw Defect(fmt::format("{}: prepare said 1 thread, the call asked for more", name()));
  }
  std::string text = workspace.difference(workspace_before, false);
  if (!text.empty()) throw Defect(fmt::format("{}: written outside the workspace: {}", name(), text));
  std::vector<std::vector<double>> results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    text = outputs[i]->difference(before[i], false);
    if (!text.empty()) throw Defect(fmt::format("{}: written outside the output: {}", name(), text));
    results.push_back(outputs[i]->read());
  }
  return results;
}

std::string DirectCall::name() const { return fmt::format("kernel {} ({})", kernel_.name, format_case(case_)); }

}  // namespace rayo::conform::abi
