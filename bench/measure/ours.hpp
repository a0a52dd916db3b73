// SPDX-License-Identifier: Apache-2.0
//
// Rayo as a contestant: a plan on one device, so that what is timed is the call as an application makes it in a loop.
#pragma once

#include <rayo/rayo.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/work/operands.hpp"
#include "contest.hpp"

namespace rayo::bench {

class Ours {
 public:
  // Throws CommandError with the core's text: RAYO_UNSUPPORTED where the device cannot run the call.
  Ours(const tools::Session &session, const Operands &operands, const std::string &device, uint32_t threads);

  // The device that runs it, also for "auto".
  const std::string &device() const { return device_; }
  // Borrows this object.
  Contestant contestant();

 private:
  struct Destroy {
    void operator()(rayo_plan *plan) const { rayo_plan_destroy(plan); }
  };
  static int run(void *work, void *const *outputs);

  const Operands &operands_;
  std::string device_;
  std::unique_ptr<rayo_plan, Destroy> plan_;
  std::vector<rayo_tensor> outputs_;  // their data changes when outputs are fresh
  std::vector<const rayo_tensor *> output_pointers_;
};

}  // namespace rayo::bench
