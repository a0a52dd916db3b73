// SPDX-License-Identifier: Apache-2.0
//
// Claims about the suite itself and what a case costs: memory, all cases passing, a report that keeps its schema, a
// seed that means the same everywhere.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "claims/schema.hpp"
#include "runner/command.hpp"
#include "runner/session.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::claims {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

// VmRSS or VmHWM of this process in bytes; 0 if the system does not say.
std::uint64_t status_bytes(std::string_view field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field)) continue;
    std::istringstream numbers(line.substr(field.size() + 1));
    std::uint64_t kibibytes = 0;
    numbers >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

// Sets the peak back to what is resident now.
bool reset_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

// Growth of the resident memory during the call, its operands being there already.
std::uint64_t growth_of(BoundCase &call) {
  (void)::malloc_trim(0);
  if (!reset_peak()) throw NotEvaluated("/proc/self/clear_refs cannot be written: the peak is not measurable here");
  const std::uint64_t before = status_bytes("VmRSS");
  if (before == 0) throw NotEvaluated("/proc/self/status names no VmRSS");
  if (!call.run(2)) return 0;
  const std::uint64_t peak = status_bytes("VmHWM");
  return peak > before ? peak - before : 0;
}

// The peak must be seen to move, or every call would look frugal.
void check_meter() {
  constexpr std::size_t kSize = 100 * kMebi;
  if (!reset_peak()) throw NotEvaluated("/proc/self/clear_refs cannot be written: the peak is not measurable here");
  const std::uint64_t before = status_bytes("VmRSS");
  {
    std::vector<char> touched(kSize, 1);
    asm volatile("" : : "r"(touched.data()) : "memory");
  }
  if (status_bytes("VmHWM") < before + kSize / 10 * 9) {
    throw NotEvaluated("VmHWM does not show 100 MiB that were touched: the peak is not measurable here");
  }
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string &name)
      : path_((std::filesystem::temp_directory_path() / fmt::format("{}-{}", name, ::getpid())).string()) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

std::string text_of(const PluginReport &report) {
  return fmt::format("{} {} of {}", report.plugin, grouped(report.count(State::passed)), grouped(report.executed()));
}

std::vector<std::string> files_of(const std::vector<const Backend *> &backends) {
  std::vector<std::string> files;
  for (const Backend *backend : backends) files.push_back(backend->file);
  return files;
}

std::vector<PluginReport> judge_cases(const Setting &setting, const std::vector<const Backend *> &backends,
                                      const std::vector<Case> &cases, const std::string &what, unsigned lanes) {
  SessionOptions options;
  options.lanes = lanes;
  if (!setting.reference.empty()) options.reference = setting.reference;
  for (const Backend *backend : backends) {
    if (backend->name == "scalar") options.reference = backend->file;
  }
  options.progress = [&](std::size_t done, std::size_t total) {
    if (done % 512 == 0) setting.step(fmt::format("{}: {} of {} cases", what, done, total));
  };
  setting.step(what);
  return judge_plugins(files_of(backends), cases, options);
}

// Calls on 3,000,000 elements of every op and type, and those that copy most: transposed and strided products, leading
// axes.
std::vector<Case> large_cases(std::uint64_t seed) {
  std::vector<Case> cases;
  for (const Typed &typed : all_typed_ops()) {
    auto c = sized_case(*typed.op, typed.types, 3000000, "uniform", seed);
    if (c) cases.push_back(std::move(*c));
  }
  for (const char *line :
       {"gemm f32 700x1100,900x700,900 - 0 uniform 1 transA=1 transB=1 alpha=0.5",
        "gemm f64 700x1100,900x700,900 - 0 uniform 1 transA=1 transB=1 alpha=0.5",
        "matmul f32 1024x1024,1024x1024 1x1024,1x1024 0 uniform 1", "matmul f32 8x300x300,8x300x300 - 0 uniform 1",
        "softmax f32 1700x1700 - 0 uniform 1 axis=0", "reduce_sum f32 1700x1700 - 0 uniform 1 axes=0",
        "layer_norm f32 10x300000,300000 - 0 uniform 1", "transpose f32 1700x1700 - 0 uniform 1"}) {
    cases.push_back(parse_case(line));
  }
  return cases;
}

}  // namespace

std::string memory_per_call(const Setting &setting) {
  constexpr std::uint64_t kAllowance = 64 * kMebi;
  (void)::mallopt(M_MMAP_THRESHOLD, 1 << 20);  // fixed, so that freed blocks leave the process
  check_meter();
  Tally tally;
  std::uint64_t worst = 0;
  std::string where;
  for (const Backend *backend : setting.ready()) {
    const auto subject = load(setting, *backend);
    for (const Case &c : large_cases(setting.seed)) {
      if (subject->classes(c.op, c.dtype).empty()) continue;
      setting.step(replay(*backend, format_case(c)));
      BoundCase call(c, *subject);
      const std::uint64_t growth = growth_of(call);
      tally.count(*backend, c, 1);
      if (growth > kAllowance) {
        throw Refuted(
            fmt::format("{}: {}: {} MiB beyond its inputs and outputs", backend->name, format_case(c), growth / kMebi),
            replay(*backend, format_case(c)));
      }
      if (growth <= worst && !where.empty()) continue;
      worst = growth;
      where = fmt::format("{}: {}", backend->name, format_case(c));
    }
  }
  const std::string text = tally.text("calls on about 3,000,000 elements (products 512^3 to 1024^3)");
  return fmt::format("at most {:.1f} MiB of resident memory beyond inputs and outputs over {}; most: {}",
                     static_cast<double>(worst) / static_cast<double>(kMebi), text, where);
}

std::string deterministic_cases_pass(const Setting &setting) {
  const std::vector<Case> cases = generate({}, !setting.nightly, setting.seed);
  const std::vector<const Backend *> backends = setting.ready();
  const std::string kind = setting.nightly ? "full run" : "quick run";
  const std::vector<PluginReport> reports = judge_cases(setting, backends, cases, kind, 2);
  std::string text;
  for (std::size_t b = 0; b < reports.size(); ++b) {
    if (!reports[b].refused.empty()) throw Refuted(backends[b]->name + ": " + reports[b].refused);
    for (const CaseResult &c : reports[b].cases) {
      if (!is_defect(c.verdict.state)) continue;
      throw Refuted(
          fmt::format("{}: {}: {} {}", backends[b]->name, c.line, state_name(c.verdict.state), c.verdict.message),
          replay(*backends[b], c.line));
    }
    if (reports[b].executed() == 0) continue;
    text += (text.empty() ? "" : ", ") + text_of(reports[b]);
  }
  if (text.empty()) throw NotEvaluated("no case was executed");
  return fmt::format("passed of those executed, {} with seed {}: {}", kind, setting.seed, text);
}

// The command itself writes a report, as a user gets it; it is read back and held against the schema and its own sums.
std::string report_complete(const Setting &setting) {
  const std::vector<const Backend *> backends = setting.ready();
  setting.step("writing a report of add, exp, softmax and matmul");
  const TemporaryFile file("rayo-claims-report");
  std::vector<std::string> args = {"--quick", "--ops", "add,exp,softmax,matmul", "--json", "-o", file.path()};
  for (const Backend *backend : backends) args.insert(args.end(), {"--plugin", backend->file});
  if (!setting.reference.empty()) args.insert(args.end(), {"--reference", setting.reference});
  const int status = conform_command(args);
  std::ifstream stream(file.path());
  const auto document = nlohmann::json::parse(stream, nullptr, false);
  if (document.is_discarded()) throw Refuted(fmt::format("exit status {}, and the report is no JSON", status));
  const std::string violation = schema_violation(nlohmann::json::parse(report_schema()), document);
  if (!violation.empty()) throw Refuted("the report breaks its schema: " + violation);
  const auto &reports = document.at("reports");
  if (reports.size() != backends.size()) {
    throw Refuted(fmt::format("{} plugins were judged, the report has {}", backends.size(), reports.size()));
  }
  std::uint64_t lines = 0;
  for (const auto &report : reports) {
    std::map<std::string, std::uint64_t> counted;
    for (const auto &c : report.at("cases")) ++counted[c.at("state").get<std::string>()];
    for (const auto &[state, n] : report.at("summary").items()) {
      if (counted[state] == n.get<std::uint64_t>()) continue;
      throw Refuted(fmt::format("{}: the summary says {} {}, the cases say {}", report.at("plugin").dump(),
                                n.get<std::uint64_t>(), state, counted[state]));
    }
    lines += report.at("cases").size();
  }
  return fmt::format("a report of {} plugins and {} cases is valid by {}, and every summary is the count of its cases",
                     reports.size(), grouped(lines), nlohmann::json::parse(report_schema()).at("$id").dump());
}

std::string seed_reproduces(const Setting &setting) {
  const auto part = [](std::uint64_t seed) { return slice(generate({}, true, seed), 24, seed); };
  const std::vector<const Backend *> backends = setting.ready();
  const std::vector<Case> cases = part(setting.seed);
  const auto first = judge_cases(setting, backends, cases, "the first run", 1);
  const auto again = judge_cases(setting, backends, part(setting.seed), "the same seed again", 1);
  const auto other = judge_cases(setting, backends, part(setting.seed + 24), "another seed", 1);
  Tally tally;
  std::uint64_t differ = 0;
  for (std::size_t b = 0; b < first.size(); ++b) {
    for (std::size_t i = 0; i < first[b].cases.size(); ++i) {
      const CaseResult &x = first[b].cases[i];
      const CaseResult &y = again[b].cases.at(i);
      if (x.line != y.line || x.digest != y.digest || x.verdict.state != y.verdict.state ||
          x.verdict.error_ulp != y.verdict.error_ulp) {
        throw Refuted(fmt::format("{}: {} [{}] became {} [{}]", backends[b]->name, x.line, state_name(x.verdict.state),
                                  y.line, state_name(y.verdict.state)),
                      replay(*backends[b], x.line));
      }
      if (x.digest.empty()) continue;
      tally.count(*backends[b], parse_case(x.line), 1);
      if (i < other[b].cases.size() && other[b].cases[i].digest != x.digest) ++differ;
    }
  }
  const std::string text = tally.text("cases with the same line, digest, error and verdict in two runs");
  // A suite that ignored its seed would reproduce, too.
  if (differ == 0) throw Refuted(text + "; but another seed gives the same results: the seed is ignored");
  return fmt::format("{}; {} of them differ with another seed", text, grouped(differ));
}

}  // namespace rayo::conform::claims
