// SPDX-License-Identifier: Apache-2.0
#include "grown.hpp"

#include <algorithm>
#include <cmath>

#include "tuner/model.hpp"

namespace rayo::tools::tune {
namespace {

void derive(ProfileEntry *entry) {
  entry->choices.clear();
  for (const uint32_t threads : thread_counts(*entry)) {
    const std::vector<ChoiceRow> rows = derive_choices(*entry, threads, [](uint32_t) { return true; });
    entry->choices.insert(entry->choices.end(), rows.begin(), rows.end());
  }
}

}  // namespace

uint32_t index_of(const std::vector<ProfilePlugin> &plugins, const std::string &name) {
  for (uint32_t i = 0; i < plugins.size(); ++i) {
    if (plugins[i].name == name) return i;
  }
  return 0;
}

void Grown::add_spell(Point *point, std::size_t way, double ns, double noise) {
  double &before = point->ns[way];
  const double apart = std::fabs(ns - before) / std::min(ns, before);
  point->noise[way] = std::max({point->noise[way], noise, apart});
  before = std::max(before, ns);
}

ProfileEntry Grown::finish(const std::vector<Way> &ways, const std::vector<ProfilePlugin> &plugins) const {
  ProfileEntry out_entry = entry;
  std::vector<std::size_t> columns;
  for (std::size_t w = 0; w < ways.size(); ++w) {
    if (!wrong[w].empty()) {
      const auto same = [&](const ProfileRejection &each) { return each.device == ways[w].device; };
      if (std::none_of(out_entry.rejected.begin(), out_entry.rejected.end(), same)) {
        out_entry.rejected.push_back({index_of(plugins, ways[w].plugin), ways[w].device, wrong[w]});
      }
      continue;
    }
    bool any = false;
    for (const auto &[place_of, points] : curves) {
      for (const auto &[volume, point] : points) any = any || point.ns[w] >= 0;
    }
    if (!any) continue;
    columns.push_back(w);
    out_entry.candidates.push_back(
        {index_of(plugins, ways[w].plugin), ways[w].device, kernels[w], ways[w].threads, checked[w]});
  }
  for (const auto &[place_of, points] : curves) {
    Surface surface;
    surface.shape_class = place_of.first;
    surface.level = place_of.second;
    surface.times.resize(columns.size());
    surface.noise.resize(columns.size());
    for (const auto &[volume, point] : points) {
      surface.volumes.push_back(volume);
      for (std::size_t c = 0; c < columns.size(); ++c) {
        surface.times[c].push_back(point.ns[columns[c]]);
        surface.noise[c].push_back(point.noise[columns[c]]);
      }
    }
    out_entry.surfaces.push_back(std::move(surface));
  }
  derive(&out_entry);
  return out_entry;
}

}  // namespace rayo::tools::tune
