// SPDX-License-Identifier: Apache-2.0
//
// Wrong calls, made as an application makes them: each must come back as an error status, and nothing may be written.
#include <fmt/format.h>

#include <array>
#include <functional>

#include "abi/direct.hpp"
#include "abi/probe.hpp"
#include "runner/subject.hpp"

namespace rayo::conform::abi {
namespace {

// One legal call of an op, to be spoilt.
struct Sample {
  Case c;
  rayo_op op;
  std::vector<const rayo_tensor *> inputs;
  rayo_tensor output;
  const rayo_attr *attrs;
};

// visit() for one case of every catalogue op that the plugin has kernels for.
void for_each_op(const Subject &subject, const std::function<void(const Sample &)> &visit) {
  std::string last;
  for (const KernelFacts &fact : subject.kernels()) {
    if (fact.op == last || find_op(fact.op) == nullptr) continue;
    last = fact.op;
    rayo_kernel kernel{};
    kernel.op = fact.op.c_str();
    kernel.types = fact.types.c_str();
    kernel.flags = fact.flags;
    const std::vector<Case> cases = sample_cases(kernel);
    if (cases.empty()) continue;
    const OpInfo &op = *find_op(fact.op);
    Inputs inputs;
    make_inputs(cases[0], op, inputs);
    const AttrPack attrs(cases[0], op);
    std::array<rayo_shape, RAYO_MAX_OPERANDS> shapes{};
    std::uint32_t count = 0;
    const rayo_op id = rayo_op_find(fact.op.c_str());
    if (rayo_infer_shapes(subject.runtime(), id, inputs.pointers.data(),
                          static_cast<std::uint32_t>(inputs.pointers.size()), attrs.list(), shapes.data(),
                          static_cast<std::uint32_t>(shapes.size()), &count) != RAYO_OK ||
        count != 1) {
      continue;  // ops of several outputs are judged by their cases
    }
    const Operand output(*dtype_of(shapes[0].dtype), Shape(shapes[0].extents, shapes[0].extents + shapes[0].ndim),
                         std::nullopt, 0, Guard::back);
    const auto before = output.snapshot();
    visit({cases[0], id, inputs.pointers, output.tensor(), attrs.list()});
    const std::string text = output.difference(before, true);
    if (!text.empty()) throw Defect(fmt::format("{}: refused, but memory was written: {}", fact.op, text));
  }
}

rayo_status call(const Subject &subject, const Sample &s, const rayo_tensor *output) {
  return rayo_run(subject.runtime(), s.op, s.inputs.data(), static_cast<std::uint32_t>(s.inputs.size()), &output, 1,
                  s.attrs);
}

void demand_error(rayo_status status, const std::string &op, const std::string &what) {
  if (status == RAYO_OK) throw Defect(fmt::format("{}: {} is answered with RAYO_OK", op, what));
  if (status == RAYO_INTERNAL) throw Defect(fmt::format("{}: {} is answered as a defect: {}", op, what, last_error()));
  if (last_error().empty()) throw Defect(fmt::format("{}: {} is refused without a text", op, what));
}

void unknown_op(const std::string &file) {
  const Subject subject(file);
  if (rayo_op_find("rayo_conform.no_such_op") != RAYO_OP_NONE) throw Defect("an op that nobody has was found");
  for_each_op(subject, [&](const Sample &s) {
    for (const rayo_op op : {RAYO_OP_NONE, rayo_op{0x7fffffff}}) {
      Sample wrong = s;
      wrong.op = op;
      demand_error(call(subject, wrong, &s.output), s.c.op, fmt::format("op id {}", op));
    }
  });
}

void unknown_attribute(const std::string &file) {
  const Subject subject(file);
  const std::int64_t one = 1;
  for_each_op(subject, [&](const Sample &s) {
    const std::array<rayo_attr, 2> attrs = {rayo_attr_ints("no_such_attribute", &one, 1), RAYO_ATTR_END};
    Sample wrong = s;
    wrong.attrs = attrs.data();
    demand_error(call(subject, wrong, &s.output), s.c.op, "an unknown attribute");
  });
}

void wrong_rank(const std::string &file) {
  const Subject subject(file);
  for_each_op(subject, [&](const Sample &s) {
    const Shape shape(RAYO_MAX_NDIM + 1, 1);
    for (const std::int32_t rank : {RAYO_MAX_NDIM + 1, -1}) {
      rayo_tensor tensor = *s.inputs[0];
      tensor.dl.ndim = rank;
      tensor.dl.shape = const_cast<std::int64_t *>(shape.data());
      tensor.dl.strides = nullptr;
      Sample wrong = s;
      wrong.inputs[0] = &tensor;
      demand_error(call(subject, wrong, &s.output), s.c.op, fmt::format("rank {}", rank));
    }
    rayo_tensor output = s.output;
    const Shape larger(static_cast<std::size_t>(output.dl.ndim) + 1, 2);
    output.dl.shape = const_cast<std::int64_t *>(larger.data());
    output.dl.ndim += 1;
    demand_error(call(subject, s, &output), s.c.op, "an output of another rank");
  });
}

void null_pointers(const std::string &file) {
  const Subject subject(file);
  for_each_op(subject, [&](const Sample &s) {
    demand_error(call(subject, s, nullptr), s.c.op, "an output that is NULL");
    for (std::size_t i = 0; i < find_op(s.c.op)->required_inputs; ++i) {
      Sample wrong = s;
      wrong.inputs[i] = nullptr;
      demand_error(call(subject, wrong, &s.output), s.c.op, fmt::format("input {} that is NULL", i));
      rayo_tensor tensor = *s.inputs[i];
      tensor.dl.data = nullptr;
      tensor.dl.byte_offset = 0;
      wrong.inputs[i] = &tensor;
      demand_error(call(subject, wrong, &s.output), s.c.op, fmt::format("input {} without memory", i));
    }
  });
}

constexpr std::array<Probe, 4> kProbes = {{{"unknown_op", unknown_op},
                                           {"unknown_attribute", unknown_attribute},
                                           {"wrong_rank", wrong_rank},
                                           {"null_pointers", null_pointers}}};

}  // namespace

std::span<const Probe> misuse_probes() { return kProbes; }

}  // namespace rayo::conform::abi
