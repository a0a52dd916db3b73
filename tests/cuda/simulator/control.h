// SPDX-License-Identifier: Apache-2.0
//
// What tests may ask of the simulated driver, beside the driver's own functions. From the library by dlsym.
#pragma once

#include <cstddef>

extern "C" {
/// The nth call from now on (1 = the next) of the driver's function `call` answers `result`; every later call of any
/// function too where `sticky`. NULL = any function that queues work or makes something.
void rayo_simulator_fail(const char *call, int nth, int result, int sticky);
void rayo_simulator_heal();
std::size_t rayo_simulator_live_bytes();
/// Queued work runs only when someone waits or looks; a held device does not even then, and looks answer 'not ready'.
void rayo_simulator_hold(int on);
}
