// SPDX-License-Identifier: Apache-2.0
#include "runner/html/aggregate.hpp"

#include <algorithm>
#include <numeric>

#include "suites/case.hpp"
#include "suites/catalogue.hpp"
#include "suites/distribution.hpp"

namespace rayo::conform {
namespace {

struct SizeClass {
  std::string_view name;
  std::int64_t most;
};
constexpr std::array<SizeClass, 9> kSizes = {{{"0", 0},
                                              {"1", 1},
                                              {"2\u201315", 15},
                                              {"16\u201363", 63},
                                              {"64\u2013255", 255},
                                              {"256\u20131k", 1023},
                                              {"1k\u201364k", 65535},
                                              {"64k\u20131M", (1 << 20) - 1},
                                              {"1M+", INT64_MAX}}};
constexpr std::string_view kMixed = "mixed";
constexpr double kNoBound = 1e300;  // what a wrong result counts where nothing but the exact one is right

std::int64_t elements_of(const Case &c) {
  std::int64_t largest = 0;
  for (const Shape &shape : c.shapes) {
    if (is_absent(shape)) continue;
    double count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<double>(extent);
    largest = std::max(largest, static_cast<std::int64_t>(std::min(count, 9e18)));
  }
  return largest;
}

// Catalogue first, then the rest by name.
std::vector<std::string> ordered_ops(const std::map<std::string, std::vector<Row>> &rows) {
  std::vector<std::string> ops;
  for (const OpInfo &op : catalogue()) {
    if (rows.contains(op.name)) ops.push_back(op.name);
  }
  for (const auto &[op, unused] : rows) {
    if (find_op(op) == nullptr) ops.push_back(op);
  }
  return ops;
}

Cell &cell_of(std::vector<Row> &rows, const CaseFacts &facts, std::size_t plugin, std::size_t plugins) {
  auto row = std::find_if(rows.begin(), rows.end(), [&](const Row &r) { return r.dtype == facts.dtype; });
  if (row == rows.end()) {
    rows.push_back({facts.op, facts.dtype, std::vector<Cell>(plugins)});
    row = std::prev(rows.end());
  }
  return row->cells[plugin];
}

// Those of `order` that some row has, then whatever else there is.
std::vector<std::string> used_columns(const HeatMap &map, std::span<const std::string_view> order) {
  std::vector<std::string> all;
  for (const auto &[op, row] : map.rows) {
    for (const auto &[column, cell] : row) {
      if (std::find(all.begin(), all.end(), column) == all.end()) all.push_back(column);
    }
  }
  const auto place = [&](const std::string &name) {
    return std::find(order.begin(), order.end(), name) - order.begin();
  };
  std::sort(all.begin(), all.end(), [&](const std::string &a, const std::string &b) {
    return place(a) != place(b) ? place(a) < place(b) : a < b;
  });
  return all;
}

}  // namespace

CaseFacts facts_of(std::string_view line) {
  CaseFacts facts;
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || line.find(' ', blank + 1) == std::string_view::npos) {
    facts.op = line.substr(0, blank);
    if (blank != std::string_view::npos) facts.dtype = line.substr(blank + 1);
    return facts;
  }
  try {
    const Case c = parse_case(line);
    facts.op = c.op;
    facts.dtype = dtype_name(c.dtype);
    for (const Dtype more : c.more_dtypes) facts.dtype.append(",").append(dtype_name(more));
    const auto &all = c.distributions;
    const bool equal = std::all_of(all.begin(), all.end(), [&](const std::string &d) { return d == all.front(); });
    facts.distribution = equal ? all.front() : kMixed;
    facts.elements = elements_of(c);
  } catch (const CaseError &) {
    facts.op = line.substr(0, blank);
  }
  return facts;
}

std::span<const std::string_view> size_classes() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const SizeClass &size : kSizes) list.push_back(size.name);
    return list;
  }();
  return names;
}

std::size_t size_class(std::int64_t elements) {
  std::size_t i = 0;
  while (elements > kSizes[i].most) ++i;
  return i;
}

double share_of(const Verdict &verdict) {
  if (verdict.error_ulp <= 0) return 0;
  return verdict.bound > 0 ? verdict.error_ulp / verdict.bound : kNoBound;
}

void Cell::add(const Verdict &verdict, const std::string &plugin) {
  ++states[static_cast<std::size_t>(verdict.state)];
  if (verdict.state != State::passed || verdict.bound <= 0) return;
  const double share = share_of(verdict);
  if (bounded++ != 0 && share <= worst_share) return;
  worst_share = share;
  worst_ulp = verdict.error_ulp;
  worst_plugin = plugin;
}

std::size_t Cell::cases() const { return std::accumulate(states.begin(), states.end(), std::size_t{0}); }

bool Cell::defective() const {
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] > 0 && is_defect(static_cast<State>(i))) return true;
  }
  return false;
}

Aggregate aggregate(std::span<const PluginReport> reports) {
  Aggregate result;
  std::map<std::string, std::vector<Row>> rows;
  for (std::size_t plugin = 0; plugin < reports.size(); ++plugin) {
    const PluginReport &report = reports[plugin];
    for (const CaseResult &c : report.cases) {
      const CaseFacts facts = facts_of(c.line);
      cell_of(rows[facts.op], facts, plugin, reports.size()).add(c.verdict, report.plugin);
      const State state = c.verdict.state;
      if (facts.elements < 0 || state == State::unsupported || state == State::not_evaluated) continue;
      result.by_distribution.rows[facts.op][facts.distribution].add(c.verdict, report.plugin);
      const std::string_view size = kSizes[size_class(facts.elements)].name;
      result.by_size.rows[facts.op][std::string(size)].add(c.verdict, report.plugin);
    }
  }
  result.ops = ordered_ops(rows);
  for (const std::string &op : result.ops) {
    for (Row &row : rows[op]) result.support.push_back(std::move(row));
  }
  result.by_distribution.columns = used_columns(result.by_distribution, distribution_names());
  result.by_size.columns = used_columns(result.by_size, size_classes());
  return result;
}

bool is_plugin_check(const Row &row) { return find_op(row.op) == nullptr && !row.dtype.empty(); }

std::string family_of(const Row &row) {
  const OpInfo *info = find_op(row.op);
  return info != nullptr ? info->family : is_plugin_check(row) ? "the plugin itself" : "vendor";
}

}  // namespace rayo::conform
