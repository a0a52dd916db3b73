// SPDX-License-Identifier: Apache-2.0
//
// A plugin whose cost is known: its kernels compute, then wait until the time is up that a model says. So crossovers
// between two of them can be worked out on paper and compared with what the tuner finds. Built once per name; the model
// comes from the environment when a call is bound:
//
//   RAYO_COST_MOCK_A="fixed=2000 rate=0.5 thin=32 sync=3000 wrong=1"
//
//   ns = fixed + sync (threads - 1) + volume / (rate threads efficiency)
//
// rate: elements (matmul: multiply-adds) per ns. thin: a product whose smallest extent is below it is slower in
// proportion. sync: what each further thread costs. wrong: the first element is off.
#include <rayo/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

double setting(const char *name, double otherwise) {
  const char *text = std::getenv("RAYO_COST_" RAYO_MOCK_UPPER);
  if (text == nullptr) return otherwise;
  const std::string all = std::string(" ") + text;
  const std::size_t at = all.find(std::string(" ") + name + "=");
  return at == std::string::npos ? otherwise : std::atof(all.c_str() + at + std::string(name).size() + 2);
}

// What a call takes by the model.
class Model {
 public:
  Model(double volume, double smallest) {
    const double thin = setting("thin", 0);
    const double efficiency = thin > 0 ? std::min(1.0, smallest / thin) : 1.0;
    fixed_ = setting("fixed", 0);
    sync_ = setting("sync", 0);
    work_ = volume / (setting("rate", 1) * efficiency);
    threads_ = setting("threads", 1) > 0;
    wrong_ = setting("wrong", 0) > 0;
  }

  bool uses_threads() const { return threads_; }
  bool wrong() const { return wrong_; }
  void wait(Clock::time_point begin, uint32_t threads) const {
    const double t = threads_ ? threads : 1;
    const double ns = fixed_ + sync_ * (t - 1) + work_ / t;
    const auto end = begin + std::chrono::nanoseconds(static_cast<int64_t>(ns));
    while (Clock::now() < end) {
    }
  }

 private:
  double fixed_, sync_, work_;
  bool threads_, wrong_;
};

class Add {
 public:
  explicit Add(const rayo_op_desc &desc) : count_(1), model_(0, 0) {
    for (int32_t axis = 0; axis < desc.outputs[0]->ndim; ++axis) count_ *= desc.outputs[0]->shape[axis];
    model_ = Model(static_cast<double>(count_), 1);
    most_ = desc.max_threads;
  }
  uint32_t threads() const { return model_.uses_threads() ? most_ : 1; }

  void operator()(const rayo_call &call) const {
    const auto begin = Clock::now();
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *c = static_cast<float *>(call.outputs[0]);
    for (int64_t i = 0; i < count_; ++i) c[i] = a[i] + b[i];
    if (model_.wrong() && count_ > 0) c[0] += 1;
    model_.wait(begin, call.max_threads);
  }

 private:
  int64_t count_;
  Model model_;
  uint32_t most_ = 1;
};

class Matmul {
 public:
  explicit Matmul(const rayo_op_desc &desc) : model_(0, 0) {
    m_ = desc.inputs[0]->shape[0];
    k_ = desc.inputs[0]->shape[1];
    n_ = desc.inputs[1]->shape[1];
    const auto volume = static_cast<double>(m_) * static_cast<double>(n_) * static_cast<double>(k_);
    model_ = Model(volume, static_cast<double>(std::min({m_, n_, k_})));
    most_ = desc.max_threads;
  }
  static uint32_t supports(const rayo_op_desc &desc) noexcept {
    return desc.inputs[0]->ndim == 2 && desc.inputs[1]->ndim == 2 ? RAYO_WHY_SUPPORTED : RAYO_WHY_RANK;
  }
  uint32_t threads() const { return model_.uses_threads() ? most_ : 1; }

  void operator()(const rayo_call &call) const {
    const auto begin = Clock::now();
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (int64_t i = 0; i < m_; ++i) {
      float *row = y + i * n_;
      std::fill_n(row, n_, 0.0f);
      for (int64_t p = 0; p < k_; ++p) {
        for (int64_t j = 0; j < n_; ++j) row[j] += a[i * k_ + p] * b[p * n_ + j];
      }
    }
    if (model_.wrong() && m_ * n_ > 0) y[0] += 100;
    model_.wait(begin, call.max_threads);
  }

 private:
  int64_t m_ = 0, n_ = 0, k_ = 0;
  Model model_;
  uint32_t most_ = 1;
};

constexpr rayo::plugin::KernelInfo info(const char *name, const char *op) {
  rayo::plugin::KernelInfo out{};
  out.name = name;
  out.op = op;
  out.types = "T=f32";
  out.numerics = RAYO_NUMERICS_STRICT;
  return out;
}

constexpr rayo_kernel kAdd = rayo::plugin::kernel<Add>(info("add_model", "add"));
constexpr rayo_kernel kMatmul = rayo::plugin::kernel<Matmul>(info("matmul_model", "matmul"));
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kMatmul};
constexpr rayo_plugin kPlugin = rayo::plugin::plugin({.name = RAYO_MOCK_NAME,
                                                      .vendor = "Rayo's tests",
                                                      .version = "1",
                                                      .description = "kernels of known cost",
                                                      .preference = RAYO_MOCK_PREFERENCE},
                                                     kKernels);

}  // namespace

RAYO_PLUGIN_NOTE(RAYO_MOCK_NAME, "Rayo's tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
RAYO_PLUGIN(mock, kPlugin)
