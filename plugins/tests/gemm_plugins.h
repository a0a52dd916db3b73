// SPDX-License-Identifier: Apache-2.0
//
// The plugins under test: the files of the colon-separated list RAYO_TEST_PLUGINS (a compile definition). One that
// refuses this machine is left out and named on stderr; none left is a failure of the tests that use them.
#ifndef RAYO_PLUGINS_TESTS_GEMM_PLUGINS_H
#define RAYO_PLUGINS_TESTS_GEMM_PLUGINS_H

#include <cstdio>
#include <memory>
#include <sstream>

#include "gemm_harness.h"

namespace rayo::test {

inline const std::vector<std::unique_ptr<Plugin>> &plugins() {
  static const std::vector<std::unique_ptr<Plugin>> all = [] {
    std::vector<std::unique_ptr<Plugin>> found;
    std::istringstream files(RAYO_TEST_PLUGINS);
    for (std::string file; std::getline(files, file, ':');) {
      try {
        found.push_back(std::make_unique<Plugin>(file));
      } catch (const std::exception &e) {
        std::fprintf(stderr, "not tested: %s\n", e.what());
      }
    }
    if (found.empty()) throw std::runtime_error("no plugin of " RAYO_TEST_PLUGINS " could be loaded");
    return found;
  }();
  return all;
}

}  // namespace rayo::test

#endif  // RAYO_PLUGINS_TESTS_GEMM_PLUGINS_H
