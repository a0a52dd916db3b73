// SPDX-License-Identifier: Apache-2.0
#include "tuner/layers.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/folder_names.hpp"
#include "loader/search.hpp"
#include "tuner/fingerprint.hpp"

namespace rayo {
namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string>;

// What holds of one profile here.
class Judge {
 public:
  Judge(const Profile &profile, const Registry &registry, const Machine &here)
      : profile_(profile), registry_(registry), foreign_(foreign_machine(profile.machine, here)) {
    for (const ProfilePlugin &plugin : profile.plugins) verdicts_.push_back(judge_plugin(plugin));
  }

  const std::string &foreign() const { return foreign_; }
  const std::string &plugin(uint32_t index) const { return verdicts_[index]; }

  // Why times of `device` do not hold; "" = they do.
  std::string device(uint32_t plugin, const std::string &device) const {
    if (!verdicts_[plugin].empty()) return verdicts_[plugin];
    const auto &devices = registry_.devices();
    const auto found =
        std::find_if(devices.begin(), devices.end(), [&](const auto &each) { return each.id == device; });
    if (found == devices.end()) return fmt::format("device '{}' is not here", device);
    if (device == profile_.plugins[plugin].name) return foreign_;
    const auto &marks = profile_.machine.devices;
    const auto mark = std::find_if(marks.begin(), marks.end(), [&](const auto &each) { return each.id == device; });
    if (mark == marks.end()) return fmt::format("the profile does not say what '{}' was", device);
    if (mark->name != found->name) {
      return fmt::format("'{}' was '{}', here it is '{}'", device, mark->name.substr(0, 80), found->name);
    }
    if (!mark->driver.empty() && mark->driver != found->info.driver) {  // early profiles do not state it
      return fmt::format("the driver of '{}' was '{}', here it is '{}'", device, mark->driver.substr(0, 80),
                         found->info.driver);
    }
    return foreign_;
  }
  // Why times of operands that live on `device` do not hold.
  std::string residency(const std::string &device) const {
    if (device == "host") return "";
    const auto &devices = registry_.devices();
    const auto found =
        std::find_if(devices.begin(), devices.end(), [&](const auto &each) { return each.id == device; });
    if (found == devices.end()) return fmt::format("device '{}' is not here", device);
    const std::string &owner = registry_.plugins()[found->plugin]->name;
    for (uint32_t i = 0; i < profile_.plugins.size(); ++i) {
      if (profile_.plugins[i].name == owner) return this->device(i, device);
    }
    return fmt::format("the profile does not say what '{}' was", device);
  }

 private:
  // A profile that is shipped for a class of machines names a plugin's version instead of its file.
  std::string judge_plugin(const ProfilePlugin &plugin) const {
    const PluginRecord *record = registry_.find_plugin(plugin.name);
    if (record == nullptr) return "it is not among the ready plugins";
    if (plugin.sha256.empty()) {
      return record->version == plugin.version
                 ? std::string()
                 : fmt::format("it has version {}, measured was {}", quote(record->version), quote(plugin.version));
    }
    if (record->sha256() == plugin.sha256) return "";
    return fmt::format("its file has changed since it was measured (sha256 {:.12}..., now {:.12}...)", plugin.sha256,
                       record->sha256());
  }

  const Profile &profile_;
  const Registry &registry_;
  std::string foreign_;
  std::vector<std::string> verdicts_;
};

class Merger {
 public:
  Merger(const Registry &registry, const Log &log) : registry_(registry), log_(log), here_(this_machine()) {}

  // `must` : the file has to be there.
  void add(const char *layer, const std::string &path, bool must) {
    Profile profile;
    try {
      if (!must && real_path(path).empty()) return;
      const std::string why = distrust(real_path(path));
      if (!why.empty() && !real_path(path).empty()) throw Error(RAYO_REFUSED, "it " + why);
      profile = read_profile(path);
    } catch (const Error &error) {
      if (error.status() == RAYO_NOT_FOUND && must) {
        fail(RAYO_NOT_FOUND, "profile {}: {}; `rayo tune -o FILE` makes one, RAYO_PROFILE=none does without",
             quote(path), error.what());
      }
      log_(RAYO_LOG_WARN, "profile {} is not used: {}; `rayo tune` makes a new one", quote(path), error.what());
      out_.dropped.emplace("", fmt::format("{} profile {}: {}", layer, quote(path), error.what()));
      return;
    }
    merge(fmt::format("{} profile {}", layer, path), path, std::move(profile));
  }

  MergedProfile take() { return std::move(out_); }

 private:
  void merge(const std::string &layer, const std::string &path, Profile profile) {
    out_.files.push_back(path);
    const Judge judge(profile, registry_, here_);
    const auto base = static_cast<uint32_t>(out_.plugins.size());
    out_.plugins.insert(out_.plugins.end(), profile.plugins.begin(), profile.plugins.end());
    size_t dropped = 0;
    for (ProfileEntry &entry : profile.entries) {
      const Key key{entry.op, entry.types, entry.layout, entry.residency};
      if (seen_.contains(key)) continue;
      MergedEntry merged;
      merged.layer = layer;
      bool any = mark(judge, profile, &entry, base, &merged);
      if (!any) {
        ++dropped;
        continue;
      }
      seen_.insert(key);
      merged.entry = std::move(entry);
      out_.entries.push_back(std::move(merged));
    }
    for (const ProfileTransfer &transfer : profile.transfers) {
      if (judge.residency(transfer.device).empty()) out_.transfers.push_back(transfer);
    }
    report(layer, judge, profile, dropped);
  }

  bool mark(const Judge &judge, const Profile &profile, ProfileEntry *entry, uint32_t base, MergedEntry *out) {
    const rayo_op op = find_op(entry->op);
    const Schema *schema = op == RAYO_OP_NONE ? nullptr : registry_.schema(op);
    std::string whole;
    if (schema == nullptr) {
      whole = "nobody has the op";
    } else if (schema->raw->version != entry->schema_version) {
      whole = fmt::format("{} has schema version {}, measured was {}", entry->op, schema->raw->version,
                          entry->schema_version);
    }
    const std::string away = whole.empty() ? judge.residency(entry->residency) : std::string();
    if (!away.empty()) note_device(entry->residency, away);
    bool any = false;
    for (ProfileCandidate &candidate : entry->candidates) {
      const std::string why = whole.empty() ? judge.device(candidate.plugin, candidate.device) : whole;
      note(profile.plugins[candidate.plugin].name, why);
      if (!why.empty() && whole.empty() && judge.plugin(candidate.plugin).empty()) note_device(candidate.device, why);
      const bool holds = why.empty() && away.empty();
      out->holds.push_back(holds);
      any = any || holds;
      candidate.plugin += base;
    }
    for (ProfileRejection &rejection : entry->rejected) {
      const bool own = rejection.device == profile.plugins[rejection.plugin].name;  // a CPU plugin
      const bool holds =
          whole.empty() && away.empty() &&
          (own ? judge.plugin(rejection.plugin) : judge.device(rejection.plugin, rejection.device)).empty();
      out->rejects.push_back(holds);
      any = any || holds;
      rejection.plugin += base;
    }
    return any;
  }

  // A device whose times do not hold though its plugin is the same; told once.
  void note_device(const std::string &device, const std::string &why) { devices_.emplace(device, why); }

  void note(const std::string &plugin, const std::string &why) {
    if (!why.empty()) out_.dropped.emplace(plugin, why);
  }

  void report(const std::string &layer, const Judge &judge, const Profile &profile, size_t dropped) {
    std::string text = judge.foreign();
    for (uint32_t i = 0; text.empty() && i < profile.plugins.size(); ++i) {
      if (!judge.plugin(i).empty()) text = fmt::format("{}: {}", profile.plugins[i].name, judge.plugin(i));
    }
    for (const auto &[device, why] : std::exchange(devices_, {})) {
      if (text.empty()) text = why;
    }
    if (text.empty()) return;
    if (!judge.foreign().empty() && layer.rfind("class ", 0) == 0) return;  // one of many: not for this machine
    if (dropped == profile.entries.size()) {
      out_.dropped.emplace("", fmt::format("{}: {}", layer, text));
    }
    log_(RAYO_LOG_WARN,
         "{}: {}; what was measured of it is not used ({} of {} entries as a whole), the rest is; `rayo tune` measures "
         "anew",
         layer, text, dropped, profile.entries.size());
  }

  const Registry &registry_;
  const Log &log_;
  Machine here_;
  MergedProfile out_;
  std::set<Key> seen_;
  std::map<std::string, std::string> devices_;  // of the profile that is being merged
};

std::vector<std::string> json_files(const std::string &folder) {
  std::vector<std::string> files;
  std::vector<std::string> names;
  folder_names(folder, &names);  // an error: there are none
  for (const std::string &name : names) {
    if (name.size() > 5 && name.ends_with(".json")) files.push_back(fmt::format("{}/{}", folder, name));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string user_profile_path() {
  if (privileged_process()) return "";
  if (const char *config = env_text("XDG_CONFIG_HOME"); config != nullptr && config[0] == '/') {
    return std::string(config) + "/rayo/profile.json";
  }
  const char *home = env_text("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.config/rayo/profile.json" : "";
}

MergedProfile load_layers(const ProfileSources &sources, const Registry &registry, const Log &log) {
  Merger merger(registry, log);
  if (!sources.application.empty()) merger.add("application", sources.application, true);
  if (!sources.user.empty() && sources.user != sources.application) merger.add("user", sources.user, false);
  if (!sources.system.empty()) merger.add("system", sources.system, false);
  for (const std::string &folder : sources.class_folders) {
    for (const std::string &file : json_files(folder)) merger.add("class", file, false);
  }
  return merger.take();
}

}  // namespace rayo
