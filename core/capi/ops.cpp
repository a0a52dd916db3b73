// SPDX-License-Identifier: Apache-2.0
//
// The ops that a runtime knows and the kernels that its plugins brought for them.
#include "registry/ops.hpp"
#include "capi/runtime.hpp"
#include "capi/structs.hpp"

using namespace rayo;

extern "C" {

rayo_op rayo_op_find(const char *name) {
  if (name == nullptr) return RAYO_OP_NONE;
  rayo_op op = RAYO_OP_NONE;
  fence([&] {
    catalogue();  // its names are interned when it is first used
    op = find_op(name);
  });
  return op;
}

const char *rayo_op_name(rayo_op op) { return op_name(op); }

uint32_t rayo_op_count(const rayo_runtime *runtime) {
  return runtime != nullptr ? static_cast<uint32_t>(runtime->registry->schemas().size()) : 0;
}

rayo_status rayo_op_get(const rayo_runtime *runtime, uint32_t index, rayo_op_info *out_info) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const auto &schemas = runtime->registry->schemas();
    if (index >= schemas.size()) {
      fail(RAYO_INVALID_ARGUMENT, "op index {} is out of range; there are {}", index, schemas.size());
    }
    const Schema &schema = *schemas[index];
    rayo_op_info info{};
    info.op = schema.op;
    info.version = schema.raw->version;
    info.name = schema.raw->name;
    info.family = schema.raw->family;
    info.inputs = schema.raw->inputs;
    info.outputs = schema.raw->outputs;
    info.types = schema.raw->types;
    info.doc = schema.raw->doc;
    info.origin = schema.origin.c_str();
    info.numerics = schema.raw->numerics;
    info.in_place = schema.raw->in_place;
    info.attr_count = schema.raw->attr_count;
    info.attrs = schema.raw->attrs;
    write_struct(out_info, info, RAYO_TYPE_OP_INFO, "out_info");
  });
}

uint32_t rayo_kernel_count(const rayo_runtime *runtime) {
  return runtime != nullptr ? static_cast<uint32_t>(runtime->registry->all_kernels().size()) : 0;
}

rayo_status rayo_kernel_get(const rayo_runtime *runtime, uint32_t index, rayo_kernel_info *out_info) {
  return fence([&] {
    if (runtime == nullptr) fail(RAYO_INVALID_ARGUMENT, "runtime is NULL");
    const auto &kernels = runtime->registry->all_kernels();
    if (index >= kernels.size()) {
      fail(RAYO_INVALID_ARGUMENT, "kernel index {} is out of range; there are {}", index, kernels.size());
    }
    const KernelRecord &record = *kernels[index];
    rayo_kernel_info info{};
    info.op = record.op;
    info.numerics = record.kernel->numerics;
    info.plugin = record.owner->name.c_str();
    info.name = record.kernel->name;
    info.types = record.kernel->types;
    info.flags = record.kernel->flags;
    write_struct(out_info, info, RAYO_TYPE_KERNEL_INFO, "out_info");
  });
}

}  // extern "C"
