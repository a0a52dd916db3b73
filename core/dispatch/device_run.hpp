// SPDX-License-Identifier: Apache-2.0
//
// One synchronous run of a device kernel: operands staged, submitted, waited for, results brought back.
#pragma once

#include <memory>
#include <vector>

#include "device/staging.hpp"
#include "dispatch/detour.hpp"

namespace rayo {

class Detour::DeviceRun {
 public:
  DeviceRun(const Detour &detour, const Located &located);
  ~DeviceRun();
  DeviceRun(const DeviceRun &) = delete;
  DeviceRun &operator=(const DeviceRun &) = delete;

  // Throws Error. Host outputs are written only once everything has succeeded, where the call is in place.
  void run(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs);
  // After a failure: an input that lives on the device may have been overwritten.
  bool spoiled() const noexcept { return spoiled_; }

 private:
  // One operand as the kernel gets it.
  struct Slot {
    rayo_tensor tensor{};
    const BlockLease *block = nullptr;  // where it is staged; null: it lives on the device, or is imported
    char *host = nullptr;               // element 0 of the caller's operand
    char *arrived = nullptr;            // staged bytes that wait for their place in the caller's memory
  };

  Slot slot_of(const OperandDesc &seen, const Staged &staged, const rayo_tensor *given, const void *at);
  const BlockLease *take(uint64_t bytes);
  char *host_bytes(uint64_t bytes);
  void stage(const rayo_tensor *const *inputs, const rayo_tensor *const *outputs);
  void share_in_place(size_t output);
  bool in_place(size_t input, size_t output) const;
  bool import(Slot *slot, const Staged &staged);
  void fill(LaneLease &lane, const Slot &slot, const Staged &staged);
  void submit(LaneLease &lane);
  void fetch(LaneLease &lane);
  void hand_over();

  const Detour &detour_;
  const Located &located_;
  Staging &staging_;
  std::vector<std::unique_ptr<BlockLease>> blocks_;
  std::vector<rayo_buffer *> imports_;
  std::vector<std::vector<char>> bytes_;
  std::vector<Slot> in_;
  std::vector<Slot> out_;
  std::vector<QueueEnd> behind_;
  bool spoiled_ = false;
};

}  // namespace rayo
