// SPDX-License-Identifier: Apache-2.0
//
// The steps of a job, in the order in which they can fail cheaply: names, files, shapes, places to write; then memory
// and work; files appear last.
#include "job.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "attributes.hpp"
#include "call.hpp"
#include "command.hpp"
#include "compare.hpp"
#include "dtypes.hpp"
#include "npy.hpp"
#include "temp_files.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

constexpr const char *kReferenceDevice = "scalar";

std::vector<std::optional<HostTensor>> read_inputs(const Job &job) {
  std::vector<std::optional<HostTensor>> inputs;
  for (const std::string &file : job.inputs) {
    if (file == "-") {
      inputs.emplace_back(std::nullopt);
    } else {
      inputs.emplace_back(read_npy(file, job.u2_is_bf16));
    }
  }
  return inputs;
}

void check_output_count(const Job &job, std::size_t count) {
  if (job.outputs.empty() || job.outputs.size() == count) return;
  throw usage_error(fmt::format("{}: {} output files given; it has {} output{}: give -o {}, or none to see a summary",
                                job.op, job.outputs.size(), count, count == 1 ? "" : "s",
                                count == 1 ? "once" : fmt::format("{} times", count)));
}

// Why nobody can run the call, in one text.
CommandError nobody(const std::string &op, const Explanation &explanation) {
  std::string reasons;
  for (const rayo_candidate &candidate : explanation.candidates()) {
    reasons +=
        fmt::format("\n  {}: {}", candidate.device[0] != '\0' ? candidate.device : candidate.plugin, candidate.reason);
  }
  return CommandError(RAYO_UNSUPPORTED, fmt::format("{}: nothing here can run this call{}", op, reasons));
}

void describe_choice(const std::string &op, const Explanation &explanation, JobResult &result) {
  const rayo_candidate *chosen = explanation.chosen();
  if (chosen == nullptr) throw nobody(op, explanation);
  result.device = chosen->device;
  result.plugin = chosen->plugin;
  result.kernel = chosen->kernel;
  result.numerics = numerics_name(chosen->numerics);
  result.threads = chosen->threads;
}

Verification verify(const Session &session, const SessionOptions &options, const Call &call,
                    const std::vector<HostTensor> &outputs, const JobResult &result) {
  session.check_device(kReferenceDevice);
  std::vector<HostTensor> expected = call.allocate_outputs();
  call.run(expected, call_options(options, kReferenceDevice));
  Verification verification;
  verification.judged = result.numerics == numerics_name(RAYO_NUMERICS_REPRODUCIBLE);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Comparison comparison = compare(outputs[i], expected[i]);
    verification.differing += comparison.differing;
    verification.max_ulp = std::max(verification.max_ulp, comparison.max_ulp);
    if (!verification.judged || comparison.differing == 0) continue;
    throw CommandError(
        RAYO_GUARD,
        fmt::format("verification failed: kernel {} of {} promises the reference's bits, {} of {} elements of output "
                    "{} differ from {} (worst: element {}, {} ULP); nothing was written; please report it to the "
                    "plugin's vendor",
                    result.kernel, result.plugin, comparison.differing, outputs[i].count, i, kReferenceDevice,
                    comparison.worst_element, comparison.max_ulp));
  }
  return verification;
}

// What `after` counts beyond `before`: the list only grows.
std::vector<JobFallback> new_fallbacks(const std::vector<rayo_fallback> &before,
                                       const std::vector<rayo_fallback> &after) {
  std::vector<JobFallback> found;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const uint64_t calls = after[i].count - (i < before.size() ? before[i].count : 0);
    if (calls != 0) found.push_back({after[i].device, after[i].reason, after[i].text, calls});
  }
  return found;
}

std::vector<OutputSummary> summarise(const Job &job, const std::vector<HostTensor> &outputs, bool with_digests) {
  std::vector<OutputSummary> summaries;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    summaries.push_back({job.outputs.empty() ? "" : job.outputs[i], dtype_name(outputs[i].dtype), outputs[i].shape,
                         with_digests ? digest(outputs[i]) : "", values_text(outputs[i])});
  }
  return summaries;
}

}  // namespace

JobResult run_job(const Session &session, const SessionOptions &options, const Job &job, bool with_digests) {
  const rayo_op_info op = session.find_op(job.op);
  const AttributeList attributes(op, job.attributes);
  check_input_count(op, job.inputs.size());
  if (!job.device.empty()) session.check_device(job.device);
  const Call call(session, op, attributes, read_inputs(job));
  check_output_count(job, call.output_count());
  OutputFiles files(job.outputs);

  const std::string &device = job.device.empty() ? options.device : job.device;
  const rayo_run_options run_options = call_options(options, device);
  JobResult result;
  const std::vector<rayo_fallback> before = session.fallbacks();
  std::vector<HostTensor> outputs = call.allocate_outputs();
  if (job.repeat > 1) call.run(outputs, run_options);
  for (uint32_t i = 0; i < job.repeat; ++i) result.nanoseconds.push_back(call.run(outputs, run_options));
  result.fallbacks = new_fallbacks(before, session.fallbacks());
  // After the runs, which know better than any prediction.
  const std::string place = result.fallbacks.empty() ? device : "host";
  describe_choice(job.op, Explanation(session, op, call.input_pointers(), attributes, call_options(options, place)),
                  result);
  if (job.verify) result.verification = verify(session, options, call, outputs, result);
  for (std::size_t i = 0; i < files.size(); ++i) write_npy(files.descriptor(i), outputs[i], files.path(i));
  result.outputs = summarise(job, outputs, with_digests);
  files.commit();
  return result;
}

Timing timing_of(std::vector<double> nanoseconds) {
  std::sort(nanoseconds.begin(), nanoseconds.end());
  const std::size_t n = nanoseconds.size();
  Timing timing;
  timing.median = (nanoseconds[(n - 1) / 2] + nanoseconds[n / 2]) / 2;
  timing.minimum = nanoseconds.front();
  timing.spread = nanoseconds[3 * (n - 1) / 4] - nanoseconds[(n - 1) / 4];
  return timing;
}

json job_result_json(const Job &job, const JobResult &result) {
  json outputs = json::array();
  for (const OutputSummary &output : result.outputs) {
    outputs.push_back({{"file", output.file.empty() ? json(nullptr) : json(output.file)},
                       {"dtype", output.dtype},
                       {"shape", output.shape},
                       {"digest", output.digest}});
  }
  const Timing timing = timing_of(result.nanoseconds);
  json document = {{"op", job.op},
                   {"device", result.device},
                   {"plugin", result.plugin},
                   {"kernel", result.kernel},
                   {"numerics", result.numerics},
                   {"threads", result.threads},
                   {"outputs", outputs},
                   {"runs", result.nanoseconds.size()},
                   {"ns", timing.median},
                   {"min_ns", timing.minimum},
                   {"spread_ns", timing.spread}};
  document["fallbacks"] = json::array();
  for (const JobFallback &each : result.fallbacks) {
    document["fallbacks"].push_back(
        {{"device", each.device}, {"reason", each.reason}, {"text", each.text}, {"calls", each.calls}});
  }
  if (result.verification) {
    document["verify"] = {{"reference", kReferenceDevice},
                          {"judged", result.verification->judged ? "bits" : "reported"},
                          {"equal", result.verification->differing == 0},
                          {"differing", result.verification->differing},
                          {"max_ulp", result.verification->max_ulp}};
  }
  return document;
}

}  // namespace rayo::tools
