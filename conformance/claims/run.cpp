// SPDX-License-Identifier: Apache-2.0
#include "claims/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "runner/child.hpp"

namespace rayo::conform::claims {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string encode(const json &value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string own_command(const Claim &claim, const Setting &setting) {
  return fmt::format("rayo conform --claim {}{}", claim.id, setting.arguments);
}

const Backend *find_gpu(const Setting &setting) {
  for (const Backend &b : setting.backends) {
    if (b.gpu && b.reason.empty()) return &b;
  }
  return nullptr;
}

std::string without_backend(const Setting &setting, std::string_view name) {
  for (const Backend &b : setting.backends) {
    if (b.name != name) continue;
    return b.reason.empty()
               ? fmt::format("plugin {} is there ({}), but this version cannot decide the claim on it", name, b.file)
               : fmt::format("plugin {} is not ready: {}", name, b.reason);
  }
  return fmt::format("there is no plugin '{}' among the {} found", name, setting.backends.size());
}

// Why a claim without a decider stays open here.
std::string reason_of(const Claim &claim, const Setting &setting) {
  switch (claim.needs) {
    case Needs::gpu:
      return find_gpu(setting) != nullptr
                 ? fmt::format("device of {} is there, but this version cannot decide the claim on it",
                               find_gpu(setting)->name)
                 : fmt::format("none of the {} plugins found brings a GPU device", setting.backends.size());
    case Needs::cuda:
      return without_backend(setting, "cuda");
    case Needs::neon_hardware:
      return "needs real 64-bit ARM hardware: an emulator's times say nothing, and this program cannot tell the two "
             "apart";
    case Needs::wasm:
      return "there is no WASM build in this version";
    case Needs::profile:
      return "there is no device profile in this version: calls are placed in the static order";
    case Needs::stress:
      return "there is no `rayo stress` in this version";
    case Needs::dashboard:
      return "there is no terminal dashboard in this version";
    case Needs::pictures:
      return "there is no picture export in this version";
    case Needs::nothing:
      break;
  }
  return "no decider";
}

json answer(const Claim &claim, const Setting &setting) {
  const auto say = [](Outcome outcome, const std::string &evidence, const std::string &command) {
    return json{{"outcome", static_cast<int>(outcome)}, {"evidence", evidence}, {"command", command}};
  };
  try {
    return say(Outcome::upheld, claim.decide(setting), "");
  } catch (const Refuted &refuted) {
    return say(Outcome::refuted, refuted.what(), refuted.command);
  } catch (const NotEvaluated &open) {
    return say(Outcome::not_evaluated, open.what(), open.command);
  } catch (const std::exception &error) {
    return say(Outcome::not_evaluated, fmt::format("the decider failed: {}", error.what()), "");
  }
}

// The decider's process, from fork to verdict.
void run_child(const Claim &claim, const Setting &setting, int step_seconds, Finding &out) {
  Child child([&](const Child::Send &send) {
    Setting inside = setting;
    inside.step = [&send](const std::string &what) { send(encode({{"step", what}})); };
    send(encode(answer(claim, inside)));
  });
  std::string step = "starting";
  for (;;) {
    std::string line;
    const Child::Event event = child.next(step_seconds * 1000, line);
    if (event == Child::Event::line) {
      const json message = json::parse(line);
      if (message.contains("step")) {
        step = message["step"];
        continue;
      }
      out.outcome = static_cast<Outcome>(message["outcome"].get<int>());
      out.evidence = message["evidence"];
      if (!message["command"].get<std::string>().empty()) out.command = message["command"];
      return;
    }
    const bool hung = event == Child::Event::timeout;
    if (hung) child.kill();
    const std::string how = child.wait();
    out.outcome = Outcome::refuted;
    out.evidence = hung ? fmt::format("hung: no answer in {} s from: {}", step_seconds, step)
                        : fmt::format("crashed ({}) in: {}", how.empty() ? "the process ended" : how, step);
    return;
  }
}

Finding decide_one(const Claim &claim, const Setting &setting, int step_seconds) {
  const auto begin = Clock::now();
  Finding finding;
  finding.claim = &claim;
  finding.command = own_command(claim, setting);
  if (claim.decide == nullptr) {
    finding.evidence = reason_of(claim, setting);
  } else {
    run_child(claim, setting, step_seconds, finding);
  }
  finding.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return finding;
}

json look_at(const std::string &file) {
  try {
    const Subject subject(file);
    bool gpu = false;
    bool host = false;
    for (std::uint32_t i = 0; i < rayo_device_count(subject.runtime()); ++i) {
      rayo_device_listing device{};
      device.struct_size = sizeof device;
      device.struct_type = RAYO_TYPE_DEVICE_LISTING;
      if (rayo_device_get(subject.runtime(), i, &device) != RAYO_OK) continue;
      gpu = gpu || device.kind == RAYO_DEVICE_KIND_GPU;
      host = host || subject.name() == device.id;
    }
    return {{"name", subject.name()}, {"sha256", subject.sha256()}, {"gpu", gpu}, {"host", host}, {"reason", ""}};
  } catch (const LoadError &error) {
    return {{"name", ""}, {"sha256", ""}, {"gpu", false}, {"host", false}, {"reason", error.text}};
  }
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  return outcome == Outcome::upheld ? "upheld" : outcome == Outcome::refuted ? "refuted" : "not_evaluated";
}

std::string replay(const Backend &backend, const std::string &line) {
  return fmt::format("rayo conform --plugin {} --case '{}'", backend.file, line);
}

const Backend &Setting::need(std::string_view name) const {
  for (const Backend &b : backends) {
    if (b.name == name && b.reason.empty()) return b;
  }
  throw NotEvaluated(without_backend(*this, name));
}

std::vector<const Backend *> Setting::ready() const {
  std::vector<const Backend *> all;
  for (const Backend &b : backends) {
    if (b.reason.empty() && b.host) all.push_back(&b);
  }
  if (all.empty()) throw NotEvaluated("no plugin with kernels for the host is ready; rayo devices --all says why");
  return all;
}

std::vector<Backend> survey(std::span<const std::string> files, std::span<const FoundPlugin> rejected) {
  std::vector<Backend> all;
  for (const std::string &file : files) {
    Child child([&](const Child::Send &send) { send(encode(look_at(file))); });
    Backend b;
    b.file = file;
    std::string line;
    if (child.next(kStepSeconds * 1000, line) == Child::Event::line) {
      const json found = json::parse(line);
      b.name = found["name"];
      b.sha256 = found["sha256"];
      b.gpu = found["gpu"];
      b.host = found["host"];
      b.reason = found["reason"];
    } else {
      b.reason = "crashed or hung while it was loaded";
    }
    all.push_back(std::move(b));
  }
  for (const FoundPlugin &p : rejected) {
    Backend b;
    b.name = p.name;
    b.file = p.file;
    b.reason = p.reason;
    all.push_back(std::move(b));
  }
  return all;
}

std::vector<Finding> decide(std::span<const Claim *const> chosen, const Setting &setting, const RunOptions &options) {
  std::vector<Finding> findings(chosen.size());
  std::vector<std::size_t> together;
  std::vector<std::size_t> alone;
  for (std::size_t i = 0; i < chosen.size(); ++i) (chosen[i]->alone ? alone : together).push_back(i);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto one = [&](std::size_t i) {
    findings[i] = decide_one(*chosen[i], setting, options.step_seconds);
    const std::size_t now = ++done;
    if (options.progress) options.progress(now, chosen.size());
  };
  const auto work = [&] {
    try {
      for (std::size_t k = next++; k < together.size(); k = next++) one(together[k]);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
    }
  };
  std::thread other;
  if (std::thread::hardware_concurrency() > 1 && together.size() > 1) other = std::thread(work);
  work();
  if (other.joinable()) other.join();
  if (failure) std::rethrow_exception(failure);
  for (const std::size_t i : alone) one(i);
  return findings;
}

}  // namespace rayo::conform::claims
