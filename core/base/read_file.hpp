// SPDX-License-Identifier: Apache-2.0
//
// Small files that somebody else may have prepared: read whole, up to a limit, and never a FIFO, device or link.
#pragma once

#include <cstddef>
#include <string>

namespace rayo {

// Returns what went wrong, as a continuation of "it"; "" = fine.
std::string read_file_bounded(const std::string &path, size_t limit, std::string *out);

}  // namespace rayo
