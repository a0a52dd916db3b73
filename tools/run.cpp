// SPDX-License-Identifier: Apache-2.0
//
// `rayo run`: one op on .npy files, or a batch of jobs.
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "attributes.hpp"
#include "batch.hpp"
#include "command.hpp"
#include "host_tensor.hpp"
#include "job.hpp"
#include "options.hpp"
#include "session.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

namespace po = boost::program_options;

constexpr uint32_t kMostRepeats = 1000000;

constexpr const char *kUsage =
    "rayo run OP IN.npy... [-o OUT.npy]... [--attr K=V]... [--json]\n"
    "       rayo run --batch JOBS.jsonl";

constexpr const char *kHelp =
    "Inputs are NumPy files: float16/32/64, int8/32/64, uint8, bool; any rank, C or\n"
    "Fortran order. '-' leaves an optional input out. Without -o a summary is\n"
    "printed. Output files appear whole or not at all.\n"
    "\n"
    "Examples:\n"
    "  rayo run matmul a.npy b.npy -o c.npy\n"
    "  rayo run reduce_sum x.npy --attr axes=0,2 --attr keepdims=0\n"
    "  rayo run softmax x.npy -o y.npy --device avx2 --threads 2 --verify\n"
    "  rayo run matmul a.npy b.npy --repeat 20 --json\n"
    "  rayo run --batch jobs.jsonl       # - reads standard input\n"
    "\n"
    "A batch has one job per line:\n"
    "  {\"op\":\"softmax\",\"attrs\":{\"axis\":0},\"inputs\":[\"x.npy\"],\"outputs\":[\"y.npy\"]}\n"
    "and prints one JSON result per line, {\"line\":1,\"ok\":true,...}, in order. Lines\n"
    "that fail say {\"line\":2,\"ok\":false,\"status\":..,\"error\":..}; exit code 1.\n"
    "\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 unsupported here.\n";

struct RunOptions {
  SessionOptions session;
  std::vector<std::string> positional;
  std::vector<std::string> outputs;
  std::vector<std::string> attributes;
  std::string batch;
  std::string repeat = "1";
  std::string dtype;
};

void add_options(CommandLine &line, RunOptions &options) {
  line.add()("output,o", po::value(&options.outputs)->value_name("FILE"),
             "write an output here; once for each output of the op")(
      "attr", po::value(&options.attributes)->value_name("K=V"), "attribute of the op; lists with commas; repeatable")(
      "batch", po::value(&options.batch)->value_name("FILE"), "run the jobs of a file of JSON lines")(
      "repeat", po::value(&options.repeat)->value_name("N"),
      "time N runs after one that is not timed: median, min, spread")(
      "verify",
      "run again on scalar and compare before writing: bits where the kernel promises them, else the "
      "largest distance in ULP is reported")("dtype", po::value(&options.dtype)->value_name("TYPE"),
                                             "bf16: '<u2' input files hold bfloat16")(
      "isolate", "run plugins that are not the package's own in processes of their own (RAYO_ISOLATION=process)")(
      "json", "print JSON");
  line.add_session_options(options.session, true);
  line.add_positional("operand", options.positional);
}

void print_text(const Job &job, const JobResult &result) {
  for (const OutputSummary &output : result.outputs) {
    fmt::print("{} {} {}\n", output.file.empty() ? "output" : output.file, output.dtype, shape_text(output.shape));
    if (output.file.empty() && !output.values.empty()) fmt::print("  {}\n", output.values);
  }
  const Timing timing = timing_of(result.nanoseconds);
  fmt::print("{} on {} ({}, {} thread{}): {}", job.op, result.device, result.kernel, result.threads,
             result.threads == 1 ? "" : "s", duration_text(timing.median));
  if (result.nanoseconds.size() > 1) {
    fmt::print(" median of {} runs, min {}, spread {}", result.nanoseconds.size(), duration_text(timing.minimum),
               duration_text(timing.spread));
  }
  fmt::print("\n");
  for (const JobFallback &each : result.fallbacks) {
    fmt::print("fell back from {} ({} call{}): {}: {}\n", each.device, each.calls, each.calls == 1 ? "" : "s",
               each.reason, each.text);
  }
  if (!result.verification) return;
  if (result.verification->differing == 0) {
    fmt::print("verified: the same bits as scalar\n");
  } else {
    fmt::print("compared with scalar: {} elements differ, at most {} ULP ({} kernel: not judged)\n",
               result.verification->differing, result.verification->max_ulp, result.numerics);
  }
}

int run_single(const RunOptions &options, Job job, bool as_json) {
  if (options.positional.empty()) {
    throw usage_error("no op given; e.g. rayo run add a.npy b.npy -o c.npy; 'rayo ops' lists the ops");
  }
  job.op = options.positional.front();
  job.inputs.assign(options.positional.begin() + 1, options.positional.end());
  job.outputs = options.outputs;
  job.attributes = attributes_from_arguments(options.attributes);
  const Session session(options.session);
  const JobResult result = run_job(session, options.session, job, as_json);
  if (as_json) {
    print_json(job_result_json(job, result));
  } else {
    print_text(job, result);
  }
  return kExitOk;
}

}  // namespace

int run_command(Arguments arguments) {
  RunOptions options;
  CommandLine line("run", kUsage, kHelp);
  add_options(line, options);
  if (!line.parse(arguments)) return kExitOk;
  if (!options.dtype.empty() && options.dtype != "bf16") {
    throw usage_error(fmt::format("--dtype '{}': legal: bf16 (other types are in the .npy files)", options.dtype));
  }
  Job job;
  job.u2_is_bf16 = options.dtype == "bf16";
  job.repeat = parse_count("--repeat", options.repeat, 1, kMostRepeats);
  job.verify = line.given("verify");
  options.session.isolate = line.given("isolate");
  if (!line.given("batch")) return run_single(options, std::move(job), line.given("json"));
  if (!options.positional.empty() || !options.outputs.empty() || !options.attributes.empty()) {
    throw usage_error(
        "--batch takes op, inputs, outputs and attributes from the file; leave them off the command line");
  }
  const Session session(options.session);
  return run_batch(session, options.session, options.batch, {job.u2_is_bf16, job.repeat, job.verify});
}

}  // namespace rayo::tools
