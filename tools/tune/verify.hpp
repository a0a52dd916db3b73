// SPDX-License-Identifier: Apache-2.0
//
// Is a measured result right? Compared with the scalar plugin's on the same inputs: bit for bit where both kernels
// promise the contract's bits, else within the op's bound. What is wrong is never stored as fast.
#pragma once

#include <string>
#include <vector>

#include "bench/work/operands.hpp"
#include "tools/host_tensor.hpp"
#include "tools/session.hpp"

namespace rayo::tools::tune {

constexpr const char *kReferenceDevice = "scalar";

std::vector<HostTensor> copy_outputs(bench::Operands &operands);

struct Verified {
  std::string how;    // "bits", "bound"
  std::string wrong;  // "" = right
};

// The operands' outputs against `expected`, by the numerics class that the kernel states.
Verified verify_outputs(const Session &session, bench::Operands &operands, const std::vector<HostTensor> &expected,
                        const std::string &plugin, const std::string &kernel);

}  // namespace rayo::tools::tune
