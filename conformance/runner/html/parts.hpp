// SPDX-License-Identifier: Apache-2.0
//
// The sections of the HTML report, each appended to the page under construction. Everything is readable without the
// script; every state is told by a word, never by colour alone.
#pragma once

#include <span>
#include <string>

#include "runner/html/aggregate.hpp"
#include "runner/run_info.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

extern const char *const kPageStyle;
extern const char *const kPageScript;

void append_head(std::string &out, std::span<const PluginReport> reports, const RunInfo &run);
void append_plugins(std::string &out, std::span<const PluginReport> reports);
void append_failures(std::string &out, std::span<const PluginReport> reports, const RunInfo &run);
void append_support(std::string &out, std::span<const PluginReport> reports, const Aggregate &all);
void append_heat_map(std::string &out, const HeatMap &map, const std::vector<std::string> &ops, const char *what);
void append_worst(std::string &out, std::span<const PluginReport> reports, const RunInfo &run,
                  const std::vector<std::string> &ops);
void append_not_run(std::string &out, std::span<const PluginReport> reports);
void append_expectations(std::string &out, std::span<const PluginReport> reports, const RunInfo &run);

// "23%", "0.4%", "<0.1%"; a class of the colour scale for it; "1.25" or, without a limit, an infinity sign.
std::string percent(double share);
int heat_step(double share);
std::string number(double value);
// The name to show for a plugin: its own, its file's where it has none, both where two files have the same name.
std::string shown_name(const PluginReport &report, std::span<const PluginReport> reports);
// <code>command</code> with a button that copies it.
std::string copyable(const std::string &command);
// "1 case", "12,000 cases".
std::string counted(std::size_t n, const char *noun);
std::string with_commas(std::size_t n);

}  // namespace rayo::conform
