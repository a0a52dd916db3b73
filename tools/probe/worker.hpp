// SPDX-License-Identifier: Apache-2.0
//
// The process of an isolated plugin (core/isolation): loads the file, says what it is, and runs calls on shared memory
// until the other end of the socket, or the application, is gone.
#pragma once

#include <cstdint>
#include <string>

namespace rayo::probe {

// Returns when it is not wanted any more.
void serve(const std::string &file, uint64_t cpu_features, int socket);

}  // namespace rayo::probe
