// SPDX-License-Identifier: Apache-2.0
//
// The stand-in of a plugin that runs in a process of its own: the registry's records, kernels and calls look as if it
// were loaded here, and none of its bytes is.
//
// One worker process for each of these, one call at a time in it. In a forked child the first call starts a worker of
// the child's own. Thread-safe.
#pragma once

#include <rayo/plugin.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fork_mutex.hpp"
#include "base/log.hpp"
#include "isolation/worker.hpp"
#include "registry/registry.hpp"

namespace rayo {

class RemotePlugin {
 public:
  // Starts the worker and asks what the plugin is. Throws Error (RAYO_REFUSED) when it cannot be used this way. Ops
  // that the plugin brings itself, and kernels of devices, are left out: *out_left_out of them.
  RemotePlugin(const std::string &file, uint64_t cpu_features, uint32_t call_ms, const Log &log,
               uint32_t *out_left_out);
  ~RemotePlugin();
  RemotePlugin(const RemotePlugin &) = delete;
  RemotePlugin &operator=(const RemotePlugin &) = delete;

  // For check_answer and the record; its functions are not to be called, but for destroy, which does nothing.
  const rayo_plugin *plugin() const { return &plugin_; }

  // As rayo_kernel's: fn of what is prepared runs the call in the worker. Operands may be as the caller has them.
  rayo_status prepare(const rayo_kernel &kernel, const rayo_op_desc &desc, rayo_prepared *out, rayo_error *error);
  void release(void *state) noexcept;

  // After fn has failed on this thread: was it the worker (it died, hung, wrote where it must not, is down), and not
  // the kernel's own status? Asked once. Nothing was written to the outputs then.
  static bool worker_failed() noexcept;

 private:
  struct Call;
  struct Session;

  void describe(uint32_t *out_left_out);
  void add_kernels(const std::string &description, uint32_t *out_left_out);
  std::shared_ptr<Session> session();
  void prepare_there(Session *session, const Call &call, uint32_t *out_threads);
  rayo_status run(const Call &call, const rayo_call &packet) noexcept;
  void run_there(Session *session, const Call &call, const rayo_call &packet);
  static rayo_status run_packet(const rayo_call *packet);

  const std::string file_;
  const uint64_t cpu_features_;
  const uint32_t call_ms_;
  const Log &log_;
  std::deque<std::string> texts_;
  std::deque<rayo_kernel> kernels_;
  std::vector<const rayo_kernel *> kernel_list_;
  rayo_plugin plugin_{};
  ForkMutex mutex_{ForkMutex::Kind::inner};  // of what follows, never held for long
  std::shared_ptr<Session> session_;
  std::vector<std::shared_ptr<Session>> abandoned_;  // of the processes that this one was forked from
  uint64_t next_id_ = 1;
};

}  // namespace rayo
