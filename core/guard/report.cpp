// SPDX-License-Identifier: Apache-2.0
#include "guard/report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"
#include "guard/heat_map.hpp"
#include "guard/watch.hpp"

namespace rayo {
namespace {

using Object = JsonValue::Object;
using Array = JsonValue::Array;

// "" = there is no such place.
std::string default_folder() {
  if (privileged_process()) return {};
  const char *cache = env_text("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/rayo/reports";
  const char *home = env_text("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.cache/rayo/reports" : std::string();
}

// JSON has no NaN and no infinity: those become strings.
JsonValue number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Array operands(const std::vector<OperandSpec> &specs, const std::vector<OperandDesc> &descs) {
  Array list;
  for (size_t i = 0; i < descs.size(); ++i) {
    if (descs[i].absent()) continue;
    list.emplace_back(Object{{"name", specs[i].name},
                             {"dtype", dtype_name(descs[i].dtype)},
                             {"shape", Array(descs[i].shape, descs[i].shape + descs[i].ndim)},
                             {"strides", Array(descs[i].strides, descs[i].strides + descs[i].ndim)}});
  }
  return list;
}

JsonValue attribute_value(const rayo_attr &attr) {
  if (attr.kind == RAYO_ATTR_STRING) return std::string(static_cast<const char *>(attr.data), attr.count);
  if (attr.kind == RAYO_ATTR_INT) {
    const auto *values = static_cast<const int64_t *>(attr.data);
    return Array(values, values + attr.count);
  }
  Array list;
  for (uint32_t i = 0; i < attr.count; ++i) list.push_back(number(static_cast<const double *>(attr.data)[i]));
  return list;
}

Object attributes(const BoundCall &call) {
  Object out;
  for (const rayo_attr &attr : call.attributes().view()) out.push_back({attr.name, attribute_value(attr)});
  return out;
}

JsonValue contents(const Finding &finding, const BoundCall &call, const KernelRecord &kernel, bool picture) {
  const int64_t now = std::time(nullptr);
  Object out = {{"guard", guard_name(finding.kind)},
                {"message", describe(finding, call)},
                {"unix_time", now},
                {"op", call.schema().raw->name},
                {"device", kernel.owner->name},
                {"kernel", kernel.kernel->name},
                {"plugin", Object{{"file", kernel.owner->file}, {"sha256", kernel.owner->sha256()}}},
                {"attributes", attributes(call)},
                {"inputs", operands(call.schema().inputs, call.inputs())},
                {"outputs", operands(call.schema().outputs, call.outputs())}};
  if (finding.kind == GuardKind::slowdown) {
    out.push_back({"ns", finding.ns});
    out.push_back({"median_ns", finding.median_ns});
    return out;
  }
  out.push_back({"output", call.schema().outputs[finding.output].name});
  out.push_back({"wrong", finding.wrong});
  out.push_back({"elements", finding.total});
  out.push_back({"place", index_text(call.outputs()[finding.output], finding.index)});
  if (finding.compared) {
    out.push_back({"actual", number(finding.actual)});
    out.push_back({"expected", number(finding.expected)});
    out.push_back({"allowed", number(finding.allowed)});
  }
  out.push_back({"picture", picture});
  return out;
}

// A new file; false with errno.
bool write_new(const std::string &path, const std::string &text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file < 0) return false;
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int why = whole ? 0 : errno;
  ::close(file);
  errno = why;
  return whole;
}

}  // namespace

std::string write_report(const Finding &finding, const BoundCall &call, const KernelRecord &kernel,
                         const std::string &folder, RuntimeWatch *runtime) {
  const uint32_t number = runtime->reports.fetch_add(1) + 1;
  if (number > kMostReports) return fmt::format("no report: {} were written", kMostReports);
  const std::string place = folder.empty() ? default_folder() : folder;
  if (place.empty()) return "no report: neither report=/FOLDER nor HOME names a place";
  std::error_code error;
  std::filesystem::create_directories(place, error);
  const std::string base =
      fmt::format("{}/{}-{}-{}-{}", place, call.schema().raw->name, guard_name(finding.kind), ::getpid(), number);
  std::string picture_text;
  if (!finding.result.empty()) picture_text = heat_map_png(finding, call.outputs()[finding.output]);
  const bool picture = !picture_text.empty() && write_new(base + ".png", picture_text);
  const std::string text = contents(finding, call, kernel, picture).dump(2) + "\n";
  if (!write_new(base + ".json", text)) {
    return fmt::format("no report: {} cannot be written: {}", quote(base + ".json"), std::strerror(errno));
  }
  return "report: " + base + ".json";
}

}  // namespace rayo
