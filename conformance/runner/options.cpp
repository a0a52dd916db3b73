// SPDX-License-Identifier: Apache-2.0
#include "runner/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "suites/case.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {
namespace {

namespace po = boost::program_options;

po::options_description describe() {
  po::options_description all("Options", 110);
  auto add = all.add_options();
  add("plugin,p", po::value<std::vector<std::string>>()->composing(),
      "FILE or NAME to judge; may be repeated; default: every ready plugin");
  add("reference", po::value<std::string>(), "FILE of the scalar plugin that decides bits; default: the one found");
  add("ops", po::value<std::string>(), "LIST of ops with commas; default: the whole catalogue");
  add("seed", po::value<std::string>()->default_value("1"), "N: other inputs, the same checks");
  add("case", po::value<std::vector<std::string>>()->composing(), "'LINE' from a report: run just it; may be repeated");
  add("slice", po::value<std::string>()->default_value("1"), "N: only one case in N, others for each seed");
  add("quick", po::bool_switch(), "a short run, for every build");
  add("shuffle", po::bool_switch(), "run the cases in an order drawn from the seed; verdicts must not change");
  add("format", po::value<std::string>()->default_value("text"), "text, json or junit");
  add("json", po::bool_switch(), "the same as --format json");
  add("output,o", po::value<std::string>(), "FILE for the report; default: stdout");
  add("help,h", po::bool_switch(), "this text");
  return all;
}

std::uint64_t parse_seed(const std::string &text) {
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 19) {
    throw UsageError(fmt::format("--seed '{}': expected an integer from 0 to 9999999999999999999", text));
  }
  return std::stoull(text);
}

std::uint64_t parse_parts(const std::string &text) {
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 4 || std::stoull(text) == 0) {
    throw UsageError(fmt::format("--slice '{}': expected an integer from 1 to 9999", text));
  }
  return std::stoull(text);
}

std::vector<std::string> parse_ops(const std::string &text) {
  std::vector<std::string> ops = split(text, ',');
  for (const std::string &op : ops) {
    if (find_op(op) != nullptr) continue;
    std::vector<std::string> names;
    for (const OpInfo &info : catalogue()) names.push_back(info.name);
    throw UsageError(fmt::format("--ops: unknown op '{}'; legal are {}", op, fmt::join(names, ", ")));
  }
  return ops;
}

template <class T>
T get_or(const po::variables_map &map, const char *name, T otherwise) {
  return map.count(name) != 0 ? map[name].as<T>() : otherwise;
}

}  // namespace

Options parse_options(std::span<const std::string> args) {
  po::variables_map map;
  try {
    const std::vector<std::string> list(args.begin(), args.end());
    po::store(po::command_line_parser(list)
                  .options(describe())
                  .positional(po::positional_options_description{})
                  .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
                  .run(),
              map);
    po::notify(map);
  } catch (const po::error &error) {
    throw UsageError(fmt::format("{}; see rayo conform --help", error.what()));
  }
  Options o;
  o.help = map["help"].as<bool>();
  o.plugins = get_or(map, "plugin", std::vector<std::string>{});
  o.reference = get_or(map, "reference", std::string{});
  o.cases = get_or(map, "case", std::vector<std::string>{});
  o.output = get_or(map, "output", std::string{});
  o.seed = parse_seed(map["seed"].as<std::string>());
  o.parts = parse_parts(map["slice"].as<std::string>());
  o.quick = map["quick"].as<bool>();
  o.shuffle = map["shuffle"].as<bool>();
  o.format = map["json"].as<bool>() ? "json" : map["format"].as<std::string>();
  if (o.format != "text" && o.format != "json" && o.format != "junit") {
    throw UsageError(fmt::format("--format '{}': legal are text, json, junit", o.format));
  }
  if (map.count("ops") != 0) o.ops = parse_ops(map["ops"].as<std::string>());
  return o;
}

std::string help_text() {
  std::ostringstream text;
  text << "rayo conform: judge plugins against the oracle, the scalar reference and the arithmetic contract\n"
          "\n"
          "  rayo conform [--plugin FILE|NAME]... [--ops LIST] [--quick] [--format text|json|junit] [-o FILE]\n"
          "  rayo conform --plugin ./acme.so --case 'exp f32 65 - 0 uniform 42'\n"
          "\n"
       << describe()
       << "\nExit codes: 0 good, 1 a defect or nothing executed, 2 usage, 3 the plugin cannot run on this machine\n";
  return text.str();
}

}  // namespace rayo::conform
