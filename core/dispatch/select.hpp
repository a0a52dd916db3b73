// SPDX-License-Identifier: Apache-2.0
//
// Which kernel runs a validated call, and where. What a device profile chooses comes first; without one the order is
// static: where the call belongs (its tensors' device, or the one asked for), then the host by the plugins' stated
// preference (avx512 over avx2 over scalar), then devices that alone have the op. Masked by device choice and numerics
// policy.
#pragma once

#include <rayo/rayo.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/device_set.hpp"
#include "dispatch/bind.hpp"
#include "registry/registry.hpp"

namespace rayo {

// What the addresses of a call ask of a kernel, on top of its descriptor.
struct Addressing {
  bool in_place = false;      // an output is exactly an input
  uint32_t alignment = 4096;  // largest power of two (up to this) that all addresses are multiples of
};

// A device text of the API, read: "auto", NAME, or "NAME,auto".
struct DeviceChoice {
  std::string_view name;  // "" for auto
  bool fallback = true;   // may run elsewhere if it cannot run there
};
DeviceChoice read_choice(std::string_view text);

struct Candidate {
  const KernelRecord *kernel = nullptr;
  const DeviceRecord *device = nullptr;      // null: a host kernel
  bool belongs = false;                      // it is where the call belongs; any other one is a fallback
  uint32_t state = RAYO_CANDIDATE_POSSIBLE;  // POSSIBLE, MASKED or UNSUPPORTED; POSSIBLE also before it is judged
  std::string reason;
  uint32_t threads = 0;  // to offer it; 0 = as many as the call has. Set for the profile's choice
  uint32_t fallback = RAYO_FALLBACK_UNSUPPORTED;  // what its refusal counts as
  std::shared_ptr<Device> opened;                 // of a judged device candidate
  std::shared_ptr<const KernelView> view;         // the call as its device sees it

  const std::string &place() const { return device == nullptr ? kernel->owner->name : device->id; }
};

// Every kernel of the op, once per device, in the order it would be tried; not judged yet.
std::vector<Candidate> list_candidates(const Registry &registry, const BoundCall &call, const CallRequest &request);
// Can it run the call? Opens its device if it must.
void judge(Candidate *candidate, const BoundCall &call, const CallRequest &request, const Addressing &addressing);

// Where the call belongs: a device's id or a plugin's name; "" = nowhere in particular, no choice is a fallback.
std::string_view belongs_to(const BoundCall &call, const CallRequest &request);

// Refuses a device name that is neither "auto" nor ready; the text says why a known plugin is not. A name that may fall
// back is always taken. Throws Error.
void check_device(const Registry &registry, const char *device);

}  // namespace rayo
