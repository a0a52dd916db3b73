// SPDX-License-Identifier: Apache-2.0
//
// The `rayo` program: finds the sub-command in one table and turns what it throws into a message and an exit code.
#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include <fmt/core.h>

#include "command.hpp"
#include "suggest.hpp"
#include "temp_files.hpp"

#ifdef RAYO_HAVE_BENCH
#include <bench/command.hpp>
#endif
#ifdef RAYO_HAVE_TUNE
#include <tools/tune/command.hpp>
#endif
#ifdef RAYO_HAVE_CONFORMANCE
#include <conformance/runner/command.hpp>
#endif

namespace rayo::tools {
namespace {

constexpr const char *kNoOutput = "standard output could not be written (closed, or the disk is full)";

struct SubCommand {
  const char *name;
  const char *summary;
  int (*run)(Arguments arguments);
};

// The one list of sub-commands; help, dispatch and suggestions read it.
constexpr SubCommand kSubCommands[] = {
    {"devices", "plugins found, the devices they bring, and why others are not used", devices_command},
    {"ops", "operations, their attributes, and the kernels that implement them", ops_command},
    {"run", "run one operation, or a batch of them, on .npy files", run_command},
    {"plugin", "check, list or start a plugin, forget what it did", plugin_command},
    {"explain", "which kernel a call would take, and why not the others", explain_command},
#ifdef RAYO_HAVE_TUNE
    {"tune", "measure who is fastest for which call, and write a device profile", tune_command},
#endif
#ifdef RAYO_HAVE_CONFORMANCE
    {"conform", "check plugins against the contract and write a report", rayo::conform_command},
#endif
#ifdef RAYO_HAVE_BENCH
    {"bench", "time operations beside other libraries and the machine's limits", rayo::bench::bench_command},
#endif
};

void print_help(std::FILE *stream) {
  fmt::print(stream, "Rayo {}: runs operations on the best backend of this machine.\n\n", rayo_version());
  fmt::print(stream, "Usage: rayo COMMAND [ARGUMENTS]\n\nCommands:\n");
  for (const SubCommand &command : kSubCommands) {
    fmt::print(stream, "  {:<9} {}\n", command.name, command.summary);
  }
  fmt::print(stream,
             "\nExamples:\n"
             "  rayo devices\n"
             "  rayo run matmul a.npy b.npy -o c.npy\n"
             "  rayo explain matmul --shape 1000x1000,1000x1000\n"
             "\n'rayo COMMAND --help' explains a command. Exit codes: 0 ok, 1 failed, 2 usage,\n"
             "3 unsupported here.\n");
}

int report(const char *command, const std::string &text, int exit_code) {
  fmt::print(stderr, "rayo {}: {}\n", command, text);
  return exit_code;
}

int run_sub_command(const SubCommand &command, Arguments arguments) {
  try {
    const int exit_code = command.run(arguments);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      return report(command.name, kNoOutput, kExitFailed);
    }
    return exit_code;
  } catch (const CommandError &error) {
    std::fflush(stdout);
    return report(command.name, error.what(), error.exit_code());
  } catch (const std::bad_alloc &) {
    return report(command.name, "out of memory; try smaller inputs, or free memory first", kExitFailed);
  } catch (const std::exception &error) {
    if (std::ferror(stdout) != 0) return report(command.name, kNoOutput, kExitFailed);  // thrown while printing
    return report(command.name, fmt::format("internal error: {}; please report it", error.what()), kExitFailed);
  }
}

int run_program(const std::vector<std::string> &arguments) {
  if (arguments.empty()) {
    print_help(stderr);
    return kExitUsage;
  }
  const std::string &name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(stdout);
    return kExitOk;
  }
  if (name == "--version") {
    fmt::print("rayo {}\n", rayo_version());
    return kExitOk;
  }
  std::vector<std::string> names;
  for (const SubCommand &command : kSubCommands) {
    if (name == command.name) return run_sub_command(command, Arguments(arguments).subspan(1));
    names.emplace_back(command.name);
  }
  fmt::print(stderr, "rayo: unknown command '{}'{}; 'rayo --help' lists the commands\n", name,
             did_you_mean(name, names));
  return kExitUsage;
}

}  // namespace
}  // namespace rayo::tools

int main(int argc, char **argv) {
  try {
    rayo::tools::remove_temp_files_on_signals();
    return rayo::tools::run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (...) {
    std::fputs("rayo: out of memory\n", stderr);
    return rayo::tools::kExitFailed;
  }
}
