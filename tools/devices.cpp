// SPDX-License-Identifier: Apache-2.0
//
// `rayo devices`: every plugin file that was looked at, the devices it brings, and why it is not used.
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "options.hpp"
#include "session.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

constexpr const char *kHelp =
    "Lists the devices that can be used, best known under their plugin's name. A\n"
    "plugin is a .so file in a folder of RAYO_PLUGIN_PATH, or beside librayo in\n"
    "../lib/rayo/plugins. Drop a file there and it is used; nothing is rebuilt.\n"
    "\n"
    "Examples:\n"
    "  rayo devices                  # what calls may run on\n"
    "  rayo devices --all            # also files that are not used, with the reason\n"
    "  rayo devices --json           # every file, for programs\n"
    "  RAYO_PLUGIN_PATH=/opt/acme rayo devices\n";

const char *kind_name(uint32_t kind) {
  return kind == RAYO_DEVICE_KIND_CPU ? "cpu" : kind == RAYO_DEVICE_KIND_GPU ? "gpu" : "other";
}

json to_json(const Session &session) {
  const std::vector<rayo_device_listing> devices = session.devices();
  const std::vector<rayo_plugin_info> plugins = session.plugins();
  json list = json::array();
  for (uint32_t i = 0; i < plugins.size(); ++i) {
    const rayo_plugin_info &plugin = plugins[i];
    json its_devices = json::array();
    for (const rayo_device_listing &device : devices) {
      if (device.plugin != i) continue;
      its_devices.push_back({{"id", device.id}, {"name", device.name}, {"kind", kind_name(device.kind)}});
    }
    list.push_back({{"name", plugin.name},
                    {"file", plugin.file},
                    {"sha256", plugin.sha256},
                    {"vendor", plugin.vendor},
                    {"version", plugin.version},
                    {"state", plugin_state_name(plugin.state)},
                    {"reason", plugin.reason},
                    {"kernels", plugin.kernel_count},
                    {"devices", its_devices}});
  }
  return {{"plugins", list}, {"threads", rayo_runtime_threads(session.runtime())}};
}

void print_devices(const Session &session) {
  const std::vector<rayo_plugin_info> plugins = session.plugins();
  Table table({"DEVICE", "KIND", "KERNELS", "NAME"});
  for (const rayo_device_listing &device : session.devices()) {
    table.add_row(
        {device.id, kind_name(device.kind), std::to_string(plugins[device.plugin].kernel_count), device.name});
  }
  fmt::print("{}", table.text());
}

void print_files(const std::vector<rayo_plugin_info> &plugins) {
  for (const rayo_plugin_info &plugin : plugins) {
    fmt::print("\n{} {}\n", plugin.file, plugin_state_name(plugin.state));
    if (plugin.name[0] != '\0') fmt::print("  plugin  {} {} by {}\n", plugin.name, plugin.version, plugin.vendor);
    if (plugin.reason[0] != '\0') fmt::print("  reason  {}\n", wrap(plugin.reason, 70, 10));
    if (plugin.sha256[0] != '\0') fmt::print("  sha256  {}\n", plugin.sha256);
  }
}

}  // namespace

int devices_command(Arguments arguments) {
  SessionOptions options;
  CommandLine line("devices", "rayo devices [--all] [--json] [--plugin FILE]...", kHelp);
  line.add_session_options(options, false);
  line.add()("all,a", "every file that was looked at, ready or not")("json", "print JSON");
  if (!line.parse(arguments)) return kExitOk;
  // Where nothing can be used, a list of the files says more than the error does; the exit code still tells.
  options.allow_empty = line.given("json") || line.given("all");
  const Session session(options);
  const int code = session.devices().empty() ? kExitFailed : kExitOk;
  if (line.given("json")) {
    print_json(to_json(session));
    return code;
  }
  print_devices(session);
  const std::vector<rayo_plugin_info> plugins = session.plugins();
  if (line.given("all")) {
    print_files(plugins);
    return code;
  }
  std::size_t unused = 0;
  for (const rayo_plugin_info &plugin : plugins) unused += plugin.state == RAYO_PLUGIN_READY ? 0 : 1;
  if (unused > 0) {
    fmt::print("\n{} plugin file{} not used; 'rayo devices --all' says why.\n", unused, unused == 1 ? " is" : "s are");
  }
  return kExitOk;
}

}  // namespace rayo::tools
