// SPDX-License-Identifier: Apache-2.0
//
// A runtime for the length of a sub-command, and look-ups in it by name with messages that help.
#pragma once

#include <rayo/device.h>
#include <rayo/rayo.h>

#include <memory>
#include <string>
#include <vector>

namespace rayo::tools {

// The options that every sub-command with a runtime shares. Empty and 0 mean: not given.
struct SessionOptions {
  std::vector<std::string> plugin_files;
  std::string device;
  std::string numerics;
  uint32_t threads = 0;
  bool isolate = false;      // plugins that are not the package's own run in processes of their own
  bool allow_empty = false;  // no usable plugin is no error
};

class Session {
 public:
  // Finds and starts plugins. Throws CommandError with the core's text; a device is checked here, so that a typing
  // mistake fails before any file is read.
  explicit Session(const SessionOptions &options);
  // The same with the core's own options.
  explicit Session(const rayo_runtime_options &options);

  rayo_runtime *runtime() const { return runtime_.get(); }

  std::vector<rayo_plugin_info> plugins() const;
  std::vector<rayo_device_listing> devices() const;
  std::vector<rayo_op_info> ops() const;
  std::vector<rayo_kernel_info> kernels() const;
  std::vector<rayo_fallback> fallbacks() const;  // of the runtime so far; the list only grows

  // Throws RAYO_NOT_FOUND (exit code 2) with near names.
  rayo_op_info find_op(const std::string &name) const;

  // "auto", a device or a plugin that is ready. Throws exit code 3 when a plugin of that name is there but not ready,
  // else 2 with the ready ones.
  void check_device(const std::string &name) const;

 private:
  struct Destroy {
    void operator()(rayo_runtime *runtime) const { rayo_runtime_destroy(runtime); }
  };
  std::unique_ptr<rayo_runtime, Destroy> runtime_;
};

// Text of this thread's last failure in the core.
std::string last_error();

// Throws CommandError with the core's text unless status is RAYO_OK.
void check(rayo_status status);

// "reproducible" for RAYO_NUMERICS_REPRODUCIBLE (the policies have the same numbers but for accurate).
const char *numerics_name(uint32_t numerics);

// "ready", "rejected", "quarantined".
const char *plugin_state_name(uint32_t state);

}  // namespace rayo::tools
