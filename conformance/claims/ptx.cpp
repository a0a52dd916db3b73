// SPDX-License-Identifier: Apache-2.0
#include "claims/ptx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <stdexcept>

namespace rayo::conform::claims {
namespace {

std::string_view trim(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

/// Comments become blanks.
std::string without_comments(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "//") {
      while (i < text.size() && text[i] != '\n') ++i;
      out += '\n';
    } else if (text.substr(i, 2) == "/*") {
      const auto end = text.find("*/", i + 2);
      i = end == std::string_view::npos ? text.size() : end + 1;
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_name(char c) { return (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '_' || c == '$'; }

std::string name_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_name(text[end])) ++end;
  return std::string(text.substr(at, end - at));
}

void add_statement(PtxFunction &function, std::string_view statement) {
  statement = trim(statement);
  if (statement.empty() || statement.front() == '.') return;  // a declaration or directive
  PtxInstruction instruction;
  if (statement.front() == '@') {
    const auto space = statement.find_first_of(" \t");
    instruction.guard = statement.substr(1, space - 1);
    statement = trim(statement.substr(std::min(space, statement.size())));
  }
  const auto space = statement.find_first_of(" \t");
  instruction.opcode = statement.substr(0, space);
  if (space != std::string_view::npos) instruction.operands = trim(statement.substr(space));
  function.code.push_back(std::move(instruction));
}

/// The statements between a function's outer braces. Inner ones are scopes of names, and vectors of registers.
void parse_body(PtxFunction &function, std::string_view body) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == ';') {
      add_statement(function, body.substr(begin, i - begin));
      begin = i + 1;
    } else if (body[i] == ':' && trim(body.substr(begin, i - begin)).find_first_of(" \t,") == std::string_view::npos) {
      function.labels.push_back({std::string(trim(body.substr(begin, i - begin))), function.code.size()});
      begin = i + 1;
    } else if ((body[i] == '{' || body[i] == '}') && trim(body.substr(begin, i - begin)).empty()) {
      begin = i + 1;
    }
  }
}

std::size_t matching_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  throw std::runtime_error("PTX: a body has no end");
}

bool is_branch(const PtxInstruction &i) { return i.opcode == "bra" || i.opcode.starts_with("bra."); }
bool is_end(const PtxInstruction &i) {
  return i.opcode == "ret" || i.opcode.starts_with("ret.") || i.opcode == "exit" || i.opcode == "trap";
}

std::size_t target_of(const PtxFunction &function, const PtxInstruction &branch) {
  for (const PtxFunction::Label &label : function.labels) {
    if (label.name == branch.operands) return label.at;
  }
  throw std::runtime_error(
      fmt::format("PTX: {} branches to '{}', which it does not have", function.name, branch.operands));
}

using Edges = std::vector<std::vector<std::size_t>>;

/// Where each instruction may be followed to; code.size() is the end.
Edges successors(const PtxFunction &function) {
  Edges next(function.code.size() + 1);
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    const PtxInstruction &instruction = function.code[i];
    const bool always = instruction.guard.empty();
    if (is_branch(instruction)) {
      next[i].push_back(target_of(function, instruction));
      if (!always) next[i].push_back(i + 1);
    } else if (is_end(instruction)) {
      next[i].push_back(function.code.size());
      if (!always) next[i].push_back(i + 1);
    } else {
      next[i].push_back(i + 1);
    }
  }
  return next;
}

/// Instructions reached from the first one without passing `avoid`.
std::vector<bool> reachable(const Edges &next, std::size_t avoid) {
  std::vector<bool> seen(next.size(), false);
  std::vector<std::size_t> todo;
  if (avoid != 0) {
    todo.push_back(0);
    seen[0] = true;
  }
  while (!todo.empty()) {
    const std::size_t i = todo.back();
    todo.pop_back();
    for (const std::size_t n : next[i]) {
      if (n == avoid || seen[n]) continue;
      seen[n] = true;
      todo.push_back(n);
    }
  }
  return seen;
}

/// Edges that go back in a depth-first walk from the first instruction.
std::vector<std::pair<std::size_t, std::size_t>> retreating_edges(const Edges &next) {
  enum class Mark { unseen, open, closed };
  std::vector<Mark> mark(next.size(), Mark::unseen);
  std::vector<std::pair<std::size_t, std::size_t>> path{{0, 0}};  // instruction, successors taken
  std::vector<std::pair<std::size_t, std::size_t>> found;
  mark[0] = Mark::open;
  while (!path.empty()) {
    auto &[i, taken] = path.back();
    if (taken == next[i].size()) {
      mark[i] = Mark::closed;
      path.pop_back();
      continue;
    }
    const std::size_t n = next[i][taken++];
    if (mark[n] == Mark::open) found.emplace_back(i, n);
    if (mark[n] != Mark::unseen) continue;
    mark[n] = Mark::open;
    path.emplace_back(n, 0);
  }
  return found;
}

/// What can reach `latch` without passing `header`, and the header itself: the loop's body.
std::set<std::size_t> loop_body(const Edges &next, std::size_t latch, std::size_t header) {
  Edges before(next.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    for (const std::size_t n : next[i]) before[n].push_back(i);
  }
  std::set<std::size_t> body{header, latch};
  std::vector<std::size_t> todo{latch};
  while (!todo.empty()) {
    const std::size_t i = todo.back();
    todo.pop_back();
    if (i == header) continue;
    for (const std::size_t p : before[i]) {
      if (body.insert(p).second) todo.push_back(p);
    }
  }
  return body;
}

}  // namespace

PtxModule parse_ptx(std::string_view text) {
  PtxModule module;
  module.text = text;
  const std::string plain = without_comments(text);
  const std::string_view view = plain;
  const auto target = view.find(".target ");
  if (target == std::string_view::npos) throw std::runtime_error("PTX: there is no .target");
  module.target = name_at(view, target + 8);
  for (std::size_t at = 0; at < view.size();) {
    const auto entry = view.find(".entry ", at), func = view.find(".func ", at);
    const auto next = std::min(entry, func);
    if (next == std::string_view::npos) break;
    PtxFunction function;
    function.entry = entry < func;
    std::size_t name = view.find_first_not_of(" \t", next + (function.entry ? 7 : 6));
    if (name < view.size() && view[name] == '(') name = view.find_first_not_of(" \t\r\n", view.find(')', name) + 1);
    function.name = name_at(view, std::min(name, view.size()));
    const auto open = view.find('{', next), semicolon = view.find(';', next);
    if (open == std::string_view::npos || semicolon < open) {  // a declaration
      at = std::min(semicolon, view.size() - 1) + 1;
      continue;
    }
    const std::size_t close = matching_brace(view, open);
    parse_body(function, view.substr(open + 1, close - open - 1));
    (void)successors(function);  // every branch has its label
    module.functions.push_back(std::move(function));
    at = close + 1;
  }
  return module;
}

std::vector<PtxModule> parse_ptx_section(std::string_view bytes) {
  std::vector<PtxModule> modules;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\0'), bytes.size());
    if (!trim(bytes.substr(0, end)).empty()) modules.push_back(parse_ptx(bytes.substr(0, end)));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return modules;
}

PtxLoops find_loops(const PtxFunction &function) {
  PtxLoops loops;
  if (function.code.empty()) return loops;
  const Edges next = successors(function);
  std::set<std::size_t> headers;
  for (const auto &[latch, header] : retreating_edges(next)) {
    // A loop has one way in: whatever reaches the branch has passed the header it goes back to.
    if (header != latch && reachable(next, header)[latch]) {
      loops.defect = fmt::format("a branch at instruction {} goes back to {}, which can be passed by", latch, header);
    }
    const std::set<std::size_t> body = loop_body(next, latch, header);
    const bool leaves = std::any_of(body.begin(), body.end(), [&](std::size_t i) {
      return std::any_of(next[i].begin(), next[i].end(), [&](std::size_t n) { return !body.contains(n); });
    });
    if (!leaves) loops.defect = fmt::format("the loop at instruction {} is never left", header);
    headers.insert(header);
  }
  loops.count = headers.size();
  return loops;
}

}  // namespace rayo::conform::claims
