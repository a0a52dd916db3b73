// SPDX-License-Identifier: Apache-2.0
//
// `rayo conform` alone, for tests.
#include <string>
#include <vector>

#include "runner/command.hpp"

int main(int argc, char **argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return rayo::conform_command(args);
}
