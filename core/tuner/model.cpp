// SPDX-License-Identifier: Apache-2.0
#include "tuner/model.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace rayo {
namespace {

constexpr double kNever = 1e300;
constexpr uint32_t kFirstThin = 1;  // the classes of products that begin where the square ones end, at level 0
constexpr uint32_t kLastThin = 3;

// Surfaces of a class by level. Thin products of level 0 are square ones.
std::map<int32_t, const Surface *> levels_of(const ProfileEntry &entry, uint32_t shape_class) {
  std::map<int32_t, const Surface *> levels;
  for (const Surface &surface : entry.surfaces) {
    if (surface.shape_class == shape_class) levels[surface.level] = &surface;
  }
  if (levels.empty() || shape_class < kFirstThin || shape_class > kLastThin) return levels;
  for (const Surface &surface : entry.surfaces) {
    const bool square = surface.shape_class == 0 && surface.level == 0 && surface.volumes.size() > 1;
    if (square && levels.begin()->first > 0) levels[0] = &surface;
  }
  return levels;
}

// Time along one surface. Unmeasured points end a candidate's curve: behind them it goes on in proportion.
double along(const Surface &surface, uint32_t candidate, double volume) {
  const std::vector<uint64_t> &at = surface.volumes;
  const std::vector<double> &ns = surface.times[candidate];
  const size_t none = at.size();
  size_t low = none, high = none, before = none;
  for (size_t i = 0; i < at.size(); ++i) {
    if (ns[i] < 0) continue;
    if (static_cast<double>(at[i]) <= volume) {
      before = low;
      low = i;
    } else if (high == none) {
      high = i;
    } else if (low == none) {  // below the first: its two points tell the trend
      before = i;
      break;
    } else {
      break;
    }
  }
  if (low == none && high == none) return -1;
  if (low != none && high != none) {
    const double share = (volume - static_cast<double>(at[low])) / static_cast<double>(at[high] - at[low]);
    return ns[low] + share * (ns[high] - ns[low]);
  }
  if (low != none) {
    const double last = static_cast<double>(at[low]);
    const double proportional = ns[low] * volume / last;
    if (before == none) return std::max(proportional, ns[low]);
    const double slope = (ns[low] - ns[before]) / static_cast<double>(at[low] - at[before]);
    return std::clamp(ns[low] + slope * (volume - last), ns[low], std::max(proportional, ns[low]));
  }
  const double first = static_cast<double>(at[high]);
  if (before == none) return ns[high] * volume / first;
  const double slope = (ns[before] - ns[high]) / static_cast<double>(at[before] - at[high]);
  return std::clamp(ns[high] - slope * (first - volume), ns[high] * volume / first, ns[high]);
}

// Measured at this volume or between points that are? A candidate that fell behind is not chosen by extrapolation.
bool covers(const Surface &surface, uint32_t candidate, uint64_t volume) {
  const std::vector<double> &ns = surface.times[candidate];
  uint64_t last = 0;
  bool any = false;
  bool to_the_end = false;
  for (size_t i = 0; i < ns.size(); ++i) {
    if (ns[i] < 0) continue;
    last = surface.volumes[i];
    any = true;
    to_the_end = i + 1 == ns.size();
  }
  return any && (to_the_end || volume <= last);
}

double noise_near(const Surface &surface, uint32_t candidate, uint64_t volume) {
  double noise = 0;
  for (size_t i = 0; i < surface.volumes.size(); ++i) {
    if (surface.times[candidate][i] < 0) continue;
    noise = std::max(surface.noise[candidate][i], 0.0);
    if (surface.volumes[i] >= volume) break;
  }
  return std::min(noise, kMostNoise);
}

struct Bracket {
  const Surface *low = nullptr;
  const Surface *high = nullptr;
  double share = 0;  // of high
};

Bracket bracket(const std::map<int32_t, const Surface *> &levels, int32_t level) {
  if (levels.empty()) return {};
  auto high = levels.lower_bound(level);
  if (high == levels.end()) --high;
  if (high->first <= level || high == levels.begin()) return {high->second, high->second, 0};
  const auto low = std::prev(high);
  return {low->second, high->second,
          static_cast<double>(level - low->first) / static_cast<double>(high->first - low->first)};
}

double blended(const Bracket &between, uint32_t candidate, double volume) {
  const double low = along(*between.low, candidate, volume);
  if (between.low == between.high || between.share <= 0) return low;
  const double high = along(*between.high, candidate, volume);
  if (low <= 0 || high <= 0) return low <= 0 ? high : low;
  return std::exp((1 - between.share) * std::log(low) + between.share * std::log(high));
}

// Breakpoints of one row: a walk over the intervals between measured volumes, in each of which every cost is a line.
class Row {
 public:
  Row(const ProfileEntry &entry, const Bracket &between, const std::vector<uint32_t> &allowed)
      : entry_(entry), between_(between), allowed_(allowed) {
    std::set<uint64_t> volumes(between.low->volumes.begin(), between.low->volumes.end());
    volumes.insert(between.high->volumes.begin(), between.high->volumes.end());
    volumes_.assign(volumes.begin(), volumes.end());
  }

  bool walk(ChoiceRow *out) {
    // Below the first measured volume and above the last one, the choice there stays.
    winner_ = fastest(volumes_.front(), true);
    if (winner_ == kNone) return false;
    out->from = {0};
    out->candidate = {winner_};
    for (size_t i = 0; i + 1 < volumes_.size(); ++i) interval(volumes_[i], volumes_[i + 1], out);
    // A breakpoint at the last measured volume.
    const uint32_t end = fastest(volumes_.back(), false);
    if (end != kNone && end != winner_ && beats(end, volumes_.back())) switch_to(end, volumes_.back(), out);
    return true;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  double cost(uint32_t candidate, uint64_t volume) const {
    if (!covers(*between_.low, candidate, volume) && !covers(*between_.high, candidate, volume)) return kNever;
    const double ns = blended(between_, candidate, static_cast<double>(volume));
    return ns < 0 ? kNever : ns;
  }

  double margin(uint32_t a, uint32_t b, uint64_t volume) const {
    return 1 + std::max({noise_near(*between_.low, a, volume), noise_near(*between_.low, b, volume),
                         noise_near(*between_.high, a, volume), noise_near(*between_.high, b, volume)});
  }

  bool beats(uint32_t candidate, uint64_t volume) const {
    return cost(candidate, volume) * margin(candidate, winner_, volume) < cost(winner_, volume);
  }

  // With `plain`, fewer threads and the earlier candidate where the difference is within the noise.
  uint32_t fastest(uint64_t volume, bool plain) const {
    uint32_t best = kNone;
    for (const uint32_t c : allowed_) {
      if (cost(c, volume) < kNever && (best == kNone || cost(c, volume) < cost(best, volume))) best = c;
    }
    if (best == kNone || !plain) return best;
    uint32_t plainest = best;
    for (const uint32_t c : allowed_) {
      if (cost(c, volume) > cost(best, volume) * margin(c, best, volume)) continue;
      const uint32_t now = entry_.candidates[plainest].threads;
      const uint32_t then = entry_.candidates[c].threads;
      if (then < now || (then == now && c < plainest)) plainest = c;
    }
    return plainest;
  }

  void switch_to(uint32_t candidate, uint64_t volume, ChoiceRow *out) {
    winner_ = candidate;
    if (volume <= out->from.back()) {
      out->candidate.back() = candidate;
      return;
    }
    out->from.push_back(volume);
    out->candidate.push_back(candidate);
  }

  // The first volume in (low, high) at which `candidate` beats the winner; 0 = none.
  uint64_t crossing(uint32_t candidate, uint64_t low, uint64_t high) const {
    if (!beats(candidate, high)) return 0;
    if (beats(candidate, low)) return low;
    const double factor = margin(candidate, winner_, high);
    const double at_low = cost(winner_, low) - cost(candidate, low) * factor;
    const double at_high = cost(winner_, high) - cost(candidate, high) * factor;
    const double share = at_high > at_low ? -at_low / (at_high - at_low) : 1;
    const double volume = static_cast<double>(low) + std::clamp(share, 0.0, 1.0) * static_cast<double>(high - low);
    return std::clamp(static_cast<uint64_t>(std::floor(volume)) + 1, low + 1, high);
  }

  void interval(uint64_t low, uint64_t high, ChoiceRow *out) {
    for (size_t step = 0; step <= allowed_.size(); ++step) {
      uint64_t first = 0;
      for (const uint32_t c : allowed_) {
        const uint64_t at = c == winner_ ? 0 : crossing(c, low, high);
        if (at != 0 && (first == 0 || at < first)) first = at;
      }
      if (first == 0) return;
      uint32_t best = kNone;  // of those that beat the winner there
      for (const uint32_t c : allowed_) {
        const bool there = c != winner_ && crossing(c, low, high) == first;
        if (there && (best == kNone || cost(c, high) < cost(best, high))) best = c;
      }
      switch_to(best, first, out);
      low = first;
    }
  }

  const ProfileEntry &entry_;
  Bracket between_;
  const std::vector<uint32_t> &allowed_;
  std::vector<uint64_t> volumes_;
  uint32_t winner_ = kNone;
};

}  // namespace

double predict(const ProfileEntry &entry, uint32_t candidate, const Features &at) {
  const auto levels = levels_of(entry, at.shape_class);
  if (levels.empty()) return -1;
  return blended(bracket(levels, at.level), candidate, static_cast<double>(at.volume));
}

double transfer_ns(const ProfileTransfer &transfer, bool to_device, uint64_t bytes) noexcept {
  const double latency = to_device ? transfer.to_latency_ns : transfer.from_latency_ns;
  const double rate = to_device ? transfer.to_bytes_per_ns : transfer.from_bytes_per_ns;
  return latency + (rate > 0 ? static_cast<double>(bytes) / rate : 0);
}

bool measured_range(const ProfileEntry &entry, const Features &at) {
  const auto levels = levels_of(entry, at.shape_class);
  if (levels.empty()) return false;
  const Bracket between = bracket(levels, at.level);
  return at.volume >= std::min(between.low->volumes.front(), between.high->volumes.front()) &&
         at.volume <= std::max(between.low->volumes.back(), between.high->volumes.back());
}

std::vector<ChoiceRow> derive_choices(const ProfileEntry &entry, uint32_t threads,
                                      const std::function<bool(uint32_t)> &allowed) {
  std::vector<uint32_t> list;
  for (uint32_t c = 0; c < entry.candidates.size(); ++c) {
    if (entry.candidates[c].threads <= threads && allowed(c)) list.push_back(c);
  }
  std::vector<ChoiceRow> rows;
  for (uint32_t shape_class = 0; shape_class < kShapeClasses; ++shape_class) {
    const auto levels = levels_of(entry, shape_class);
    if (levels.empty()) continue;
    for (int32_t level = levels.begin()->first; level <= levels.rbegin()->first; ++level) {
      ChoiceRow row;
      row.threads = threads;
      row.shape_class = shape_class;
      row.level = level;
      if (Row(entry, bracket(levels, level), list).walk(&row)) rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<uint32_t> thread_counts(const ProfileEntry &entry) {
  std::set<uint32_t> counts;
  for (const ProfileCandidate &candidate : entry.candidates) counts.insert(candidate.threads);
  return {counts.begin(), counts.end()};
}

}  // namespace rayo
