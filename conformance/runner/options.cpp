// SPDX-License-Identifier: Apache-2.0
#include "runner/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "suites/case.hpp"
#include "suites/catalogue.hpp"
#include "suites/probes.hpp"

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
  add("one-thread", po::bool_switch(),
      "leave out the cases that need threads or a forked child, and judge in one process: for emulators");
  add("case-seconds", po::value<std::string>()->default_value("20"),
      "a case that gives no answer for N seconds counts as hung; more for emulators");
  add("lanes", po::value<std::string>(), "N processes judge side by side; default: one per CPU");
  add("shuffle", po::bool_switch(), "run the cases in an order drawn from the seed; verdicts must not change");
  add("format", po::value<std::string>()->default_value("text"), "text, json, junit or html (one page, no network)");
  add("json", po::bool_switch(), "the same as --format json");
  add("output,o", po::value<std::string>(), "FILE for the report, written whole or not at all; default: stdout");
  add("expectations", po::value<std::vector<std::string>>()->composing(),
      "FILE of known failures, lines of PLUGIN | CASE | REASON; may be repeated");
  add("record", po::bool_switch(), "keep the verdicts of this full run for RAYO_REQUIRE_CONFORMANCE=1");
  add("claims", po::bool_switch(), "decide the hundred claims instead of judging cases; text or json");
  add("claim", po::value<std::string>(), "LIST of claims with commas, A-001,C-036: decide just these");
  add("aarch64", po::value<std::string>(), "FOLDER of a tree built for 64-bit ARM, for the claims about it");
  add("nightly", po::bool_switch(), "hours: unary ops over every one of 2^32 inputs; the verdicts are kept");
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

std::uint64_t parse_count(const char *option, const std::string &text) {
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 4 || std::stoull(text) == 0) {
    throw UsageError(fmt::format("{} '{}': expected an integer from 1 to 9999", option, text));
  }
  return std::stoull(text);
}

std::vector<std::string> parse_ops(const std::string &text) {
  std::vector<std::string> ops = split(text, ',');
  for (const std::string &op : ops) {
    if (find_op(op) != nullptr || is_probe_suite(op)) continue;
    std::vector<std::string> names;
    for (const OpInfo &info : catalogue()) names.push_back(info.name);
    throw UsageError(fmt::format("--ops: unknown op '{}'; legal are {}", op, fmt::join(names, ", ")));
  }
  return ops;
}

void check_format(const std::string &format) {
  for (const std::string_view legal : {"text", "json", "junit", "html"}) {
    if (format == legal) return;
  }
  throw UsageError(fmt::format("--format '{}': legal are text, json, junit, html", format));
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
  o.parts = parse_count("--slice", map["slice"].as<std::string>());
  o.case_seconds = static_cast<int>(parse_count("--case-seconds", map["case-seconds"].as<std::string>()));
  if (map.count("lanes") != 0) o.lanes = static_cast<unsigned>(parse_count("--lanes", map["lanes"].as<std::string>()));
  o.quick = map["quick"].as<bool>();
  o.shuffle = map["shuffle"].as<bool>();
  o.one_thread = map["one-thread"].as<bool>();
  o.format = map["json"].as<bool>() ? "json" : map["format"].as<std::string>();
  check_format(o.format);
  if (map.count("ops") != 0) o.ops = parse_ops(map["ops"].as<std::string>());
  o.claim_list = get_or(map, "claim", std::string{});
  o.claims = map["claims"].as<bool>() || !o.claim_list.empty();
  o.aarch64 = get_or(map, "aarch64", std::string{});
  o.nightly = map["nightly"].as<bool>();
  if (o.claims && o.format != "text" && o.format != "json") {
    throw UsageError(fmt::format("--claims --format '{}': legal are text, json", o.format));
  }
  o.expectations = get_or(map, "expectations", std::vector<std::string>{});
  o.record = map["record"].as<bool>();
  if (o.record && run_kind(o) != RunKind::full) {
    throw UsageError("--record needs a full run: leave --quick, --ops, --case and --slice out");
  }
  return o;
}

RunKind run_kind(const Options &options) {
  if (!options.ops.empty() || !options.cases.empty() || options.parts != 1 || options.nightly || options.one_thread) {
    return RunKind::partial;
  }
  return options.quick ? RunKind::quick : RunKind::full;
}

std::string help_text() {
  std::ostringstream text;
  text << "rayo conform: judge plugins against the oracle, the scalar reference and the arithmetic contract\n"
          "\n"
          "  rayo conform                                     every ready plugin, minutes\n"
          "  rayo conform --quick                             the same in seconds, for every build\n"
          "  rayo conform --plugin ./acme.so                  a plugin by its file; no source tree is needed\n"
          "  rayo conform --plugin ./acme.so --ops exp,gemm   some ops\n"
          "  rayo conform --case 'exp f32 65 - 0 uniform 42'  a case from a report, again\n"
          "  rayo conform --format html -o report.html        a page to read: support, heat maps, failures\n"
          "  rayo conform --seed 7                            other inputs, the same checks\n"
          "  rayo conform --record                            remember what passed; a runtime started with\n"
          "                                                   RAYO_REQUIRE_CONFORMANCE=1 then accepts it\n"
          "\n"
       << describe()
       << "\nEach plugin is judged in a process of its own: a crash or a hang costs one case.\n"
          "States: passed, failed, crashed, hung, distrusted (defects); expected_fail, unsupported, not_evaluated.\n"
          "Exit codes: 0 good, 1 a defect or nothing executed, 2 usage, 3 the plugin cannot run on this machine,\n"
          "130 interrupted.\n";
  return text.str();
}

}  // namespace rayo::conform
