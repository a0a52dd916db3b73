// SPDX-License-Identifier: Apache-2.0
//
// A profile made up for tests: two candidates with times that are lines in the volume, so that every crossover is
// known.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tuner/fingerprint.hpp"
#include "tuner/model.hpp"
#include "tuner/profile.hpp"

namespace rayo_test {

struct Line {
  double fixed = 0;
  double per_unit = 0;
  double at(double volume) const { return fixed + per_unit * volume; }
};

inline rayo::ProfileEntry entry_of(const std::vector<rayo::ProfileCandidate> &candidates,
                                   const std::vector<Line> &lines,
                                   const std::vector<uint64_t> &volumes = {1, 1000, 1000000}) {
  rayo::ProfileEntry entry;
  entry.op = "add";
  entry.types = "T=f32";
  entry.layout = "contiguous";
  entry.residency = "host";
  entry.candidates = candidates;
  rayo::Surface surface;
  surface.volumes = volumes;
  for (const Line &line : lines) {
    std::vector<double> times;
    for (const uint64_t v : volumes) times.push_back(line.at(static_cast<double>(v)));
    surface.times.push_back(times);
    surface.noise.emplace_back(volumes.size(), 0.0);
  }
  entry.surfaces = {surface};
  for (const uint32_t threads : rayo::thread_counts(entry)) {
    for (rayo::ChoiceRow &row : rayo::derive_choices(entry, threads, [](uint32_t) { return true; })) {
      entry.choices.push_back(std::move(row));
    }
  }
  return entry;
}

inline rayo::Profile profile_of(std::vector<rayo::ProfilePlugin> plugins, std::vector<rayo::ProfileEntry> entries) {
  rayo::Profile profile;
  profile.created = "2026-01-01T00:00:00Z";
  profile.kind = "default";
  profile.complete = true;
  profile.machine = rayo::this_machine();
  profile.plugins = std::move(plugins);
  profile.entries = std::move(entries);
  return profile;
}

}  // namespace rayo_test
