// SPDX-License-Identifier: Apache-2.0
//
// Command lines: Boost.Program_Options with our help, our messages and the options that sub-commands share.
#pragma once

#include <string>
#include <vector>

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "session.hpp"

namespace rayo::tools {

// One sub-command's command line: options, positional arguments and a help text that teaches.
class CommandLine {
 public:
  // `usage`: the lines after "Usage: "; `text`: what it does and examples, printed after the options.
  CommandLine(std::string name, std::string usage, std::string text);

  boost::program_options::options_description_easy_init add() { return options_.add_options(); }
  // Adds --plugin, and for calls --device, --threads and --numerics. `session` outlives parse().
  void add_session_options(SessionOptions &session, bool with_calls);
  // All arguments that are no options.
  void add_positional(const char *what, std::vector<std::string> &values);

  // Fills the bound variables. false: --help was asked for and printed. Throws a usage error with near options.
  bool parse(Arguments arguments);
  // Whether the option was on the command line. After parse().
  bool given(const char *option) const { return values_.count(option) != 0; }

 private:
  void print_help() const;
  std::vector<std::string> option_names() const;

  std::string name_;
  std::string usage_;
  std::string text_;
  boost::program_options::options_description options_;
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
};

constexpr uint32_t kMostThreads = 1024;

// An option's text as an integer from `least` to `most`; throws a usage error naming both.
uint32_t parse_count(const std::string &option, const std::string &text, uint32_t least, uint32_t most);

// Prints a JSON document and a line end on stdout; text that is no UTF-8 (file names) is replaced, not refused.
void print_json(const nlohmann::json &document);

}  // namespace rayo::tools
