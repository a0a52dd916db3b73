// SPDX-License-Identifier: Apache-2.0
#include "runner/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "runner/options.hpp"
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
    return slice(generate(options.ops, options.quick, options.seed), options.parts, options.seed);
  }
  std::vector<Case> cases;
  for (const std::string &line : options.cases) {
    cases.push_back(parse_case(line));
    if (find_op(cases.back().op) == nullptr) {
      throw UsageError(fmt::format("--case: unknown op '{}'; `rayo ops` lists the catalogue", cases.back().op));
    }
  }
  return cases;
}

// One bar over all plugins, drawn by whichever thread got further.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(::isatty(STDERR_FILENO) != 0 && total > 0) {}

  void step() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (!shown_ || (done_ % 32 != 0 && done_ != total_)) return;
    constexpr std::size_t kWidth = 50;
    const std::size_t full = kWidth * done_ / total_;
    fmt::print(stderr, "\r[{}{}] {}/{} cases{}", std::string(full, '='), std::string(kWidth - full, ' '), done_, total_,
               done_ == total_ ? "\n" : "");
  }

 private:
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t total_;
  bool shown_;
};

// The whole report appears, or nothing.
void write_report(const std::string &text, const std::string &path) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  std::FILE *file = path.empty() ? stdout : std::fopen(temporary.c_str(), "w");
  bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (path.empty()) {
    written = std::fflush(file) == 0 && written;
  } else if (file != nullptr) {
    written = std::fclose(file) == 0 && written;
    written = written && std::rename(temporary.c_str(), path.c_str()) == 0;
    if (!written) (void)std::remove(temporary.c_str());
  }
  if (!written) {
    throw std::runtime_error(fmt::format("-o {}: {}", path.empty() ? "stdout" : path, std::strerror(errno)));
  }
}

int judge(const Options &options) {
  const std::vector<Case> cases = cases_of(options);
  const Discovery found = discover_plugins();
  const std::string reference = reference_file(options, found);
  const std::vector<std::string> files = files_to_judge(options, found);
  if (files.empty()) {
    complain(fmt::format("no plugin to judge: {}",
                         found.error.empty() ? "none is ready; see rayo devices --all" : found.error));
    return kBad;
  }
  Progress progress(cases.size() * files.size());
  SessionOptions session;
  session.reference = reference;
  session.lanes = std::max(1u, std::thread::hardware_concurrency());
  session.shuffle = options.shuffle;
  session.shuffle_seed = options.seed;
  if (options.quick) session.case_seconds = 5;
  session.progress = [&progress](std::size_t, std::size_t) { progress.step(); };
  std::vector<PluginReport> reports = judge_plugins(files, cases, session);
  bool good = true;
  bool unsupported = true;
  for (PluginReport &report : reports) {
    report.seed = options.seed;
    good = good && report.good();
    unsupported = unsupported && report.unsupported_here;
  }
  write_report(options.format == "json"    ? json_report(reports)
               : options.format == "junit" ? junit_report(reports)
                                           : text_report(reports),
               options.output);
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
    return judge(options);
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
