// SPDX-License-Identifier: Apache-2.0
//
// A profile's entry under construction: times as they are measured, until they become surfaces with breakpoints.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "measure.hpp"
#include "tuner/profile.hpp"

namespace rayo::tools::tune {

// Times by shape class, level and volume.
struct Grown {
  ProfileEntry entry;
  struct Point {
    std::vector<double> ns;
    std::vector<double> noise;
    double asked = 0;  // the volume that a curve was asked for
  };
  std::map<std::pair<uint32_t, int32_t>, std::map<uint64_t, Point>> curves;
  std::vector<bool> out;        // by way: declined, wrong, or too far behind on this curve
  std::vector<double> last_ns;  // of the point before on this curve, by way; 0 = none
  double last_best = 0;
  uint64_t last_volume = 0;
  std::vector<std::string> kernels, checked, wrong;
  // Where the current curve goes: all its points share the shape class and level of the largest one.
  uint64_t largest = 0;
  std::pair<uint32_t, int32_t> place;

  explicit Grown(std::size_t ways) : out(ways), last_ns(ways), kernels(ways), checked(ways), wrong(ways) {}

  // A second reading of `way`, apart in time: the slower one counts, and their distance is noise.
  static void add_spell(Point *point, std::size_t way, double ns, double noise);

  // The entry as it stands: the ways that were measured, and their breakpoints.
  ProfileEntry finish(const std::vector<Way> &ways, const std::vector<ProfilePlugin> &plugins) const;
};

// Of a plugin by its name; 0 where it is not there.
uint32_t index_of(const std::vector<ProfilePlugin> &plugins, const std::string &name);

}  // namespace rayo::tools::tune
