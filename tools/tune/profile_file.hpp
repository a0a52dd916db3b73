// SPDX-License-Identifier: Apache-2.0
//
// The profile on the disk, as `rayo tune` writes it: one tuner at a time, whole or not at all, also when the process or
// the machine dies in between.
#pragma once

#include <string>

#include "tuner/profile.hpp"

namespace rayo::tools::tune {

// Held for as long as the object lives: FILE.lock, locked by flock, so that a process that dies lets go of it.
class ProfileLock {
 public:
  // Throws CommandError naming the process that holds it.
  explicit ProfileLock(const std::string &profile);
  ~ProfileLock();
  ProfileLock(const ProfileLock &) = delete;
  ProfileLock &operator=(const ProfileLock &) = delete;

 private:
  std::string path_;
  int fd_ = -1;
};

// Makes the folders that are missing. Throws CommandError where the profile could not be written there: before anything
// is measured.
void prepare_folder(const std::string &profile);
// The same for another file ("plot"), whose folder has to be there.
void check_writable(const std::string &what, const std::string &path);

// Temporary file in the same folder, fsync, rename, fsync of the folder. Throws CommandError; the old file is then
// still there.
void write_whole(const std::string &path, const std::string &content, const std::string &what = "profile");

}  // namespace rayo::tools::tune
