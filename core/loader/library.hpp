// SPDX-License-Identifier: Apache-2.0
//
// Shared objects of plugins in this process. They stay loaded until it ends: a pointer into one that somebody kept, a
// thread that it started, a thread-local destructor of its never meet unmapped code. A file that was replaced (by
// rename) is loaded beside the old one, which goes on living under its own descriptor of the file system.
#pragma once

#include <rayo/plugin.h>
#include <sys/stat.h>

#include <string>

namespace rayo {

// dlopen and the plugin's query function. `path` is a real path, `file` what stat said when it was examined. Throws
// RAYO_REFUSED: the loader's text, no such symbol, or a file that was overwritten in place after it was loaded here.
rayo_plugin_query_fn open_library(const std::string &path, const struct stat &file);

}  // namespace rayo
