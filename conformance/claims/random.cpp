// SPDX-License-Identifier: Apache-2.0
//
// Claims about the suite's random numbers. The other architecture is asked by running this very program there: natively
// or, where the build folder of an aarch64 tree is given, under qemu-aarch64.
#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "claims/claim.hpp"
#include "claims/command_output.hpp"
#include "suites/pcg32.hpp"

namespace rayo::conform::claims {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kHere = "x86-64";
#elif defined(__aarch64__)
constexpr std::string_view kHere = "aarch64";
#else
constexpr std::string_view kHere = "this architecture";
#endif

// Output of the reference implementation's demo, round 1 (seed 42, stream 54), as published at pcg-random.org.
constexpr std::array<std::uint32_t, 6> kPublished = {0xa15c02b7u, 0x7b47f409u, 0xba1d3330u,
                                                     0x83d2f293u, 0xbfa4784bu, 0xcbed606eu};

void check_vectors() {
  Pcg32 rng(42, 54);
  for (std::size_t i = 0; i < kPublished.size(); ++i) {
    const std::uint32_t got = rng.next();
    if (got == kPublished[i]) continue;
    throw Refuted(fmt::format("{}: draw {} of seed 42, stream 54 is {:#010x}; published is {:#010x}", kHere, i, got,
                              kPublished[i]));
  }
}

// What the program built for aarch64 says of its own half of this claim.
std::string evidence_there(const Setting &setting) {
  const std::string program = setting.aarch64 + "/bin/rayo";
  const CommandOutput run = run_command({"qemu-aarch64", program, "conform", "--claim", "B-016", "--json"});
  if (!run.started) throw NotEvaluated(fmt::format("qemu-aarch64 {}: {}", program, run.error));
  const auto root = nlohmann::json::parse(run.text, nullptr, false);
  if (!root.is_object() || root["claims"].empty()) {
    throw NotEvaluated(fmt::format("qemu-aarch64 {}: no answer that can be read ({})", program, run.error));
  }
  std::string evidence = root["claims"][0].value("evidence", "");
  if (root["claims"][0].value("verdict", "") == "refuted") throw Refuted("under qemu-aarch64: " + evidence);
  if (evidence.find("aarch64: 6 of 6") == std::string::npos) throw NotEvaluated("under qemu-aarch64: " + evidence);
  return evidence;
}

}  // namespace

std::string pcg32_vectors(const Setting &setting) {
  check_vectors();
  const std::string here =
      fmt::format("{}: {} of {} published draws equal", kHere, kPublished.size(), kPublished.size());
  if (kHere != "x86-64") throw NotEvaluated(here + "; x86-64: not executed in this run", "rayo conform --claim B-016");
  if (setting.aarch64.empty()) {
    throw NotEvaluated(
        here + "; aarch64: not executed (--aarch64 FOLDER names a cross-built tree, run by qemu-aarch64)",
        "rayo conform --claim B-016 --aarch64 build/aarch64");
  }
  (void)evidence_there(setting);
  return here + "; aarch64 under qemu-aarch64: 6 of 6 published draws equal";
}

std::string pcg32_seeds(const Setting &) {
  std::map<std::array<std::uint32_t, 4>, std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Pcg32 rng(seed);
    const std::array<std::uint32_t, 4> draws = {rng.next(), rng.next(), rng.next(), rng.next()};
    const auto [other, fresh] = seen.emplace(draws, seed);
    if (!fresh) {
      throw Refuted(fmt::format("seeds {} and {} begin alike: {:#010x}", other->second, seed, draws[0]));
    }
  }
  return fmt::format("{} different sequences of 4 draws among 1000 seeds", seen.size());
}

}  // namespace rayo::conform::claims
