// SPDX-License-Identifier: Apache-2.0
//
// One job of `rayo run`: files in, one op, files out. The command line makes one, a batch line makes one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "session.hpp"

namespace rayo::tools {

struct Job {
  std::string op;
  nlohmann::json attributes = nlohmann::json::object();
  std::vector<std::string> inputs;   // "-": an optional input that is left out
  std::vector<std::string> outputs;  // none, or one for each output of the op
  std::string device;                // "": the session's
  bool u2_is_bf16 = false;
  uint32_t repeat = 1;  // timed runs; above 1, one more before them is not timed
  bool verify = false;  // compare with the scalar device before anything is written
};

// What came of a verification: `judged` by bits where the kernel promises them, else only reported.
struct Verification {
  bool judged = false;
  uint64_t differing = 0;
  uint64_t max_ulp = 0;
};

struct OutputSummary {
  std::string file;  // "" when none was asked for
  std::string dtype;
  std::vector<int64_t> shape;
  std::string digest;  // "" unless asked for
  std::string values;  // the first few
};

// Calls of the job that did not run where they belong.
struct JobFallback {
  std::string device;  // where they belong
  std::string reason;  // "out_of_memory"
  std::string text;    // of the first of this kind
  uint64_t calls = 0;
};

struct JobResult {
  std::string device;  // where it ran: with fallbacks, the host's
  std::string plugin;
  std::string kernel;
  std::string numerics;
  uint32_t threads = 1;
  std::vector<double> nanoseconds;  // of each timed run
  std::vector<OutputSummary> outputs;
  std::optional<Verification> verification;
  std::vector<JobFallback> fallbacks;
};

// Runs the job. Either all its output files appear or none. Throws CommandError. `with_digests` costs a pass over the
// results.
JobResult run_job(const Session &session, const SessionOptions &options, const Job &job, bool with_digests);

// The contract of `rayo run --json`.
nlohmann::json job_result_json(const Job &job, const JobResult &result);

struct Timing {
  double median = 0;
  double minimum = 0;
  double spread = 0;  // between the quartiles
};
Timing timing_of(std::vector<double> nanoseconds);

}  // namespace rayo::tools
