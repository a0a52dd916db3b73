// SPDX-License-Identifier: Apache-2.0
#include "runner/session.hpp"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "runner/child.hpp"
#include "runner/execute.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {
namespace {

using nlohmann::json;

std::string encode(const json &value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// In the child. Lines: {"loaded":..} or {"refused":..}, then {"start":i} and {"end":i,..} per case.
void child_body(const Child::Send &send, const std::string &file, const std::string &reference_file,
                std::span<const Case> cases, const std::vector<std::size_t> &todo) {
  std::unique_ptr<Subject> subject;
  std::unique_ptr<Subject> reference;
  try {
    subject = std::make_unique<Subject>(file);
  } catch (const LoadError &error) {
    send(encode({{"refused", error.text}, {"status", error.status}}));
    return;
  }
  try {
    if (!reference_file.empty() && reference_file != file) reference = std::make_unique<Subject>(reference_file);
  } catch (const LoadError &error) {
    send(encode({{"refused", fmt::format("reference {}: {}", reference_file, error.text)}, {"status", error.status}}));
    return;
  }
  std::set<std::string> foreign;
  for (const KernelFacts &k : subject->kernels()) {
    if (find_op(k.op) == nullptr) foreign.insert(k.op);
  }
  send(encode({{"loaded", subject->name()}, {"sha256", subject->sha256()}, {"foreign", foreign}}));
  for (const std::size_t i : todo) {
    send(encode({{"start", i}}));
    Verdict v;
    try {
      v = execute(cases[i], *subject, reference.get());
    } catch (const std::exception &error) {
      v = {State::failed, 0, 0, fmt::format("case: {}", error.what())};
    }
    send(encode({{"end", i},
                 {"state", static_cast<int>(v.state)},
                 {"error", v.error_ulp},
                 {"bound", v.bound},
                 {"message", v.message}}));
  }
}

// The parent's book-keeping over all children of one plugin.
class Session {
 public:
  Session(const std::string &file, std::span<const Case> cases, const SessionOptions &options)
      : cases_(cases), options_(options), done_(cases.size(), false) {
    report_.file = file;
    for (const Case &c : cases) report_.cases.push_back({format_case(c), {}});
  }

  PluginReport run() {
    for (;;) {
      const std::vector<std::size_t> todo = remaining();
      if (todo.empty() || !run_child(todo)) break;
    }
    return std::move(report_);
  }

 private:
  std::vector<std::size_t> remaining() const {
    std::vector<std::size_t> todo;
    for (std::size_t i = 0; i < done_.size(); ++i) {
      if (!done_[i]) todo.push_back(i);
    }
    return todo;
  }

  // One child until it ends. False: the plugin cannot be loaded, nothing more to do.
  bool run_child(const std::vector<std::size_t> &todo) {
    Child child([&](const Child::Send &send) { child_body(send, report_.file, options_.reference, cases_, todo); });
    bool loaded = false;
    bool running = false;
    std::size_t current = 0;
    for (;;) {
      std::string line;
      const int seconds = loaded ? options_.case_seconds : options_.load_seconds;
      const Child::Event event = child.next(seconds * 1000, line);
      if (event == Child::Event::line) {
        const json message = json::parse(line);
        if (message.contains("refused")) {
          report_.refused = message["refused"];
          report_.unsupported_here = message["status"] == RAYO_UNSUPPORTED;
          return false;
        }
        if (message.contains("loaded")) {
          loaded = true;
          take_header(message);
        } else if (message.contains("start")) {
          running = true;
          current = message["start"];
        } else {
          running = false;
          finish(current, take_verdict(message));
        }
        continue;
      }
      const bool hung = event == Child::Event::timeout;
      if (hung) child.kill();
      const std::string how = child.wait();
      if (!loaded) {
        report_.refused = hung ? fmt::format("hung while loading (over {} s)", seconds)
                               : fmt::format("crashed while loading: {}", how.empty() ? "ended early" : how);
        return false;
      }
      if (running) {
        finish(current, hung ? Verdict{State::hung, 0, 0, fmt::format("no answer in {} s", seconds)}
                             : Verdict{State::crashed, 0, 0, how.empty() ? "the process ended" : how});
        give_up_if_needed(cases_[current].op);
      } else if (hung || !how.empty()) {
        // Between cases: at clean-up, or a thread of the plugin's own. Blame the load, not a case.
        report_.refused = hung ? "hung between cases" : "crashed between cases: " + how;
        return false;
      }
      return true;
    }
  }

  void take_header(const json &message) {
    const bool first = report_.plugin.empty();
    report_.plugin = message["loaded"];
    report_.sha256 = message["sha256"];
    if (!first) return;
    for (const std::string op : message["foreign"]) {
      report_.cases.push_back(
          {op, {State::not_evaluated, 0, 0, "the plugin's own op: the suite has no oracle for it"}});
    }
  }

  static Verdict take_verdict(const json &message) {
    return {static_cast<State>(message["state"].get<int>()), message["error"].get<double>(),
            message["bound"].get<double>(), message["message"].get<std::string>()};
  }

  void finish(std::size_t i, Verdict verdict) {
    report_.cases[i].verdict = std::move(verdict);
    done_[i] = true;
    ++finished_;
    if (options_.progress) options_.progress(finished_, cases_.size());
  }

  void give_up_if_needed(const std::string &op) {
    if (++crashes_[op] < options_.crashes_per_op) return;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      if (done_[i] || cases_[i].op != op) continue;
      finish(i,
             {State::not_evaluated, 0, 0, fmt::format("given up: {} cases of {} crashed or hung", crashes_[op], op)});
    }
  }

  std::span<const Case> cases_;
  const SessionOptions &options_;
  std::vector<bool> done_;
  std::size_t finished_ = 0;
  std::map<std::string, int> crashes_;
  PluginReport report_;
};

}  // namespace

PluginReport judge_plugin(const std::string &file, std::span<const Case> cases, const SessionOptions &options) {
  return Session(file, cases, options).run();
}

Discovery discover_plugins() {
  Child child([](const Child::Send &send) {
    json found = json::array();
    try {
      for (const FoundPlugin &p : find_plugins()) {
        found.push_back({{"name", p.name}, {"file", p.file}, {"reason", p.reason}});
      }
      send(encode({{"found", found}}));
    } catch (const LoadError &error) {
      send(encode({{"error", error.text}}));
    }
  });
  Discovery result;
  std::string line;
  if (child.next(30000, line) != Child::Event::line) {
    result.error = "looking for plugins crashed or took more than 30 s";
    return result;
  }
  const json message = json::parse(line);
  if (message.contains("error")) {
    result.error = message["error"];
    return result;
  }
  for (const json &p : message["found"]) result.plugins.push_back({p["name"], p["file"], p["reason"]});
  return result;
}

}  // namespace rayo::conform
