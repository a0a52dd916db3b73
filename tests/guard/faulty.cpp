// SPDX-License-Identifier: Apache-2.0
//
// A plugin that is asked to go wrong: RAYO_TEST_FAULT is read when a kernel is bound.
//
//   add          class reproducible: wrong:N (each N-th call: one element 1 ULP off), nan:N, inf:N, random (other bits
//   each
//                time), slow:N (20 ms)
//   exp, reduce_sum, matmul, softmax, layer_norm   class strict, other arithmetic than scalar's but within the bounds;
//                off:N moves one element by N times its bound's order of magnitude
#include <rayo/plugin.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace {

int64_t elements(const rayo_tensor_desc &operand) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < operand.ndim; ++axis) count *= operand.shape[axis];
  return count;
}

struct Fault {
  Fault() {
    const char *text = std::getenv("RAYO_TEST_FAULT");
    if (text == nullptr) return;
    name = text;
    const size_t colon = name.find(':');
    if (colon == std::string::npos) return;
    every = std::strtoull(name.c_str() + colon + 1, nullptr, 10);
    name.resize(colon);
  }
  bool is(const char *what) const { return name == what; }
  std::string name;
  uint64_t every = 1;
};

class Add {
 public:
  explicit Add(const rayo_op_desc &desc) : count_(elements(*desc.outputs[0])) {}
  void operator()(const rayo_call &call) const {
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *c = static_cast<float *>(call.outputs[0]);
    const uint64_t number = calls_.fetch_add(1) + 1;
    for (int64_t i = 0; i < count_; ++i) c[i] = a[i] + b[i];
    const int64_t at = count_ / 2;
    if (count_ == 0 || number % fault_.every != 0) return;
    if (fault_.is("wrong")) c[at] = std::nextafter(c[at], 1e30f);
    if (fault_.is("nan")) c[at] = std::numeric_limits<float>::quiet_NaN();
    if (fault_.is("inf")) c[at] = -std::numeric_limits<float>::infinity();
    if (fault_.is("random") && number % 2 == 0) c[at] += 1;
    if (fault_.is("slow")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

 private:
  int64_t count_;
  Fault fault_;
  mutable std::atomic<uint64_t> calls_{0};
};

class Exp {
 public:
  explicit Exp(const rayo_op_desc &desc) : count_(elements(*desc.outputs[0])) {}
  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t i = 0; i < count_; ++i) y[i] = static_cast<float>(std::exp(static_cast<double>(x[i])));
    if (!fault_.is("off")) return;
    for (uint64_t step = 0; step < fault_.every; ++step) y[0] = std::nextafter(y[0], 1e30f);
  }

 private:
  int64_t count_;
  Fault fault_;
};

// Over a whole compact tensor or its rows; in double, so nearly exact.
class Sum {
 public:
  explicit Sum(const rayo_op_desc &desc) : outputs_(elements(*desc.outputs[0])), row_(elements(*desc.inputs[0])) {
    if (outputs_ > 0) row_ /= outputs_;
  }
  static uint32_t supports(const rayo_op_desc &desc) noexcept {  // the last axis or all
    try {
      const auto axes = rayo::plugin::attr_ints(desc, "axes");
      const bool last = axes.size() == 1 && axes[0] == desc.inputs[0]->ndim - 1;
      return axes.empty() || last ? RAYO_WHY_SUPPORTED : RAYO_WHY_ATTRIBUTE;
    } catch (...) {
      return RAYO_WHY_ATTRIBUTE;
    }
  }
  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t o = 0; o < outputs_; ++o) {
      double sum = 0;
      double size = 0;
      for (int64_t i = 0; i < row_; ++i) sum += x[o * row_ + i], size += std::fabs(x[o * row_ + i]);
      if (fault_.is("off")) sum += static_cast<double>(fault_.every) * size * static_cast<double>(row_) * 6e-8;
      y[o] = static_cast<float>(sum);
    }
  }

 private:
  int64_t outputs_;
  int64_t row_;
  Fault fault_;
};

class Matmul {
 public:
  explicit Matmul(const rayo_op_desc &desc)
      : m_(desc.inputs[0]->shape[0]), k_(desc.inputs[0]->shape[1]), n_(desc.inputs[1]->shape[1]) {}
  static uint32_t supports(const rayo_op_desc &desc) noexcept {
    return desc.inputs[0]->ndim == 2 && desc.inputs[1]->ndim == 2 ? RAYO_WHY_SUPPORTED : RAYO_WHY_RANK;
  }
  void operator()(const rayo_call &call) const {
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *c = static_cast<float *>(call.outputs[0]);
    for (int64_t i = 0; i < m_; ++i) {
      for (int64_t j = 0; j < n_; ++j) {
        float sum = 0;
        for (int64_t p = k_; p-- > 0;) sum += a[i * k_ + p] * b[p * n_ + j];  // scalar goes the other way
        c[i * n_ + j] = sum;
      }
    }
    if (fault_.is("off")) c[0] += static_cast<float>(fault_.every) * static_cast<float>(k_);
  }

 private:
  int64_t m_, k_, n_;
  Fault fault_;
};

// The last axis.
class Rows {
 public:
  explicit Rows(const rayo_op_desc &desc)
      : row_(desc.inputs[0]->shape[desc.inputs[0]->ndim - 1]), count_(elements(*desc.inputs[0])) {}
  static uint32_t supports(const rayo_op_desc &desc) noexcept {
    try {
      const bool last = rayo::plugin::attr_int(desc, "axis") == desc.inputs[0]->ndim - 1;
      return last ? RAYO_WHY_SUPPORTED : RAYO_WHY_ATTRIBUTE;
    } catch (...) {
      return RAYO_WHY_ATTRIBUTE;
    }
  }

 protected:
  int64_t row_;
  int64_t count_;
  Fault fault_;
};

class Softmax : public Rows {
 public:
  using Rows::Rows;
  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t at = 0; at < count_; at += row_) {
      double sum = 0;
      for (int64_t i = at; i < at + row_; ++i) sum += std::exp(static_cast<double>(x[i]));
      for (int64_t i = at; i < at + row_; ++i) y[i] = static_cast<float>(std::exp(static_cast<double>(x[i])) / sum);
    }
    if (fault_.is("off")) y[0] *= 1 + static_cast<float>(fault_.every) * 1e-4f;
  }
};

class LayerNorm : public Rows {
 public:
  explicit LayerNorm(const rayo_op_desc &desc) : Rows(desc), epsilon_(rayo::plugin::attr_float(desc, "epsilon")) {}
  void operator()(const rayo_call &call) const {
    const auto *x = static_cast<const float *>(call.inputs[0]);
    const auto *scale = static_cast<const float *>(call.inputs[1]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t at = 0; at < count_; at += row_) {
      double mean = 0;
      double squares = 0;
      for (int64_t i = at; i < at + row_; ++i) mean += x[i] / static_cast<double>(row_);
      for (int64_t i = at; i < at + row_; ++i) squares += (x[i] - mean) * (x[i] - mean);
      const double sigma = std::sqrt(squares / static_cast<double>(row_) + epsilon_);
      for (int64_t i = 0; i < row_; ++i) y[at + i] = static_cast<float>((x[at + i] - mean) / sigma * scale[i]);
    }
    if (fault_.is("off")) y[0] += static_cast<float>(fault_.every) * 1e-3f;
  }

 private:
  double epsilon_;
};

template <class K>
constexpr rayo_kernel strict(const char *name, const char *op) {
  return rayo::plugin::kernel<K>({.name = name, .op = op, .types = "T=f32", .numerics = RAYO_NUMERICS_STRICT});
}

constexpr rayo_kernel kAdd = rayo::plugin::kernel<Add>({.name = "add_f32",
                                                        .op = "add",
                                                        .types = "T=f32",
                                                        .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                                        .flags = RAYO_KERNEL_IN_PLACE});
constexpr rayo_kernel kExp = strict<Exp>("exp_f32", "exp");
constexpr rayo_kernel kSum = strict<Sum>("reduce_sum_f32", "reduce_sum");
constexpr rayo_kernel kMatmul = strict<Matmul>("matmul_f32", "matmul");
constexpr rayo_kernel kSoftmax = strict<Softmax>("softmax_f32", "softmax");
constexpr rayo_kernel kLayerNorm = strict<LayerNorm>("layer_norm_f32", "layer_norm");
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kExp, &kSum, &kMatmul, &kSoftmax, &kLayerNorm};

constexpr rayo_plugin kPlugin = rayo::plugin::plugin({.name = "faulty",
                                                      .vendor = "Rayo tests",
                                                      .version = "0",
                                                      .description = "goes wrong on request",
                                                      .preference = 100000},
                                                     kKernels);

}  // namespace

RAYO_PLUGIN_NOTE("faulty", "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
RAYO_PLUGIN(faulty, kPlugin)
