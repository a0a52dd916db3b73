// SPDX-License-Identifier: Apache-2.0
//
// The handle behind rayo_plan. Queued work that uses a plan holds it beyond rayo_plan_destroy.
#pragma once

#include <rayo/rayo.h>

#include <memory>

#include "dispatch/plan.hpp"

struct rayo_plan {
  rayo_plan(rayo_runtime *owner, const rayo::Registry &registry, std::shared_ptr<rayo::PlanSet> set,
            const rayo::CallRequest &request, const rayo::Addressing &addressing)
      : runtime(owner), plan(registry, std::move(set), request, addressing) {}

  rayo_runtime *runtime;
  rayo::Plan plan;
  std::shared_ptr<rayo_plan> self;  // the application's hold on it
};
