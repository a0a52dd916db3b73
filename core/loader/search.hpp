// SPDX-License-Identifier: Apache-2.0
//
// Where plugins are looked for, and which files and folders are trusted enough to be opened at all. Never the current
// directory; never what somebody else could have written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rayo {

// A place that was looked at and left alone, with the reason.
struct Refusal {
  std::string path;
  std::string reason;
};

struct SearchResult {
  std::vector<std::string> files;  // real paths of *.so files, folder by folder, sorted by name within each
  std::vector<Refusal> refused;
};

// "a:b" to its entries, as they stand; empty ones too (they are refused later, not taken for the current directory).
std::vector<std::string> split_plugin_path(std::string_view path);

// What exists of the package's own lib/rayo/NAME: beside this library, then in the compiled-in place. Real paths.
std::vector<std::string> package_paths(std::string_view name);

// The built-in folders of a kind ("plugins", "executors") that exist: lib/rayo/KIND beside this library, then the
// compiled-in one.
std::vector<std::string> default_folders(std::string_view kind);

// Symbolic links resolved; "" with errno set when it is not there.
std::string real_path(const std::string &path);

// Lists the candidates of absolute folders, in order. What is missing or writable by others is refused.
SearchResult search_folders(const std::vector<std::string> &folders);

// Why this real path must not be loaded: its owner (root, this user and the owner of librayo are trusted), its mode,
// or a folder above it that others may write to. "" = trusted. Sticky ancestors such as /tmp pass.
std::string distrust(const std::string &real_path);

}  // namespace rayo
