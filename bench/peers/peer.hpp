// SPDX-License-Identifier: Apache-2.0
//
// What peers written in C++ share: reading a call, and work as a lambda. Header-only with everything in an unnamed
// namespace: peers are compiled for different instruction sets, and nothing of theirs may be shared by the linker.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "peer.h"

namespace {

// Read-only view of a rayo_peer_call.
class Call {
 public:
  explicit Call(const rayo_peer_call *call) : call_(*call) {}

  bool is(std::string_view op) const { return op == call_.op; }
  std::string_view op() const { return call_.op; }
  uint32_t inputs() const { return call_.input_count; }
  const DLTensor &in(uint32_t i) const { return call_.inputs[i]->dl; }
  const DLTensor &out(uint32_t i = 0) const { return call_.outputs[i]->dl; }

  static bool is_f32(const DLTensor &t) { return t.dtype.code == kDLFloat && t.dtype.bits == 32; }
  static bool is_f64(const DLTensor &t) { return t.dtype.code == kDLFloat && t.dtype.bits == 64; }
  // Are all inputs of the type of T, float or double?
  template <typename T>
  bool all() const {
    for (uint32_t i = 0; i < inputs(); ++i) {
      if (sizeof(T) == 4 ? !is_f32(in(i)) : !is_f64(in(i))) return false;
    }
    return true;
  }

  static int64_t count(const DLTensor &t) {
    int64_t n = 1;
    for (int32_t i = 0; i < t.ndim; ++i) n *= t.shape[i];
    return n;
  }
  // All inputs have the output's element count: no broadcasting.
  bool same_counts() const {
    for (uint32_t i = 0; i < inputs(); ++i) {
      if (count(in(i)) != count(out())) return false;
    }
    return true;
  }
  template <typename T>
  const T *data(uint32_t i) const {
    return static_cast<const T *>(in(i).data);
  }

  const rayo_attr *attr(std::string_view name) const {
    for (const rayo_attr *a = call_.attrs; a != nullptr && a->name != nullptr; ++a) {
      if (name == a->name) return a;
    }
    return nullptr;
  }
  int64_t integer(std::string_view name, int64_t fallback) const {
    const rayo_attr *const a = attr(name);
    return a == nullptr || a->count == 0 ? fallback : *static_cast<const int64_t *>(a->data);
  }
  double real(std::string_view name, double fallback) const {
    const rayo_attr *const a = attr(name);
    return a == nullptr || a->count == 0 ? fallback : *static_cast<const double *>(a->data);
  }
  std::string_view text(std::string_view name, std::string_view fallback) const {
    const rayo_attr *const a = attr(name);
    return a == nullptr ? fallback : std::string_view(static_cast<const char *>(a->data), a->count);
  }

 private:
  const rayo_peer_call &call_;
};

struct Work {
  virtual ~Work() = default;
  virtual bool run(void *const *outputs) = 0;
};

// f(void *const *outputs), returning nothing; what it captures lives as long as the work.
template <typename F>
Work *make_work(F f) {
  struct Lambda final : Work {
    explicit Lambda(F given) : f(std::move(given)) {}
    bool run(void *const *outputs) override {
      f(outputs);
      return true;
    }
    F f;
  };
  return new Lambda(std::move(f));
}

[[maybe_unused]] inline int run_work(void *work, void *const *outputs) {
  try {
    return static_cast<Work *>(work)->run(outputs) ? 1 : 0;
  } catch (...) {
    return 0;
  }
}

[[maybe_unused]] inline void release_work(void *work) { delete static_cast<Work *>(work); }

// prepare() of a peer: any exception means "does not do that call".
template <Work *(*kPrepare)(const Call &)>
void *prepare_work(const rayo_peer_call *call) {
  try {
    return kPrepare(Call(call));
  } catch (...) {
    return nullptr;
  }
}

// A library without threads takes part whatever is asked: more threads of ours must not be slower than its one.
[[maybe_unused]] inline int single_threaded(uint32_t) { return 1; }

template <Work *(*kPrepare)(const Call &)>
constexpr rayo_peer make_peer(const char *name, const char *version, int (*set_threads)(uint32_t) = single_threaded,
                              uint32_t settle_us = 0) {
  return {name, version, settle_us, 0, set_threads, prepare_work<kPrepare>, run_work, release_work};
}

[[maybe_unused]] inline std::string_view isa_limit() {
  const char *const isa = std::getenv("RAYO_BENCH_ISA");
  return isa == nullptr ? "native" : isa;
}

// What a matrix product is, for peers that know BLAS: 2-D operands, a batch as equal matrices one after another.
struct Product {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
  double alpha = 1, beta = 0;
  bool bias_row = false;  // C is one row, added to each row of the result (beta = 1)
};

// False when the call is no product of that kind: broadcast batches, beta with a matrix.
[[maybe_unused]] inline bool read_product(const Call &call, Product *out) {
  if (!call.is("matmul") && !call.is("gemm")) return false;
  const DLTensor &a = call.in(0), &b = call.in(1);
  if (a.ndim < 2 || a.ndim != b.ndim) return false;
  Product p;
  p.trans_a = call.integer("transA", 0) == 1;
  p.trans_b = call.integer("transB", 0) == 1;
  for (int32_t i = 0; i + 2 < a.ndim; ++i) {
    if (a.shape[i] != b.shape[i]) return false;
    p.batch *= a.shape[i];
  }
  const int64_t *const ea = a.shape + a.ndim - 2, *const eb = b.shape + b.ndim - 2;
  p.m = p.trans_a ? ea[1] : ea[0];
  p.k = p.trans_a ? ea[0] : ea[1];
  p.n = p.trans_b ? eb[0] : eb[1];
  p.alpha = call.real("alpha", 1);
  if (call.inputs() == 3) {
    if (Call::count(call.in(2)) != p.n || call.real("beta", 1) != 1) return false;
    p.bias_row = true;
    p.beta = 1;
  }
  *out = p;
  return true;
}

// BLAS has no bias row: C is filled with it first, and the product accumulates.
template <typename T>
[[maybe_unused]] void spread_row(const T *row, T *to, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; ++i) std::memcpy(to + i * n, row, static_cast<size_t>(n) * sizeof(T));
}

}  // namespace

// The entry point over a list of rayo_peer values, made at the first call (a library may not be ready while the file is
// being loaded); `usable`: an expression, false leaves the list empty.
#define RAYO_PEERS(usable, ...)                                                                         \
  extern "C" RAYO_EXPORT const rayo_peer_library *rayo_bench_peers(void) {                              \
    static const rayo_peer_library none = {RAYO_PEER_VERSION, 0, nullptr};                              \
    if (!(usable)) return &none;                                                                        \
    static const rayo_peer peers[] = {__VA_ARGS__};                                                     \
    static const rayo_peer *list[sizeof peers / sizeof peers[0]];                                       \
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; ++i) list[i] = &peers[i];                    \
    static const rayo_peer_library library = {RAYO_PEER_VERSION, sizeof peers / sizeof peers[0], list}; \
    return &library;                                                                                    \
  }
