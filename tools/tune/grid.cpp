// SPDX-License-Identifier: Apache-2.0
//
// Curves per family of the catalogue. Volumes are spaced by factors of 4 to 16, closer where threads and devices
// usually begin to pay; what lies between is found by refinement.
#include "grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>

#include "bench/work/catalogue_work.hpp"
#include "tools/attributes.hpp"
#include "tools/command.hpp"
#include "tools/dtypes.hpp"
#include "tools/schema.hpp"

namespace rayo::tools::tune {
namespace {

using bench::WorkItem;
using nlohmann::json;
using Shape = std::vector<int64_t>;
using Shapes = std::vector<Shape>;

int64_t whole(double x) { return std::max<int64_t>(1, std::llround(x)); }

// What a family's curves are made from: shapes and attributes for a volume.
struct Sketch {
  std::string name;
  std::string layout;
  std::function<std::pair<Shapes, json>(double)> shapes;
  std::vector<double> volumes;
};

struct OpShape {
  std::size_t required = 0;
  std::size_t total = 0;
  bool has_axes = false;  // a list
  bool has_axis = false;
  bool has_trans = false;
};

OpShape shape_of(const rayo_op_info &op) {
  OpShape out;
  for (const OperandText &input : parse_operands(op.inputs)) {
    ++out.total;
    out.required += input.optional ? 0 : 1;
  }
  for (uint32_t i = 0; i < op.attr_count; ++i) {
    const std::string name = op.attrs[i]->name;
    out.has_axes = out.has_axes || name == "axes";
    out.has_axis = out.has_axis || name == "axis";
    out.has_trans = out.has_trans || name == "transA";
  }
  return out;
}

std::vector<double> pick(Extent extent, std::vector<double> normal, std::vector<double> quick) {
  return extent == Extent::quick ? std::move(quick) : std::move(normal);
}

std::vector<double> line_volumes(Extent extent) {
  return pick(extent, {1, 64, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304}, {1, 1024, 16384, 131072, 1048576});
}

std::vector<double> plane_volumes(Extent extent) {
  return pick(extent, {8192, 32768, 131072, 1048576, 4194304}, {16384, 131072, 1048576});
}

std::vector<Sketch> elementwise(const OpShape &op, Extent extent) {
  std::vector<Sketch> out;
  out.push_back({"all of one shape", "contiguous",
                 [op](double v) {
                   Shapes shapes(op.required, Shape{whole(v)});
                   return std::pair(shapes, json::object());
                 },
                 line_volumes(extent)});
  if (extent == Extent::quick || op.required < 2) return out;
  out.push_back({"a row added to each row", "broadcast",
                 [op](double v) {
                   Shapes shapes(op.required, Shape{512});
                   shapes[0] = {whole(v / 512), 512};
                   return std::pair(shapes, json::object());
                 },
                 plane_volumes(extent)});
  return out;
}

std::vector<Sketch> quantise(const OpShape &op, Extent extent) {
  return {{"one scale for all", "contiguous",
           [op](double v) {
             Shapes shapes(op.required, Shape{});
             shapes[0] = {whole(v)};
             return std::pair(shapes, json::object());
           },
           line_volumes(extent)}};
}

// Lines of a length, contiguous or strided; `extra` operands have the length of a line.
void add_planes(std::vector<Sketch> *out, const OpShape &op, Extent extent, bool strided, const char *attribute) {
  for (const int64_t line : {int64_t{16}, int64_t{256}, int64_t{4096}}) {
    if (extent == Extent::quick && (line != 256 || strided)) continue;
    std::vector<double> volumes;
    for (const double v : plane_volumes(extent)) {
      if (v >= 2.0 * static_cast<double>(line)) volumes.push_back(v);
    }
    out->push_back({fmt::format("{} of {}", strided ? "columns" : "rows", line), "contiguous",
                    [op, line, strided, attribute](double v) {
                      const int64_t lines = std::max<int64_t>(2, whole(v / static_cast<double>(line)));
                      Shapes shapes(op.total, Shape{line});
                      shapes[0] = strided ? Shape{line, lines} : Shape{lines, line};
                      json attributes = json::object();
                      if (attribute != nullptr) attributes[attribute] = strided ? 0 : 1;
                      return std::pair(shapes, attributes);
                    },
                    volumes});
  }
}

std::vector<Sketch> reduce(const OpShape &op, Extent extent) {
  std::vector<Sketch> out;
  out.push_back({"one line", "contiguous",
                 [op](double v) { return std::pair(Shapes(op.total, Shape{whole(v)}), json::object()); },
                 line_volumes(extent)});
  if (!op.has_axes && !op.has_axis) return out;
  const char *attribute = op.has_axes ? "axes" : "axis";
  for (const bool strided : {false, true}) add_planes(&out, op, extent, strided, attribute);
  return out;
}

std::vector<Sketch> normalise(const OpShape &op, Extent extent) {
  std::vector<Sketch> out;
  out.push_back({"one line", "contiguous",
                 [op](double v) { return std::pair(Shapes(op.total, Shape{whole(v)}), json::object()); },
                 line_volumes(extent)});
  add_planes(&out, op, extent, false, nullptr);
  if (op.total == 1) add_planes(&out, op, extent, true, "axis");
  return out;
}

std::pair<Shapes, json> product(const OpShape &op, int64_t m, int64_t n, int64_t k) {
  Shapes shapes = {{m, k}, {k, n}};
  if (op.has_trans && op.total == 3) shapes.push_back({n});  // gemm's C: a row
  return {shapes, json::object()};
}

// One extent is `ratio` times smaller than the other two.
void add_thin(std::vector<Sketch> *out, const OpShape &op, double ratio, const std::vector<double> &smallest) {
  for (int which = 0; which < 3; ++which) {
    std::vector<double> volumes;
    for (const double s : smallest) volumes.push_back(s * s * s * ratio * ratio);
    out->push_back({fmt::format("{} {}x smaller", "mnk"[which], ratio), "contiguous",
                    [op, which, ratio](double v) {
                      const int64_t small = std::max<int64_t>(2, whole(std::cbrt(v / (ratio * ratio))));
                      const int64_t large = whole(std::sqrt(v / static_cast<double>(small)));
                      return product(op, which == 0 ? small : large, which == 1 ? small : large,
                                     which == 2 ? small : large);
                    },
                    volumes});
  }
}

std::vector<Sketch> products(const OpShape &op, Extent extent) {
  std::vector<Sketch> out;
  std::vector<double> cubes;
  for (const double s : pick(extent, {2, 8, 16, 32, 64, 128, 256, 512, 1024}, {4, 16, 64, 128, 384})) {
    cubes.push_back(s * s * s);
  }
  out.push_back({"square", "contiguous",
                 [op](double v) {
                   const int64_t s = std::max<int64_t>(2, whole(std::cbrt(v)));
                   return product(op, s, s, s);
                 },
                 cubes});
  add_thin(&out, op, 8, pick(extent, {2, 4, 8, 16, 48, 96}, {2, 8, 32}));
  if (extent == Extent::normal) add_thin(&out, op, 64, {2, 4, 8, 20});
  for (int which = 0; which < 3; ++which) {  // an extent of 1
    std::vector<double> volumes;
    for (const double s : pick(extent, {8, 32, 128, 512, 1024, 2048}, {32, 256, 1024})) volumes.push_back(s * s);
    out.push_back({fmt::format("{} = 1", "mnk"[which]), "contiguous",
                   [op, which](double v) {
                     const int64_t s = std::max<int64_t>(2, whole(std::sqrt(v)));
                     return product(op, which == 0 ? 1 : s, which == 1 ? 1 : s, which == 2 ? 1 : s);
                   },
                   volumes});
  }
  return out;
}

std::vector<Sketch> transposes(Extent extent) {
  std::vector<Sketch> out;
  out.push_back({"rows to columns", "contiguous",
                 [](double v) {
                   const int64_t s = whole(std::sqrt(v));
                   return std::pair(Shapes{{s, s}}, json::object());
                 },
                 line_volumes(extent)});
  if (extent == Extent::quick) return out;
  out.push_back({"rows of 64 exchanged", "contiguous",
                 [](double v) {
                   const int64_t s = whole(std::sqrt(v / 64));
                   return std::pair(Shapes{{s, s, 64}}, json{{"perm", {1, 0, 2}}});
                 },
                 plane_volumes(extent)});
  return out;
}

std::vector<Sketch> decompositions(Extent extent) {
  std::vector<double> cubes;
  for (const double s : pick(extent, {4, 16, 48, 128, 256}, {8, 64})) cubes.push_back(s * s * s);
  return {{"square", "contiguous",
           [](double v) {
             const int64_t s = whole(std::cbrt(v));
             return std::pair(Shapes{{s, s}}, json::object());
           },
           cubes}};
}

std::vector<Sketch> sketches(const rayo_op_info &op, Extent extent) {
  const OpShape shape = shape_of(op);
  const std::string family = op.family;
  if (family == "reduce") return reduce(shape, extent);
  if (family == "normalise") return normalise(shape, extent);
  if (family == "linear") return shape.required == 1 ? transposes(extent) : products(shape, extent);
  if (family == "linalg") return decompositions(extent);
  if (family == "quantise" && shape.total > 1) return quantise(shape, extent);
  return elementwise(shape, extent);
}

// The item for shapes: types and values come from the table that the benchmarks use too.
WorkItem item_for(const rayo_op_info &op, const std::string &dtype, const json &fixed,
                  const std::pair<Shapes, json> &call) {
  bench::Selection selection;
  selection.dtypes = {dtype};
  selection.shapes = {call.first};
  std::vector<WorkItem> items = bench::work_of(op, selection);
  if (items.empty()) throw CommandError(RAYO_UNSUPPORTED, fmt::format("{}: no call with type {}", op.name, dtype));
  WorkItem item = std::move(items.front());
  item.attributes = fixed;
  for (const auto &[name, value] : call.second.items()) item.attributes[name] = value;
  return item;
}

// The first variable's types: those asked for, else the usual ones.
std::vector<std::string> types_to_measure(const rayo_op_info &op, Extent extent,
                                          const std::vector<std::string> &asked) {
  const std::vector<TypeVariable> variables = parse_types(op.types);
  if (variables.empty()) return {};
  std::vector<std::string> usual = {"f32", "f64"};
  if (extent == Extent::quick) usual = {"f32"};
  std::vector<std::string> out;
  for (const std::string &dtype : variables.front().dtypes) {
    const std::vector<std::string> &wanted = asked.empty() ? usual : asked;
    if (std::find(wanted.begin(), wanted.end(), dtype) != wanted.end()) out.push_back(dtype);
  }
  if (out.empty() && asked.empty()) out.push_back(variables.front().dtypes.front());
  return out;
}

// cast's target is a type of its own entry; other attributes keep their defaults.
std::vector<json> fixed_attributes(const rayo_op_info &op, const std::string &dtype, Extent extent) {
  std::vector<json> sets;
  if (std::string(op.name) == "cast") {
    const std::vector<std::string> all = {"f32", "f64", "f16", "bf16", "i8", "u8", "i32", "i64"};
    for (const std::string &to : all) {
      if (to != dtype && (extent == Extent::normal || to == "f64" || to == "i8")) sets.push_back({{"to", to}});
    }
    return sets;
  }
  return {json::object()};
}

}  // namespace

std::string types_text(const rayo_op_info &op, const WorkItem &item, const std::vector<DLDataType> &outputs) {
  std::string text;
  std::vector<std::string> seen;
  const auto add = [&](const std::vector<OperandText> &operands, std::size_t i, DLDataType dtype) {
    const std::vector<TypeVariable> variables = parse_types(op.types);
    const std::string &type = operands[i].type;
    const bool variable =
        std::any_of(variables.begin(), variables.end(), [&](const TypeVariable &each) { return each.name == type; });
    if (!variable || std::find(seen.begin(), seen.end(), type) != seen.end()) return;
    seen.push_back(type);
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", type, dtype_name(dtype));
  };
  const std::vector<OperandText> inputs = parse_operands(op.inputs);
  for (std::size_t i = 0; i < item.inputs.size() && i < inputs.size(); ++i) add(inputs, i, item.inputs[i].dtype);
  const std::vector<OperandText> results = parse_operands(op.outputs);
  for (std::size_t i = 0; i < outputs.size() && i < results.size(); ++i) add(results, i, outputs[i]);
  return text;
}

std::string types_of(const Session &session, const rayo_op_info &op, const WorkItem &item) {
  const AttributeList attributes(op, item.attributes);
  std::vector<rayo_tensor> tensors;
  tensors.reserve(item.inputs.size());
  std::vector<const rayo_tensor *> inputs;
  for (const bench::OperandSpec &input : item.inputs) {
    inputs.push_back(&tensors.emplace_back(
        rayo_tensor_make(nullptr, input.dtype, static_cast<int32_t>(input.shape.size()), input.shape.data(), nullptr)));
  }
  std::array<rayo_shape, RAYO_MAX_OPERANDS> shapes{};
  uint32_t count = 0;
  check(rayo_infer_shapes(session.runtime(), op.op, inputs.data(), static_cast<uint32_t>(inputs.size()),
                          attributes.list(), shapes.data(), RAYO_MAX_OPERANDS, &count));
  std::vector<DLDataType> outputs;
  for (uint32_t i = 0; i < count; ++i) outputs.push_back(shapes[i].dtype);
  return types_text(op, item, outputs);
}

std::vector<Job> jobs_of(const rayo_op_info &op, Extent extent, const std::vector<std::string> &dtypes) {
  std::vector<Job> jobs;
  for (const std::string &dtype : types_to_measure(op, extent, dtypes)) {
    for (const json &fixed : fixed_attributes(op, dtype, extent)) {
      for (const Sketch &sketch : sketches(op, extent)) {
        Curve curve;
        curve.name = sketch.name;
        curve.volumes = sketch.volumes;
        curve.refine = true;
        curve.make = [op, dtype, fixed, shapes = sketch.shapes](double v) {
          return item_for(op, dtype, fixed, shapes(v));
        };
        const std::string full = fixed.empty() ? dtype : fmt::format("{} to {}", dtype, fixed["to"].get<std::string>());
        const auto same = std::find_if(
            jobs.begin(), jobs.end(), [&](const Job &job) { return job.dtype == full && job.layout == sketch.layout; });
        if (same != jobs.end()) {
          same->curves.push_back(std::move(curve));
        } else {
          jobs.push_back({op, full, sketch.layout, {std::move(curve)}});
        }
      }
    }
  }
  return jobs;
}

WorkItem random_call(const Job &job, const std::function<double()> &random) {
  const auto index = static_cast<std::size_t>(random() * static_cast<double>(job.curves.size()));
  const Curve &curve = job.curves[std::min(index, job.curves.size() - 1)];
  const double low = std::log(std::max(curve.volumes.front(), 16.0));
  const double high = std::log(curve.volumes.back() / 2);
  WorkItem item = curve.make(std::exp(low + random() * std::max(high - low, 0.0)));
  if (std::string(job.op.family) != "linear" || item.inputs.size() < 2) return item;
  // A product of any aspect: each extent within a factor of 3 of the curve's.
  const auto vary = [&](int64_t extent) {
    return extent == 1 ? 1 : whole(static_cast<double>(extent) * std::pow(3.0, random() - 0.5));
  };
  Shape &a = item.inputs[0].shape;
  Shape &b = item.inputs[1].shape;
  a = {vary(a[0]), vary(a[1])};
  b = {a[1], vary(b[1])};
  if (item.inputs.size() == 3) item.inputs[2].shape = {b[1]};
  return item;
}

}  // namespace rayo::tools::tune
