// SPDX-License-Identifier: Apache-2.0
#include "probe/trial.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "base/error.hpp"
#include "capi/host_table.hpp"
#include "loader/elf_look.hpp"
#include "loader/fp_env.hpp"
#include "probe/environment.hpp"
#include "probe/process_time.hpp"
#include "probe/replay.hpp"
#include "probe/smoke.hpp"
#include "registry/registry.hpp"

namespace rayo::probe {
namespace {

const Log kSilent(-1, nullptr, nullptr);

// A host that a plugin may keep until it is destroyed.
struct Host {
  explicit Host(uint64_t cpu_features) {
    fill_host_table(&table, &kSilent, nullptr);
    table.cpu_features = cpu_features;
    table.max_threads = 1;
  }
  HostTable table{};
};

std::unique_ptr<Registry> load(const std::string &file, const Host &host, TrialReport *report) {
  RegistryOptions options;
  options.files = {file};
  options.cpu_features = host.table.cpu_features;
  options.trust_files = true;
  options.list_refused_files = true;
  options.use_verdict_cache = false;
  if (report != nullptr) options.on_step = [report](const char *what) { report->enter(what); };
  return build_registry(options, host.table, kSilent);
}

// Devices that were listed must open and close.
void open_devices(const PluginRecord &record, TrialReport *report) {
  const rayo_device_api *api = record.plugin->device_api;
  if (api == nullptr) return;
  uint32_t count = 0;
  rayo_error error{};
  if (api->enumerate(record.instance, 0, nullptr, &count, &error) != RAYO_OK) return;
  for (uint32_t i = 0; i < count; ++i) {
    report->enter(fmt::format("opening device {}", i));
    rayo_device *device = nullptr;
    const rayo_status status = api->device_open(record.instance, i, &device, &error);
    if (status == RAYO_OK && device == nullptr) fail(RAYO_REFUSED, "opens device {} with status 0, but gives none", i);
    if (status == RAYO_OK) api->device_close(device);
  }
}

void check_threads(const Environment &before, const rayo_note_desc &note, const char *when) {
  const size_t now = Environment().threads();
  if (note.threads != RAYO_THREADS_NONE || now <= before.threads()) return;
  fail(RAYO_REFUSED, "has started {} thread{} {}, but its note declares none (RAYO_THREADS_NONE)",
       now - before.threads(), now - before.threads() == 1 ? "" : "s", when);
}

// Throws what is wrong with the plugin; whether that will be so again is in *out_lasting.
void judge(const std::string &file, const TrialOptions &options, TrialReport *report, bool *out_lasting) {
  const ElfLook look = look_at_elf(file);
  if (!look.reason.empty()) fail(RAYO_REFUSED, "{}", look.reason);
  const Host host(options.cpu_features);
  const Host reference_host(options.cpu_features);
  std::unique_ptr<Registry> reference;
  if (!options.reference.empty() && options.replay.empty())
    reference = load(options.reference, reference_host, nullptr);
  const Environment before;
  std::unique_ptr<Registry> registry = load(file, host, report);
  const PluginRecord &record = *registry->plugins().front();
  if (record.state != PluginState::ready) fail(RAYO_REFUSED, "{}", record.reason);
  if (!options.replay.empty()) {
    replay_call(*registry, options.replay, report);
    return;
  }
  *out_lasting = true;
  check_threads(before, look.note, "when it was loaded");
  open_devices(record, report);
  run_smoke_test(*registry, reference.get(), report);
  check_threads(before, look.note, "after its first calls");
  report->enter("in its destroy");
  const FpEnvironment arithmetic;
  registry.reset();
  if (const std::string change = arithmetic.restore(); !change.empty()) fail(RAYO_REFUSED, "its destroy {}", change);
  const Environment after;
  if (const std::string change = before.difference(after); !change.empty()) fail(RAYO_REFUSED, "{}", change);
  if (!children_of(::getpid()).empty()) fail(RAYO_REFUSED, "has started a process and left it behind");
  // Drivers of devices keep files of theirs open.
  const std::string files = before.new_files(after);
  if (!files.empty() && (look.note.tiers & RAYO_TIER_DEVICE) == 0) {
    fail(RAYO_REFUSED, "leaves files open after its destroy: {}", files);
  }
}

}  // namespace

void try_plugin(const std::string &file, const TrialOptions &options, TrialReport *report) {
  bool lasting = false;
  std::string reason;
  report->enter("before it was loaded");
  try {
    judge(file, options, report, &lasting);
  } catch (const std::bad_alloc &) {
    reason = "could not be probed: out of memory";
    lasting = false;
  } catch (const std::exception &error) {
    reason = error.what();
  }
  report->finish(reason.empty(), lasting || reason.empty(), reason);
  report->enter("at the end of its process");
}

}  // namespace rayo::probe
