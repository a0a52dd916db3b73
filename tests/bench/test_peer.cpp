// SPDX-License-Identifier: Apache-2.0
//
// A peer for tests: add on f32 vectors, right, or (TEST_PEER_IS_WRONG) with one element that is not the sum.
#include <bench/peers/peer.hpp>

namespace {

#ifdef TEST_PEER_IS_WRONG
constexpr const char *kName = "wrong";
constexpr float kError = 1;
#else
constexpr const char *kName = "right";
constexpr float kError = 0;
#endif

Work *prepare(const Call &call) {
  if (!call.is("add") || !call.all<float>() || !call.same_counts()) return nullptr;
  const float *const a = call.data<float>(0), *const b = call.data<float>(1);
  const int64_t n = Call::count(call.out());
  return make_work([=](void *const *out) {
    auto *const y = static_cast<float *>(out[0]);
    for (int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
    y[n - 1] += kError;
  });
}

}  // namespace

RAYO_PEERS(true, make_peer<prepare>(kName, "1.0"))
