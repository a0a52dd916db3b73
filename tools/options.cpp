// SPDX-License-Identifier: Apache-2.0
//
// Parsing with Boost.Program_Options. Abbreviated options are not accepted: a script must not change its meaning when
// an option is added.
#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <sstream>
#include <utility>

#include <fmt/core.h>

#include "suggest.hpp"

namespace rayo::tools {

namespace po = boost::program_options;

namespace {

constexpr unsigned kColumns = 80;
constexpr unsigned kDescriptionColumns = 50;

}  // namespace

CommandLine::CommandLine(std::string name, std::string usage, std::string text)
    : name_(std::move(name)),
      usage_(std::move(usage)),
      text_(std::move(text)),
      options_("Options", kColumns, kDescriptionColumns) {
  options_.add_options()("help,h", "print this help");
}

void CommandLine::add_session_options(SessionOptions &session, bool with_calls) {
  auto easy = options_.add_options();
  easy("plugin", po::value(&session.plugin_files)->value_name("FILE"), "also load this plugin file; may be repeated");
  if (!with_calls) return;
  easy("device,d", po::value(&session.device)->value_name("NAME"),
       "device to use: auto, or a name of 'rayo devices' (default: RAYO_DEVICE, else auto)");
  easy("threads,t", po::value<std::string>()->value_name("N")->notifier([&session](const std::string &text) {
    session.threads = parse_count("--threads", text, 1, kMostThreads);
  }),
       "threads of a call at most (default: RAYO_NUM_THREADS, else all CPUs)");
  easy("numerics", po::value(&session.numerics)->value_name("POLICY"),
       "reproducible, accurate or relaxed (default: RAYO_NUMERICS, else accurate)");
}

void CommandLine::add_positional(const char *what, std::vector<std::string> &values) {
  hidden_.add_options()(what, po::value(&values));
  positional_.add(what, -1);
}

std::vector<std::string> CommandLine::option_names() const {
  std::vector<std::string> names;
  for (const auto &option : options_.options()) names.push_back("--" + option->long_name());
  return names;
}

void CommandLine::print_help() const {
  std::ostringstream options;
  options << options_;
  fmt::print("Usage: {}\n\n{}\n{}", usage_, options.str(), text_);
}

bool CommandLine::parse(Arguments arguments) {
  po::options_description all;
  all.add(options_).add(hidden_);
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    const std::vector<std::string> list(arguments.begin(), arguments.end());
    po::store(po::command_line_parser(list).options(all).positional(positional_).style(style).run(), values_);
    if (values_.count("help") != 0) {
      print_help();
      return false;
    }
    po::notify(values_);
  } catch (const po::unknown_option &error) {
    const std::vector<std::string> names = option_names();
    throw usage_error(fmt::format("unknown option '{}'{}; legal: {}", error.get_option_name(),
                                  did_you_mean(error.get_option_name(), names), join_names(names)));
  } catch (const po::error &error) {
    throw usage_error(fmt::format("{}; 'rayo {} --help' explains the options", error.what(), name_));
  }
  return true;
}

uint32_t parse_count(const std::string &option, const std::string &text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw usage_error(fmt::format("{} '{}': legal: integers from {} to {}", option, text, least, most));
  }
  return value;
}

void print_json(const nlohmann::json &document) {
  fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace rayo::tools
