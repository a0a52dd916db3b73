// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 of files: what binds reports, profiles and verdicts to one plugin file.
#pragma once

#include <string>

namespace rayo {

// 64 lower-case hex digits, or "" when `path` is not a readable regular file. Never blocks on a FIFO.
std::string sha256_of_file(const std::string &path);

}  // namespace rayo
