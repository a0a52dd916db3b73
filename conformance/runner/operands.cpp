// SPDX-License-Identifier: Apache-2.0
#include "runner/operands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "suites/distribution.hpp"

namespace rayo::conform {
namespace {

void describe(Inputs &out) {
  for (const auto &operand : out.operands) out.tensors.push_back(operand ? operand->tensor() : rayo_tensor{});
  for (std::size_t i = 0; i < out.tensors.size(); ++i) {
    out.pointers.push_back(out.operands[i] ? &out.tensors[i] : nullptr);
  }
}

}  // namespace

AttrPack::AttrPack(const Case &c, const OpInfo &op) {
  // Reserved: the packed attributes point into these.
  ints_.reserve(c.attrs.size());
  reals_.reserve(c.attrs.size());
  texts_.reserve(c.attrs.size());
  for (const auto &attr : c.attrs) {
    const std::string &name = attr.first;
    const std::string &value = attr.second;
    const auto info = std::find_if(op.attrs.begin(), op.attrs.end(), [&](const AttrInfo &a) { return a.name == name; });
    if (info == op.attrs.end()) throw CaseError(fmt::format("op '{}' has no attribute '{}'", op.name, name));
    switch (info->kind) {
      case AttrKind::real:
        reals_.push_back({parse_real(value, name)});
        attrs_.push_back(rayo_attr_floats(name.c_str(), reals_.back().data(), 1));
        break;
      case AttrKind::text:
        texts_.push_back(value);
        attrs_.push_back(
            {name.c_str(), RAYO_ATTR_STRING, static_cast<std::uint32_t>(value.size()), texts_.back().data()});
        break;
      default:
        ints_.push_back(attr_list(c, op, name));
        attrs_.push_back(
            rayo_attr_ints(name.c_str(), ints_.back().data(), static_cast<std::uint32_t>(ints_.back().size())));
        break;
    }
  }
  attrs_.push_back(RAYO_ATTR_END);
}

void make_inputs(const Case &c, const OpInfo &op, Inputs &out) {
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    if (!is_distribution(c.distribution(i))) {
      throw CaseError(
          fmt::format("distribution '{}': legal are {}", c.distribution(i), fmt::join(distribution_names(), ", ")));
    }
    if (is_absent(c.shapes[i])) {
      if (i < op.required_inputs) throw CaseError(fmt::format("shape 'none': input {} of {} is required", i, op.name));
      out.operands.push_back(nullptr);
      continue;
    }
    const Dtype dtype = input_dtype(c, op, i);
    auto operand = std::make_unique<Operand>(dtype, c.shapes[i], c.operand_strides(i), c.operand_offset(i), c.guard);
    operand->write(draw(c.distribution(i), dtype, c.seed, i, c.shapes.size(), element_count(c.shapes[i])));
    out.operands.push_back(std::move(operand));
  }
  describe(out);
}

void make_inputs(const Case &c, const std::vector<Values> &values, Inputs &out) {
  for (const Values &v : values) {
    if (is_absent(v.shape)) {
      out.operands.push_back(nullptr);
      continue;
    }
    out.operands.push_back(std::make_unique<Operand>(v.dtype, v.shape, std::nullopt, 0, c.guard));
    out.operands.back()->write(v.data);
  }
  describe(out);
}

Problem make_problem(const Case &c, const OpInfo &op, const Inputs &inputs) {
  std::vector<Values> values;
  bool zero_mean = true;
  for (std::size_t i = 0; i < inputs.operands.size(); ++i) {
    if (!inputs.operands[i]) {
      values.push_back({input_dtype(c, op, i), kNoOperand, {}});
      continue;
    }
    const Operand &operand = *inputs.operands[i];
    values.push_back({operand.dtype(), operand.shape(), operand.read()});
    // Elements that share memory are not independent.
    const Shape &strides = operand.strides();
    const bool shared = std::find(strides.begin(), strides.end(), 0) != strides.end();
    zero_mean = zero_mean && is_zero_mean_random(c.distribution(i)) && !shared;
  }
  return make_problem(c, op, std::move(values), zero_mean);
}

Problem make_problem(const Case &c, const OpInfo &op, std::vector<Values> values, bool zero_mean) {
  Problem p;
  p.op = &op;
  p.call = &c;
  p.inputs = std::move(values);
  p.zero_mean = zero_mean;
  p.integers = true;
  for (const Values &v : p.inputs) {
    p.integers = p.integers && std::all_of(v.data.begin(), v.data.end(), [](double x) { return x == std::floor(x); });
  }
  for (const AttrInfo &attr : op.attrs) {
    if (attr.kind != AttrKind::real) continue;
    const double v = attr_real(c, op, attr.name);
    p.integers = p.integers && v == std::floor(v);
  }
  return p;
}

}  // namespace rayo::conform
