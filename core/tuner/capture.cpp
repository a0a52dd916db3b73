// SPDX-License-Identifier: Apache-2.0
#include "tuner/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"
#include "tuner/features.hpp"

namespace rayo {
namespace {

constexpr size_t kMostLines = 100'000;  // of one process; a shape that is new every time must not fill the memory

JsonValue attribute_value(const rayo_attr &attr) {
  if (attr.kind == RAYO_ATTR_STRING) return std::string(static_cast<const char *>(attr.data), attr.count);
  JsonValue::Array list;
  for (uint32_t i = 0; i < attr.count; ++i) {
    if (attr.kind == RAYO_ATTR_FLOAT) {
      list.emplace_back(static_cast<const double *>(attr.data)[i]);
    } else {
      list.emplace_back(static_cast<const int64_t *>(attr.data)[i]);
    }
  }
  if (list.size() == 1) return std::move(list[0]);
  return list;
}

std::string line_of(const BoundCall &call) {
  JsonValue::Array inputs;
  for (const OperandDesc &input : call.inputs()) {
    if (input.absent()) {
      inputs.emplace_back();
      continue;
    }
    inputs.emplace_back(JsonValue::Object{{"dtype", dtype_name(input.dtype)},
                                          {"shape", JsonValue::Array(input.shape, input.shape + input.ndim)}});
  }
  JsonValue::Object attributes;
  for (uint32_t i = 0; i < call.desc().attr_count; ++i) {
    const rayo_attr &attr = call.desc().attrs[i];
    if (attr.count != 0) attributes.push_back({attr.name, attribute_value(attr)});
  }
  const JsonValue line = JsonValue::Object{{"op", call.schema().raw->name},
                                           {"inputs", std::move(inputs)},
                                           {"attributes", std::move(attributes)},
                                           {"layout", layout_name(layout_of(call.desc(), call.compact()))}};
  return line.dump() + "\n";
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
