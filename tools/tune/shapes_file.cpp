// SPDX-License-Identifier: Apache-2.0
//
// A captured shape becomes a curve: the shape itself, and the same shape smaller and larger, so that a crossover near
// it is seen.
#include "shapes_file.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <fmt/core.h>

#include "bench/work/shapes.hpp"
#include "tools/command.hpp"
#include "tools/dtypes.hpp"
#include "tools/schema.hpp"

namespace rayo::tools::tune {
namespace {

using bench::WorkItem;
using nlohmann::json;

constexpr std::size_t kMostLines = 100'000;
constexpr double kMostElements = 1e9;

WorkItem item_of(const rayo_op_info &op, const json &line) {
  WorkItem item;
  item.op = op.name;
  item.family = op.family;
  item.attributes = line.at("attributes");
  const std::vector<OperandText> operands = parse_operands(op.inputs);
  const bench::FamilyTable *family = bench::find_family(op.family);
  for (const json &input : line.at("inputs")) {
    if (input.is_null()) break;  // left out, and so is what follows
    bench::OperandSpec spec;
    const std::string dtype = input.at("dtype");
    const std::optional<DLDataType> found = dtype_from_name(dtype);
    if (!found) throw std::invalid_argument("type " + dtype);
    spec.dtype = *found;
    spec.shape = input.at("shape").get<std::vector<int64_t>>();
    double elements = 1;
    for (const int64_t extent : spec.shape) elements *= static_cast<double>(extent);
    if (!(elements <= kMostElements) ||
        std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t e) { return e < 0; })) {
      throw std::invalid_argument("a shape of more than 1e9 elements");
    }
    const std::size_t i = item.inputs.size();
    if (i < operands.size() && operands[i].type == "u8")
      spec.values = bench::Values::flag;
    else if (i > 0 && family != nullptr)
      spec.values = family->second_values;
    item.dtype += (i == 0 ? "" : ",") + dtype;
    item.inputs.push_back(std::move(spec));
  }
  return item;
}

// The same call with its largest extent times `factor`: every operand that has it grows along.
WorkItem scaled(const WorkItem &item, double factor) {
  int64_t largest = 1;
  for (const bench::OperandSpec &input : item.inputs) {
    for (const int64_t extent : input.shape) largest = std::max(largest, extent);
  }
  WorkItem out = item;
  for (bench::OperandSpec &input : out.inputs) {
    for (int64_t &extent : input.shape) {
      if (extent == largest) extent = std::max<int64_t>(1, std::llround(static_cast<double>(extent) * factor));
    }
  }
  return out;
}

}  // namespace

std::vector<Job> jobs_from_file(const Session &session, const std::string &path, const std::vector<rayo_op_info> &ops) {
  std::ifstream file(path);
  if (!file)
    throw CommandError(RAYO_NOT_FOUND, fmt::format("--shapes {}: no such file; RAYO_CAPTURE=FILE makes one", path));
  std::map<std::pair<std::string, std::string>, std::size_t> index;  // op and types and layout -> job
  std::set<std::string> seen;
  std::vector<Job> jobs;
  std::size_t number = 0;
  for (std::string text; std::getline(file, text) && number < kMostLines;) {
    ++number;
    if (text.empty() || !seen.insert(text).second) continue;
    try {
      const json line = json::parse(text);
      const std::string name = line.at("op");
      const auto op = std::find_if(ops.begin(), ops.end(), [&](const rayo_op_info &each) { return name == each.name; });
      // Strides are not written down: what is measured is the compact call.
      if (op == ops.end() || line.at("layout") == "strided") continue;
      const WorkItem item = item_of(*op, line);
      const std::string types = types_of(session, *op, item);
      Curve curve{item.shape_text(), [item](double factor) { return scaled(item, factor); }, {0.25, 1, 4}, false};
      const auto [at, fresh] = index.try_emplace({fmt::format("{} {}", name, types), line.at("layout")}, jobs.size());
      if (fresh) jobs.push_back({*op, item.dtype, line.at("layout"), {}});
      jobs[at->second].curves.push_back(std::move(curve));
    } catch (const std::exception &error) {
      throw usage_error(fmt::format("--shapes {}: line {} is no captured call: {}", path, number, error.what()));
    }
  }
  if (jobs.empty())
    throw CommandError(RAYO_UNSUPPORTED, fmt::format("--shapes {}: no call in it can be measured here", path));
  return jobs;
}

}  // namespace rayo::tools::tune
