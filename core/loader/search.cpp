// SPDX-License-Identifier: Apache-2.0
#include "loader/search.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/folder_names.hpp"

namespace rayo {
namespace {

namespace fs = std::filesystem;

// Path of the shared object (or, linked statically, the program) that holds this function.
const std::string &own_path() {
  static const std::string path = [] {
    Dl_info info{};
    std::string real;
    if (dladdr(reinterpret_cast<const void *>(&own_path), &info) != 0) real = real_path(info.dli_fname);
    // A program started as "./x" or by PATH has a name that dladdr cannot resolve.
    return real.empty() ? real_path("/proc/self/exe") : real;
  }();
  return path;
}

bool trusted_owner(uid_t owner) {
  static const uid_t library_owner = [] {
    struct stat info {};
    return ::stat(own_path().c_str(), &info) == 0 ? info.st_uid : ::geteuid();
  }();
  return owner == 0 || owner == ::geteuid() || owner == library_owner;
}

std::string distrust_one(const std::string &path, bool sticky_passes) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return fmt::format("cannot be examined: {}", std::strerror(errno));
  if (!trusted_owner(info.st_uid)) {
    return fmt::format("belongs to user {}; trusted are root, this user and the owner of librayo", info.st_uid);
  }
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & S_IWOTH) != 0 && !(sticky_passes && sticky)) {
    return fmt::format("is writable by others (mode {:04o}); use chmod o-w", info.st_mode & 07777u);
  }
  return "";
}

// `path` is real. Its own mode and those of every folder above it.
std::string distrust_chain(const std::string &path) {
  if (std::string reason = distrust_one(path, false); !reason.empty()) return reason;
  fs::path above = path;
  do {
    above = above.parent_path();
    if (const std::string reason = distrust_one(above.string(), true); !reason.empty()) {
      return fmt::format("lies in {}, which {}", quote(above.string()), reason);
    }
  } while (above != above.root_path());
  return "";
}

void list_folder(const std::string &folder, SearchResult *result) {
  const std::string real = real_path(folder);
  if (real.empty()) {
    const int error = errno;
    result->refused.push_back({folder, error == ENOENT || error == ENOTDIR
                                           ? std::string("does not exist; make the folder or correct the path")
                                           : fmt::format("cannot be opened: {}", std::strerror(error))});
    return;
  }
  if (std::string reason = distrust_chain(real); !reason.empty()) {
    result->refused.push_back({folder, std::move(reason)});
    return;
  }
  std::vector<std::string> names;
  if (const int error = folder_names(real, &names); error != 0) {
    result->refused.push_back({folder, fmt::format("cannot be listed: {}", std::strerror(error))});
    return;
  }
  std::erase_if(names, [](const std::string &name) { return name.size() <= 3 || !name.ends_with(".so"); });
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    const std::string file = (fs::path(real) / name).string();
    std::string target = real_path(file);
    if (target.empty()) {
      result->refused.push_back({file, fmt::format("cannot be opened: {}", std::strerror(errno))});
      continue;
    }
    result->files.push_back(std::move(target));
  }
}

}  // namespace

std::vector<std::string> split_plugin_path(std::string_view path) {
  std::vector<std::string> entries;
  while (true) {
    const size_t colon = path.find(':');
    entries.emplace_back(path.substr(0, colon));
    if (colon == std::string_view::npos) return entries;
    path.remove_prefix(colon + 1);
  }
}

std::string real_path(const std::string &path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  if (!resolved && errno == ENOMEM) throw std::bad_alloc();  // not "it is not there"
  return resolved ? std::string(resolved.get()) : std::string();
}

std::vector<std::string> package_paths(std::string_view name) {
  std::vector<std::string> candidates;
  if (!own_path().empty()) {
    const fs::path home = fs::path(own_path()).parent_path();
    candidates.push_back((home / "rayo" / name).string());  // also right for lib/x86_64-linux-gnu
    candidates.push_back((home / "../lib/rayo" / name).string());
  }
  candidates.push_back((fs::path(RAYO_COMPILED_DIR) / name).string());
  std::vector<std::string> found;
  for (const std::string &candidate : candidates) {
    std::string real = real_path(candidate);
    if (real.empty() || std::find(found.begin(), found.end(), real) != found.end()) continue;
    found.push_back(std::move(real));
  }
  return found;
}

std::vector<std::string> default_folders(std::string_view kind) { return package_paths(kind); }

SearchResult search_folders(const std::vector<std::string> &folders) {
  SearchResult result;
  for (const std::string &folder : folders) {
    if (folder.empty()) {
      result.refused.push_back({"", "an empty entry of the plugin path; it never means the current directory"});
    } else if (folder.front() != '/') {
      result.refused.push_back({folder, "is not absolute; entries of the plugin path start with /"});
    } else {
      list_folder(folder, &result);
    }
  }
  return result;
}

std::string distrust(const std::string &real_path) { return distrust_chain(real_path); }

}  // namespace rayo
