// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 of files: what binds reports, profiles and verdicts to one plugin file.
#pragma once

#include <sys/stat.h>

#include <string>

namespace rayo {

// 64 lower-case hex digits, or "" when `path` is not a readable regular file. Never blocks on a FIFO. With `expected`
// also "" unless the file is that one, before and after it was read.
std::string sha256_of_file(const std::string &path, const struct stat *expected = nullptr);

// The same inode with the same size and times: its content is what it was.
bool same_file(const struct stat &a, const struct stat &b) noexcept;

}  // namespace rayo
