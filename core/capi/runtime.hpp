// SPDX-License-Identifier: Apache-2.0
//
// The runtime handle behind rayo_runtime: settings resolved from options and environment, the host table given to
// plugins, the registry, the executor.
#pragma once

#include <rayo/plugin.h>
#include <rayo/rayo.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "capi/host_table.hpp"
#include "device/device_set.hpp"
#include "device/pool.hpp"
#include "dispatch/plan.hpp"
#include "registry/registry.hpp"
#include "tuner/capture.hpp"
#include "tuner/layers.hpp"
#include "tuner/table.hpp"

// Handle of the C API. What is atomic changes at any time, the registry, the profile and what belongs to them under
// change_mutex, the rest not after rayo_runtime_create.
struct rayo_runtime {
  rayo_runtime() = default;
  ~rayo_runtime();  // devices and plans first, while their plugins are there
  rayo_runtime(const rayo_runtime &) = delete;
  rayo_runtime &operator=(const rayo_runtime &) = delete;

  rayo::Log log;
  rayo::HostTable host{};  // given to plugins
  std::string device;      // "auto" or a name
  uint32_t numerics = RAYO_POLICY_ACCURATE;
  uint32_t default_threads = 1;
  std::atomic<uint32_t> threads{1};
  // Unique per runtime and profile in the process: keys the per-thread call cache.
  std::atomic<uint64_t> generation{0};
  std::unique_ptr<rayo::ThreadPool> pool;                  // null when the application brought an executor
  std::atomic<const rayo_executor *> executor{nullptr};    // the pool's, or the application's
  std::unique_ptr<rayo::Capture> capture;                  // RAYO_CAPTURE; null = off
  std::atomic<const rayo::SelectTable *> table{nullptr};   // of the device profile in use; null = the static order
  std::mutex change_mutex;                                 // held while registry, table or profile change
  std::vector<std::unique_ptr<rayo::SelectTable>> tables;  // every one there was: calls may still look into them
  rayo::ProfileSources profile_sources;                    // as the options and the environment said at the start
  std::optional<rayo::ProfileSources> profile_in_use;      // what `table` was read from; nullopt = none is wanted
  rayo::RegistryOptions registry_options;                  // for plugins loaded later: no folders, no files
  std::shared_ptr<rayo::PlanSet> plans = std::make_shared<rayo::PlanSet>(&executor);
  rayo::LiveRegistry registry;               // destroyed while host and pool are alive
  std::unique_ptr<rayo::DeviceSet> devices;  // declared last: destroyed first
};
