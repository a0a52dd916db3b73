// SPDX-License-Identifier: Apache-2.0
//
// Claims about speed, always as a ratio of two calls in one process, on one thread.
#include <fmt/format.h>
#include <rayo/plugin.h>

#include <array>

#include "claims/bare_runtime.hpp"
#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "claims/timing.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::claims {
namespace {

struct Workload {
  const char *op;
  std::vector<Shape> inputs;
  Shape output;
  bool bound_by_memory;
};

// matmul: 3 x 144 KiB, in the second level; the functions: 2 x 16 KiB, in the first; add streams 3 x 16 MiB.
std::vector<Workload> workloads() {
  return {{"matmul", {{192, 192}, {192, 192}}, {192, 192}, false},
          {"exp", {{4096}}, {4096}, false},
          {"tanh", {{4096}}, {4096}, false},
          {"add", {{1 << 22}, {1 << 22}}, {1 << 22}, true}};
}

// One thread, this plugin alone, its own memory.
struct Timed {
  Timed(const Backend &backend, const Workload &w, std::string_view values)
      : runtime({backend.file}, 1), call(w.op, Dtype::f32, w.inputs, w.output) {
    call.fill(values, 1);
    plan = std::make_unique<BoundPlan>(runtime, call, 1);
  }
  std::function<void()> runner() const {
    return [this] { plan->run(); };
  }
  BareRuntime runtime;
  DenseCall call;
  std::unique_ptr<BoundPlan> plan;
};

// Every case of the quick run whose inputs are subnormal, judged by the suite: a flushed result is a wrong one.
std::uint64_t judge_subnormal_cases(const Setting &setting, const Backend &backend) {
  std::vector<Case> cases;
  for (Case &c : generate({}, true, setting.seed)) {
    if (c.distributions.front() == "subnormal") cases.push_back(std::move(c));
  }
  setting.step(fmt::format("{}: {} cases of subnormal inputs", backend.file, cases.size()));
  const PluginReport report = judge_plugin(backend.file, cases, {});
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state) || c.verdict.state == State::distrusted) continue;
    throw Refuted(fmt::format("{}: {}: {} {}", backend.name, c.line, state_name(c.verdict.state), c.verdict.message),
                  replay(backend, c.line));
  }
  return report.count(State::passed);
}

void refuse_declared_flushing(const Setting &setting, const Backend &backend) {
  for (const KernelFacts &kernel : load(setting, backend)->kernels()) {
    if ((kernel.flags & RAYO_KERNEL_FLUSHES) == 0) continue;
    throw Refuted(
        fmt::format("{}: its kernel of {} ({}) declares that it flushes", backend.name, kernel.op, kernel.types));
  }
}

}  // namespace

std::string avx512_against_avx2(const Setting &setting) {
  constexpr double kGoal = 1.5;
  const Backend &avx512 = setting.need("avx512");
  const Backend &avx2 = setting.need("avx2");
  std::string text;
  bool upheld = true;
  bool refuted = false;
  for (const Workload &w : workloads()) {
    setting.step(fmt::format("timing {} on avx2 and avx512", w.op));
    const Timed slow(avx2, w, "uniform");
    const Timed fast(avx512, w, "uniform");
    const TimeRatio ratio = ratio_of(slow.runner(), fast.runner());
    text += fmt::format("{}{} {:.2f}x (quartiles {:.2f} to {:.2f}{})", text.empty() ? "" : ", ", w.op, ratio.median,
                        ratio.low, ratio.high, w.bound_by_memory ? "; bound by memory, not judged" : "");
    if (w.bound_by_memory) continue;
    upheld = upheld && ratio.median >= kGoal;
    refuted = refuted || ratio.high < kGoal;
  }
  text = "time(avx2) / time(avx512), one thread, f32, 41 interleaved rounds: " + text;
  if (refuted) throw Refuted(text);
  if (!upheld) throw NotEvaluated(text + ": 1.5 lies within the spread");
  return text;
}

std::string subnormals_kept(const Setting &setting) {
  std::uint64_t passed = 0;
  std::string times;
  for (const Backend *backend : setting.ready()) {
    refuse_declared_flushing(setting, *backend);
    passed += judge_subnormal_cases(setting, *backend);
    const auto subject = load(setting, *backend);
    for (const Workload &w : {Workload{"mul", {{4096}, {4096}}, {4096}, false}, workloads()[1], workloads()[0]}) {
      if (subject->classes(w.op, Dtype::f32).empty()) continue;
      setting.step(fmt::format("{}: timing {} on subnormal inputs", backend->file, w.op));
      const Timed normal(*backend, w, "uniform");
      const Timed subnormal(*backend, w, "subnormal");
      times += fmt::format("{}{} {} {:.2f}x", times.empty() ? "" : ", ", backend->name, w.op,
                           ratio_of(subnormal.runner(), normal.runner()).median);
    }
  }
  if (passed == 0) throw NotEvaluated("no case of subnormal inputs was executed");
  return fmt::format("{} cases of subnormal inputs right, none flushed; time against normal inputs: {}",
                     grouped(passed), times);
}

}  // namespace rayo::conform::claims
