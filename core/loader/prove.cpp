// SPDX-License-Identifier: Apache-2.0
#include "loader/prove.hpp"

#include <fcntl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>

#include "base/cpu_count.hpp"
#include "base/env.hpp"
#include "base/error.hpp"
#include "base/read_file.hpp"
#include "loader/launch_marks.hpp"
#include "loader/manifest.hpp"
#include "loader/probe.hpp"
#include "loader/search.hpp"
#include "loader/verdict_cache.hpp"

namespace rayo {
namespace {

constexpr uint32_t kProbeVersion = 1;  // raised when the probe learns to see more
constexpr int64_t kQuarantine = 24 * 3600;
// Any process may be killed while a plugin works; three in a row is a pattern. Where each of these calls went well when
// it was replayed, the application may be to blame as well: soon tried again.
constexpr int64_t kLaunchCrashes = 3;
constexpr int64_t kUnconfirmed = 3600;
constexpr size_t kMostReplays = 8;  // of one plugin and start
constexpr const char *kScalar = "scalar";
// A plugin that could not start may be able to once a driver is installed or a device is back.
constexpr int64_t kPassingRefusal = 10 * 60;

// What a verdict depends on besides the file. Device plugins also stand on kernel and driver.
std::string machine_key(const rayo_note_desc &note, uint64_t cpu_features) {
  std::string key =
      fmt::format("probe {} abi {:x} cpu {:x} {}", kProbeVersion, RAYO_ABI_VERSION, cpu_features, cpu_model());
  if ((note.tiers & RAYO_TIER_DEVICE) == 0) return key;
  utsname system{};
  if (::uname(&system) == 0) key += fmt::format(" kernel {}", system.release);
  std::string driver;
  if (read_file_bounded("/sys/module/nvidia/version", 4096, &driver).empty()) {
    driver.erase(std::remove(driver.begin(), driver.end(), '\n'), driver.end());
    key += " nvidia " + driver;
  }
  return key;
}

uint32_t limit_of(const rayo_note_desc &note, const ProofRules &rules) {
  if (rules.probe_ms != 0) return rules.probe_ms;
  return std::clamp(note.probe_ms, kProbeLimitMs, kLongestProbeMs);
}

std::string utc_time(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                     utc.tm_min);
}

void apply(const Verdict &verdict, PluginRecord *record) {
  if (verdict.state == PluginState::ready) return;
  record->state = verdict.state;
  record->reason = verdict.reason;
  if (verdict.expires == 0) return;
  record->reason += fmt::format("; it is tried again after {}, or at once by: rayo plugin check {}",
                                utc_time(verdict.expires), record->file);
}

Verdict verdict_of(const ProbeResult &result, int64_t now) {
  Verdict verdict{result.state, result.reason, now, 0};
  if (result.state == PluginState::quarantined) {
    verdict.expires = now + kQuarantine;
  } else if (!result.lasting) {
    verdict.expires = now + kPassingRefusal;
  }
  return verdict;
}

class Prover {
 public:
  Prover(const ProofRules &rules, const Log &log)
      : rules_(rules),
        log_(log),
        cache_(rules.use_cache ? VerdictCache(VerdictCache::default_path()) : VerdictCache()) {}

  void prove(std::vector<PluginCandidate> *candidates) {
    const int64_t now = std::time(nullptr);
    if (rules_.use_cache) take_in_launches(now);
    std::vector<PluginCandidate *> open;
    for (PluginCandidate &candidate : *candidates) {
      if (!candidate.record->reason.empty()) continue;
      if (!settled(&candidate, now)) open.push_back(&candidate);
    }
    if (!open.empty()) probe(open, now);
    cache_.save(log_);
  }

 private:
  // Whether the candidate may be loaded, or is refused, without a probe.
  bool settled(PluginCandidate *candidate, int64_t now) {
    PluginRecord &record = *candidate->record;
    const std::string sha256 = cache_.sha256(record.file, candidate->look.file);
    if (sha256.empty()) {
      record.reason = "was replaced or changed while it was being examined; start again";
      return true;
    }
    record.set_sha256(sha256);
    candidate->listed = manifest_.lists(sha256);
    if (candidate->unprobed || candidate->listed) return true;
    candidate->marked = true;
    replay_crashes(*candidate, now);
    if (const std::optional<Verdict> crashes = launch_verdict(record, now)) {
      apply(*crashes, &record);
      return true;
    }
    const std::optional<Verdict> known =
        cache_.find(sha256, machine_key(candidate->look.note, rules_.cpu_features), now);
    if (known) apply(*known, &record);
    return known.has_value();
  }

  // Counts what dead processes left.
  void take_in_launches(int64_t now) {
    for (const LaunchRecord &record : collect_launches()) {
      for (const LaunchSuspect &suspect : record.crashed) {
        cache_.count_crash(suspect.sha256, record.program, suspect.lines, now);
      }
      for (const std::string &sha256 : record.clean) cache_.count_clean(sha256, record.program, now);
    }
  }

  // Calls of the plugin in which programs died are run again in a child. If it dies there too, that is a verdict of the
  // file like a probe's, for every program.
  void replay_crashes(const PluginCandidate &candidate, int64_t now) {
    const PluginRecord &record = *candidate.record;
    if (record.name == kScalar) return;
    for (const std::string &program : cache_.programs_to_replay(record.sha256())) {
      std::vector<ReplayJob> jobs;
      const LaunchCrashes crashes = cache_.launch_crashes(record.sha256(), program);
      for (const std::string &line : crashes.lines) {
        if (++replays_ <= kMostReplays) jobs.push_back({record.file, line});
      }
      std::string problem;
      const std::string probe = find_probe_program(&problem);
      if (jobs.empty() || probe.empty()) return;
      log_(RAYO_LOG_INFO, "plugin file {}: {} died in a call of it, which is run again in a child process", record.file,
           program);
      bool refuted = true;
      for (const ProbeResult &result : run_replays(probe, jobs, rules_.cpu_features)) {
        if (result.state == PluginState::quarantined) {
          confirm(candidate, program, crashes.at, result.reason, now);
        }
        refuted = refuted && result.state == PluginState::ready;
      }
      cache_.set_replayed(record.sha256(), program, refuted);
    }
  }

  void confirm(const PluginCandidate &candidate, const std::string &program, int64_t at, const std::string &reason,
               int64_t now) {
    cache_.put(
        candidate.record->sha256(), machine_key(candidate.look.note, rules_.cpu_features),
        {PluginState::quarantined,
         fmt::format("was running when {} died, seen at {}; confirmed by replay: it {}", program, utc_time(at), reason),
         now, now + kQuarantine});
  }

  std::optional<Verdict> launch_verdict(const PluginRecord &record, int64_t now) const {
    if (record.name == kScalar) return std::nullopt;  // the last to fall back to
    const std::string program = own_program();
    const LaunchCrashes crashes = cache_.launch_crashes(record.sha256(), program);
    if (crashes.count > 0) keep_launch_file();
    const bool refuted = crashes.refuted >= crashes.count;
    const int64_t expires = crashes.at + (refuted ? kUnconfirmed : kQuarantine);
    if (crashes.count < kLaunchCrashes || now >= expires || now < crashes.at) return std::nullopt;
    return Verdict{PluginState::quarantined,
                   fmt::format("was running each of the last {} times that {} died, the last of them seen at {}; {}",
                               crashes.count, program, utc_time(crashes.at),
                               refuted ? "not confirmed by replay" : "not all of these calls could be replayed"),
                   crashes.at, expires};
  }

  void probe(const std::vector<PluginCandidate *> &open, int64_t now) {
    std::string problem;
    const std::string program = find_probe_program(&problem);
    if (program.empty()) {
      for (PluginCandidate *candidate : open) {
        candidate->record->reason =
            fmt::format("is not one of the package's own plugins and cannot be probed: {}; reinstall Rayo", problem);
      }
      return;
    }
    std::vector<ProbeJob> jobs;
    for (const PluginCandidate *candidate : open) {
      jobs.push_back({candidate->record->file, limit_of(candidate->look.note, rules_)});
      log_(RAYO_LOG_INFO, "plugin file {} is probed in a child process", candidate->record->file);
    }
    const std::vector<ProbeResult> results = run_probes(program, jobs, rules_.cpu_features);
    for (size_t i = 0; i < open.size(); ++i) {
      PluginRecord &record = *open[i]->record;
      const Verdict verdict = verdict_of(results[i], now);
      apply(verdict, &record);
      if (worth_keeping(results[i])) {
        cache_.put(record.sha256(), machine_key(open[i]->look.note, rules_.cpu_features), verdict);
      }
    }
  }

  // A limit of the caller's own says nothing to others.
  bool worth_keeping(const ProbeResult &result) const {
    return !result.reason.starts_with("could not be probed") &&
           (rules_.probe_ms == 0 || result.state == PluginState::ready);
  }

  const ProofRules &rules_;
  const Log &log_;
  const Manifest manifest_ = read_manifest(default_folders("plugins"));
  VerdictCache cache_;
  size_t replays_ = 0;
};

}  // namespace

void prove_candidates(std::vector<PluginCandidate> *candidates, const ProofRules &rules, const Log &log) {
  Prover(rules, log).prove(candidates);
}

}  // namespace rayo
