// SPDX-License-Identifier: Apache-2.0
#include "loader/library.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <mutex>
#include <vector>

#include "base/error.hpp"

namespace rayo {
namespace {

struct Loaded {
  boost::dll::shared_library library;
  std::string path;      // as it was asked for
  std::string spelling;  // as dlopen was given it
  struct stat file {};
};

bool same_place(const struct stat &a, const struct stat &b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }
bool same_content(const struct stat &a, const struct stat &b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// Every library ever loaded; never destroyed.
struct Libraries {
  std::mutex mutex;
  std::vector<Loaded> all;
  static Libraries &get() {
    static auto *const libraries = new Libraries;
    return *libraries;
  }
};

// glibc takes a name that it has loaded before for the same file, whatever lies there now. Another spelling of the
// path, one for each file that was loaded from it, makes it look.
std::string spell(const std::string &path, size_t loaded_before) {
  const size_t name = path.rfind('/') + 1;
  std::string out = path.substr(0, name);
  for (size_t i = 0; i < loaded_before; ++i) out += "./";
  return out.append(path, name);
}

rayo_plugin_query_fn query_of(const boost::dll::shared_library &library) {
  auto *query = reinterpret_cast<rayo_plugin_query_fn>(dlsym(library.native(), "rayo_plugin_query"));
  if (query == nullptr) fail(RAYO_REFUSED, "does not export rayo_plugin_query once loaded");
  return query;
}

}  // namespace

rayo_plugin_query_fn open_library(const std::string &path, const struct stat &file) {
  Libraries &libraries = Libraries::get();
  const std::lock_guard lock(libraries.mutex);
  size_t others = 0;
  for (const Loaded &each : libraries.all) {
    if (each.path == path) ++others;
    if (!same_place(each.file, file)) continue;
    if (same_content(each.file, file)) return query_of(each.library);
    fail(RAYO_REFUSED,
         "was changed in place after this process had loaded it, and its old code is still in use; replace a plugin by "
         "rename: cp new.so {0}.new && mv {0}.new {0}",
         path);
  }
  Loaded loaded{{}, path, spell(path, others), file};
  std::error_code error;
  namespace mode = boost::dll::load_mode;
  loaded.library.load(loaded.spelling, mode::type(mode::rtld_local | mode::rtld_now), error);
  if (error) {
    const char *why = dlerror();
    fail(RAYO_REFUSED, "cannot be loaded: {}", why != nullptr ? std::string(why) : error.message());
  }
  libraries.all.push_back(std::move(loaded));
  return query_of(libraries.all.back().library);
}

}  // namespace rayo
