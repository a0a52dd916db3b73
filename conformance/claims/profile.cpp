// SPDX-License-Identifier: Apache-2.0
//
// Claims about device profiles: a threshold that a profile states is the one in effect, to the element.
#include "claims/profile.hpp"

#include <fmt/format.h>
#include <rayo/profile.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "claims/bare_runtime.hpp"
#include "claims/calls.hpp"

namespace rayo::conform::claims {
namespace {

using nlohmann::json;
using PlanPtr = std::unique_ptr<rayo_plan, decltype(&rayo_plan_destroy)>;

// What the profile chooses for add f32 on n elements.
rayo_selection selection(const BareRuntime &runtime, std::int64_t n, std::uint32_t threads) {
  const Shape shape{n};
  const rayo_tensor tensor = rayo_tensor_make(nullptr, dtype_dl(Dtype::f32), 1, shape.data(), nullptr);
  const rayo_tensor *inputs[] = {&tensor, &tensor};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = threads;
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("add");
  desc.inputs = inputs;
  desc.input_count = 2;
  desc.options = &options;
  rayo_plan *plan = nullptr;
  if (rayo_plan_create(runtime.get(), &desc, &plan) != RAYO_OK) throw CallFailed(last_error());
  const PlanPtr owner(plan, rayo_plan_destroy);
  rayo_selection out{};
  out.struct_size = sizeof out;
  out.struct_type = RAYO_TYPE_SELECTION;
  if (rayo_plan_select(plan, &out) != RAYO_OK) throw CallFailed(last_error());
  return out;
}

void load(const BareRuntime &runtime, const WrittenProfile &profile) {
  if (rayo_runtime_load_profile(runtime.get(), profile.path().c_str()) != RAYO_OK) throw CallFailed(last_error());
}

constexpr std::int64_t kThresholds[] = {2, 3, 100, 777, 4096, 12345, 99991, 1000003};

// Two plugins for CPUs, the scalar one first.
std::vector<const Backend *> two_cpus(const Setting &setting) {
  std::vector<const Backend *> out;
  for (const Backend *b : setting.ready()) {
    if (b->gpu || (b->name != "scalar" && b->name != "avx2" && b->name != "avx512" && b->name != "neon")) continue;
    if (out.size() < 2) out.push_back(b);
  }
  if (out.size() < 2) throw NotEvaluated("needs two CPU plugins that have add: a threshold lies between two devices");
  return out;
}

void expect(bool right, const std::string &evidence) {
  if (!right) throw Refuted(evidence);
}

}  // namespace

WrittenProfile::WrittenProfile(const std::vector<ProfileWay> &ways, const std::vector<std::uint64_t> &from) {
  json plugins = json::array();
  json candidates = json::array();
  std::vector<std::uint32_t> order;
  std::uint32_t most = 1;
  for (const ProfileWay &way : ways) {
    order.push_back(static_cast<std::uint32_t>(candidates.size()));
    candidates.push_back({{"plugin", plugins.size()},
                          {"device", way.plugin},
                          {"kernel", ""},
                          {"threads", way.threads},
                          {"checked", "none"}});
    plugins.push_back({{"name", way.plugin}, {"sha256", way.sha256}, {"version", ""}});
    most = std::max(most, way.threads);
  }
  const json row = {{"threads", most}, {"class", 0}, {"level", 0}, {"from", from}, {"candidate", order}};
  const json entry = {{"op", "add"},
                      {"schema_version", 1},
                      {"types", "T=f32"},
                      {"layout", "contiguous"},
                      {"residency", "host"},
                      {"candidates", candidates},
                      {"surfaces", json::array()},
                      {"choices", json::array({row})},
                      {"rejected", json::array()}};
  const json machine = {{"class", "*"},   {"instance", ""},          {"cpu", ""}, {"isa", ""}, {"caches", ""},
                        {"topology", ""}, {"devices", json::array()}};
  const json profile = {{"schema", "urn:rayo:profile:1"},
                        {"created", ""},
                        {"kind", "written"},
                        {"complete", true},
                        {"machine", machine},
                        {"plugins", plugins},
                        {"transfers", json::array()},
                        {"entries", json::array({entry})}};
  path_ = (std::filesystem::temp_directory_path() / "rayo-claim-XXXXXX").string();
  const int fd = ::mkstemp(path_.data());
  if (fd < 0) throw NotEvaluated("no temporary file for a profile");
  ::close(fd);
  std::ofstream(path_) << profile.dump();
}

WrittenProfile::~WrittenProfile() { ::unlink(path_.c_str()); }

std::string device_threshold(const Setting &setting) {
  const std::vector<const Backend *> cpus = two_cpus(setting);
  const BareRuntime runtime({cpus[0]->file, cpus[1]->file}, 1);
  for (const std::int64_t n : kThresholds) {
    setting.step(fmt::format("a profile that changes the device at {} elements", n));
    load(runtime, WrittenProfile({{cpus[0]->name, cpus[0]->sha256}, {cpus[1]->name, cpus[1]->sha256}},
                                 {0, static_cast<std::uint64_t>(n)}));
    const rayo_selection below = selection(runtime, n - 1, 1);
    const rayo_selection at = selection(runtime, n, 1);
    expect(below.level == RAYO_LEVEL_PROFILE && at.level == RAYO_LEVEL_PROFILE, "the profile does not decide");
    expect(cpus[0]->name == below.device,
           fmt::format("threshold {}: {} elements go to {}, not {}", n, n - 1, below.device, cpus[0]->name));
    expect(cpus[1]->name == at.device,
           fmt::format("threshold {}: {} elements go to {}, not {}", n, n, at.device, cpus[1]->name));
  }
  return fmt::format("{} thresholds from {} to {}: n - 1 elements of add f32 go to {}, n to {}", std::size(kThresholds),
                     kThresholds[0], grouped(static_cast<std::uint64_t>(*std::rbegin(kThresholds))), cpus[0]->name,
                     cpus[1]->name);
}

std::string thread_threshold(const Setting &setting) {
  const Backend &cpu = *two_cpus(setting)[1];
  const BareRuntime runtime({cpu.file}, 2);
  for (const std::int64_t n : kThresholds) {
    setting.step(fmt::format("a profile that goes to two threads at {} elements", n));
    load(runtime,
         WrittenProfile({{cpu.name, cpu.sha256, 1}, {cpu.name, cpu.sha256, 2}}, {0, static_cast<std::uint64_t>(n)}));
    const rayo_selection below = selection(runtime, n - 1, 2);
    const rayo_selection at = selection(runtime, n, 2);
    expect(below.level == RAYO_LEVEL_PROFILE && at.level == RAYO_LEVEL_PROFILE, "the profile does not decide");
    expect(below.threads == 1, fmt::format("threshold {}: {} elements get {} threads", n, n - 1, below.threads));
    // A kernel may have no use for a second thread on few elements: what it gets is then one again.
    expect(at.threads == 2 || n < 1000000, fmt::format("threshold {}: {} elements get {} threads", n, n, at.threads));
    const rayo_selection narrow = selection(runtime, n, 1);
    expect(narrow.threads == 1, fmt::format("threshold {}: a call of one thread gets {}", n, narrow.threads));
  }
  return fmt::format(
      "{} thresholds: n - 1 elements of add f32 on {} get 1 thread, n get 2 (a call limited to 1 gets 1)",
      std::size(kThresholds), cpu.name);
}

}  // namespace rayo::conform::claims
