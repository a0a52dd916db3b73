// SPDX-License-Identifier: Apache-2.0
//
// Where profiles lie and which of their entries hold on this machine with these plugins. For each op, type, layout and
// residency the first layer that has an entry which holds wins: application, user, system, then what is shipped for a
// class of machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "registry/registry.hpp"
#include "tuner/profile.hpp"

namespace rayo {

struct MergedEntry {
  ProfileEntry entry;         // its plugin indices are into MergedProfile::plugins
  std::vector<bool> holds;    // by candidate: measured on this kind of machine, with the plugin that is here
  std::vector<bool> rejects;  // by rejection
  std::string layer;          // "user profile /home/..."
};

struct MergedProfile {
  std::vector<ProfilePlugin> plugins;
  std::vector<ProfileTransfer> transfers;
  std::vector<MergedEntry> entries;
  // Plugin -> why entries of it were dropped; "" as the plugin: why a whole profile was.
  std::map<std::string, std::string> dropped;
  std::vector<std::string> files;  // that were read, highest layer first
};

// Files to read, highest layer first. Only the application's has to exist.
struct ProfileSources {
  std::string application;  // options.profile or RAYO_PROFILE; "" = not given
  std::string user;         // user_profile_path(); "" = no such layer
  std::string system = "/etc/rayo/profile.json";
  std::vector<std::string> class_folders;  // each *.json in them
};

// The file that the user layer is read from and `rayo tune` writes to; "" where the environment names no absolute
// folder, and in a privileged process.
std::string user_profile_path();

// Reads every layer. A file that is damaged, too large or of another schema costs that file and a line on the log,
// never the start; a file that the application named and that is not there is an Error.
MergedProfile load_layers(const ProfileSources &sources, const Registry &registry, const Log &log);

}  // namespace rayo
