// SPDX-License-Identifier: Apache-2.0
//
// The claim about where the tuner sends calls: measured here, end to end and without the profile's numbers, on the
// device that the profile names. Data begins and ends where the call's operands live, so every transfer is in the time.
#include <fmt/format.h>
#include <rayo/device.h>
#include <rayo/profile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>

#include "claims/bare_runtime.hpp"
#include "claims/calls.hpp"
#include "claims/command_output.hpp"
#include "claims/profile.hpp"
#include "claims/timing.hpp"

namespace rayo::conform::claims {
namespace {

// A pick is wrong where the device takes this much longer than another way in the median: a breakpoint may lie within
// 10 % in size of where the times meet.
constexpr double kTolerance = 1.1;
// Where one measurement says so, the median of so many, apart in time, decides: a software device shares its CPUs with
// everything else that runs.
constexpr int kSpells = 3;

constexpr const char *kOps = "add,exp,softmax,matmul";

struct Workload {
  const char *op;
  std::vector<Shape> inputs;
  Shape output;
};

// Off the tuner's grid.
std::vector<Workload> workloads() {
  std::vector<Workload> out;
  for (const std::int64_t n : {100, 5000, 50000, 500000}) {
    out.push_back({"add", {{n}, {n}}, {n}});
    out.push_back({"exp", {{n}}, {n}});
  }
  for (const std::int64_t n : {24, 900}) out.push_back({"softmax", {{n, 200}}, {n, 200}});
  for (const std::int64_t n : {12, 48, 160}) out.push_back({"matmul", {{n, n}, {n, n}}, {n, n}});
  out.push_back({"matmul", {{6, 300}, {300, 200}}, {6, 200}});
  return out;
}

// A profile in a temporary file, tuned now by this program.
class TunedProfile {
 public:
  explicit TunedProfile(const Setting &setting) {
    if (const char *named = std::getenv("RAYO_PROFILE"); named != nullptr && std::string_view(named) != "none") {
      path_ = named;
      origin_ = fmt::format("RAYO_PROFILE={}", named);
      return;
    }
    folder_ = (std::filesystem::temp_directory_path() / "rayo-claim-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) throw NotEvaluated("no temporary folder for a profile");
    path_ = folder_ + "/profile.json";
    origin_ = "a profile tuned for this claim";
    std::vector<std::string> argv = {"/proc/self/exe", "tune", "--ops", kOps,  "--dtypes", "f32",
                                     "--budget",       "30",   "-o",    path_, "--json"};
    for (const Backend *b : setting.ready()) {
      argv.emplace_back("--plugin");
      argv.push_back(b->file);
    }
    for (const Backend &b : setting.backends) {
      if (b.host || !b.reason.empty()) continue;  // those above
      argv.emplace_back("--plugin");
      argv.push_back(b.file);
    }
    setting.step(fmt::format("rayo tune --ops {} --dtypes f32 --budget 30", kOps));
    const CommandOutput tuned = run_command(argv);
    if (!tuned.started || tuned.exit_status != 0 || !std::filesystem::exists(path_)) {
      throw NotEvaluated(fmt::format("rayo tune gave no profile ({}); name one by RAYO_PROFILE", tuned.error));
    }
  }
  ~TunedProfile() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  TunedProfile(const TunedProfile &) = delete;
  TunedProfile &operator=(const TunedProfile &) = delete;
  const std::string &path() const { return path_; }
  const std::string &origin() const { return origin_; }

 private:
  std::string folder_, path_, origin_;
};

// The operands of a call where they live: in host memory, or all of them on a device.
class PlacedCall {
 public:
  PlacedCall(const BareRuntime &runtime, const Workload &workload, const char *device)
      : call_(workload.op, Dtype::f32, workload.inputs, workload.output) {
    call_.fill("uniform", 1);
    for (std::uint32_t i = 0; i < call_.input_count(); ++i) inputs_.push_back(call_.inputs()[i]);
    outputs_.push_back(call_.outputs()[0]);
    if (device == nullptr) return;
    rayo_device *opened = nullptr;
    if (rayo_device_find(runtime.get(), device, &opened) != RAYO_OK) throw CallFailed(last_error());
    for (const rayo_tensor *&tensor : inputs_) tensor = move(opened, *tensor);
    outputs_[0] = move(opened, *outputs_[0]);
  }

  rayo_call_desc desc(const rayo_run_options *options) const {
    rayo_call_desc d = call_.desc(options);
    d.inputs = inputs_.data();
    d.outputs = outputs_.data();
    return d;
  }
  const rayo_tensor *const *inputs() const { return inputs_.data(); }
  const rayo_tensor *const *outputs() const { return outputs_.data(); }

 private:
  struct Resident {
    ~Resident() { rayo_buffer_destroy(buffer); }
    rayo_buffer *buffer = nullptr;
    rayo_tensor tensor{};
  };
  const rayo_tensor *move(rayo_device *device, const rayo_tensor &host) {
    auto &there = resident_.emplace_back(std::make_unique<Resident>());
    std::uint64_t bytes = 4;
    for (std::int32_t axis = 0; axis < host.dl.ndim; ++axis) bytes *= static_cast<std::uint64_t>(host.dl.shape[axis]);
    if (rayo_buffer_create(device, bytes, RAYO_MEMORY_DEVICE, &there->buffer) != RAYO_OK ||
        rayo_buffer_upload(there->buffer, 0, host.dl.data, bytes) != RAYO_OK ||
        rayo_buffer_tensor(there->buffer, 0, host.dl.dtype, host.dl.ndim, host.dl.shape, nullptr, &there->tensor) !=
            RAYO_OK) {
      throw CallFailed(last_error());
    }
    return &there->tensor;
  }

  DenseCall call_;
  std::vector<std::unique_ptr<Resident>> resident_;
  std::vector<const rayo_tensor *> inputs_, outputs_;
};

class Way {
 public:
  // device NULL: whoever the profile chooses.
  Way(const BareRuntime &runtime, const PlacedCall &call, const char *device, std::uint32_t threads) : call_(call) {
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.device = device;
    options.threads = threads;
    const rayo_call_desc desc = call.desc(&options);
    if (rayo_plan_create(runtime.get(), &desc, &plan_) != RAYO_OK) plan_ = nullptr;
  }
  ~Way() { rayo_plan_destroy(plan_); }
  Way(const Way &) = delete;
  Way &operator=(const Way &) = delete;
  bool possible() const { return plan_ != nullptr; }
  void run() const {
    if (rayo_plan_run(plan_, call_.inputs(), call_.outputs()) != RAYO_OK) throw CallFailed(last_error());
  }
  rayo_selection selection() const {
    rayo_selection out{};
    out.struct_size = sizeof out;
    out.struct_type = RAYO_TYPE_SELECTION;
    if (rayo_plan_select(plan_, &out) != RAYO_OK) throw CallFailed(last_error());
    return out;
  }

 private:
  const PlacedCall &call_;
  rayo_plan *plan_ = nullptr;
};

struct Apart {
  std::string id;
  std::string name;
  std::string plugin;
};

// The devices with memory of their own.
std::vector<Apart> devices_of(const BareRuntime &runtime) {
  std::vector<Apart> out;
  for (std::uint32_t i = 0; i < rayo_device_count(runtime.get()); ++i) {
    rayo_device_listing device{};
    device.struct_size = sizeof device;
    device.struct_type = RAYO_TYPE_DEVICE_LISTING;
    rayo_plugin_info plugin{};
    plugin.struct_size = sizeof plugin;
    plugin.struct_type = RAYO_TYPE_PLUGIN_INFO;
    if (rayo_device_get(runtime.get(), i, &device) != RAYO_OK ||
        rayo_plugin_get(runtime.get(), device.plugin, &plugin) != RAYO_OK) {
      throw CallFailed(last_error());
    }
    if (std::string_view(device.id) != plugin.name) out.push_back({device.id, device.name, plugin.name});
  }
  return out;
}

struct Score {
  std::uint64_t asked = 0;                                      // calls that the profile decided and the device can run
  std::uint64_t picked = 0;                                     // of them
  std::uint64_t compared = 0;                                   // pairs of ways
  double most_gain = 0;                                         // where it was picked: the best other way over it
  double worst = 0;                                             // where it was picked: it over the best other way
  double least_loss = std::numeric_limits<double>::infinity();  // where it was not: it over what was
};

void judge_pick(const Setting &setting, const BareRuntime &runtime, const Apart &device, const PlacedCall &call,
                const std::string &what, Score &score) {
  const std::uint32_t most = std::thread::hardware_concurrency() > 1 ? 2 : 1;
  const Way chosen(runtime, call, nullptr, most);
  const Way there(runtime, call, device.id.c_str(), most);
  if (!chosen.possible() || !there.possible()) return;
  const rayo_selection selection = chosen.selection();
  if (selection.level != RAYO_LEVEL_PROFILE) return;
  ++score.asked;
  setting.step(what);
  if (device.plugin != selection.plugin) {
    const TimeRatio ratio = ratio_of([&] { there.run(); }, [&] { chosen.run(); });
    ++score.compared;
    score.least_loss = std::min(score.least_loss, ratio.median);
    return;
  }
  ++score.picked;
  double best = std::numeric_limits<double>::infinity();
  for (const Backend *host : setting.ready()) {
    for (std::uint32_t threads = 1; threads <= most; ++threads) {
      const Way other(runtime, call, host->name.c_str(), threads);
      if (!other.possible()) continue;
      const auto measure = [&] { return ratio_of([&] { there.run(); }, [&] { other.run(); }).median; };
      double ratio = measure();
      if (ratio > kTolerance) {
        std::array<double, kSpells> all = {ratio};
        for (int spell = 1; spell < kSpells; ++spell) {
          std::this_thread::sleep_for(std::chrono::seconds(1));
          all[static_cast<std::size_t>(spell)] = measure();
        }
        std::sort(all.begin(), all.end());
        ratio = all[kSpells / 2];
      }
      ++score.compared;
      best = std::min(best, 1 / ratio);
      if (ratio > kTolerance) {
        throw Refuted(fmt::format(
            "{}: {} was picked, and took {:.2f} times what {} on {} threads takes, transfers included (median of {} "
            "measurements)",
            what, device.id, ratio, host->name, threads, kSpells));
      }
    }
  }
  score.worst = std::max(score.worst, 1 / best);
  score.most_gain = std::max(score.most_gain, best);
}

}  // namespace

std::string gpu_where_faster(const Setting &setting) {
  std::vector<std::string> files;
  for (const Backend &b : setting.backends) {
    if (b.reason.empty()) files.push_back(b.file);
  }
  (void)setting.ready();  // the host's plugins are what a device is compared with
  const BareRuntime runtime(files, 0);
  const std::vector<Apart> devices = devices_of(runtime);
  if (devices.empty()) {
    throw NotEvaluated("no device with memory of its own is here: there is nothing that a transfer leads to");
  }
  const TunedProfile profile(setting);
  if (rayo_runtime_load_profile(runtime.get(), profile.path().c_str()) != RAYO_OK) throw NotEvaluated(last_error());
  std::string text;
  for (const Apart &device : devices) {
    Score score;
    for (const Workload &workload : workloads()) {
      for (const bool resident : {false, true}) {
        const PlacedCall call(runtime, workload, resident ? device.id.c_str() : nullptr);
        const std::string what =
            fmt::format("{} f32 {} elements out, data {} {}", workload.op, element_count(workload.output),
                        resident ? "on" : "in", resident ? device.id : "host memory");
        judge_pick(setting, runtime, device, call, what, score);
      }
    }
    if (score.asked == 0) continue;
    if (score.picked == 0) {
      throw NotEvaluated(
          fmt::format("{} ({}): {} picks it for none of {} calls, where it takes {:.2f} times what was "
                      "picked at least: nothing that the claim is about was compared",
                      device.id, device.name, profile.origin(), score.asked, score.least_loss));
    }
    text += fmt::format(
        "{}{} ({}): picked by {} for {} of {} calls; it took at most {:.2f} times the fastest other way (limit "
        "{:.2f}), "
        "at best 1/{:.2f}",
        text.empty() ? "" : "; ", device.id, device.name, profile.origin(), score.picked, score.asked, score.worst,
        kTolerance, score.most_gain);
    if (score.picked < score.asked)
      text += fmt::format("; elsewhere it takes {:.2f} times the pick's time or more", score.least_loss);
    text += fmt::format("; {} pairs timed end to end", score.compared);
  }
  if (text.empty()) throw NotEvaluated(fmt::format("{} decides nothing about {}", profile.origin(), devices[0].id));
  return text;
}

}  // namespace rayo::conform::claims
