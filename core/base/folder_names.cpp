// SPDX-License-Identifier: Apache-2.0
#include "base/folder_names.hpp"

#include <dirent.h>

#include <cerrno>
#include <memory>
#include <string_view>

namespace rayo {

int folder_names(const std::string &folder, std::vector<std::string> *out, size_t limit) {
  struct Close {
    void operator()(DIR *open) const { ::closedir(open); }
  };
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open) return errno;
  while (out->size() < limit) {
    errno = 0;
    const dirent *entry = ::readdir(open.get());
    if (entry == nullptr) return errno;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out->emplace_back(name);
  }
  return 0;
}

}  // namespace rayo
