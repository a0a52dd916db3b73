// SPDX-License-Identifier: Apache-2.0
//
// Spans of what a runtime does, as a file that Chrome's tracing page and Perfetto open. Each thread writes into a ring
// of its own, without locks; flush() moves what is there to the file, which is whole JSON after every flush.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rayo {

enum class SpanKind : uint8_t {
  runtime,
  load,
  plan,
  call,
  submit,
  copy,
  wait,
  guard,
  plugin,
  work,
  arrow_out,
  arrow_in
};

struct Traces;

struct TraceEvent {
  int64_t begin_ns;     // CLOCK_MONOTONIC
  int64_t duration_ns;  // of an arrow's end: the arrow's number
  uint32_t thread;      // a track, or 0 = the calling thread, whose id in the system add() fills in
  uint16_t threads;
  SpanKind kind;
  char name[48];  // these three: NUL-terminated, cut to fit
  char device[24];
  char kernel[48];
};

// Cut to fit.
template <size_t N>
void copy_text(char (&to)[N], std::string_view text) noexcept {
  const size_t length = text.size() < N ? text.size() : N - 1;
  if (length != 0) std::memcpy(to, text.data(), length);  // an empty text may be nowhere
  to[length] = '\0';
}

// CLOCK_MONOTONIC
int64_t trace_now() noexcept;
// The number of a point on a timeline, for arrows.
inline uint64_t point_number(const void *timeline, uint64_t value) noexcept {
  return (reinterpret_cast<uintptr_t>(timeline) + value) * 0x9e3779b97f4a7c15u ^ value;
}
TraceEvent trace_event(SpanKind kind, std::string_view name, int64_t begin_ns, int64_t end_ns, uint32_t track) noexcept;

// One per file and process. Never destroyed, so that a pointer to it stays good in any thread for ever.
class Trace {
 public:
  // The trace into that file: "%p" becomes the process id; the first call truncates it. Throws Error (RAYO_IO).
  static Trace *open(std::string path);

  // Lock-free after a thread's first event. A full ring (kCapacity events since the last flush) drops and counts.
  void add(const TraceEvent &event) noexcept;
  // What rayo_host's trace_begin and trace_end do: spans of one thread, nested; 0 = not recorded.
  uint64_t begin(const char *name) noexcept;
  void end(uint64_t token) noexcept;

  // A row for work that is no thread's, as a queue's; the same name is the same row for ever. 0 = not recorded.
  uint32_t track(std::string_view name) noexcept;
  // A piece of work, and the ends of arrows: one runs from the work that signals a number to each that waits for it.
  void add_work(const TraceEvent &event, std::span<const uint64_t> waits, std::span<const uint64_t> signals) noexcept;

  // Throws Error (RAYO_IO). In a forked child it does nothing.
  void flush();
  uint64_t dropped() const noexcept;
  const std::string &path() const { return path_; }

  static constexpr uint32_t kCapacity = 1u << 14;

 private:
  friend struct Traces;
  struct Ring;
  struct Slot;
  Trace(std::string path, int file);
  ~Trace();
  Ring *ring() noexcept;
  Ring *take_ring();
  void write(const std::string &events, uint64_t dropped);
  void add_arrow(const TraceEvent &of, SpanKind end, uint64_t number) noexcept;

  std::string path_;
  int file_;
  std::atomic<bool> foreign_{false};  // this process is a forked child; the file is its parent's
  int64_t tail_ = 0;                  // where the next event goes in the file; guarded by mutex_
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Ring>> rings_;             // guarded by mutex_; rings of ended threads are used again
  std::map<std::string, uint32_t, std::less<>> tracks_;  // guarded by mutex_
  std::string names_;                                    // of tracks that the file does not know yet; guarded by mutex_
};

// A span from construction to destruction; nothing when `trace` is nullptr.
class Span {
 public:
  Span(Trace *trace, SpanKind kind, std::string_view name, std::string_view device = {}, std::string_view kernel = {},
       uint32_t threads = 0) noexcept
      : trace_(trace) {
    if (trace != nullptr) start(kind, name, device, kernel, threads);
  }
  ~Span() {
    if (trace_ != nullptr) finish();
  }
  Span(const Span &) = delete;
  Span &operator=(const Span &) = delete;

 private:
  void start(SpanKind kind, std::string_view name, std::string_view device, std::string_view kernel,
             uint32_t threads) noexcept;
  void finish() noexcept;

  Trace *trace_;
  TraceEvent event_;  // undefined while trace_ is nullptr
};

}  // namespace rayo
