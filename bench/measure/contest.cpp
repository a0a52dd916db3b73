// SPDX-License-Identifier: Apache-2.0
//
// Batches, calibration and rounds.
#include "contest.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

namespace rayo::bench {
namespace {

constexpr double kFarAboveResolution = 200;  // readings against what reading the clock costs

class Contest {
 public:
  Contest(const std::vector<Contestant> &contestants, const ContestOptions &options)
      : contestants_(contestants),
        options_(options),
        clock_(clock_for(options.threads)),
        readings_(contestants.size()),
        reading_ns_(std::max(options.reading_ns, kFarAboveResolution * clock_resolution_ns(clock_))) {}

  std::vector<Readings> run() {
    const double end = now_ns(Clock::wall) + options_.budget_ns;
    for (std::size_t i = 0; i < contestants_.size() && !stopped(); ++i) calibrate(i);
    int rounds = 0;
    for (; rounds < options_.most_rounds && !stopped(); ++rounds) {
      if (rounds >= options_.least_rounds && now_ns(Clock::wall) >= end) break;
      if (!run_round(static_cast<std::size_t>(rounds))) break;
    }
    const bool complete = rounds >= options_.least_rounds;
    for (Readings &readings : readings_) {
      if (!complete || readings.calls == 0) readings.ns.clear();
      // A round that was interrupted counts for nobody.
      if (readings.ns.size() > static_cast<std::size_t>(rounds)) readings.ns.resize(static_cast<std::size_t>(rounds));
    }
    return std::move(readings_);
  }

 private:
  bool stopped() const { return options_.stop != nullptr && *options_.stop != 0; }

  bool run_round(std::size_t round) {
    for (std::size_t k = 0; k < contestants_.size(); ++k) {
      const std::size_t i = (k + round) % contestants_.size();
      if (readings_[i].calls == 0) continue;  // it failed
      if (readings_[i].calls > 1) batch(contestants_[i], 1);
      const double ns = batch(contestants_[i], readings_[i].calls);
      settle(contestants_[i]);
      if (ns < 0) {
        readings_[i] = Readings{};
      } else {
        readings_[i].ns.push_back(ns);
      }
      if (stopped()) return false;
    }
    return true;
  }

  // Calls that fill a reading: doubled until the batch takes half of it, then in proportion.
  void calibrate(std::size_t i) {
    uint64_t calls = 1;
    double ns = batch(contestants_[i], calls);
    if (ns >= 0 && ns < reading_ns_) ns = batch(contestants_[i], calls);  // the first call warmed up
    while (ns >= 0 && ns * static_cast<double>(calls) < reading_ns_ / 2 && !stopped()) {
      calls *= 2;
      ns = batch(contestants_[i], calls);
    }
    settle(contestants_[i]);
    if (ns < 0) return;
    readings_[i].calls = static_cast<uint64_t>(std::max(1.0, std::ceil(reading_ns_ / std::max(ns, 0.1))));
  }

  // Nanoseconds per call; negative when a call failed.
  double batch(const Contestant &contestant, uint64_t calls) const {
    return options_.fresh ? fresh_batch(contestant, calls) : reused_batch(contestant, calls);
  }

  double reused_batch(const Contestant &contestant, uint64_t calls) const {
    void *const *const outputs = options_.outputs.data();
    int ok = 1;
    const double begin = now_ns(clock_);
    for (uint64_t call = 0; call < calls; ++call) ok &= contestant.run(contestant.work, outputs);
    const double end = now_ns(clock_);
    return ok != 0 ? (end - begin) / static_cast<double>(calls) : -1;
  }

  double fresh_batch(const Contestant &contestant, uint64_t calls) const {
    std::vector<void *> outputs(options_.output_bytes.size());
    int ok = 1;
    const double begin = now_ns(clock_);
    for (uint64_t call = 0; call < calls && ok != 0; ++call) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        outputs[i] = std::malloc(options_.output_bytes[i]);
        if (outputs[i] == nullptr) ok = 0;
      }
      if (ok != 0) ok = contestant.run(contestant.work, outputs.data());
      for (void *const output : outputs) std::free(output);
    }
    const double end = now_ns(clock_);
    return ok != 0 ? (end - begin) / static_cast<double>(calls) : -1;
  }

  void settle(const Contestant &contestant) const {
    if (options_.threads < 2 || contestant.settle_us == 0) return;
    std::this_thread::sleep_for(std::chrono::microseconds(contestant.settle_us));
  }

  const std::vector<Contestant> &contestants_;
  const ContestOptions &options_;
  Clock clock_;
  std::vector<Readings> readings_;
  double reading_ns_;
};

}  // namespace

std::vector<Readings> run_contest(const std::vector<Contestant> &contestants, const ContestOptions &options) {
  return Contest(contestants, options).run();
}

}  // namespace rayo::bench
