// SPDX-License-Identifier: Apache-2.0
//
// Claims that need a real GPU: the suite's cases on its plugin, judged against the oracle and, where the class is
// reproducible, against scalar's bits. A device that is software in a GPU's clothes decides nothing here.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::claims {
namespace {

const Backend &need_cuda(const Setting &setting) {
  const Backend &cuda = setting.need("cuda");
  if (!cuda.gpu) throw NotEvaluated("plugin cuda is ready, but its device is software: this needs a real NVIDIA GPU");
  return cuda;
}

std::string reference_of(const Setting &setting) {
  for (const Backend &b : setting.backends) {
    if (b.name == "scalar" && b.reason.empty()) return b.file;
  }
  return setting.reference;
}

PluginReport judge(const Setting &setting, const Backend &backend, const std::vector<Case> &cases,
                   const std::string &what) {
  setting.step(fmt::format("{}: {} cases of {}", backend.file, cases.size(), what));
  SessionOptions options;
  options.lanes = 1;
  options.reference = reference_of(setting);
  options.progress = [&](std::size_t done, std::size_t total) {
    if (done % 64 == 0) setting.step(fmt::format("{}: {} of {} cases of {}", backend.name, done, total, what));
  };
  PluginReport report = judge_plugin(backend.file, cases, options);
  if (!report.refused.empty()) throw Refuted(backend.name + ": " + report.refused);
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state)) continue;
    throw Refuted(fmt::format("{}: {}: {} {}", backend.name, c.line, state_name(c.verdict.state), c.verdict.message),
                  replay(backend, c.line));
  }
  return report;
}

/// All of them on the CUDA plugin; at least one must have been executed.
std::string decide_cases(const Setting &setting, const std::vector<Case> &cases, const std::string &what) {
  const Backend &cuda = need_cuda(setting);
  const PluginReport report = judge(setting, cuda, cases, what);
  const auto passed = report.count(State::passed);
  if (passed == 0) throw NotEvaluated("no case of " + what + " was executed");
  return fmt::format("{} of {} cases of {} executed on the GPU, all right", grouped(passed), grouped(cases.size()),
                     what);
}

std::vector<Case> parse_all(std::initializer_list<const char *> lines) {
  std::vector<Case> cases;
  for (const char *line : lines) cases.push_back(parse_case(line));
  return cases;
}

std::vector<Case> generated(const Setting &setting, const std::set<std::string_view> &ops) {
  std::vector<Case> cases = generate({}, !setting.nightly, setting.seed);
  std::erase_if(cases, [&](const Case &c) { return !ops.empty() && !ops.contains(c.op); });
  return cases;
}

/// f32 cases around the sizes of warps, blocks of threads, blocks of the lane and the chain order.
std::vector<Case> odd_cases(const Setting &setting) {
  std::vector<Case> cases;
  for (const Typed &typed : all_typed_ops()) {
    for (const std::int64_t n : {1, 31, 33, 63, 65, 127, 129, 255, 257, 1023, 1025, 16385, 65537}) {
      auto c = sized_case(*typed.op, typed.types, n, "uniform", setting.seed);
      if (c) cases.push_back(std::move(*c));
    }
  }
  for (Case &c : parse_all({"matmul f32 1x1,1x1 - 0 uniform 1", "matmul f32 127x129,129x131 - 0 uniform 1",
                            "matmul f32 129x1,1x127 - 0 uniform 1", "matmul f32 3x33x65,65x31 - 0 uniform 1",
                            "transpose f32 31x33 - 0 uniform 1", "reduce_sum f32 257x3 - 0 uniform 1 axes=0"})) {
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace

std::string cuda_softmax_large(const Setting &setting) {
  std::vector<Case> cases =
      parse_all({"softmax f32 7x1000 - 0 offset 1 axis=1", "softmax f32 7x1000 - 0 loguniform 1 axis=1",
                 "softmax f32 3x20000 - 0 offset 1 axis=1", "softmax f32 300x5 - 0 loguniform 1 axis=0"});
  for (Case &c : generated(setting, {"softmax"})) cases.push_back(std::move(c));
  return decide_cases(setting, cases, "softmax, large inputs among them");
}

std::string cuda_layer_norm_constant(const Setting &setting) {
  return decide_cases(setting,
                      parse_all({"layer_norm f32 5x300,300 - 0 ones 1", "layer_norm f32 5x1,1 - 0 uniform 1",
                                 "layer_norm f32 2x20000,20000 - 0 ones 1"}),
                      "layer_norm over rows of zero variance");
}

std::string cuda_quantize(const Setting &setting) {
  return decide_cases(setting, generated(setting, {"quantize_linear"}), "quantize_linear, whose outputs saturate");
}

std::string cuda_odd_shapes(const Setting &setting) {
  return decide_cases(setting, odd_cases(setting), "shapes that leave part of a warp, block or tile over");
}

std::string gpus_within_bounds(const Setting &setting) {
  std::string text;
  for (const Backend &b : setting.backends) {
    if (!b.gpu || !b.reason.empty()) continue;
    const PluginReport report = judge(setting, b, generated(setting, {}), "the suite");
    if (report.count(State::passed) == 0) continue;
    text += fmt::format("{}{}: {} cases executed, all right", text.empty() ? "" : ", ", b.name,
                        grouped(report.count(State::passed)));
  }
  if (text.empty()) {
    throw NotEvaluated(fmt::format("none of the {} plugins found brings a GPU device", setting.backends.size()));
  }
  return text;
}

std::string cuda_kernels(const Setting &setting) {
  const Backend &cuda = need_cuda(setting);
  const PluginReport report = judge(setting, cuda, generated(setting, {}), "the suite");
  std::set<std::string> executed;
  for (const CaseResult &c : report.cases) {
    if (c.verdict.state == State::passed) executed.insert(parse_case(c.line).op);
  }
  // A second kernel of an op is only reached where a policy or a profile prefers it.
  std::set<std::string> seen;
  std::string missed;
  for (const KernelFacts &k : load(setting, cuda)->kernels()) {
    const bool first = seen.insert(k.op + k.types).second;
    if (first && executed.contains(k.op)) continue;
    missed +=
        fmt::format("{}{} ({})", missed.empty() ? "" : ", ", k.op, first ? "not in the suite" : "a further kernel");
  }
  std::string text =
      fmt::format("{} ops right in {} cases on the GPU", executed.size(), grouped(report.count(State::passed)));
  if (!missed.empty()) throw NotEvaluated(fmt::format("{}; not reached by the suite: {}", text, missed));
  return text;
}

}  // namespace rayo::conform::claims
