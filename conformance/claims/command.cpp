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

}  // namespace

bool judge_claims(const Options &options, std::span<const std::string> files, const std::string &reference,
                  const Discovery &found, std::string &out_report) {
  const std::vector<const Claim *> chosen = choose_claims(options.claim_list);
  Setting setting;
  setting.backends = survey(files, not_ready(found));
  setting.reference = reference;
  setting.aarch64 = options.aarch64;
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
