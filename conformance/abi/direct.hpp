// SPDX-License-Identifier: Apache-2.0
//
// One kernel called directly: descriptor, prepare, workspace, call, release, as the core would do it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "abi/host.hpp"
#include "runner/operands.hpp"

namespace rayo::conform::abi {

constexpr std::int64_t kModest = 4096;     // elements: enough for every vector width
constexpr std::int64_t kParallel = 70000;  // enough for kernels to cut the work into tasks

// Cases that a kernel's list entry says it takes, compact: per combination of types the one with the largest operand of
// at most `elements`. Empty for ops that the suite has no generator for, and for device kernels.
std::vector<Case> sample_cases(const rayo_kernel &kernel, std::int64_t elements = kModest);

class DirectCall {
 public:
  DirectCall(rayo_instance *instance, Host &host, const rayo_kernel &kernel, const Case &c);
  ~DirectCall();  // releases what was prepared
  DirectCall(const DirectCall &) = delete;
  DirectCall &operator=(const DirectCall &) = delete;

  rayo_op_desc &desc() { return grown_.desc; }
  // Pretends structs of a later minor, with noise where today's end.
  void grow();

  std::uint32_t why() const;  // supports(); RAYO_WHY_SUPPORTED if the kernel has none
  rayo_status prepare(rayo_error *error);
  // After prepare answered RAYO_OK. The outputs' bytes. Throws Defect on an error status, on a write outside outputs or
  // workspace, and when more threads than declared are used.
  std::vector<std::vector<double>> call(SerialExecutor &executor, std::uint32_t threads, int workspace_fill = 0xA5);
  // What prepare wrote where it must not; empty if nothing.
  std::string stray_writes() const;

  std::string name() const;  // "kernel exp_f32 (exp f32 65 ...)"

 private:
  void describe_operands(const Case &c, const OpInfo &op);
  void add_attributes(const Case &c, const OpInfo &op);

  struct GrownDesc {
    rayo_op_desc desc;
    unsigned char future[64];
  };
  struct GrownPrepared {
    rayo_prepared prepared;
    unsigned char future[64];
  };

  const rayo_kernel &kernel_;
  rayo_instance *instance_;
  Case case_;
  Inputs inputs_;
  std::vector<OutputShape> shapes_;
  std::deque<Shape> extents_;  // stable addresses: descriptors point into it
  std::vector<rayo_tensor_desc> tensors_;
  std::vector<const rayo_tensor_desc *> in_;
  std::vector<const rayo_tensor_desc *> out_;
  std::deque<std::vector<std::int64_t>> ints_;
  std::deque<double> reals_;
  std::deque<std::string> texts_;
  std::vector<rayo_attr> attrs_;
  GrownDesc grown_{};
  GrownPrepared prepared_{};
  bool ready_ = false;
};

}  // namespace rayo::conform::abi
