// SPDX-License-Identifier: Apache-2.0
//
// Claims about results on Vulkan devices: the suite's cases of an op, run by the plugin alone, so that nothing but a
// Vulkan device can have computed them; and every driver of the machine in turn.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "claims/vulkan.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::claims {
namespace {

std::vector<Case> f32_cases(const std::vector<std::string> &ops, bool quick, std::uint64_t seed) {
  std::vector<Case> cases = generate(ops, quick, seed);
  std::erase_if(cases, [](const Case &c) { return c.dtype != Dtype::f32; });
  return cases;
}

// Cases that passed; throws Refuted for a defect.
std::string judge_cases_on(const Setting &setting, const Backend &backend, const VulkanDevice &device,
                           const std::vector<Case> &cases) {
  SessionOptions options;
  if (!setting.reference.empty()) options.reference = setting.reference;
  for (const Backend &other : setting.backends) {
    if (other.name == "scalar" && other.reason.empty()) options.reference = other.file;
  }
  options.progress = [&](std::size_t done, std::size_t total) {
    if (done % 16 == 0) setting.step(fmt::format("{}: {} of {} cases", device.name, done, total));
  };
  setting.step(fmt::format("{}: {} cases", device.name, cases.size()));
  const PluginReport report = judge_plugin(backend.file, cases, options);
  if (!report.refused.empty()) throw Refuted(fmt::format("{}: {}", device.name, report.refused));
  double worst = 0;
  for (const CaseResult &c : report.cases) {
    if (is_defect(c.verdict.state)) {
      throw Refuted(fmt::format("{}: {}: {} {}", device.name, c.line, state_name(c.verdict.state), c.verdict.message),
                    replay(backend, c.line));
    }
    if (c.verdict.state == State::passed && c.verdict.bound > 0)
      worst = std::max(worst, c.verdict.error_ulp / c.verdict.bound);
  }
  if (report.count(State::passed) == 0) throw NotEvaluated(fmt::format("{}: no case was executed", device.name));
  return fmt::format("{} cases right on {} ({}), at most {:.2f} of the bound, {} unsupported",
                     report.count(State::passed), device.id, device.name, worst, report.count(State::unsupported));
}

std::string right_on_vulkan(const Setting &setting, const std::string &op) {
  const Backend &backend = setting.need("vulkan");
  const VulkanDevice device = vulkan_devices(backend).front();
  return judge_cases_on(setting, backend, device, f32_cases({op}, true, setting.seed));
}

}  // namespace

std::string vulkan_add(const Setting &s) { return right_on_vulkan(s, "add"); }
std::string vulkan_mul(const Setting &s) { return right_on_vulkan(s, "mul"); }
std::string vulkan_dot(const Setting &s) { return right_on_vulkan(s, "dot"); }
std::string vulkan_relu(const Setting &s) { return right_on_vulkan(s, "relu"); }
std::string vulkan_sigmoid(const Setting &s) { return right_on_vulkan(s, "sigmoid"); }
std::string vulkan_tanh(const Setting &s) { return right_on_vulkan(s, "tanh"); }
std::string vulkan_gelu(const Setting &s) { return right_on_vulkan(s, "gelu"); }
std::string vulkan_swish(const Setting &s) { return right_on_vulkan(s, "swish"); }
std::string vulkan_softmax(const Setting &s) { return right_on_vulkan(s, "softmax"); }
std::string vulkan_matmul(const Setting &s) { return right_on_vulkan(s, "matmul"); }

std::string every_vulkan_driver(const Setting &setting) {
  const Backend &backend = setting.need("vulkan");
  const std::vector<Case> cases = f32_cases({"add", "exp", "reduce_sum", "softmax", "matmul"}, true, setting.seed);
  std::string text;
  const std::vector<VulkanDevice> devices = vulkan_devices(backend);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    // The plugin shows this one alone; this process is the decider's own.
    ::setenv("RAYO_VULKAN_DEVICES", std::to_string(i).c_str(), 1);
    text += (text.empty() ? "" : "; ") + judge_cases_on(setting, backend, devices[i], cases);
  }
  ::unsetenv("RAYO_VULKAN_DEVICES");
  return fmt::format("{}; Metal and DX12: no backend on this system, not evaluated", text);
}

}  // namespace rayo::conform::claims
