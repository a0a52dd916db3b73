// SPDX-License-Identifier: Apache-2.0
//
// Loading peers and judging their results. Each file is opened with its symbols private, so that two copies of one
// library live beside each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/work/operands.hpp"
#include "peer.h"

namespace rayo::bench {

// A peer or a file that is not used, and why.
struct Refusal {
  std::string name;
  std::string reason;
};

class PeerSet {
 public:
  PeerSet() = default;
  // Loads every .so of `folder`, in the order of their names, limited to `isa` (peer.h). Files stay loaded.
  PeerSet(const std::string &folder, const std::string &isa);

  const std::vector<const rayo_peer *> &peers() const { return peers_; }
  const std::vector<Refusal> &refusals() const { return refusals_; }

 private:
  std::vector<const rayo_peer *> peers_;
  std::vector<Refusal> refusals_;
};

// Beside the running program: ../lib/rayo/peers.
std::string default_peer_folder();

// One peer's work on an item's operands.
class PeerWork {
 public:
  // Without work when the peer does not do the call.
  PeerWork(const rayo_peer &peer, const Operands &operands, uint32_t threads);
  explicit operator bool() const { return work_ != nullptr; }
  void *get() const { return work_.get(); }

 private:
  struct Release {
    const rayo_peer *peer;
    void operator()(void *work) const { peer->release(work); }
  };
  std::unique_ptr<void, Release> work_;
};

// What `theirs` differs in from `ours`, or "" when it is within the tolerance for "the same computation": real types
// |difference| <= (1e-3 + length 2^-27) |ours| + 1e-4 max |ours|, where `length` is how many inputs make one output (a
// plain f32 sum of 1e7 numbers is wrong in the second digit); f64: 1e-8, 2^-56, 1e-9; f16, bf16: 2e-2, 0, 1e-2. NaN
// where ours is NaN; bytes within 1; wider integers equal.
std::string difference(const tools::HostTensor &ours, const tools::HostTensor &theirs, double length);

// The largest difference of two f32 or f64 results in units of ours's last place; 0 for other types. A peer may trade
// accuracy for speed: this shows by how much.
double largest_ulps(const tools::HostTensor &ours, const tools::HostTensor &theirs);

}  // namespace rayo::bench
