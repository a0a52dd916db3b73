// SPDX-License-Identifier: Apache-2.0
#include "runner/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "abi/probe.hpp"
#include "runner/child.hpp"
#include "runner/execute.hpp"
#include "runner/schedule.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {
namespace {

using nlohmann::json;

std::string encode(const json &value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// What plugins of this run passed each case with.
using Known = std::map<std::size_t, std::vector<KnownResult>>;

json known_json(const std::vector<KnownResult> &passed) {
  json list = json::array();
  for (const KnownResult &k : passed) {
    list.push_back({k.promise, k.digest.high, k.digest.low, k.verdict.error_ulp, k.verdict.bound});
  }
  return list;
}

KnownResult parse_known(const json &k) { return {k[0], {k[1], k[2]}, {State::passed, k[3], k[4], {}}}; }

json result_json(std::size_t i, const Execution &e) {
  return {{"end", i},
          {"state", static_cast<int>(e.verdict.state)},
          {"error", e.verdict.error_ulp},
          {"bound", e.verdict.bound},
          {"message", e.verdict.message},
          {"digest", e.digest},
          {"passed", known_json(e.passed)}};
}

// Who is judged with what, for one child.
struct Job {
  const std::string &file;
  const std::string &reference;
  std::span<const Case> cases;
  const Known &known;
};

// {"log":text,"level":..} for each new line of the subject's log. Between cases only: a case may fork.
void send_log(const Child::Send &send, MessageLog &log) {
  for (const MessageLog::Line &line : log.take()) {
    send(encode({{"log", line.text}, {"level", line.level <= RAYO_LOG_ERROR ? "error" : "warning"}}));
  }
}

// In the child. Lines: {"loaded":..} or {"refused":..}, then {"start":i} and {"end":i,..} per case; {"log":..}
// anywhere.
void child_body(const Child::Send &send, const Job &job, const std::vector<std::size_t> &todo) {
  MessageLog log;
  std::unique_ptr<Subject> subject;
  std::unique_ptr<Subject> reference;
  try {
    subject = std::make_unique<Subject>(job.file, &log);
  } catch (const LoadError &error) {
    send_log(send, log);
    send(encode({{"refused", error.text}, {"status", error.status}}));
    return;
  }
  try {
    if (!job.reference.empty() && job.reference != job.file) reference = std::make_unique<Subject>(job.reference);
  } catch (const LoadError &error) {
    send(encode({{"refused", fmt::format("reference {}: {}", job.reference, error.text)}, {"status", error.status}}));
    return;
  }
  std::set<std::string> foreign;
  for (const KernelFacts &k : subject->kernels()) {
    if (find_op(k.op) == nullptr) foreign.insert(k.op);
  }
  send(encode({{"loaded", subject->name()}, {"sha256", subject->sha256()}, {"foreign", foreign}}));
  for (const std::size_t i : todo) {
    send(encode({{"start", i}}));
    Execution e;
    try {
      const auto known = job.known.find(i);
      e = execute(job.cases[i], *subject, reference.get(),
                  known == job.known.end() ? std::span<const KnownResult>() : known->second);
    } catch (const std::exception &error) {
      e.verdict = {State::failed, 0, 0, fmt::format("case: {}", error.what())};
    }
    send_log(send, log);
    send(encode(result_json(i, e)));
  }
  reference.reset();
  subject.reset();
  send_log(send, log);
}

// The parent's book-keeping over all children of one plugin in one lane.
class Session {
 public:
  // `todo`: the lane's cases, in the order they run. Results go to their places in `report`, which other lanes share.
  Session(PluginReport &report, std::span<const Case> cases, std::vector<std::size_t> todo, Known &known,
          const SessionOptions &options, const std::function<void()> &step)
      : report_(report), cases_(cases), todo_(std::move(todo)), known_(known), options_(options), step_(step) {}

  struct Header {
    std::string plugin;
    std::string sha256;
    std::string refused;
    bool unsupported_here = false;
    std::set<std::string> foreign;
    Messages messages;
  };

  Header run() {
    // Checks of the plugin itself come last, each in a process that has not loaded it yet.
    std::vector<std::size_t> probes;
    std::erase_if(todo_, [&](std::size_t i) {
      if (!cases_[i].probe.empty()) probes.push_back(i);
      return !cases_[i].probe.empty();
    });
    if (todo_.empty() && probes.empty()) return header_;
    while (run_child() && !todo_.empty()) {
    }
    for (const std::size_t i : probes) {
      if (header_.refused.empty()) run_probe_alone(i);
    }
    return header_;
  }

 private:
  // One child until it ends. False: the plugin cannot be loaded, nothing more to do.
  bool run_child() {
    const std::vector<std::size_t> todo = todo_;
    Child child([&](const Child::Send &send) {
      child_body(send, {report_.file, options_.reference, cases_, known_}, todo);
    });
    bool loaded = false;
    bool running = false;
    std::size_t current = 0;
    for (;;) {
      std::string line;
      const int seconds = loaded ? options_.case_seconds : options_.load_seconds;
      const Child::Event event = child.next(seconds * 1000, line);
      if (event == Child::Event::line) {
        const json message = json::parse(line);
        if (message.contains("log")) {
          header_.messages.add(Message{message["level"], message["log"], 1});
        } else if (message.contains("refused")) {
          header_.refused = message["refused"];
          header_.unsupported_here = message["status"] == RAYO_UNSUPPORTED;
          return false;
        } else if (message.contains("loaded")) {
          loaded = true;
          take_header(message);
        } else if (message.contains("start")) {
          running = true;
          current = message["start"];
        } else {
          running = false;
          for (const json &k : message["passed"]) known_[current].push_back(parse_known(k));
          finish(current, take_verdict(message), message["digest"]);
        }
        continue;
      }
      const bool hung = event == Child::Event::timeout;
      if (hung) child.kill();
      const std::string how = child.wait();
      if (!loaded) {
        header_.refused = hung ? fmt::format("hung while loading (over {} s)", seconds)
                               : fmt::format("crashed while loading: {}", how.empty() ? "ended early" : how);
        return false;
      }
      if (running) {
        finish(current, hung ? Verdict{State::hung, 0, 0, fmt::format("no answer in {} s", seconds)}
                             : Verdict{State::crashed, 0, 0, how.empty() ? "the process ended" : how});
        give_up_if_needed(cases_[current].op);
      } else if (hung || !how.empty()) {
        // Between cases: at clean-up, or a thread of the plugin's own. Blame the load, not a case.
        header_.refused = hung ? "hung between cases" : "crashed between cases: " + how;
        return false;
      }
      return true;
    }
  }

  void run_probe_alone(std::size_t i) {
    Child child([&](const Child::Send &send) {
      Execution e;
      try {
        e.verdict = run_probe(cases_[i], report_.file);
      } catch (const std::exception &error) {
        e.verdict = {State::failed, 0, 0, fmt::format("case: {}", error.what())};
      }
      send(encode(result_json(i, e)));
    });
    std::string line;
    const Child::Event event = child.next(options_.case_seconds * 1000, line);
    if (event == Child::Event::line) return finish(i, take_verdict(json::parse(line)));
    if (event == Child::Event::timeout) {
      return finish(i, {State::hung, 0, 0, fmt::format("no answer in {} s", options_.case_seconds)});
    }
    const std::string how = child.wait();
    finish(i, {State::crashed, 0, 0, how.empty() ? "the process ended" : how});
  }

  void take_header(const json &message) {
    header_.plugin = message["loaded"];
    header_.sha256 = message["sha256"];
    header_.foreign = message["foreign"].get<std::set<std::string>>();
  }

  static Verdict take_verdict(const json &message) {
    return {static_cast<State>(message["state"].get<int>()), message["error"].get<double>(),
            message["bound"].get<double>(), message["message"].get<std::string>()};
  }

  void finish(std::size_t i, Verdict verdict, std::string digest = {}) {
    report_.cases[i].verdict = std::move(verdict);
    report_.cases[i].digest = std::move(digest);
    std::erase(todo_, i);
    if (step_) step_();
  }

  void give_up_if_needed(const std::string &op) {
    if (++crashes_[op] < options_.crashes_per_op) return;
    for (const std::size_t i : std::vector<std::size_t>(todo_)) {
      if (cases_[i].op != op) continue;
      finish(i,
             {State::not_evaluated, 0, 0, fmt::format("given up: {} cases of {} crashed or hung", crashes_[op], op)});
    }
  }

  PluginReport &report_;
  std::span<const Case> cases_;
  std::vector<std::size_t> todo_;
  Known &known_;
  const SessionOptions &options_;
  const std::function<void()> &step_;
  std::map<std::string, int> crashes_;
  Header header_;
};

// One lane: its share of the cases, plugin after plugin, so that what one passed with is known to the next.
std::vector<Session::Header> run_lane(std::vector<PluginReport> &reports, std::span<const Case> cases,
                                      const std::vector<std::size_t> &share, const SessionOptions &options,
                                      const std::function<void()> &step) {
  Known known;
  std::vector<Session::Header> headers;
  for (PluginReport &report : reports) {
    headers.push_back(Session(report, cases, share, known, options, step).run());
  }
  return headers;
}

void merge_header(PluginReport &report, const Session::Header &header) {
  if (report.plugin.empty()) report.plugin = header.plugin;
  if (report.sha256.empty()) report.sha256 = header.sha256;
  if (report.refused.empty()) report.refused = header.refused;
  report.unsupported_here = report.unsupported_here || header.unsupported_here;
  report.messages.add(header.messages);
  for (const std::string &op : header.foreign) {
    const auto same = [&op](const CaseResult &c) { return c.line == op; };
    if (std::any_of(report.cases.begin(), report.cases.end(), same)) continue;
    report.cases.push_back(
        {op, {State::not_evaluated, 0, 0, "the plugin's own op: the suite has no oracle for it"}, {}});
  }
}

}  // namespace

std::vector<PluginReport> judge_plugins(std::span<const std::string> files, std::span<const Case> cases,
                                        const SessionOptions &options) {
  std::vector<PluginReport> reports(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    reports[i].file = files[i];
    for (const Case &c : cases) reports[i].cases.push_back({format_case(c), {}, {}});
  }
  std::atomic<std::size_t> done{0};
  const std::function<void()> step = [&] {
    const std::size_t n = ++done;
    if (options.progress) options.progress(n, cases.size() * files.size());
  };
  const std::vector<std::vector<std::size_t>> shares = share_out(cases, options);
  std::vector<std::vector<Session::Header>> headers(shares.size());
  std::exception_ptr failure;
  std::mutex failure_mutex;
  // No thread begins or ends while another may be making a child: see Turn.
  const auto lanes = static_cast<std::ptrdiff_t>(shares.size());
  std::latch all_began(lanes);
  std::latch all_done(lanes);
  const auto work = [&](std::size_t lane) {
    all_began.arrive_and_wait();
    try {
      const Turn turn;
      headers[lane] = run_lane(reports, cases, shares[lane], options, step);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
    }
    all_done.arrive_and_wait();
  };
  std::vector<std::thread> threads;
  for (std::size_t lane = 1; lane < shares.size(); ++lane) threads.emplace_back(work, lane);
  work(0);
  for (std::thread &thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  for (const std::vector<Session::Header> &lane : headers) {
    for (std::size_t i = 0; i < files.size(); ++i) merge_header(reports[i], lane[i]);
  }
  return reports;
}

PluginReport judge_plugin(const std::string &file, std::span<const Case> cases, const SessionOptions &options) {
  return judge_plugins(std::span(&file, 1), cases, options).front();
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
