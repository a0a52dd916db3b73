// SPDX-License-Identifier: Apache-2.0
//
// Claims that a call repeated gives its bits again: on the same memory, on inputs drawn anew, with other thread
// counts, at every size, on every kind of value.
#include <fmt/format.h>
#include <rayo/plugin.h>

#include <array>
#include <initializer_list>

#include "claims/calls.hpp"
#include "claims/claim.hpp"

namespace rayo::conform::claims {
namespace {

struct Plan {
  int runs = 2;  // per thread count, the first included
  std::vector<std::uint32_t> threads = {0};
  bool redraw = false;  // inputs made anew for every run, from the same seed
};

// The case with the conditions under which a run differed, so that the suite repeats just that.
std::string line_of(Case c, std::uint32_t threads, int runs) {
  c.threads = threads;
  c.repeat = static_cast<std::uint32_t>(runs);
  return format_case(c);
}

// How many threads the runtime would give this call; 1 if it cannot say.
std::uint32_t threads_used(const Subject &subject, BoundCase &call) {
  const AttrPack attrs(call.call(), *find_op(call.call().op));
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find(call.call().op.c_str());
  desc.input_count = static_cast<std::uint32_t>(call.inputs().pointers.size());
  desc.inputs = call.inputs().pointers.data();
  desc.attrs = attrs.list();
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.threads = 7;
  desc.options = &options;
  rayo_explanation *explanation = nullptr;
  if (rayo_explain(subject.runtime(), &desc, &explanation) != RAYO_OK) return 1;
  rayo_candidate candidate{};
  candidate.struct_size = sizeof candidate;
  candidate.struct_type = RAYO_TYPE_CANDIDATE;
  const std::int32_t chosen = rayo_explanation_chosen(explanation);
  std::uint32_t threads = 1;
  if (chosen >= 0 && rayo_explanation_get(explanation, static_cast<std::uint32_t>(chosen), &candidate) == RAYO_OK) {
    threads = candidate.threads;
  }
  rayo_explanation_destroy(explanation);
  return threads;
}

class Repeater {
 public:
  Repeater(const Setting &setting, Plan plan) : setting_(setting), plan_(std::move(plan)) {}

  // Throws Refuted at the first run whose bits are not those of the first run of all.
  void repeat(const Backend &backend, const Subject &subject, const Case &c, const BoundCase *same = nullptr) {
    setting_.step(replay(backend, line_of(c, 0, plan_.runs)));
    BoundCase call(c, subject, same);
    if (!call.supported() || subject.has_flag(c.op, c.dtype, RAYO_KERNEL_NONDETERMINISTIC)) return;
    if (threads_used(subject, call) > 1) ++threaded_;
    try {
      compare_runs(backend, subject, call);
    } catch (const CallFailed &failed) {
      throw Refuted(fmt::format("{}: the call failed: {}", backend.name, failed.what()),
                    replay(backend, format_case(c)));
    }
  }

  std::uint64_t threaded() const { return threaded_; }
  const Tally &tally() const { return tally_; }

 private:
  void compare_runs(const Backend &backend, const Subject &subject, BoundCase &call) {
    if (!call.run(plan_.threads.front())) return;
    const auto first = call.bytes();
    std::uint64_t compared = 0;
    for (const std::uint32_t threads : plan_.threads) {
      for (int run = compared == 0 ? 1 : 0; run < plan_.runs; ++run) {
        std::unique_ptr<BoundCase> fresh;
        if (plan_.redraw) fresh = std::make_unique<BoundCase>(call.call(), subject);
        BoundCase &again = fresh ? *fresh : call;
        again.run(threads);
        const std::string text =
            difference(call, first, again.bytes(), "run 0", fmt::format("run {} with {} threads", run, threads));
        if (!text.empty()) {
          throw Refuted(fmt::format("{}: {}: {}", backend.name, format_case(call.call()), text),
                        replay(backend, line_of(call.call(), threads, plan_.runs)));
        }
        ++compared;
      }
    }
    tally_.count(backend, call.call(), compared);
  }

  const Setting &setting_;
  Plan plan_;
  Tally tally_;
  std::uint64_t threaded_ = 0;
};

// Every op and type at these sizes, on these values, on the given backends.
Repeater repeat_all(const Setting &setting, const std::vector<const Backend *> &backends, Plan plan,
                    std::initializer_list<std::int64_t> sizes, std::span<const std::string_view> values) {
  Repeater repeater(setting, std::move(plan));
  for (const Backend *backend : backends) {
    const auto subject = load(setting, *backend);
    for (const Typed &typed : all_typed_ops()) {
      if (subject->classes(typed.op->name, typed.types[0]).empty()) continue;
      for (const std::int64_t size : sizes) {
        for (const std::string_view name : values) {
          const auto c = sized_case(*typed.op, typed.types, size, name, setting.seed);
          if (c) repeater.repeat(*backend, *subject, *c);
        }
      }
    }
  }
  return repeater;
}

// The first type of every op on 10,000,000 elements. The inputs are drawn once for all backends: that is dearer than
// the calls.
Tally repeat_large(const Setting &setting, const std::vector<const Backend *> &backends) {
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const Backend *backend : backends) subjects.push_back(load(setting, *backend));
  Repeater large(setting, {2, {1, 2}, false});
  for (const OpInfo &op : catalogue()) {
    std::vector<Dtype> types;
    for (std::size_t v = 0; !op_dtypes(op, v).empty(); ++v) types.push_back(op_dtypes(op, v).front());
    const auto c = sized_case(op, types, 10000000, "uniform", setting.seed);
    std::unique_ptr<BoundCase> drawn;
    for (std::size_t i = 0; c && i < backends.size(); ++i) {
      if (subjects[i]->classes(op.name, types[0]).empty()) continue;
      if (!drawn) {
        setting.step(fmt::format("drawing the inputs of {}", format_case(*c)));
        drawn = std::make_unique<BoundCase>(*c, *subjects[i]);
      }
      large.repeat(*backends[i], *subjects[i], *c, drawn.get());
    }
  }
  return large.tally();
}

std::string repeats_on(const Setting &setting, std::initializer_list<std::string_view> values, std::string_view what) {
  const std::vector<std::string_view> names(values);
  const Repeater done = repeat_all(setting, setting.ready(), {10, {1, 2, 7}, false}, {141, 10007}, names);
  return done.tally().text(fmt::format("bit comparisons of repeated runs (1, 2, 7 threads) on {}", what));
}

}  // namespace

std::string scalar_repeats(const Setting &setting) {
  constexpr std::array<std::string_view, 2> kValues = {"uniform", "sprinkled"};
  const Repeater done = repeat_all(setting, {&setting.need("scalar")}, {1000, {0}, false}, {257}, kValues);
  return done.tally().text("bit comparisons of a run with the first of 1000");
}

std::string repeats_with_redrawn_inputs(const Setting &setting) {
  constexpr std::array<std::string_view, 1> kValues = {"sprinkled"};
  const Repeater done = repeat_all(setting, setting.ready(), {100, {0}, true}, {1001}, kValues);
  return done.tally().text("bit comparisons of a run with the first of 100, inputs drawn anew from the seed each time");
}

std::string thread_counts(const Setting &setting) {
  constexpr std::array<std::string_view, 1> kValues = {"uniform"};
  const Repeater done = repeat_all(setting, setting.ready(), {100, {1, 2, 7}, false}, {40001}, kValues);
  std::string text =
      done.tally().text("bit comparisons with the first run on one thread, 100 each with 1, 2, 7 threads");
  // Calls that stay on one thread whatever the budget prove nothing about threads.
  if (done.threaded() == 0) throw NotEvaluated(text + "; but no call used more than one thread");
  return fmt::format("{}; {} of the calls use several threads when 7 are allowed", text, done.threaded());
}

std::string repeats_at_sizes(const Setting &setting) {
  constexpr std::array<std::string_view, 1> kValues = {"uniform"};
  const std::vector<const Backend *> backends = setting.ready();
  const Repeater small =
      repeat_all(setting, backends, {3, {1, 2}, false},
                 {1,   2,   3,   4,   7,   8,   9,    15,   16,   17,   31,   32,   33,    63,    64,   65,
                  127, 128, 129, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 16384, 16385, 65537},
                 kValues);
  return fmt::format("{}; {} (products at 512^3)",
                     small.tally().text("bit comparisons of repeated runs (1, 2 threads) at 31 sizes from 1 to 65,537"),
                     repeat_large(setting, backends).text("at 10,000,000"));
}

std::string gpus_repeat(const Setting &setting) {
  constexpr std::array<std::string_view, 2> kValues = {"uniform", "sprinkled"};
  std::vector<const Backend *> gpus;
  for (const Backend &b : setting.backends) {
    if (b.gpu && b.reason.empty()) gpus.push_back(&b);
  }
  if (gpus.empty()) {
    throw NotEvaluated(fmt::format("none of the {} plugins found brings a GPU device", setting.backends.size()));
  }
  const Repeater done = repeat_all(setting, gpus, {100, {0}, false}, {1, 1001, 100003}, kValues);
  return done.tally().text("bit comparisons of a run on the GPU with the first of 100");
}

std::string repeats_on_extremes(const Setting &setting) {
  return repeats_on(setting, {"specials"}, "the table of special values (zeros, smallest, largest, ties)");
}

std::string repeats_on_subnormals(const Setting &setting) {
  return repeats_on(setting, {"subnormal"}, "subnormal inputs");
}

std::string repeats_on_nan(const Setting &setting) {
  return repeats_on(setting, {"nan", "onenan"}, "inputs of NaN alone and with one NaN");
}

std::string repeats_on_infinity(const Setting &setting) {
  return repeats_on(setting, {"neginf", "sprinkled"}, "inputs of -Inf alone and sprinkled with +-Inf");
}

}  // namespace rayo::conform::claims
