// SPDX-License-Identifier: Apache-2.0
//
// What the mock device's work takes, by a model that the environment states: so that where it pays can be worked out on
// paper. Without the variable nothing takes longer than it does.
//
//   RAYO_COST_MOCK0="launch=200000 rate=2 thin=32 latency=100000 bandwidth=0.5"
//
//   kernel: launch + volume / (rate efficiency) ns; a product whose smallest extent is below `thin` is slower in
//   proportion. A copy between host and device: latency + bytes / bandwidth ns.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "mock.h"

namespace mock {
namespace {

double setting(const char *name, double otherwise) {
  const char *text = std::getenv("RAYO_COST_MOCK0");
  if (text == nullptr) return otherwise;
  const std::string all = std::string(" ") + text;
  const std::size_t at = all.find(std::string(" ") + name + "=");
  return at == std::string::npos ? otherwise : std::atof(all.c_str() + at + std::string(name).size() + 2);
}

}  // namespace

double kernel_cost(double volume, double smallest) {
  const double rate = setting("rate", 0);
  const double thin = setting("thin", 0);
  const double efficiency = thin > 0 ? std::min(1.0, smallest / thin) : 1.0;
  return setting("launch", 0) + (rate > 0 ? volume / (rate * efficiency) : 0);
}

double copy_cost(double bytes) {
  const double bandwidth = setting("bandwidth", 0);
  return setting("latency", 0) + (bandwidth > 0 ? bytes / bandwidth : 0);
}

void take_until(std::chrono::steady_clock::time_point begin, double cost_ns) {
  if (cost_ns <= 0) return;
  const auto end = begin + std::chrono::nanoseconds(static_cast<int64_t>(cost_ns));
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace mock
