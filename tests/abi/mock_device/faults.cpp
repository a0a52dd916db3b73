// SPDX-License-Identifier: Apache-2.0
//
// Faults on command, and counts of what is alive, for the whole process.
#include "mock.h"

namespace mock {

std::atomic<uint64_t> g_alive{0};
std::atomic<uint64_t> g_imports{0};
std::atomic<bool> g_unified{false};

namespace {

std::atomic<int64_t> g_left{-1};  // steps before the fault; negative: none to come
std::atomic<rayo_status> g_status{RAYO_OK};
std::atomic<uint64_t> g_steps{0};

void arm(int64_t step, rayo_status status) {
  g_status = status;
  g_steps = 0;
  g_left = step;
}

uint64_t steps() { return g_steps; }
uint64_t alive() { return g_alive; }
void unified(uint32_t on) { g_unified = on != 0; }
uint64_t imports() { return g_imports; }

}  // namespace

void fault_point() {
  ++g_steps;
  int64_t left = g_left;
  while (left >= 0 && !g_left.compare_exchange_weak(left, left - 1)) {
  }
  if (left == 0) throw Error(g_status, "a fault on command");
}

constexpr mock_faults kFaults = {sizeof(mock_faults), 0, nullptr, arm, steps, alive, unified, imports};

}  // namespace mock
