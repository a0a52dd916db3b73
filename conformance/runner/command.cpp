// SPDX-License-Identifier: Apache-2.0
#include "runner/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <thread>
#include <vector>

#include "claims/command.hpp"
#include "runner/certificate.hpp"
#include "runner/expectations.hpp"
#include "runner/nightly.hpp"
#include "runner/options.hpp"
#include "runner/output_file.hpp"
#include "runner/progress.hpp"
#include "runner/report.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo {
namespace {

using namespace conform;
namespace fs = std::filesystem;

constexpr int kGood = 0;
constexpr int kBad = 1;
constexpr int kUsage = 2;
constexpr int kUnsupported = 3;

void complain(const std::string &text) { fmt::print(stderr, "rayo conform: {}\n", text); }

// A path, or a name among the plugins that a default runtime finds.
std::string resolve(const std::string &plugin, const Discovery &found) {
  if (plugin.find('/') != std::string::npos || fs::exists(plugin)) {
    if (!fs::exists(plugin)) throw UsageError(fmt::format("--plugin {}: no such file", plugin));
    return fs::absolute(plugin).lexically_normal().string();
  }
  std::vector<std::string> names;
  for (const FoundPlugin &p : found.plugins) {
    if (p.name == plugin) return p.file;
    names.push_back(p.name);
  }
  throw UsageError(
      fmt::format("--plugin {}: neither a file nor a plugin that is installed ({}); a file needs its "
                  "path, for example ./{}.so",
                  plugin, found.error.empty() ? fmt::format("{}", fmt::join(names, ", ")) : found.error, plugin));
}

std::string reference_file(const Options &options, const Discovery &found) {
  if (!options.reference.empty()) {
    if (!fs::exists(options.reference))
      throw UsageError(fmt::format("--reference {}: no such file", options.reference));
    return fs::absolute(options.reference).lexically_normal().string();
  }
  for (const FoundPlugin &p : found.plugins) {
    if (p.name == "scalar" && p.reason.empty()) return p.file;
  }
  complain("no scalar plugin was found: bits are compared with the contract alone (--reference FILE names one)");
  return {};
}

std::vector<std::string> files_to_judge(const Options &options, const Discovery &found) {
  std::vector<std::string> files;
  for (const std::string &plugin : options.plugins) files.push_back(resolve(plugin, found));
  if (!options.plugins.empty()) return files;
  for (const FoundPlugin &p : found.plugins) {
    if (p.reason.empty()) {
      files.push_back(p.file);
    } else {
      complain(fmt::format("skipped {}: {}", p.file, p.reason));
    }
  }
  return files;
}

std::vector<Case> cases_of(const Options &options) {
  if (options.cases.empty()) {
    return slice(options.nightly ? generate_nightly(options.ops, options.seed)
                                 : generate(options.ops, options.quick, options.seed),
                 options.parts, options.seed);
  }
  std::vector<Case> cases;
  for (const std::string &line : options.cases) {
    cases.push_back(parse_case(line));
    if (cases.back().probe.empty() && find_op(cases.back().op) == nullptr) {
      throw UsageError(fmt::format("--case: unknown op '{}'; `rayo ops` lists the catalogue", cases.back().op));
    }
  }
  return cases;
}

std::string write_report(const std::string &format, const std::vector<PluginReport> &reports, const RunInfo &run) {
  if (format == "json") return json_report(reports, run);
  if (format == "junit") return junit_report(reports, run);
  if (format == "html") return html_report(reports, run);
  return text_report(reports, run);
}

RunInfo describe(const Options &options) {
  RunInfo run = describe_run();
  run.kind = run_kind(options);
  run.seed = options.seed;
  if (!options.reference.empty()) run.reference = fs::absolute(options.reference).lexically_normal().string();
  for (const std::string &file : options.expectations) {
    for (Expectation &line : load_expectations(file)) run.expectations.push_back(std::move(line));
  }
  return run;
}

int judge_the_claims(const Options &options) {
  const Discovery found = discover_plugins();
  OutputFile output(options.output);
  std::string report;
  const bool good =
      claims::judge_claims(options, files_to_judge(options, found), reference_file(options, found), found, report);
  output.commit(report);
  return good ? kGood : kBad;
}

int judge(const Options &options) {
  RunInfo run = describe(options);
  std::vector<Case> cases = cases_of(options);
  if (options.one_thread) {
    std::erase_if(cases, [](const Case &c) { return c.threads > 1 || c.load > 0 || c.forked; });
  }
  const Discovery found = discover_plugins();
  SessionOptions session;
  session.reference = reference_file(options, found);
  session.lanes = options.lanes != 0 ? options.lanes : std::max(1u, std::thread::hardware_concurrency());
  if (options.one_thread) session.lanes = 1;
  session.shuffle = options.shuffle;
  session.shuffle_seed = options.seed;
  session.case_seconds = options.case_seconds;
  session.load_seconds = std::max(session.load_seconds, options.case_seconds);
  const std::vector<std::string> files = files_to_judge(options, found);
  if (files.empty()) {
    complain(fmt::format("no plugin to judge: {}",
                         found.error.empty() ? "none is ready; see rayo devices --all" : found.error));
    return kBad;
  }
  OutputFile output(options.output);
  std::vector<PluginReport> reports;
  {
    Progress progress(cases.size() * files.size());
    const InterruptGuard guard(progress, options.output, output.temporary());
    session.progress = [&progress](std::size_t, std::size_t) { progress.step(); };
    const auto begin = std::chrono::steady_clock::now();
    reports = judge_plugins(files, cases, session);
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  apply_expectations(run.expectations, reports);
  bool good = true;
  bool unsupported = true;
  for (PluginReport &report : reports) {
    report.seed = options.seed;
    good = good && report.good();
    unsupported = unsupported && report.unsupported_here;
  }
  output.commit(write_report(options.format, reports, run));
  if (options.nightly && options.parts == 1) {
    for (const PluginReport &report : reports) {
      for (const std::string &line : keep_nightly(report)) complain(line);
    }
  }
  if (options.record) {
    for (const PluginReport &report : reports) complain(record_verdict(report, run));
  }
  return good ? kGood : unsupported ? kUnsupported : kBad;
}

}  // namespace

int conform_command(std::span<const std::string> args) {
  try {
    const Options options = parse_options(args);
    if (options.help) {
      fmt::print("{}", help_text());
      return kGood;
    }
    return options.claims ? judge_the_claims(options) : judge(options);
  } catch (const UsageError &error) {
    complain(error.what());
    return kUsage;
  } catch (const CaseError &error) {
    complain(error.what());
    return kUsage;
  } catch (const std::exception &error) {
    complain(error.what());
    return kBad;
  }
}

}  // namespace rayo
