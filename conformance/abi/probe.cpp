// SPDX-License-Identifier: Apache-2.0
#include "abi/probe.hpp"

#include <fmt/format.h>

#include <array>

#include "abi/host.hpp"
#include "runner/subject.hpp"
#include "suites/probes.hpp"

namespace rayo::conform {

Verdict run_probe(const Case &c, const std::string &file) {
  const std::array<std::span<const abi::Probe>, 4> tables = {abi::file_probes(), abi::behaviour_probes(),
                                                             abi::misuse_probes(), abi::environment_probes()};
  for (const auto table : tables) {
    for (const abi::Probe &probe : table) {
      if (probe.name != c.probe || (table.data() == abi::environment_probes().data()) != (c.op == "env")) continue;
      try {
        probe.run(file);
      } catch (const abi::Defect &defect) {
        return {State::failed, 0, 0, fmt::format("{} {}: {}", c.op, c.probe, defect.what())};
      } catch (const LoadError &error) {
        return {State::failed, 0, 0, fmt::format("{} {}: {}", c.op, c.probe, error.text)};
      }
      return {State::passed, 0, 0, {}};
    }
  }
  throw CaseError(fmt::format("'{} {}': no such check", c.op, c.probe));
}

}  // namespace rayo::conform
