// SPDX-License-Identifier: Apache-2.0
//
// `rayo tune` and `rayo explain` alone: a program that tests can run without the whole of `rayo`.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "tools/command.hpp"
#include "tools/tune/command.hpp"

int main(int argc, char **argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.empty()) return rayo::tools::kExitUsage;
    const rayo::tools::Arguments rest = rayo::tools::Arguments(words).subspan(1);
    return words[0] == "explain" ? rayo::tools::explain_command(rest) : rayo::tools::tune_command(rest);
  } catch (const rayo::tools::CommandError &error) {
    std::fprintf(stderr, "rayo %s: %s\n", words[0].c_str(), error.what());
    return error.exit_code();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "rayo: %s\n", error.what());
    return rayo::tools::kExitFailed;
  }
}
