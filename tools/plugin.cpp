// SPDX-License-Identifier: Apache-2.0
//
// `rayo plugin`: what an author or an operator does with one plugin file.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "options.hpp"
#include "plugin_template.hpp"
#include "session.hpp"
#include "suggest.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char *kHelp =
    "  check FILE    examine a plugin file as at every start, probe it anew in a child\n"
    "                process whatever was remembered, and say what came out\n"
    "  list          every plugin file that is found, with its verdict\n"
    "  new NAME      make the folder NAME: a plugin with one op, to start from\n"
    "  forget FILE   forget the file's verdicts and crashes; the next start probes it\n"
    "\n"
    "Examples:\n"
    "  rayo plugin new acme && cmake -S acme -B acme/build && cmake --build acme/build\n"
    "  rayo plugin check acme/build/acme.so\n"
    "  rayo conform --plugin acme/build/acme.so\n";

json to_json(const rayo_plugin_info &plugin) {
  return {{"name", plugin.name},     {"file", plugin.file},           {"sha256", plugin.sha256},
          {"vendor", plugin.vendor}, {"version", plugin.version},     {"state", plugin_state_name(plugin.state)},
          {"reason", plugin.reason}, {"kernels", plugin.kernel_count}};
}

std::string real_file(const std::string &file) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), std::free);
  if (real == nullptr) throw CommandError(RAYO_NOT_FOUND, fmt::format("{}: no such file", file));
  return real.get();
}

std::string one_argument(const std::vector<std::string> &words, const char *what) {
  if (words.size() == 2) return words[1];
  throw usage_error(fmt::format("'rayo plugin {}' takes one {}; {} given", words[0], what, words.size() - 1));
}

int check_file(const std::string &file, bool as_json) {
  const std::string real = real_file(file);
  check(rayo_plugin_forget(real.c_str()));
  const char *files[] = {real.c_str()};
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_ALLOW_EMPTY | RAYO_RUNTIME_LIST_REFUSED;
  options.device = "auto";
  options.plugin_files = files;
  options.plugin_file_count = 1;
  const Session session(options);
  const rayo_plugin_info plugin = session.plugins().at(0);
  const bool ready = plugin.state == RAYO_PLUGIN_READY;
  if (as_json) {
    print_json(to_json(plugin));
    return ready ? kExitOk : kExitFailed;
  }
  fmt::print("{}\n", plugin.file);
  if (plugin.name[0] != '\0') fmt::print("  plugin   {} {} by {}\n", plugin.name, plugin.version, plugin.vendor);
  fmt::print("  sha256   {}\n", plugin.sha256);
  fmt::print("  verdict  {}\n", plugin_state_name(plugin.state));
  if (ready) {
    fmt::print("  kernels  {}\n\nIt loads, starts and computes. Next: rayo conform --plugin {}\n", plugin.kernel_count,
               file);
  } else {
    fmt::print("  reason   it {}\n", wrap(plugin.reason, 68, 11));
  }
  return ready ? kExitOk : kExitFailed;
}

int list_files(bool as_json) {
  SessionOptions options;
  options.allow_empty = true;
  const Session session(options);
  json list = json::array();
  Table table({"PLUGIN", "STATE", "KERNELS", "FILE"});
  for (const rayo_plugin_info &plugin : session.plugins()) {
    list.push_back(to_json(plugin));
    table.add_row({plugin.name[0] != '\0' ? plugin.name : "-", plugin_state_name(plugin.state),
                   std::to_string(plugin.kernel_count), plugin.file});
  }
  if (as_json) {
    print_json({{"plugins", list}});
  } else {
    fmt::print("{}", table.text());
  }
  return kExitOk;
}

int make_plugin(const std::string &name) {
  const std::vector<std::string> files = write_plugin_template(name);
  for (const std::string &file : files) fmt::print("{}\n", file);
  fmt::print(
      "\nBuild it, have it checked, have it judged:\n"
      "  cmake -S {0} -B {0}/build && cmake --build {0}/build\n"
      "  rayo plugin check {0}/build/{0}.so\n"
      "  rayo conform --plugin {0}/build/{0}.so\n",
      name);
  return kExitOk;
}

int forget_file(const std::string &file) {
  check(rayo_plugin_forget(real_file(file).c_str()));
  fmt::print("{}: forgotten; the next start probes it\n", file);
  return kExitOk;
}

}  // namespace

int plugin_command(Arguments arguments) {
  std::vector<std::string> words;
  CommandLine line("plugin", "rayo plugin check FILE | list | new NAME | forget FILE  [--json]", kHelp);
  line.add()("json", "print JSON (check, list)");
  line.add_positional("words", words);
  if (!line.parse(arguments)) return kExitOk;
  const std::vector<std::string> actions = {"check", "list", "new", "forget"};
  if (words.empty()) throw usage_error("what to do with a plugin? legal: " + join_names(actions));
  if (words[0] == "check") return check_file(one_argument(words, "file"), line.given("json"));
  if (words[0] == "new") return make_plugin(one_argument(words, "name"));
  if (words[0] == "forget") return forget_file(one_argument(words, "file"));
  if (words[0] != "list") {
    throw usage_error(fmt::format("unknown action '{}'{}; legal: {}", words[0], did_you_mean(words[0], actions),
                                  join_names(actions)));
  }
  if (words.size() > 1) throw usage_error("'rayo plugin list' takes no arguments");
  return list_files(line.given("json"));
}

}  // namespace rayo::tools
