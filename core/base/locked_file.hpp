// SPDX-License-Identifier: Apache-2.0
//
// A small file that several processes update: read, changed and replaced under a lock, so that no writer loses
// another's changes and no reader ever sees half a file.
#pragma once

#include <functional>
#include <string>

namespace rayo {

// Makes the folder and each missing one above it, for the user alone. False with errno set.
bool make_private_folders(const std::string &folder);

// Makes the folder, takes `path`.lock for at most a quarter of a second, and replaces the file
// with what `text` returns. Returns what went wrong, as a continuation of "it"; "" = fine.
std::string update_file(const std::string &path, const std::function<std::string()> &text);

}  // namespace rayo
