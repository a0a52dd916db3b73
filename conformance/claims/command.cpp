// SPDX-License-Identifier: Apache-2.0
#include "claims/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "claims/report.hpp"

namespace rayo::conform::claims {
namespace {

std::vector<FoundPlugin> not_ready(const Discovery &found) {
  std::vector<FoundPlugin> rejected;
  for (const FoundPlugin &p : found.plugins) {
    if (!p.reason.empty()) rejected.push_back(p);
  }
  return rejected;
}

// What decided is decided again by the same plugins, seed and extent.
std::string arguments(const Options &options) {
  std::string text;
  for (const std::string &plugin : options.plugins) text += " --plugin " + plugin;
  if (!options.reference.empty()) text += " --reference " + options.reference;
  if (!options.aarch64.empty()) text += " --aarch64 " + options.aarch64;
  if (options.seed != 1) text += fmt::format(" --seed {}", options.seed);
  return options.nightly ? text + " --nightly" : text;
}

// Options that choose cases would be ignored here: a claim is decided whole.
void check_options(const Options &options) {
  if (options.ops.empty() && options.cases.empty() && !options.quick && options.parts == 1 && !options.record &&
      options.expectations.empty()) {
    return;
  }
  throw UsageError(
      "--claims decides each claim as a whole: leave --ops, --case, --quick, --slice, --record and --expectations out "
      "(--claim LIST chooses claims)");
}

}  // namespace

bool judge_claims(const Options &options, std::span<const std::string> files, const std::string &reference,
                  const Discovery &found, std::string &out_report) {
  check_options(options);
  const std::vector<const Claim *> chosen = choose_claims(options.claim_list);
  Setting setting;
  setting.backends = survey(files, not_ready(found));
  setting.reference = reference;
  setting.aarch64 = options.aarch64;
  setting.arguments = arguments(options);
  setting.seed = options.seed;
  setting.nightly = options.nightly;
  RunOptions run;
  if (::isatty(STDERR_FILENO) != 0) {
    run.progress = [](std::size_t done, std::size_t total) {
      fmt::print(stderr, "\r{} of {} claims{}", done, total, done == total ? "\n" : "");
    };
  }
  const std::vector<Finding> findings = decide(chosen, setting, run);
  out_report = options.format == "json" ? json_report(findings) : text_report(findings);
  return !any_refuted(findings);
}

}  // namespace rayo::conform::claims
