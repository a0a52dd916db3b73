// SPDX-License-Identifier: Apache-2.0
//
// Claims about the choice that a call goes through: that there is one without a GPU, that it is the same each time,
// that it costs little.
#include <fmt/format.h>
#include <rayo/profile.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>

#include "claims/bare_runtime.hpp"
#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "claims/profile.hpp"
#include "claims/timing.hpp"

namespace rayo::conform::claims {
namespace {

struct Choice {
  std::string plugin;
  std::string kernel;
  std::string reason;
  std::string level;
  std::uint32_t threads = 0;
  friend bool operator==(const Choice &, const Choice &) = default;
};

Choice choose(const BareRuntime &runtime, const DenseCall &call, std::uint32_t threads) {
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = threads;
  const rayo_call_desc desc = call.desc(&options);
  rayo_explanation *explanation = nullptr;
  if (rayo_explain(runtime.get(), &desc, &explanation) != RAYO_OK) throw CallFailed("explain: " + last_error());
  const std::unique_ptr<rayo_explanation, decltype(&rayo_explanation_destroy)> owner(explanation,
                                                                                     &rayo_explanation_destroy);
  const std::int32_t chosen = rayo_explanation_chosen(explanation);
  if (chosen < 0) throw CallFailed("explain: nobody can run the call");
  rayo_candidate candidate{};
  candidate.struct_size = sizeof candidate;
  candidate.struct_type = RAYO_TYPE_CANDIDATE;
  if (rayo_explanation_get(explanation, static_cast<std::uint32_t>(chosen), &candidate) != RAYO_OK) {
    throw CallFailed("explain: " + last_error());
  }
  return {candidate.plugin, candidate.kernel, candidate.reason, rayo_explanation_level(explanation), candidate.threads};
}

// Files of every ready plugin without a GPU.
std::vector<std::string> cpu_files(const Setting &setting) {
  std::vector<std::string> files;
  for (const Backend *backend : setting.ready()) {
    if (!backend->gpu) files.push_back(backend->file);
  }
  if (files.empty()) throw NotEvaluated("no CPU plugin is ready");
  return files;
}

std::vector<std::unique_ptr<DenseCall>> typical_calls() {
  std::vector<std::unique_ptr<DenseCall>> calls;
  const auto add = [&](const char *op, std::vector<Shape> in, Shape out) {
    calls.push_back(std::make_unique<DenseCall>(op, Dtype::f32, std::move(in), std::move(out)));
    calls.back()->fill("uniform", 1);
  };
  add("add", {{1000000}, {1000000}}, {1000000});
  add("exp", {{1000000}}, {1000000});
  add("matmul", {{256, 256}, {256, 256}}, {256, 256});
  add("softmax", {{500, 1000}}, {500, 1000});
  add("reduce_sum", {{1000000}}, {1});
  return calls;
}

constexpr std::array<std::string_view, 5> kTypicalOps = {"add", "exp", "matmul", "softmax", "reduce_sum"};

// Names of the plugins that compute in vectors, of those ready.
std::string simd_plugin(const Setting &setting) {
  for (const std::string_view name : {"avx512", "avx2", "neon"}) {
    for (const Backend *b : setting.ready()) {
      if (b->name == name) return b->name;
    }
  }
  throw NotEvaluated("no SIMD plugin (avx512, avx2, neon) is ready: there is nothing to fall back on but scalar");
}

}  // namespace

std::string falls_back_without_gpu(const Setting &setting) {
  const std::string widest = simd_plugin(setting);
  const BareRuntime runtime(cpu_files(setting), 2);
  std::string shown;
  std::size_t threaded = 0;
  const auto calls = typical_calls();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    setting.step(fmt::format("{} without a GPU", kTypicalOps[i]));
    const Choice choice = choose(runtime, *calls[i], 2);
    if (choice.plugin != widest) {
      throw Refuted(fmt::format("{}: explain names {} ({}), not the SIMD plugin {}", kTypicalOps[i], choice.plugin,
                                choice.reason, widest),
                    fmt::format("rayo explain {} --shape ...", kTypicalOps[i]));
    }
    threaded += choice.threads > 1 ? 1 : 0;
    BoundPlan(runtime, *calls[i], 2).run();
    const std::vector<std::byte> automatic = calls[i]->output();
    std::fill(calls[i]->output().begin(), calls[i]->output().end(), std::byte{0xA5});
    BoundPlan(runtime, *calls[i], 2, widest.c_str()).run();
    if (automatic != calls[i]->output()) {
      throw Refuted(fmt::format("{}: device auto and device {} give other bits", kTypicalOps[i], widest));
    }
    shown = choice.reason;
  }
  if (threaded == 0) throw Refuted("none of the calls uses the 2 threads it may");
  return fmt::format("{} of {} calls ran on {} ({} of them on 2 threads) as explain says: \"{}\"", calls.size(),
                     calls.size(), widest, threaded, shown);
}

std::string same_choice(const Setting &setting) {
  const std::vector<std::string> files = cpu_files(setting);
  const auto calls = typical_calls();
  std::vector<Choice> first;
  std::uint64_t compared = 0;
  // 10 runtimes, 100 questions each: neither a warm table nor a fresh one may change the answer.
  for (int round = 0; round < 10; ++round) {
    setting.step(fmt::format("asking who runs a call, runtime {}", round));
    const BareRuntime runtime(files, 2);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      for (int question = 0; question < 100; ++question) {
        const Choice choice = choose(runtime, *calls[i], 2);
        if (first.size() == i) first.push_back(choice);
        ++compared;
        if (choice == first[i]) continue;
        throw Refuted(fmt::format("{}: question {} of runtime {} was answered {} / {}, the first {} / {}",
                                  kTypicalOps[i], question, round, choice.plugin, choice.kernel, first[i].plugin,
                                  first[i].kernel));
      }
    }
  }
  return fmt::format(
      "{} answers equal (plugin, kernel, threads, reason): {} calls, 1000 questions each in 10 runtimes; "
      "add goes to {}",
      grouped(compared), calls.size(), first[0].plugin);
}

// rayo_plan_select chooses anew for a bound call: the choice without validation, binding or run. The profile decides
// for some of the shapes, so that the look-up goes all the way. What an eager call costs beside a bound one is told
// too.
std::string choice_time(const Setting &setting) {
  constexpr std::size_t kShapes = 64;
  const BareRuntime runtime(cpu_files(setting), 1);
  std::vector<ProfileWay> ways;
  for (const Backend *b : setting.ready()) {
    if (!b->gpu && (b->name == "scalar" || b->name == simd_plugin(setting))) ways.push_back({b->name, b->sha256, 1});
  }
  const WrittenProfile profile(ways,
                               ways.size() < 2 ? std::vector<std::uint64_t>{0} : std::vector<std::uint64_t>{0, 32});
  if (rayo_runtime_load_profile(runtime.get(), profile.path().c_str()) != RAYO_OK) throw CallFailed(last_error());
  std::vector<std::unique_ptr<DenseCall>> calls;
  std::vector<std::unique_ptr<BoundPlan>> plans;
  for (std::size_t i = 0; i < kShapes; ++i) {
    const auto n = static_cast<std::int64_t>(i + 1);
    calls.push_back(std::make_unique<DenseCall>("add", Dtype::f32, std::vector<Shape>{{n}, {n}}, Shape{n}));
    calls.back()->fill("uniform", 1);
    plans.push_back(std::make_unique<BoundPlan>(runtime, *calls.back(), 1));
  }
  setting.step("timing choices for add f32 on 1 to 64 elements");
  rayo_selection selection{};
  selection.struct_size = sizeof selection;
  selection.struct_type = RAYO_TYPE_SELECTION;
  std::uint64_t by_profile = 0;
  const Measured choice = measure(
      [&](std::size_t i) {
        rayo_plan_select(plans[i % kShapes]->get(), &selection);
        by_profile += selection.level == RAYO_LEVEL_PROFILE ? 1 : 0;
      },
      kShapes * 16);
  if (by_profile == 0) throw NotEvaluated("the profile decided none of the choices that were timed");
  const Measured bound = measure([&](std::size_t) { plans[15]->run(); }, 64);
  const DenseCall &call = *calls[15];
  const Measured seen = measure(
      [&](std::size_t) {
        if (rayo_run(runtime.get(), call.op(), call.inputs(), 2, call.outputs(), 1, nullptr) != RAYO_OK) {
          throw CallFailed(last_error());
        }
      },
      64);
  std::string text = fmt::format(
      "choosing by a profile takes {:.0f} ns (median of {} rounds over {} shapes); an eager call of a shape just seen "
      "costs {:.0f} ns more than a bound plan's {:.0f} ns",
      choice.median_ns, choice.rounds, kShapes, seen.median_ns - bound.median_ns, bound.median_ns);
  if (choice.median_ns > 1000) throw Refuted(text);
  return text;
}

}  // namespace rayo::conform::claims
