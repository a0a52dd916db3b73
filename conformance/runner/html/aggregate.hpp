// SPDX-License-Identifier: Apache-2.0
//
// Thousands of cases as the few numbers that a page shows: per op, type and plugin; per op and distribution; per op
// and size.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runner/state.hpp"

namespace rayo::conform {

// What a case line says, as keys to group by. A vendor's own op is one word; two are a check of the plugin itself, its
// name in the place of the type.
struct CaseFacts {
  std::string op;
  std::string dtype;           // "f32", "u8,i8"; "" if the line names none
  std::string distribution;    // the one of all inputs, or "mixed"; "" if the line names none
  std::int64_t elements = -1;  // of the largest input; -1 if the line names none
};
CaseFacts facts_of(std::string_view line);

// Size classes of the heat map: "1", "2-15", ... ; index of the class that holds `elements`.
std::span<const std::string_view> size_classes();
std::size_t size_class(std::int64_t elements);

// Error as a share of its bound; 0 for an exact result, above 1 is wrong. Large and finite where there is no bound.
double share_of(const Verdict &verdict);

struct Cell {
  std::array<std::size_t, kStateNames.size()> states{};
  std::size_t bounded = 0;   // passed cases that had room to err
  double worst_share = 0;    // of passed cases
  double worst_ulp = 0;      // of the case with worst_share
  std::string worst_plugin;  // its plugin

  void add(const Verdict &verdict, const std::string &plugin);
  std::size_t of(State state) const { return states[static_cast<std::size_t>(state)]; }
  std::size_t cases() const;
  bool defective() const;
};

struct Row {
  std::string op;
  std::string dtype;
  std::vector<Cell> cells;  // one per plugin
};

struct HeatMap {
  std::vector<std::string> columns;                         // in their natural order, used ones alone
  std::map<std::string, std::map<std::string, Cell>> rows;  // op -> column -> cell, over all plugins
};

struct Aggregate {
  std::vector<std::string> ops;  // in the catalogue's order, a vendor's own behind
  std::vector<Row> support;      // in the order of ops
  HeatMap by_distribution;
  HeatMap by_size;
};
Aggregate aggregate(std::span<const PluginReport> reports);

// A row of checks of the plugin itself: passed or not, without an error to measure.
bool is_plugin_check(const Row &row);
// The family of a row's op ("unary", "reduce"); "vendor" for one that the catalogue lacks.
std::string family_of(const Row &row);

}  // namespace rayo::conform
