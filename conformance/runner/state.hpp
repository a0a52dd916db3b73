// SPDX-License-Identifier: Apache-2.0
//
// What became of a case, of a plugin and of a run: plain data between judge, session and report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform {

enum class State {
  passed,
  failed,
  unsupported,    // declared: the plugin has no kernel for it, or the kernel says so
  expected_fail,  // listed in expectations/ with a reason, and failed
  crashed,
  hung,
  distrusted,     // would pass, but the expected values could hardly tell right from wrong
  not_evaluated,  // not run: no such hardware, no oracle, or given up after repeated crashes
};

inline constexpr std::array<std::string_view, 8> kStateNames = {"passed",  "failed", "unsupported", "expected_fail",
                                                                "crashed", "hung",   "distrusted",  "not_evaluated"};

inline std::string_view state_name(State s) { return kStateNames[static_cast<std::size_t>(s)]; }

// States that make a run fail.
inline bool is_defect(State s) {
  return s == State::failed || s == State::crashed || s == State::hung || s == State::distrusted;
}

struct Verdict {
  State state = State::not_evaluated;
  double error_ulp = 0;  // of the worst element, against the oracle
  double bound = 0;      // that element's bound, in ULP; 0 = exact
  std::string message;   // which check, which element, actual and expected
};

struct CaseResult {
  std::string line;
  Verdict verdict;
  std::string digest;  // of the output's shapes and bits, any NaN for any other; 32 hex digits; empty: no output
};

// What a plugin logged at level warning or above (or the runtime about it), each text once.
struct Message {
  std::string level;  // "warning", "error"
  std::string text;
  std::uint64_t count = 0;
};

struct Messages {
  static constexpr std::size_t kMost = 100;
  std::vector<Message> texts;
  std::uint64_t further = 0;  // not among them

  std::uint64_t count() const {
    std::uint64_t sum = further;
    for (const Message &m : texts) sum += m.count;
    return sum;
  }
  void add(const Message &message) {
    for (Message &m : texts) {
      if (m.level == message.level && m.text == message.text) {
        m.count += message.count;
        return;
      }
    }
    if (texts.size() < kMost) {
      texts.push_back(message);
    } else {
      further += message.count;
    }
  }
  void add(const Messages &others) {
    for (const Message &m : others.texts) add(m);
    further += others.further;
  }
};

struct PluginReport {
  std::string plugin;
  std::string file;
  std::string sha256;
  std::uint64_t seed = 0;
  std::string refused;            // why it could not be loaded; empty if it could
  bool unsupported_here = false;  // ... because this machine lacks what it needs
  std::vector<CaseResult> cases;
  Messages messages;

  std::size_t count(State s) const {
    std::size_t n = 0;
    for (const CaseResult &c : cases) n += c.verdict.state == s ? 1 : 0;
    return n;
  }
  std::size_t executed() const { return cases.size() - count(State::not_evaluated) - count(State::unsupported); }
  bool good() const {
    for (const CaseResult &c : cases) {
      if (is_defect(c.verdict.state)) return false;
    }
    return refused.empty() && executed() > 0;
  }
};

}  // namespace rayo::conform
