// SPDX-License-Identifier: Apache-2.0
//
// A kernel's functions: here, or in the process of an isolated plugin.
#include "isolation/remote_plugin.hpp"
#include "registry/registry.hpp"

namespace rayo {

rayo_status KernelRecord::prepare(const rayo_op_desc &desc, rayo_prepared *out, rayo_error *error) const {
  return owner->remote == nullptr ? kernel->prepare(owner->instance, &desc, out, error)
                                  : owner->remote->prepare(*kernel, desc, out, error);
}

void KernelRecord::release(void *state) const noexcept {
  if (owner->remote != nullptr) {
    owner->remote->release(state);
  } else if (kernel->release != nullptr) {
    kernel->release(owner->instance, state);
  }
}

}  // namespace rayo
