// SPDX-License-Identifier: Apache-2.0
//
// What a folder holds. std::filesystem::directory_iterator is not used in this library: where an allocation fails
// inside it, libstdc++ ends the process (its step is noexcept).
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace rayo {

// Up to `limit` names in the file system's order, without "." and "..". Returns errno, 0 = all is well; what was read
// before an error is kept. Throws std::bad_alloc.
int folder_names(const std::string &folder, std::vector<std::string> *out,
                 size_t limit = std::numeric_limits<size_t>::max());

}  // namespace rayo
