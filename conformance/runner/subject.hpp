// SPDX-License-Identifier: Apache-2.0
//
// One plugin alone in a runtime of its own, through the public C API, and what it says it can do. Lives in the child
// process that judges it.
#pragma once

#include <rayo/rayo.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "suites/dtype.hpp"

namespace rayo::conform {

struct KernelFacts {
  std::string op;
  std::string types;
  std::uint32_t numerics = 0;
  std::uint32_t flags = 0;
};

// Collects a runtime's log from level warning up; from any thread.
class MessageLog {
 public:
  struct Line {
    std::int32_t level;
    std::string text;
  };
  void add(std::int32_t level, const char *text);
  std::vector<Line> take();  // since the last time

 private:
  std::mutex mutex_;
  std::vector<Line> lines_;
};

class Subject {
 public:
  // Loads `file` and nothing else. Throws LoadError. `log` outlives it; may be NULL.
  explicit Subject(const std::string &file, MessageLog *log = nullptr);
  ~Subject();
  Subject(const Subject &) = delete;
  Subject &operator=(const Subject &) = delete;

  rayo_runtime *runtime() const { return runtime_; }
  const std::string &name() const { return name_; }
  const std::string &file() const { return file_; }
  const std::string &sha256() const { return sha256_; }
  const std::vector<KernelFacts> &kernels() const { return kernels_; }

  // Numerics classes (RAYO_NUMERICS_*, ascending) that its kernels of this op and type declare; empty = none.
  std::vector<std::uint32_t> classes(std::string_view op, Dtype dtype) const;
  bool has_flag(std::string_view op, Dtype dtype, std::uint32_t flag) const;

 private:
  rayo_runtime *runtime_ = nullptr;
  std::string name_;
  std::string file_;
  std::string sha256_;
  std::vector<KernelFacts> kernels_;
};

struct LoadError {
  rayo_status status;
  std::string text;
};

struct FoundPlugin {
  std::string name;
  std::string file;
  std::string reason;  // empty = ready
};
// What a default runtime finds. Creates that runtime in this process.
std::vector<FoundPlugin> find_plugins();

std::string last_error();

}  // namespace rayo::conform
