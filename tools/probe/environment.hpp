// SPDX-License-Identifier: Apache-2.0
//
// What belongs to the process and not to a plugin: signal handlers and mask, working directory, umask, locale, open
// files, threads. Taken before a plugin is loaded and compared when it is done.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <set>
#include <string>

namespace rayo::probe {

class Environment {
 public:
  Environment();

  // "" or the first thing that is not as it was, as a continuation of "it".
  std::string difference(const Environment &now) const;
  // Open files that were not open before, e.g. "socket:[1234]".
  std::string new_files(const Environment &now) const;

  size_t threads() const { return threads_; }

 private:
  std::array<struct sigaction, NSIG> handlers_{};
  sigset_t mask_{};
  std::string folder_;
  std::string locale_;
  mode_t umask_ = 0;
  std::set<int> files_;
  size_t threads_ = 0;
};

}  // namespace rayo::probe
