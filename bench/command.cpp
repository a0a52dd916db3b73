// SPDX-License-Identifier: Apache-2.0
//
// From the command line to reports: one process per instruction set, one document out of all.
#include "command.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/core.h>

#include "bench/report/compare.hpp"
#include "bench/report/svg.hpp"
#include "bench/report/text.hpp"
#include "options.hpp"
#include "run.hpp"
#include "tools/options.hpp"
#include "tools/temp_files.hpp"

extern "C" char **environ;

namespace rayo::bench {
namespace {

using nlohmann::json;
using tools::CommandError;

volatile std::sig_atomic_t stop = 0;

void ask_to_stop(int) { stop = 1; }

// Ctrl-C asks to stop once; a second one ends the process as usual.
void catch_interrupt() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

struct Group {
  std::string isa;
  std::vector<std::string> devices;
};

std::vector<Group> groups_of(const std::vector<std::string> &devices) {
  std::vector<Group> groups;
  for (const std::string &device : devices) {
    const std::string isa = isa_of_device(device);
    auto found = std::find_if(groups.begin(), groups.end(), [&](const Group &group) { return group.isa == isa; });
    if (found == groups.end()) found = groups.insert(groups.end(), Group{isa, {}});
    found->devices.push_back(device);
  }
  return groups;
}

json read_document(const std::string &file) {
  std::ifstream stream(file);
  if (!stream) {
    throw CommandError(RAYO_IO, fmt::format("{}: {}; write one with 'rayo bench -o FILE'", file, std::strerror(errno)));
  }
  json document = json::parse(stream, nullptr, false);
  if (document.is_discarded()) throw CommandError(RAYO_INVALID_ARGUMENT, fmt::format("{}: not JSON", file));
  return document;
}

// A file that goes away.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char *const folder = std::getenv("TMPDIR");
    path_ = std::string(folder == nullptr || *folder == '\0' ? "/tmp" : folder) + "/rayo-bench-XXXXXX";
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) throw CommandError(RAYO_IO, fmt::format("{}: {}", path_, std::strerror(errno)));
    ::close(descriptor);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

// The same program again, on some of the devices, with its standard output thrown away.
json measure_in_child(const BenchOptions &options, const Group &group, double budget_s) {
  const TemporaryFile file;
  std::vector<std::string> arguments = child_arguments(options, group.devices, budget_s, file.path());
  arguments.insert(arguments.begin(), "rayo");
  std::vector<char *> pointers;
  for (std::string &argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int error = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw CommandError(RAYO_IO, fmt::format("starting a process for '{}': {}", group.isa, strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == tools::kExitUnsupported) return {{"rows", json::array()}};
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != tools::kExitOk && stop == 0)) {
    throw CommandError(RAYO_INTERNAL,
                       fmt::format("the process for devices of '{}' failed (status {})", group.isa, status));
  }
  return read_document(file.path());
}

// Rows behind rows; of the machine, what each process found out for itself.
void merge(json &document, const json &more) {
  if (document.is_null()) {
    document = more;
    return;
  }
  for (const char *const list : {"rows", "skipped"}) {
    for (const json &item : more.value(list, json::array())) document[list].push_back(item);
  }
  const json machine = more.value("machine", json::object());
  for (const char *const list : {"ceilings", "peers", "peers_not_used"}) {
    for (const json &item : machine.value(list, json::array())) document["machine"][list].push_back(item);
  }
  document["interrupted"] = document.value("interrupted", false) || more.value("interrupted", false);
}

json measure_all(const BenchOptions &options) {
  const std::vector<Group> groups = groups_of(options.devices);
  if (groups.size() == 1) return measure(options, groups.front().isa, &stop);
  json document;
  for (const Group &group : groups) {
    if (stop != 0) break;
    merge(document, measure_in_child(options, group, options.budget_s / static_cast<double>(groups.size())));
  }
  return document;
}

void write_file(tools::OutputFiles &files, std::size_t index, const std::string &text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t size = ::write(files.descriptor(index), text.data() + written, text.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw CommandError(RAYO_IO, fmt::format("{}: {}", files.path(index), std::strerror(errno)));
    written += static_cast<std::size_t>(size);
  }
}

}  // namespace

int bench_command(std::span<const std::string> arguments) {
  BenchOptions options;
  if (!parse_options(arguments, &options)) return tools::kExitOk;
  std::vector<Row> baseline;
  if (!options.baseline_file.empty()) baseline = rows_of(read_document(options.baseline_file), options.baseline_file);
  std::vector<std::string> paths;  // opened now: a path that cannot be written fails before minutes are spent
  for (const std::string &path : {options.output_file, options.svg_file}) {
    if (!path.empty()) paths.push_back(path);
  }
  tools::OutputFiles files(paths);
  catch_interrupt();
  json document = measure_all(options);
  const std::vector<Row> rows = rows_of(document, "this run");
  const Comparison comparison = compare(rows, baseline);
  if (!options.baseline_file.empty()) document["comparison"] = to_json(comparison);
  std::size_t next = 0;
  if (!options.output_file.empty()) write_file(files, next++, document.dump(1) + "\n");
  if (!options.svg_file.empty()) write_file(files, next++, roofline_svg(document["machine"], rows));
  files.commit();
  if (options.json) {
    tools::print_json(document);
  } else {
    fmt::print("{}", text_report(document["machine"], rows));
    if (!options.baseline_file.empty()) fmt::print("{}", comparison_text(comparison));
  }
  if (document.value("interrupted", false)) {
    fmt::print(stderr, "rayo bench: interrupted; {} rows were complete\n", rows.size());
    return tools::kExitFailed;
  }
  if (rows.empty()) {
    throw CommandError(RAYO_UNSUPPORTED,
                       "nothing was measured: no device here runs any of it; 'rayo ops' lists kernels");
  }
  return comparison.slower.empty() ? tools::kExitOk : tools::kExitFailed;
}

}  // namespace rayo::bench
