// SPDX-License-Identifier: Apache-2.0
#include "tuner/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/env.hpp"
#include "base/error.hpp"
#include "tuner/features.hpp"

namespace rayo {
namespace {

using nlohmann::json;

constexpr size_t kMostLines = 100'000;  // of one process; a shape that is new every time must not fill the memory

json attribute_value(const rayo_attr &attr) {
  if (attr.kind == RAYO_ATTR_STRING) return std::string(static_cast<const char *>(attr.data), attr.count);
  json list = json::array();
  for (uint32_t i = 0; i < attr.count; ++i) {
    if (attr.kind == RAYO_ATTR_FLOAT) {
      list.push_back(static_cast<const double *>(attr.data)[i]);
    } else {
      list.push_back(static_cast<const int64_t *>(attr.data)[i]);
    }
  }
  return list.size() == 1 ? json(list[0]) : list;
}

std::string line_of(const BoundCall &call) {
  json inputs = json::array();
  for (const OperandDesc &input : call.inputs()) {
    if (input.absent()) {
      inputs.push_back(nullptr);
      continue;
    }
    inputs.push_back(
        {{"dtype", dtype_name(input.dtype)}, {"shape", std::vector<int64_t>(input.shape, input.shape + input.ndim)}});
  }
  json attributes = json::object();
  for (uint32_t i = 0; i < call.desc().attr_count; ++i) {
    const rayo_attr &attr = call.desc().attrs[i];
    if (attr.count != 0) attributes[attr.name] = attribute_value(attr);
  }
  const json line = {{"op", call.schema().raw->name},
                     {"inputs", std::move(inputs)},
                     {"attributes", std::move(attributes)},
                     {"layout", layout_name(layout_of(call.desc(), call.compact()))}};
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

Capture::Capture(const std::string &path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666)) {
  if (fd_ < 0) {
    fail(RAYO_IO, "RAYO_CAPTURE is {}: it cannot be written: {}; name a file in a folder that you may write to",
         quote(path), std::strerror(errno));
  }
}

Capture::~Capture() { ::close(fd_); }

void Capture::record(const BoundCall &call) noexcept {
  fence([&] {
    std::string line = line_of(call);
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMostLines || !seen_.insert(line).second) return;
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
  });
}

}  // namespace rayo
