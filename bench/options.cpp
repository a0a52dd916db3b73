// SPDX-License-Identifier: Apache-2.0
//
// Parsing, and writing down again what a child process needs.
#include "options.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "bench/peers/host.hpp"
#include "tools/dtypes.hpp"
#include "tools/lists.hpp"
#include "tools/options.hpp"

namespace rayo::bench {
namespace {

constexpr const char *kHelp =
    "Times work items made from the op catalogue, in interleaved rounds: our devices\n"
    "and every peer in turn, in one process. Times are medians; ratio is the best\n"
    "peer's time over ours (above 1: we are ahead) with its 95% interval; ceiling is\n"
    "the share of what this machine's arithmetic, memory or FMA latency allows.\n"
    "Devices limited to an instruction set (avx2, scalar) are measured in a process\n"
    "of their own, where the peers are limited to it, too. Ctrl-C keeps what is\n"
    "measured.\n"
    "\n"
    "Examples:\n"
    "  rayo bench --quick --peers\n"
    "  rayo bench --ops matmul --peers --shapes '512x512,512x512;8x1024,1024x1024'\n"
    "  rayo bench --peers --device auto,avx2 --threads 1,2 -o run.json --svg run.svg\n"
    "  rayo bench --ops add,exp --compare run.json\n"
    "\n"
    "Exit codes: 1 interrupted, or --compare found something slower; 3 nothing here\n"
    "could run any of it.\n";

const char *depth_flag(Depth depth) {
  return depth == Depth::smoke ? "--smoke" : depth == Depth::quick ? "--quick" : "";
}

std::string joined(const std::vector<std::string> &parts) {
  std::string text;
  for (const std::string &part : parts) text += fmt::format("{}{}", text.empty() ? "" : ",", part);
  return text;
}

double parse_budget(const std::string &text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || !(seconds > 0) || (!unit.empty() && unit != "s" && unit != "m")) {
    throw tools::usage_error(fmt::format("--budget '{}': legal: seconds such as 90 or 90s, minutes such as 5m", text));
  }
  return unit == "m" ? 60 * seconds : seconds;
}

std::vector<std::vector<std::vector<int64_t>>> parse_shape_sets(const std::string &text) {
  std::vector<std::vector<std::vector<int64_t>>> sets;
  for (const std::string &set : tools::split_list(text, ';')) {
    auto &shapes = sets.emplace_back();
    for (const std::string &shape : tools::split_list(set, ','))
      shapes.push_back(tools::parse_shape("--shapes", shape));
  }
  return sets;
}

}  // namespace

bool parse_options(tools::Arguments arguments, BenchOptions *out_options) {
  BenchOptions options;
  std::string ops, devices = "auto", threads = "1", budget;
  tools::CommandLine line("bench", "rayo bench [--ops LIST] [--peers] [--quick] [OPTIONS]", kHelp);
  namespace po = boost::program_options;
  const auto text = [](std::string &value, const char *name) { return po::value(&value)->value_name(name); };
  line.add()("ops", text(ops, "LIST"), "ops to time, with commas (default: all)")(
      "peers", "also run the installed peers, and give ratios")(
      "shapes", text(options.shapes, "LIST"), "shapes of the inputs, e.g. 512x512,512x512; several sets with ';'")(
      "dtype", text(options.dtypes, "LIST"), "types, e.g. f32,f64 (default: both)")(
      "device,d", text(devices, "LIST"),
      "devices of ours, e.g. auto,scalar; avx2 also limits the peers (default auto)")(
      "threads,t", text(threads, "LIST"), "threads of a call, e.g. 1,2 (default 1)")(
      "quick", "few shapes and rounds: a first look")("smoke", "one tiny shape per op: tests the tool")(
      "budget", text(budget, "TIME"), "stop in about that time, e.g. 60s: fewer rounds, never fewer than 5")(
      "fresh", "also time calls whose output is allocated anew")("json", "print JSON")(
      "output,o", text(options.output_file, "FILE"), "write the JSON there, too")("svg", text(options.svg_file, "FILE"),
                                                                                  "draw the roofline picture")(
      "compare", text(options.baseline_file, "FILE"), "flag what moved against this run's JSON")(
      "peer-folder", text(options.peer_folder, "FOLDER"), "where the peers are (default: lib/rayo/peers)")(
      "plugin", po::value(&options.session.plugin_files)->value_name("FILE"), "also load this plugin file")(
      "numerics", text(options.session.numerics, "POLICY"), "reproducible, accurate or relaxed (default accurate)");
  std::vector<std::string> positional;
  line.add_positional("argument", positional);
  if (!line.parse(arguments)) return false;
  if (!positional.empty()) {
    throw tools::usage_error(fmt::format("unexpected '{}'; ops are named by --ops {}", positional[0], positional[0]));
  }
  options.ops = tools::split_list(ops, ',');
  options.devices = tools::split_list(devices, ',');
  for (const std::string &count : tools::split_list(threads, ',')) {
    options.threads.push_back(tools::parse_count("--threads", count, 1, tools::kMostThreads));
    options.session.threads = std::max(options.session.threads, options.threads.back());
  }
  options.selection.dtypes = tools::split_list(options.dtypes, ',');
  for (const std::string &name : options.selection.dtypes) {
    if (!tools::dtype_from_name(name)) {
      throw tools::usage_error(fmt::format("--dtype '{}': legal: {}", name, tools::dtype_names()));
    }
  }
  if (line.given("shapes")) options.selection.shapes = parse_shape_sets(options.shapes);
  if (line.given("quick")) options.selection.depth = Depth::quick;
  if (line.given("smoke")) options.selection.depth = Depth::smoke;
  if (line.given("budget")) options.budget_s = parse_budget(budget);
  options.peers = line.given("peers");
  options.fresh = line.given("fresh");
  options.json = line.given("json");
  if (options.peer_folder.empty()) options.peer_folder = default_peer_folder();
  *out_options = std::move(options);
  return true;
}

std::vector<std::string> child_arguments(const BenchOptions &options, const std::vector<std::string> &devices,
                                         double budget_s, const std::string &file) {
  std::vector<std::string> threads;
  for (const uint32_t count : options.threads) threads.push_back(fmt::format("{}", count));
  std::vector<std::string> arguments = {"bench",         "--json",           "--output",  file,
                                        "--device",      joined(devices),    "--threads", joined(threads),
                                        "--peer-folder", options.peer_folder};
  const auto add = [&arguments](const char *option, const std::string &value) {
    if (value.empty()) return;
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  add("--ops", joined(options.ops));
  add("--shapes", options.shapes);
  add("--dtype", options.dtypes);
  add("--numerics", options.session.numerics);
  for (const std::string &plugin : options.session.plugin_files) add("--plugin", plugin);
  if (budget_s > 0) add("--budget", fmt::format("{}", budget_s));
  for (const char *const flag :
       {options.peers ? "--peers" : "", options.fresh ? "--fresh" : "", depth_flag(options.selection.depth)}) {
    if (*flag != '\0') arguments.emplace_back(flag);
  }
  return arguments;
}

}  // namespace rayo::bench
