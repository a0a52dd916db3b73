// SPDX-License-Identifier: Apache-2.0
//
// Numbers, names and commands as the page writes them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runner/html/parts.hpp"
#include "runner/markup.hpp"

namespace rayo::conform {

std::string percent(double share) {
  if (share <= 0) return "0%";
  if (share < 0.001) return "&lt;0.1%";
  if (share > 1) return "&gt;100%";
  return share < 0.0995 ? fmt::format("{:.1f}%", 100 * share) : fmt::format("{:.0f}%", 100 * share);
}

int heat_step(double share) { return std::clamp(static_cast<int>(share * 10), 0, 9); }

std::string number(double value) { return value >= 1e300 ? "\u221e" : fmt::format("{:.3g}", value); }

std::string shown_name(const PluginReport &report, std::span<const PluginReport> reports) {
  std::string file = std::filesystem::path(report.file).filename().string();
  if (report.plugin.empty()) return file;
  const auto namesakes = std::count_if(reports.begin(), reports.end(),
                                       [&report](const PluginReport &other) { return other.plugin == report.plugin; });
  return namesakes > 1 ? fmt::format("{} ({})", report.plugin, file) : report.plugin;
}

std::string copyable(const std::string &command) {
  return fmt::format("<span class=cmd><code>{}</code><button class=copy type=button hidden>copy</button></span>",
                     escape_markup(command));
}

std::string with_commas(std::size_t n) {
  return n < 1000 ? std::to_string(n) : fmt::format("{},{:03}", with_commas(n / 1000), n % 1000);
}

std::string counted(std::size_t n, const char *noun) {
  return fmt::format("{} {}{}", with_commas(n), noun, n == 1 ? "" : "s");
}

}  // namespace rayo::conform
