// SPDX-License-Identifier: Apache-2.0
//
// The support matrix and the heat maps: tables whose cells carry their number as text and their step of the colour
// scale as a class.
#include <fmt/format.h>

#include "runner/html/parts.hpp"
#include "runner/markup.hpp"

namespace rayo::conform {
namespace {

constexpr std::array<State, 4> kDefects = {State::crashed, State::hung, State::failed, State::distrusted};

std::string tooltip(const Cell &cell) {
  std::string text;
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (cell.states[i] > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", cell.states[i], kStateNames[i]);
  }
  if (cell.bounded > 0) {
    text += fmt::format("; worst error {} ULP, {} of its bound", number(cell.worst_ulp), percent(cell.worst_share));
  }
  return text;
}

// Class and text of a cell. Defects win over numbers, numbers over what was not run.
std::string cell_markup(const Cell &cell, const std::string &title, std::string_view right = "exact") {
  const auto markup = [&title](std::string_view kind, std::string_view text) {
    return fmt::format("<td class=\"{}\" title=\"{}\">{}</td>", kind, title, text);
  };
  if (cell.cases() == 0) return "<td class=none></td>";
  if (cell.defective()) {
    std::string text;
    std::string_view kind;
    for (const State state : kDefects) {
      if (cell.of(state) == 0) continue;
      if (kind.empty()) kind = state_name(state);
      text += fmt::format("{}{} {}", text.empty() ? "" : "<br>", cell.of(state), state_name(state));
    }
    return markup(fmt::format("defect st-{}", kind), text);
  }
  std::string expected;
  if (cell.of(State::expected_fail) > 0) {
    expected = fmt::format("<br><span class=exp>{} expected</span>", cell.of(State::expected_fail));
  }
  if (cell.bounded > 0)
    return markup(fmt::format("q{}", heat_step(cell.worst_share)), percent(cell.worst_share) + expected);
  if (cell.of(State::passed) > 0) return markup("exact", std::string(right) + expected);
  if (!expected.empty()) return markup("st-expected_fail", expected.substr(4));
  if (cell.of(State::unsupported) > 0) return markup("none", "\u2013");
  return markup("notrun", "not run");
}

// A narrow screen may break a name behind its underscores alone.
std::string breakable(const std::string &name) {
  std::string out;
  for (const char c : name) {
    out += c;
    if (c == '_') out += "<wbr>";
  }
  return out;
}

}  // namespace

void append_support(std::string &out, std::span<const PluginReport> reports, const Aggregate &all) {
  out +=
      "<section id=support><h2>Support</h2>\n<p>Worst error of each op and type as a share of its bound: <b>0%</b> is "
      "an exact "
      "result, <b>100%</b> the most that is allowed. <b>exact</b>: every bit is prescribed, and was right. "
      "<b>\u2013</b>: not offered by the plugin. <b>not run</b>: could not be judged.</p>\n"
      "<p class=scale aria-hidden=true><span>0%</span>";
  for (int step = 0; step < 10; ++step) out += fmt::format("<i class=q{}></i>", step);
  out +=
      "<span>100%</span></p>\n<div class=\"scroll fit\"><table class=support><thead><tr><th scope=col>Op</th><th "
      "scope=col>Type</th>";
  for (const PluginReport &report : reports)
    out += fmt::format("<th scope=col>{}</th>", escape_markup(shown_name(report, reports)));
  out += "</tr></thead>\n";
  std::string family;
  std::string op;
  for (const Row &row : all.support) {
    if (family_of(row) != family) {
      if (!family.empty()) out += "</tbody>\n";
      family = family_of(row);
      out += fmt::format("<tbody><tr class=family><th colspan={} scope=colgroup><span>{}</span></th></tr>\n",
                         reports.size() + 2, escape_markup(family));
    }
    const std::string name = escape_markup(row.op);
    out += fmt::format("<tr data-op=\"{0}\"{1}><th scope=row>{3}</th><td class=type>{2}</td>", name,
                       row.op == op ? " class=again" : "", escape_markup(row.dtype), breakable(name));
    op = row.op;
    for (const Cell &cell : row.cells) {
      out += cell_markup(cell, tooltip(cell), is_plugin_check(row) ? "passed" : "exact");
    }
    out += "</tr>\n";
  }
  if (!family.empty()) out += "</tbody>";
  out += "</table></div></section>\n";
}

void append_heat_map(std::string &out, const HeatMap &map, const std::vector<std::string> &ops, const char *what) {
  if (map.rows.empty()) return;
  out += fmt::format("<h3>By {0}</h3>\n<div class=scroll><table class=heat><thead><tr><th scope=col>Op</th>", what);
  for (const std::string &column : map.columns) {
    out += fmt::format("<th scope=col><span>{}</span></th>", escape_markup(column));
  }
  out += "</tr></thead><tbody>\n";
  for (const std::string &op : ops) {
    const auto row = map.rows.find(op);
    if (row == map.rows.end()) continue;
    out += fmt::format("<tr data-op=\"{0}\"><th scope=row>{0}</th>", escape_markup(op));
    for (const std::string &column : map.columns) {
      const auto cell = row->second.find(column);
      if (cell == row->second.end()) {
        out += "<td class=none></td>";
        continue;
      }
      std::string title = fmt::format("{}, {}: {}", escape_markup(op), escape_markup(column), tooltip(cell->second));
      if (cell->second.bounded > 0) title += fmt::format(" ({})", escape_markup(cell->second.worst_plugin));
      out += cell_markup(cell->second, title);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

}  // namespace rayo::conform
