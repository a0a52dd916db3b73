// SPDX-License-Identifier: Apache-2.0
//
// The runtime handle behind rayo_runtime: settings resolved from options and environment, the host table given to
// plugins, the registry, the executor.
#pragma once

#include <rayo/plugin.h>
#include <rayo/rayo.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "capi/host_table.hpp"
#include "device/pool.hpp"
#include "dispatch/plan.hpp"
#include "registry/registry.hpp"

// Handle of the C API. Everything but `threads` is immutable after rayo_runtime_create.
struct rayo_runtime {
  rayo_runtime() = default;
  ~rayo_runtime() { plans->close(); }  // before the plugins go
  rayo_runtime(const rayo_runtime &) = delete;
  rayo_runtime &operator=(const rayo_runtime &) = delete;

  rayo::Log log;
  rayo::HostTable host{};  // given to plugins
  std::string device;      // "auto" or a name
  uint32_t numerics = RAYO_POLICY_ACCURATE;
  uint32_t default_threads = 1;
  std::atomic<uint32_t> threads{1};
  uint64_t generation = 0;                 // unique per runtime in the process: keys the per-thread call cache
  std::unique_ptr<rayo::ThreadPool> pool;  // null when the application brought an executor
  std::atomic<const rayo_executor *> executor{nullptr};  // the pool's, or the application's
  std::shared_ptr<rayo::PlanSet> plans = std::make_shared<rayo::PlanSet>();
  std::unique_ptr<rayo::Registry> registry;  // declared last: destroyed first, while host and pool are alive
};
