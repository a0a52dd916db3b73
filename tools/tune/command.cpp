// SPDX-License-Identifier: Apache-2.0
//
// The command line of `rayo tune`, its progress bar, and Ctrl-C.
#include "command.hpp"

#include <rayo/profile.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/core.h>

#include "check.hpp"
#include "plot.hpp"
#include "profile_file.hpp"
#include "shapes_file.hpp"
#include "summary.hpp"
#include "tools/dtypes.hpp"
#include "tools/lists.hpp"
#include "tools/options.hpp"
#include "tools/session.hpp"
#include "tuner.hpp"

namespace rayo::tools {
namespace {

using namespace tune;

constexpr const char *kHelp =
    "Measures which device and how many threads are fastest for which op, type and\n"
    "size, checks each result against the scalar plugin, and writes a device profile.\n"
    "Every later process that finds the profile chooses by it and measures nothing;\n"
    "'rayo explain' shows how. Ctrl-C keeps what is measured.\n"
    "\n"
    "Examples:\n"
    "  rayo tune                                  # the user's profile, under two minutes\n"
    "  rayo tune --quick --ops matmul,exp --plot tune.svg\n"
    "  rayo tune --resume                         # what is missing, or was interrupted\n"
    "  RAYO_CAPTURE=calls.jsonl ./app; rayo tune --shapes calls.jsonl\n"
    "  rayo tune --check                          # regret on calls outside the grid\n"
    "\n"
    "Exit codes: 1 interrupted, or --check found too much regret; 3 nothing here to\n"
    "measure.\n";

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void request_stop(int signal_number) {
  stop_requested = 1;
  std::signal(signal_number, SIG_DFL);  // the second time it ends the process
}

class StopOnSignals {
 public:
  StopOnSignals() {
    stop_requested = 0;
    struct sigaction action {};
    action.sa_handler = request_stop;
    ::sigaction(SIGINT, &action, &interrupt_);
    ::sigaction(SIGTERM, &action, &terminate_);
  }
  ~StopOnSignals() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGTERM, &terminate_, nullptr);
  }
  StopOnSignals(const StopOnSignals &) = delete;
  StopOnSignals &operator=(const StopOnSignals &) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

// One line on stderr, where that is a terminal.
class ProgressBar {
 public:
  void show(double share, const std::string &what) const {
    if (!terminal_) return;
    constexpr int kWidth = 30;
    const int done = static_cast<int>(share * kWidth);
    if (what.empty()) {
      fmt::print(stderr, "\r\033[K");
    } else {
      fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {:3.0f}% {:.40}", "", done, "", kWidth - done, share * 100, what);
    }
    std::fflush(stderr);
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
};

double parse_seconds(const std::string &text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || !(seconds > 0) || seconds > 86400 || (!unit.empty() && unit != "s" && unit != "m")) {
    throw usage_error(fmt::format("--budget '{}': legal: seconds such as 90 or 90s, minutes such as 5m", text));
  }
  return unit == "m" ? 60 * seconds : seconds;
}

struct TuneOptions {
  SessionOptions session;
  std::string ops, dtypes, output, plot, shapes, budget;
  bool quick = false, check = false, resume = false, json = false, for_class = false;
  uint32_t seed = 1;
  uint32_t calls = 200;
};

std::string profile_file(const TuneOptions &options) {
  if (!options.output.empty()) return options.output;
  char path[4096];
  if (rayo_profile_path(path, sizeof path) == 0) {
    throw usage_error(
        "there is no place for a user's profile (neither XDG_CONFIG_HOME nor HOME is an absolute path); "
        "name a file with -o");
  }
  return path;
}

std::vector<Job> collect_jobs(const Session &session, const TuneOptions &options) {
  const std::vector<std::string> names =
      options.ops.empty() ? std::vector<std::string>() : split_list(options.ops, ',');
  const std::vector<std::string> dtypes =
      options.dtypes.empty() ? std::vector<std::string>() : split_list(options.dtypes, ',');
  const Extent extent = options.quick ? Extent::quick : Extent::normal;
  std::vector<rayo_op_info> ops;
  for (const std::string &name : names) ops.push_back(session.find_op(name));
  if (names.empty()) ops = session.ops();
  if (!options.shapes.empty()) return jobs_from_file(session, options.shapes, ops);
  std::vector<Job> jobs;
  for (const rayo_op_info &op : ops) {
    for (Job &job : jobs_of(op, extent, dtypes)) jobs.push_back(std::move(job));
  }
  if (jobs.empty()) throw CommandError(RAYO_UNSUPPORTED, "nothing to measure: no op has the types that were asked for");
  return jobs;
}

// A session that chooses by this profile, whatever RAYO_PROFILE says. No other thread runs yet.
Session session_with(const TuneOptions &options, const char *profile) {
  ::setenv("RAYO_PROFILE", profile, 1);
  ::unsetenv("RAYO_CAPTURE");
  return Session(options.session);
}

int check(const TuneOptions &options, const std::string &file) {
  const Session chooser = session_with(options, file.c_str());
  const Session measurer = session_with(options, "none");
  const std::vector<Job> jobs = collect_jobs(measurer, options);
  const double budget = options.budget.empty() ? 45 : parse_seconds(options.budget);
  const ProgressBar bar;
  const Regret regret = check_profile(chooser, measurer, jobs, options.calls, options.seed, budget, &stop_requested,
                                      [&](double share, const std::string &what) { bar.show(share, what); });
  if (regret.rows.empty()) throw CommandError(RAYO_UNSUPPORTED, "no call could be measured");
  if (options.json) {
    print_json(regret_json(regret));
  } else {
    print_regret(regret);
  }
  return regret.median <= kMostMedianRegret && regret.p95 <= kMostP95Regret ? kExitOk : kExitFailed;
}

int measure(const TuneOptions &options, const std::string &file) {
  const Session session = session_with(options, "none");  // every candidate is asked for by name
  const std::vector<Job> jobs = collect_jobs(session, options);
  prepare_folder(file);
  const ProfileLock lock(file);
  TunerOptions tuner_options;
  tuner_options.extent = options.quick ? Extent::quick : Extent::normal;
  tuner_options.budget_s = !options.budget.empty() ? parse_seconds(options.budget) : options.quick ? 14 : 95;
  tuner_options.resume = options.resume;
  tuner_options.add = !options.shapes.empty();
  tuner_options.for_class = options.for_class;
  tuner_options.file = file;
  const ProgressBar bar;
  const auto begin = std::chrono::steady_clock::now();
  Tuner tuner(session, tuner_options, &stop_requested,
              [&](double share, const std::string &what) { bar.show(share, what); });
  const Outcome outcome = tuner.run(jobs);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!options.plot.empty()) write_plot(tuner.profile(), options.plot);
  if (options.json) {
    print_json(summary_json(tuner.profile(), outcome, file, seconds));
  } else {
    print_summary(tuner.profile(), outcome, file, seconds);
    if (!options.plot.empty()) fmt::print("Plot: {}\n", options.plot);
  }
  return outcome.interrupted ? kExitFailed : kExitOk;
}

// --plot alone with nothing to measure: a picture of the profile that is there.
int draw(const TuneOptions &options, const std::string &file) {
  try {
    write_plot(read_profile(file), options.plot);
  } catch (const CommandError &) {
    throw;
  } catch (const std::exception &error) {
    throw CommandError(RAYO_NOT_FOUND, fmt::format("profile {}: {}; measure one with rayo tune", file, error.what()));
  }
  fmt::print("Plot: {}\n", options.plot);
  return kExitOk;
}

}  // namespace

int tune_command(Arguments arguments) {
  TuneOptions options;
  std::vector<std::string> stray;
  std::string seed, calls;
  bool draw_only = false;
  CommandLine line("tune", "rayo tune [--quick] [--budget TIME] [--ops LIST] [-o FILE] [--plot FILE]", kHelp);
  namespace po = boost::program_options;
  line.add()("quick", po::bool_switch(&options.quick), "fewer types, shapes and readings: under 20 s")(
      "budget", po::value(&options.budget)->value_name("TIME"), "how long to measure: 60, 60s, 5m")(
      "ops", po::value(&options.ops)->value_name("LIST"), "these ops alone: matmul,exp")(
      "dtypes", po::value(&options.dtypes)->value_name("LIST"), "types to measure (default f32,f64; f32 when quick)")(
      "output,o", po::value(&options.output)->value_name("FILE"), "the profile (default: the user's)")(
      "plot", po::value(&options.plot)->value_name("FILE"), "also draw time against size: FILE.svg or FILE.png")(
      "draw", po::bool_switch(&draw_only), "measure nothing: draw the profile that is there")(
      "resume", po::bool_switch(&options.resume), "keep what the profile has and measure the rest")(
      "shapes", po::value(&options.shapes)->value_name("FILE"), "measure the calls that RAYO_CAPTURE wrote down")(
      "class", po::bool_switch(&options.for_class),
      "for every machine of this kind: CPU plugins alone, known by their version")(
      "check", po::bool_switch(&options.check), "measure the profile's regret instead")(
      "calls", po::value(&calls)->value_name("N"), "calls of --check (default 200)")(
      "seed", po::value(&seed)->value_name("N"), "seed of --check's calls (default 1)")(
      "json", po::bool_switch(&options.json), "print JSON");
  line.add_session_options(options.session, false);
  line.add()("threads,t", po::value<std::string>()->value_name("N")->notifier([&options](const std::string &text) {
    options.session.threads = parse_count("--threads", text, 1, kMostThreads);
  }),
             "threads of a call at most (default: RAYO_NUM_THREADS, else all CPUs)");
  line.add_positional("argument", stray);
  if (!line.parse(arguments)) return kExitOk;
  if (!stray.empty()) throw usage_error(fmt::format("'{}' is one argument too many; ops go into --ops", stray[0]));
  if (!seed.empty()) options.seed = parse_count("--seed", seed, 0, UINT32_MAX);
  if (!calls.empty()) options.calls = parse_count("--calls", calls, 1, 100'000);
  if (!options.budget.empty()) parse_seconds(options.budget);
  if (!options.plot.empty()) {
    check_plot_name(options.plot);
    check_writable("plot", options.plot);
  }
  if (line.given("ops") && options.ops.empty()) throw usage_error("--ops names no op; leave it out to measure all");
  for (const std::string &dtype :
       options.dtypes.empty() ? std::vector<std::string>() : split_list(options.dtypes, ',')) {
    if (!dtype_from_name(dtype)) throw usage_error(fmt::format("--dtypes '{}': legal: {}", dtype, dtype_names()));
  }
  if (options.check && (options.resume || options.for_class || !options.plot.empty())) {
    throw usage_error("--check measures nothing into the profile: --resume, --class and --plot do not go with it");
  }
  if (options.for_class && options.output.empty()) {
    throw usage_error("--class needs -o FILE: a profile for others is not this user's");
  }
  const std::string file = profile_file(options);
  const StopOnSignals signals;
  if (draw_only) {
    if (options.plot.empty()) throw usage_error("--draw needs --plot FILE");
    return draw(options, file);
  }
  return options.check ? check(options, file) : measure(options, file);
}

}  // namespace rayo::tools
