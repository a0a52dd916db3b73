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
#include "loader/verdict_cache.hpp"

namespace rayo {
namespace {

constexpr uint32_t kProbeVersion = 1;  // raised when the probe learns to see more
constexpr int64_t kQuarantine = 24 * 3600;
// Any process may be killed while a plugin works; three in a row is a pattern.
constexpr int64_t kLaunchCrashes = 3;
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
    if (candidate->unprobed || manifest_.lists(sha256)) return true;
    candidate->marked = true;
    if (const std::optional<Verdict> crashes = launch_verdict(sha256, now)) {
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
      for (const std::string &sha256 : record.crashed) cache_.count_launch(sha256, record.program, true, now);
      for (const std::string &sha256 : record.clean) cache_.count_launch(sha256, record.program, false, now);
    }
  }

  std::optional<Verdict> launch_verdict(const std::string &sha256, int64_t now) const {
    const std::string program = own_program();
    const LaunchCrashes crashes = cache_.launch_crashes(sha256, program);
    if (crashes.count > 0) keep_launch_file();
    if (crashes.count < kLaunchCrashes || now >= crashes.at + kQuarantine || now < crashes.at) return std::nullopt;
    return Verdict{PluginState::quarantined,
                   fmt::format("was running each of the last {} times that {} died, the last of them seen at {}",
                               crashes.count, program, utc_time(crashes.at)),
                   crashes.at, crashes.at + kQuarantine};
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
  const Manifest manifest_ = read_manifest();
  VerdictCache cache_;
};

}  // namespace

void prove_candidates(std::vector<PluginCandidate> *candidates, const ProofRules &rules, const Log &log) {
  Prover(rules, log).prove(candidates);
}

}  // namespace rayo
