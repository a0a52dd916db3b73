// SPDX-License-Identifier: Apache-2.0
//
// Deciders about device profiles, and a profile written for a claim.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "claims/claim.hpp"

namespace rayo::conform::claims {

std::string device_threshold(const Setting &);
std::string thread_threshold(const Setting &);
std::string gpu_where_faster(const Setting &);  // placement.cpp

// A profile for `add` f32 in a temporary file that is gone with the object: way[i] from volume from[i] on.
struct ProfileWay {
  std::string plugin;
  std::string sha256;
  std::uint32_t threads = 1;
};
class WrittenProfile {
 public:
  WrittenProfile(const std::vector<ProfileWay> &ways, const std::vector<std::uint64_t> &from);
  ~WrittenProfile();
  WrittenProfile(const WrittenProfile &) = delete;
  WrittenProfile &operator=(const WrittenProfile &) = delete;
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace rayo::conform::claims
