// SPDX-License-Identifier: Apache-2.0
#include "loader/load.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "isolation/remote_plugin.hpp"
#include "loader/certificate.hpp"
#include "loader/cpu_features.hpp"
#include "loader/elf_look.hpp"
#include "loader/fp_env.hpp"
#include "loader/launch_marks.hpp"
#include "loader/library.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

// Runs `step` of a plugin's and fails if it throws what is not ours, or leaves another floating-point environment
// behind; the old one is back in any case.
template <class Step>
void with_same_fp_environment(const char *what, Step &&step) {
  const FpEnvironment before;
  try {
    std::forward<Step>(step)();
  } catch (const Error &) {
    before.restore();
    throw;
  } catch (const std::exception &error) {
    before.restore();
    fail(RAYO_REFUSED, "its {} threw an exception: {}", what, error.what());
  } catch (...) {
    before.restore();
    fail(RAYO_REFUSED, "its {} threw an exception of an unknown type", what);
  }
  if (const std::string change = before.restore(); !change.empty()) fail(RAYO_REFUSED, "its {} {}", what, change);
}

void check_cpu(const rayo_note_desc &note, uint64_t cpu_features) {
  const uint64_t needed = (static_cast<uint64_t>(note.cpu_high) << 32) | note.cpu_low;
  const uint64_t missing = needed & ~cpu_features;
  if (missing == 0) return;
  const uint64_t absent = missing & ~detect_cpu_features();
  if (absent != 0) fail(RAYO_UNSUPPORTED, "needs {}: not on this CPU", cpu_feature_names(absent));
  fail(RAYO_UNSUPPORTED, "needs {}: disabled by RAYO_CPU_DISABLE or the option cpu_disable",
       cpu_feature_names(missing));
}

// The file that was inspected must be the file that was loaded.
void check_unchanged(const std::string &path, const struct stat &before) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0 || !same_file(now, before)) {
    fail(RAYO_REFUSED, "was replaced or changed while it was being loaded; start again");
  }
}

const rayo_plugin *run_query(rayo_plugin_query_fn query, const rayo_host &host) {
  const rayo_plugin *plugin = nullptr;
  set_last_error("");
  const rayo_status status = query(&host, RAYO_ABI_VERSION, &plugin);
  const std::string said = last_error().empty() ? std::string() : fmt::format(": {}", last_error());
  if (status != RAYO_OK) fail(RAYO_REFUSED, "its query failed with status {}{}", status, said);
  if (plugin == nullptr) fail(RAYO_UNSUPPORTED, "says that it is not for this host{}", said);
  return plugin;
}

rayo_instance *run_create(const rayo_plugin &plugin, const rayo_host &host) {
  rayo_instance *instance = nullptr;
  rayo_error error{};
  const rayo_status status = plugin.create(&host, &instance, &error);
  error.text[RAYO_ERROR_TEXT - 1] = '\0';
  if (status != RAYO_OK) {
    fail(RAYO_REFUSED, "could not start (status {}): {}", status,
         error.text[0] != '\0' ? error.text : "it gave no reason");
  }
  return instance;
}

void examine(PluginCandidate *out, const LoadRules &rules) {
  PluginRecord &record = *out->record;
  if (const std::string reason = distrust(record.file); !reason.empty()) fail(RAYO_REFUSED, "{}", reason);
  out->look = look_at_elf(record.file);
  const ElfLook &look = out->look;
  if (look.has_note) {
    record.name = look.note.name;
    record.vendor = look.note.vendor;
  }
  if (!look.reason.empty()) fail(RAYO_REFUSED, "{}", look.reason);
  if (const std::string reason = abi_mismatch(look.note.abi_version, look.note.abi_min); !reason.empty()) {
    fail(RAYO_REFUSED, "{}", reason);
  }
  check_cpu(look.note, rules.cpu_features);
  if (rules.require_conformance) {
    if (const std::string reason = lacks_certificate(record.file, record.sha256()); !reason.empty()) {
      fail(RAYO_REFUSED, "{}", reason);
    }
  }
}

void start(LoadedPlugin *out, const ElfLook &look, const rayo_host &host, const LoadRules &rules, const Log &log) {
  PluginRecord &record = *out->record;
  const auto step = [&rules](const char *what) {
    if (rules.on_step) rules.on_step(what);
  };
  rayo_plugin_query_fn query = nullptr;
  step("loading");
  with_same_fp_environment("loading", [&] { query = open_library(record.file, look.file); });
  check_unchanged(record.file, look.file);
  const rayo_plugin *plugin = nullptr;
  step("in its query");
  with_same_fp_environment("query", [&] { plugin = run_query(query, host); });
  out->answer = check_answer(plugin, look.note, log);
  rayo_instance *instance = nullptr;
  step("in its create");
  try {
    with_same_fp_environment("create", [&] { instance = run_create(*plugin, host); });
  } catch (...) {
    if (instance != nullptr) plugin->destroy(instance);
    throw;
  }
  record.instance = instance;
  record.plugin = plugin;
  record.state = PluginState::ready;  // from here the record destroys the instance, an allocation that fails included
  record.vendor = plugin->vendor;
  record.version = plugin->version;
}

bool isolated(const std::string &name, bool listed, const LoadRules &rules) {
  if (rules.isolation == nullptr || !rules.isolation->on) return false;
  const std::vector<std::string> &names = rules.isolation->names;
  return names.empty() ? !listed : std::find(names.begin(), names.end(), name) != names.end();
}

// In a process of its own: nothing of the file is mapped here.
void start_isolated(LoadedPlugin *out, const ElfLook &look, const LoadRules &rules, const Log &log) {
  PluginRecord &record = *out->record;
  if ((look.note.tiers & RAYO_TIER_DEVICE) != 0) {
    fail(RAYO_REFUSED,
         "drives devices and cannot be isolated; to let it into this process anyway, name the plugins to be isolated: "
         "isolation=process:NAME,NAME");
  }
  uint32_t left_out = 0;
  auto remote =
      std::make_shared<RemotePlugin>(record.file, rules.cpu_features, rules.isolation->call_ms, log, &left_out);
  if (left_out > 0) {
    log(RAYO_LOG_WARN, "isolated plugin {}: {} kernels of ops that it brings itself are left out", record.name,
        left_out);
  }
  out->answer = check_answer(remote->plugin(), look.note, log);
  record.remote = std::move(remote);
  record.plugin = record.remote->plugin();
  record.state = PluginState::ready;
  record.vendor = record.plugin->vendor;
  record.version = record.plugin->version;
}

// The reason of what `body` throws becomes the record's.
template <class Body>
void judge(PluginRecord *record, Body &&body) {
  try {
    std::forward<Body>(body)();
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception &error) {
    record->reason = error.what();
  }
}

}  // namespace

PluginCandidate examine_plugin(const std::string &path, const LoadRules &rules) {
  PluginCandidate candidate;
  candidate.record = std::make_unique<PluginRecord>();
  candidate.record->file = path;
  judge(candidate.record.get(), [&] { examine(&candidate, rules); });
  return candidate;
}

LoadedPlugin start_plugin(PluginCandidate candidate, const rayo_host &host, const LoadRules &rules, const Log &log,
                          const PluginRecord *same_name) {
  LoadedPlugin loaded;
  loaded.record = std::move(candidate.record);
  PluginRecord &record = *loaded.record;
  if (record.reason.empty()) {
    judge(&record, [&] {
      if (same_name != nullptr) {
        fail(RAYO_REFUSED, "has the name {}, which {} has taken; the first one found wins", quote(record.name),
             quote(same_name->file));
      }
      if (isolated(record.name, candidate.listed, rules)) {
        start_isolated(&loaded, candidate.look, rules, log);
        return;
      }
      if (candidate.marked) record.launch_mark = launch_mark(record.sha256(), record.name);
      const LaunchGuard guard(record.launch_mark);
      start(&loaded, candidate.look, host, rules, log);
    });
  }
  if (record.reason.empty()) {
    log(RAYO_LOG_INFO, "plugin {} is ready: {} kernels, {}", record.name, loaded.answer.kernels.size(), record.file);
  } else {
    loaded.answer = PluginAnswer{};
    log(RAYO_LOG_INFO, "plugin file {} is not used: it {}", record.file, record.reason);
  }
  return loaded;
}

}  // namespace rayo
