// SPDX-License-Identifier: Apache-2.0
#include "tuner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "grown.hpp"
#include "profile_file.hpp"
#include "tools/command.hpp"
#include "transfers.hpp"
#include "tuner/fingerprint.hpp"
#include "tuner/model.hpp"

namespace rayo::tools::tune {
namespace {

constexpr double kFarBehind = 2.5;      // a candidate this much slower, and not catching up, is measured no further
constexpr double kCatchesUp = 0.8;      // of the ratio to the best at the point before
constexpr double kMoreThanDrift = 1.2;  // of the time at the point before: less says nothing of how it grows
constexpr double kSaveEvery = 2;        // seconds
constexpr int kLeastPoints = 3;         // of a curve
constexpr double kOverrun = 0.05;       // of the budget, by which one curve may pass its share
constexpr double kOverrunAll = 0.15;    // ... and all of them together: beyond it each keeps to its share
constexpr double kHostShare = 0.7;      // of an entry's time, where data on devices is measured as well
constexpr double kConfirming = 0.15;    // of a curve's time, for measuring once more where a device wins
constexpr double kCloseEnough = 1.05;   // a crossover with measured points this near on both sides is found

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

Tuner::Tuner(const Session &session, const TunerOptions &options, const volatile std::sig_atomic_t *stop,
             std::function<void(double, const std::string &)> progress)
    : session_(session),
      options_(options),
      stop_(stop),
      progress_(std::move(progress)),
      measurer_(session, stop),
      ways_(measurer_.all_ways()) {
  if (options.for_class) std::erase_if(ways_, [](const Way &way) { return !way.on_host(); });
}

double Tuner::now_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The profile's frame, and what is still true of an earlier one.
void Tuner::begin() {
  profile_.created = utc_now();
  profile_.kind = options_.extent == Extent::quick ? "quick" : "default";
  profile_.machine = this_machine();
  if (options_.for_class) {
    profile_.kind = "class";
    profile_.machine.instance_key.clear();
  }
  const std::vector<rayo_plugin_info> plugins = session_.plugins();
  for (const rayo_device_listing &device : session_.devices()) {
    if (!options_.for_class && std::string(plugins[device.plugin].name) != device.id) {
      profile_.machine.devices.push_back({device.id, device.name, device.driver});
    }
  }
  for (const rayo_plugin_info &plugin : plugins) {
    const bool used =
        std::any_of(ways_.begin(), ways_.end(), [&](const Way &way) { return way.plugin == plugin.name; });
    if (plugin.state != RAYO_PLUGIN_READY || (options_.for_class && !used)) continue;
    profile_.plugins.push_back({plugin.name, options_.for_class ? "" : plugin.sha256, plugin.version});
  }
  Profile before;
  try {
    before = read_profile(options_.file);
  } catch (const Error &error) {
    if (error.status() != RAYO_NOT_FOUND) {
      outcome_.notes.push_back(fmt::format("{} is replaced: {}", options_.file, error.what()));
    }
    return;
  }
  const std::string foreign = foreign_machine(before.machine, profile_.machine);
  if (!foreign.empty()) {
    outcome_.notes.push_back(fmt::format("{} is replaced: it was {}", options_.file, foreign));
    return;
  }
  // A device whose driver has changed is measured anew.
  const auto same_device = [&](const std::string &id) {
    const auto mark_of = [&](const Profile &profile) {
      const auto &marks = profile.machine.devices;
      return std::find_if(marks.begin(), marks.end(), [&](const MachineDevice &each) { return each.id == id; });
    };
    const auto then = mark_of(before);
    const auto now = mark_of(profile_);
    if (then == before.machine.devices.end()) return true;  // a CPU plugin
    return now != profile_.machine.devices.end() && then->name == now->name && then->driver == now->driver;
  };
  for (ProfileEntry &entry : before.entries) {
    bool same = same_device(entry.residency);
    for (const ProfileCandidate &candidate : entry.candidates) same = same && same_device(candidate.device);
    const auto move_plugin = [&](uint32_t *plugin) {
      const ProfilePlugin &old = before.plugins[*plugin];
      *plugin = index_of(profile_.plugins, old.name);
      same = same && !profile_.plugins.empty() && profile_.plugins[*plugin].name == old.name &&
             profile_.plugins[*plugin].sha256 == old.sha256;
    };
    for (ProfileCandidate &candidate : entry.candidates) move_plugin(&candidate.plugin);
    for (ProfileRejection &rejection : entry.rejected) move_plugin(&rejection.plugin);
    if (same) earlier_.push_back(std::move(entry));
  }
  if (!options_.resume && !options_.add) return;
  for (const ProfileTransfer &transfer : before.transfers) {
    if (same_device(transfer.device)) profile_.transfers.push_back(transfer);
  }
}

bool Tuner::able(const Job &job, const Way &way) const {
  const std::vector<rayo_kernel_info> kernels = session_.kernels();
  return std::any_of(kernels.begin(), kernels.end(), [&](const rayo_kernel_info &kernel) {
    return kernel.op == job.op.op && way.plugin == kernel.plugin;
  });
}

// The cost of moving data to each device that is not the host, and of the smallest call there.
void Tuner::measure_devices(const std::vector<Job> &jobs) {
  for (const Way &way : ways_) {
    const auto known = [&](const ProfileTransfer &each) { return each.device == way.device; };
    if (way.on_host() || std::any_of(profile_.transfers.begin(), profile_.transfers.end(), known)) continue;
    if (std::none_of(jobs.begin(), jobs.end(), [&](const Job &job) { return able(job, way); })) continue;
    progress_(share_, fmt::format("transfers to {}", way.device));
    try {
      ProfileTransfer transfer = measure_transfers(session_, way.device, stop_);
      measure_launch(jobs, way, &transfer);
      profile_.transfers.push_back(std::move(transfer));
    } catch (const CommandError &error) {
      outcome_.notes.push_back(fmt::format("{}: transfers were not measured: {}", way.device, error.what()));
    }
  }
}

void Tuner::measure_launch(const std::vector<Job> &jobs, const Way &way, ProfileTransfer *transfer) {
  for (const Job &job : jobs) {
    if (!able(job, way) || job.curves.empty() || !job.curves.front().refine) continue;
    try {
      const Curve &curve = job.curves.front();
      const Effort effort{5, 15, 1e5, 5e7};
      const Measurement measured =
          measurer_.measure(job.op, curve.make(curve.volumes.front()), {way}, effort, way.device);
      if (measured.times[0].ns < 0) continue;
      transfer->launch_ns = measured.times[0].ns;
      return;
    } catch (const CommandError &) {
      continue;  // another op, then
    }
  }
}

bool Tuner::has_entry(const Job &job, const std::string &residency) const {
  const std::string types = types_of(session_, job.op, job.curves.front().make(job.curves.front().volumes.front()));
  return std::any_of(earlier_.begin(), earlier_.end(), [&](const ProfileEntry &entry) {
    return entry.op == job.op.name && entry.types == types && entry.layout == job.layout &&
           entry.residency == residency;
  });
}

// With --resume an entry that is there with the plugins of today is not measured again.
bool Tuner::keep_earlier(const Job &job) {
  if (!options_.resume || job.curves.empty() || earlier_.empty()) return false;
  const std::string types = types_of(session_, job.op, job.curves.front().make(job.curves.front().volumes.front()));
  const auto same = std::find_if(earlier_.begin(), earlier_.end(), [&](const ProfileEntry &entry) {
    return entry.op == job.op.name && entry.types == types && entry.layout == job.layout &&
           entry.residency == kHostMemory;
  });
  if (same == earlier_.end()) return false;
  // Every device of today took part, or was found wrong.
  for (const Way &way : ways_) {
    const auto is_way = [&](const auto &each) { return each.device == way.device; };
    const bool known = std::any_of(same->candidates.begin(), same->candidates.end(), is_way) ||
                       std::any_of(same->rejected.begin(), same->rejected.end(), is_way);
    if (!able(job, way)) continue;
    if (!known || (!way.on_host() && !has_entry(job, way.device))) return false;
  }
  ++outcome_.kept;
  return true;
}

void Tuner::store(const Grown &grown) {
  ProfileEntry entry = grown.finish(ways_, profile_.plugins);
  if (entry.candidates.empty() && entry.rejected.empty()) return;
  const auto same = [&](const ProfileEntry &each) {
    return each.op == entry.op && each.types == entry.types && each.layout == entry.layout &&
           each.residency == entry.residency;
  };
  earlier_.erase(std::remove_if(earlier_.begin(), earlier_.end(), same), earlier_.end());
  std::erase_if(profile_.entries, same);
  profile_.entries.push_back(std::move(entry));
}

void Tuner::save(bool complete) {
  Profile whole = profile_;
  whole.complete = complete;
  whole.entries.insert(whole.entries.end(), earlier_.begin(), earlier_.end());
  write_whole(options_.file, profile_text(whole));
  last_save_s_ = now_s();
}

Effort Tuner::effort_for(std::size_t ways, double seconds) const {
  Effort effort;
  effort.least_rounds = options_.extent == Extent::quick ? 3 : 5;
  effort.most_rounds = options_.extent == Extent::quick ? 7 : 15;
  effort.budget_ns = seconds * 1e9;
  const double rounds = static_cast<double>(effort.least_rounds + effort.most_rounds) / 2;
  effort.reading_ns = std::clamp(effort.budget_ns / rounds / static_cast<double>(ways) / 2, 1e4, 1e6);
  return effort;
}

// Returns false where the point could not be measured at all.
bool Tuner::measure_point(const Job &job, const Curve &curve, double volume, double seconds, Grown *grown) {
  std::vector<Way> ways;
  std::vector<std::size_t> index;
  for (std::size_t w = 0; w < ways_.size(); ++w) {
    if (grown->out[w]) continue;
    ways.push_back(ways_[w]);
    index.push_back(w);
  }
  if (ways.empty()) return false;
  const Measurement measured =
      measurer_.measure(job.op, curve.make(volume), ways, effort_for(ways.size(), seconds), grown->entry.residency);
  ++outcome_.points;
  if (measured.volume >= grown->largest) {  // the one whose extents are rounded the least tells the level
    grown->place = {measured.shape_class, measured.level};
    grown->largest = measured.volume;
  }
  grown->entry.types = measured.types;
  grown->entry.layout = measured.layout.empty() ? job.layout : measured.layout;
  Grown::Point &point = grown->curves[{1000, 0}][measured.volume];  // moved to its place when the curve is complete
  point.ns.assign(ways_.size(), -1);
  point.noise.assign(ways_.size(), -1);
  point.asked = volume;
  const bool onward = measured.volume > grown->last_volume;  // not a point between two that are there
  double best = 0;
  for (const WayTime &time : measured.times) {
    if (time.ns > 0 && (best == 0 || time.ns < best)) best = time.ns;
  }
  for (std::size_t i = 0; i < measured.times.size(); ++i) {
    const WayTime &time = measured.times[i];
    const std::size_t w = index[i];
    if (!time.wrong.empty()) grown->wrong[w] = time.wrong;
    if (time.ns < 0) {
      grown->out[w] = true;
      continue;
    }
    point.ns[w] = time.ns;
    point.noise[w] = time.noise;
    grown->kernels[w] = time.kernel;
    if (grown->checked[w].empty() || time.checked != "none") grown->checked[w] = time.checked;
    if (!onward) continue;
    // Who grows as fast as the best does, or faster, stays behind. A fixed cost alone, which is all of a device's time
    // for small volumes, says nothing yet.
    const bool catches_up = time.ns / best < kCatchesUp * grown->last_ns[w] / std::max(grown->last_best, 1.0);
    const bool grew = grown->last_ns[w] > 0 && time.ns > kMoreThanDrift * grown->last_ns[w];
    if (time.ns > kFarBehind * best && grew && !catches_up) grown->out[w] = true;
    grown->last_ns[w] = time.ns;
  }
  if (onward) grown->last_best = best;
  if (onward) grown->last_volume = measured.volume;
  return true;
}

// Where a device of its own is the fastest it is measured once more, beside the fastest of the host: a device's time
// has spells (of its clock, its driver's threads, its other users), and a lucky one would cost whoever believes it.
void Tuner::confirm_devices(const Job &job, const Curve &curve, Grown *grown, double seconds) {
  struct Doubt {
    uint64_t volume;
    std::size_t device, host;
  };
  std::vector<Doubt> doubts;
  constexpr std::size_t kNone = SIZE_MAX;
  for (const auto &[volume, point] : grown->curves[{1000, 0}]) {
    std::size_t best[2] = {kNone, kNone};  // of the devices, of the host
    for (std::size_t w = 0; w < ways_.size(); ++w) {
      std::size_t &at = best[ways_[w].on_host() ? 1 : 0];
      if (point.ns[w] > 0 && (at == kNone || point.ns[w] < point.ns[at])) at = w;
    }
    if (best[0] == kNone || best[1] == kNone || point.ns[best[0]] > point.ns[best[1]]) continue;
    doubts.push_back({volume, best[0], best[1]});
  }
  for (const Doubt &doubt : doubts) {
    if (*stop_ != 0) throw Measurer::Stopped{};
    Grown::Point &point = grown->curves[{1000, 0}][doubt.volume];
    const std::vector<Way> ways = {ways_[doubt.device], ways_[doubt.host]};
    const Measurement again = measurer_.measure(job.op, curve.make(point.asked), ways,
                                                effort_for(ways.size(), seconds / static_cast<double>(doubts.size())),
                                                grown->entry.residency);
    if (again.volume != doubt.volume || again.times[0].ns <= 0) continue;
    ++outcome_.points;
    Grown::add_spell(&point, doubt.device, again.times[0].ns, again.times[0].noise);
  }
}

void Tuner::measure_curve(const Job &job, const Curve &curve, Grown *grown, double seconds) {
  const std::vector<bool> out_before = grown->out;
  std::fill(grown->last_ns.begin(), grown->last_ns.end(), 0.0);
  grown->last_volume = 0;
  grown->largest = 0;
  const int refinements = options_.extent == Extent::quick ? 2 : 4;
  bool devices = false;  // take part
  for (std::size_t w = 0; w < ways_.size(); ++w) devices |= !ways_[w].on_host() && !grown->out[w];
  const double confirming = devices ? seconds * kConfirming : 0;
  const double end = now_s() + seconds - confirming;
  double left = static_cast<double>(curve.volumes.size() + static_cast<std::size_t>(refinements));
  const auto share = [&] { return std::max((end - now_s()) / std::max(left, 1.0), 0.0); };
  double last_cost = 0;  // seconds
  double last_volume = 0;
  int measured = 0;
  for (const double volume : curve.volumes) {
    if (*stop_ != 0) throw Measurer::Stopped{};
    // A point needs its least rounds, however long they take. Where they would burst the budget, the curve ends: the
    // model goes on from its last points.
    const double predicted = last_volume > 0 ? last_cost * volume / last_volume : 0;
    const double allowance = std::clamp(overrun_left_s_, 0.0, kOverrun * options_.budget_s);
    if (measured >= kLeastPoints && now_s() + predicted > end + allowance) break;
    const double begun = now_s();
    measure_point(job, curve, volume, share(), grown);
    last_cost = now_s() - begun;
    last_volume = volume;
    ++measured;
    --left;
  }
  overrun_left_s_ -= std::max(now_s() - end, 0.0);
  // Between two points with different winners the crossover is where their lines meet: measure there, and look again.
  // Who has fallen behind by then wins nowhere near.
  for (int step = 0; curve.refine && step < refinements && now_s() < end; ++step) {
    Grown one(ways_.size());
    one.entry = grown->entry;
    one.curves[grown->place] = grown->curves[{1000, 0}];
    one.wrong = grown->wrong;
    const ProfileEntry entry = one.finish(ways_, profile_.plugins);
    const auto &points = grown->curves[{1000, 0}];
    double next = 0;
    double widest = kCloseEnough;
    for (const ChoiceRow &row : entry.choices) {
      if (row.threads != thread_counts(entry).back() || row.level != entry.surfaces.front().level) continue;
      for (const uint64_t from : row.from) {
        const auto above = points.lower_bound(from);
        if (from == 0 || above == points.begin() || above == points.end()) continue;
        const auto below = std::prev(above);
        const double gap = std::min(static_cast<double>(above->first) / static_cast<double>(from),
                                    static_cast<double>(from) / static_cast<double>(below->first));
        if (gap > widest) {
          widest = gap;
          next = static_cast<double>(from);
        }
      }
    }
    if (next == 0) break;
    if (*stop_ != 0) throw Measurer::Stopped{};
    const std::size_t count = points.size();
    measure_point(job, curve, next, share(), grown);
    --left;
    if (points.size() == count) break;  // no call of another volume lies there
  }
  if (devices) confirm_devices(job, curve, grown, confirming);
  auto moved = grown->curves.extract({1000, 0});
  if (!moved.empty()) {
    auto &target = grown->curves[grown->place];
    for (auto &[volume, point] : moved.mapped()) target.insert_or_assign(volume, std::move(point));
  }
  grown->out = out_before;
}

// Points of an earlier run: those of this one are added to them.
void Tuner::adopt_earlier(const Job &job, Grown *grown) {
  const std::string types = types_of(session_, job.op, job.curves.front().make(job.curves.front().volumes.front()));
  for (const ProfileEntry &entry : earlier_) {
    if (entry.op != job.op.name || entry.types != types || entry.layout != job.layout ||
        entry.residency != grown->entry.residency) {
      continue;
    }
    for (const Surface &surface : entry.surfaces) {
      auto &points = grown->curves[{surface.shape_class, surface.level}];
      for (std::size_t v = 0; v < surface.volumes.size(); ++v) {
        Grown::Point &point = points[surface.volumes[v]];
        point.ns.assign(ways_.size(), -1);
        point.noise.assign(ways_.size(), -1);
        for (std::size_t c = 0; c < entry.candidates.size(); ++c) {
          const ProfileCandidate &candidate = entry.candidates[c];
          for (std::size_t w = 0; w < ways_.size(); ++w) {
            if (ways_[w].device != candidate.device || ways_[w].threads != candidate.threads) continue;
            point.ns[w] = surface.times[c][v];
            point.noise[w] = surface.noise[c][v];
            grown->kernels[w] = candidate.kernel;
            grown->checked[w] = candidate.checked;
          }
        }
      }
    }
  }
}

void Tuner::measure_curves(const Job &job, double seconds, Grown *grown) {
  if (options_.add) adopt_earlier(job, grown);
  const double end = now_s() + seconds;
  std::size_t left = job.curves.size();
  for (const Curve &curve : job.curves) {
    measure_curve(job, curve, grown, std::max((end - now_s()) / static_cast<double>(left), 0.0));
    --left;
  }
}

void Tuner::note_wrong(const Job &job, const Grown &grown) {
  for (std::size_t w = 0; w < ways_.size(); ++w) {
    if (grown.wrong[w].empty()) continue;
    outcome_.notes.push_back(fmt::format("{} {}: {} is never chosen: its result is wrong: {}", job.op.name, job.dtype,
                                         ways_[w].device, grown.wrong[w]));
  }
}

void Tuner::measure_job(const Job &job, double seconds) {
  Grown grown(ways_.size());
  grown.entry.op = job.op.name;
  grown.entry.schema_version = job.op.version;
  grown.entry.residency = kHostMemory;
  std::vector<std::size_t> devices;
  for (std::size_t w = 0; w < ways_.size(); ++w) {
    grown.out[w] = !able(job, ways_[w]);
    if (!grown.out[w] && !ways_[w].on_host()) devices.push_back(w);
  }
  const double end = now_s() + seconds;
  measure_curves(job, devices.empty() ? seconds : seconds * kHostShare, &grown);
  note_wrong(job, grown);
  store(grown);
  const ProfileEntry on_host = grown.finish(ways_, profile_.plugins);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const double share = std::max((end - now_s()) / static_cast<double>(devices.size() - i), 0.0);
    const std::string &device = ways_[devices[i]].device;
    try {
      measure_resident(job, device, on_host, share);
    } catch (const CommandError &error) {
      outcome_.notes.push_back(
          fmt::format("{} {} on {}: not measured: {}", job.op.name, job.dtype, device, error.what()));
    }
  }
}

// Data that lives on a device: the device, and those of the host that win somewhere on data of their own. Nobody else
// of the host can be worth the move.
void Tuner::measure_resident(const Job &job, const std::string &device, const ProfileEntry &on_host, double seconds) {
  Grown grown(ways_.size());
  grown.entry.op = job.op.name;
  grown.entry.schema_version = job.op.version;
  grown.entry.residency = device;
  std::vector<std::pair<std::string, uint32_t>> winners;
  for (const ChoiceRow &row : on_host.choices) {
    if (row.threads != thread_counts(on_host).back()) continue;
    for (const uint32_t c : row.candidate)
      winners.emplace_back(on_host.candidates[c].device, on_host.candidates[c].threads);
  }
  for (std::size_t w = 0; w < ways_.size(); ++w) {
    const bool wins = ways_[w].on_host() && std::find(winners.begin(), winners.end(),
                                                      std::pair(ways_[w].device, ways_[w].threads)) != winners.end();
    grown.out[w] = ways_[w].device != device && !wins;
  }
  measure_curves(job, seconds, &grown);
  store(grown);
}

Outcome Tuner::run(const std::vector<Job> &jobs) {
  begin();
  outcome_.jobs = jobs.size();
  const double end = now_s() + options_.budget_s;
  last_save_s_ = now_s();
  overrun_left_s_ = kOverrunAll * options_.budget_s;
  std::vector<const Job *> open;
  for (const Job &job : jobs) {
    if (!keep_earlier(job)) open.push_back(&job);
  }
  try {
    double weight = 0;  // of the curves that are still to be measured
    for (const Job *job : open) weight += static_cast<double>(job->curves.size()) + 1;
    const double all = weight;
    if (!open.empty()) measure_devices(jobs);
    for (const Job *job : open) {
      if (*stop_ != 0) throw Measurer::Stopped{};
      const double share = static_cast<double>(job->curves.size()) + 1;
      progress_(1 - weight / all, fmt::format("{} {} {}", job->op.name, job->dtype, job->layout));
      try {
        measure_job(*job, std::max(end - now_s(), 0.0) * share / weight);
        ++outcome_.measured;
      } catch (const CommandError &error) {
        outcome_.notes.push_back(
            fmt::format("{} {} {}: not measured: {}", job->op.name, job->dtype, job->layout, error.what()));
      }
      weight -= share;
      if (outcome_.measured == 1 || now_s() - last_save_s_ > kSaveEvery) save(false);
    }
  } catch (const Measurer::Stopped &) {
    outcome_.interrupted = true;
  }
  progress_(1, "");
  save(!outcome_.interrupted);
  return outcome_;
}

}  // namespace rayo::tools::tune
