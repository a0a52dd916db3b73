// SPDX-License-Identifier: Apache-2.0
//
// Running the ceiling loops on one or more threads and taking the best reading of each: a ceiling is what the machine
// can do, not what it does on a busy day.
#include "ceilings.hpp"

#include <algorithm>
#include <barrier>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "ceiling_loops.h"
#include "clock.hpp"

namespace rayo::bench {
namespace {

constexpr double kReadingNs = 1e6;

const rayo_ceiling_loops *loops_for(const std::string &isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
  if (avx512 && (isa == "native" || isa == "avx512")) return rayo_ceiling_loops_avx512();
  if (avx2 && isa != "baseline") return rayo_ceiling_loops_avx2();
#endif
  (void)isa;
  return rayo_ceiling_loops_baseline();
}

// The sum over threads of each thread's best rate: work(thread, repeats) does some amount and returns it.
double best_rate(uint32_t threads, int readings, const std::function<double(uint32_t, uint64_t)> &work) {
  std::vector<double> best(threads, 0);
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  const auto body = [&](uint32_t thread) {
    uint64_t repeats = 1;
    while (true) {  // repeats that fill a reading
      const double begin = now_ns(Clock::thread_cpu);
      work(thread, repeats);
      if (now_ns(Clock::thread_cpu) - begin >= kReadingNs / 2) break;
      repeats *= 2;
    }
    for (int reading = 0; reading < readings; ++reading) {
      together.arrive_and_wait();
      const double begin = now_ns(Clock::thread_cpu);
      const double done = work(thread, repeats);
      best[thread] = std::max(best[thread], done / (now_ns(Clock::thread_cpu) - begin));
    }
  };
  std::vector<std::thread> others;
  for (uint32_t thread = 1; thread < threads; ++thread) others.emplace_back(body, thread);
  body(0);
  for (std::thread &other : others) other.join();
  double sum = 0;
  for (const double rate : best) sum += rate;
  return sum;
}

struct Free {
  void operator()(float *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<float, Free>;

Memory allocate(std::size_t floats) {
  Memory memory(static_cast<float *>(std::aligned_alloc(4096, (floats * sizeof(float) + 4095) / 4096 * 4096)));
  if (memory == nullptr) throw std::bad_alloc();
  std::fill_n(memory.get(), floats, 0.5F);
  return memory;
}

BandwidthPoint measure_bandwidth(const rayo_ceiling_loops &loops, uint32_t threads, std::size_t bytes, int readings,
                                 double *sinks) {
  constexpr std::size_t kGrain = 768;  // of 256 floats, and divisible by three
  const std::size_t floats = std::max(bytes / sizeof(float) / kGrain, std::size_t{1}) * kGrain;
  std::vector<Memory> memory;
  for (uint32_t thread = 0; thread < threads; ++thread) memory.push_back(allocate(floats));
  const std::size_t half = floats / 2 / 256 * 256, third = floats / 3;
  const auto rate = [&](const std::function<void(float *, double *)> &pass, double pass_bytes) {
    return best_rate(threads, readings, [&](uint32_t thread, uint64_t repeats) {
      for (uint64_t i = 0; i < repeats; ++i) {
        pass(memory[thread].get(), &sinks[thread]);
        asm volatile("" ::: "memory");
      }
      return pass_bytes * static_cast<double>(repeats);
    });
  };
  const auto size = [](std::size_t count) { return static_cast<double>(count * sizeof(float)); };
  BandwidthPoint point;
  point.bytes = size(floats);
  point.read = rate([&](float *at, double *sink) { loops.read(at, floats / 256 * 256, sink); }, size(floats));
  const double plain = rate([&](float *at, double *) { loops.copy(at, at + half, half); }, 2 * size(half));
  const double library =
      rate([&](float *at, double *) { std::memcpy(at + half, at, half * sizeof(float)); }, 2 * size(half));
  point.copy = std::max(plain, library);
  point.add = rate([&](float *at, double *) { loops.add(at, at + third, at + 2 * third, third); }, 3 * size(third));
  return point;
}

// An upper bound for a working set between two points: the best rate from the smaller of the two on.
double bandwidth_at(const std::vector<BandwidthPoint> &points, double bytes, double BandwidthPoint::*kind) {
  double best = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool below = i + 1 < points.size() && points[i + 1].bytes <= bytes;
    if (!below) best = std::max(best, points[i].*kind);
  }
  return best;
}

}  // namespace

std::optional<Bound> least_time(const Ceilings &ceilings, const Demand &demand) {
  if (!demand.f32 && !demand.f64 && demand.chain > 0) return std::nullopt;  // integer arithmetic: no ceiling measured
  Bound bound;
  const auto raise = [&bound](double ns, const char *by) {
    if (ns > bound.ns) bound = {ns, by};
  };
  if (!ceilings.bandwidth.empty()) {
    const double bytes = demand.input_bytes + demand.output_bytes;
    double BandwidthPoint::*kind = &BandwidthPoint::copy;
    if (demand.output_bytes * 8 < demand.input_bytes) kind = &BandwidthPoint::read;
    if (demand.inputs >= 2 && demand.input_bytes >= 1.5 * demand.output_bytes) {
      kind = demand.output_bytes * 8 < demand.input_bytes ? &BandwidthPoint::read : &BandwidthPoint::add;
    }
    raise(bytes / bandwidth_at(ceilings.bandwidth, bytes / ceilings.threads, kind), "memory");
  }
  if (demand.f32 || demand.f64) {
    raise(demand.operations / (demand.f64 ? ceilings.peak_f64 : ceilings.peak_f32), "compute");
    raise(demand.chain * (demand.f64 ? ceilings.chain_f64 : ceilings.chain_f32), "latency");
  }
  if (bound.ns <= 0) return std::nullopt;
  return bound;
}

Ceilings measure_ceilings(const std::string &isa, uint32_t threads, bool quick) {
  const rayo_ceiling_loops &loops = *loops_for(isa);
  const int readings = quick ? 3 : 9;
  std::vector<double> sinks(std::size_t{threads} * 8, 0);
  Ceilings ceilings;
  ceilings.isa = loops.isa;
  ceilings.threads = threads;
  const auto rate = [&](double (*loop)(uint64_t, double *), uint32_t on) {
    return best_rate(on, readings,
                     [&](uint32_t thread, uint64_t repeats) { return loop(repeats, &sinks[std::size_t{thread} * 8]); });
  };
  ceilings.peak_f32 = rate(loops.fma_f32, threads);
  ceilings.peak_f64 = rate(loops.fma_f64, threads);
  ceilings.chain_f32 = 1 / rate(loops.chain_f32, 1);
  ceilings.chain_f64 = 1 / rate(loops.chain_f64, 1);
  const std::size_t largest = std::size_t{quick ? 16U : 256U} << 20;
  for (std::size_t bytes = std::size_t{12} << 10; bytes <= largest; bytes *= 2) {
    ceilings.bandwidth.push_back(measure_bandwidth(loops, threads, bytes, readings, sinks.data()));
  }
  return ceilings;
}

nlohmann::json to_json(const Ceilings &ceilings) {
  nlohmann::json points = nlohmann::json::array();
  for (const BandwidthPoint &point : ceilings.bandwidth) {
    points.push_back({{"bytes", point.bytes}, {"read", point.read}, {"copy", point.copy}, {"add", point.add}});
  }
  return {{"isa", ceilings.isa},
          {"threads", ceilings.threads},
          {"gflops_f32", ceilings.peak_f32},
          {"gflops_f64", ceilings.peak_f64},
          {"fma_latency_ns_f32", ceilings.chain_f32},
          {"fma_latency_ns_f64", ceilings.chain_f64},
          {"bandwidth_gb_s", points}};
}

}  // namespace rayo::bench
