// SPDX-License-Identifier: Apache-2.0
//
// The file is one JSON object whose list of events is kept closed: a flush writes over the closing brackets and closes
// the list again behind the new events.
#include "trace/trace.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/uninterrupted.hpp"

namespace rayo {
namespace {

constexpr uint32_t kDeepest = 64;           // open spans of a plugin, nested in one thread
constexpr uint32_t kFirstTrack = 1u << 30;  // above every thread's id: Linux ends them at 2^22

const char *kind_name(SpanKind kind) {
  static constexpr const char *kNames[] = {"runtime", "load", "plan",  "call",   "submit",
                                           "copy",    "wait", "guard", "plugin", "work"};
  return kNames[static_cast<size_t>(kind)];
}

uint32_t thread_id() noexcept {
  thread_local const auto id = static_cast<uint32_t>(::syscall(SYS_gettid));
  return id;
}

std::string micros(int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

// One end of an arrow: it binds to the span of its row that encloses its time.
void append_arrow(std::string *out, const TraceEvent &event) {
  const bool starts = event.kind == SpanKind::arrow_out;
  *out += fmt::format(R"(,
{{"name":"semaphore","cat":"semaphore","ph":"{}",{}"id":"{:x}","ts":{},"pid":{},"tid":{}}})",
                      starts ? "s" : "f", starts ? "" : "\"bp\":\"e\",", static_cast<uint64_t>(event.duration_ns),
                      micros(event.begin_ns), ::getpid(), event.thread);
}

void append_event(std::string *out, const TraceEvent &event) {
  if (event.kind >= SpanKind::arrow_out) return append_arrow(out, event);
  *out += fmt::format(R"(,
{{"name":{},"cat":"{}","ph":"X","ts":{},"dur":{},"pid":{},"tid":{},"args":{{)",
                      json_string(event.name), kind_name(event.kind), micros(event.begin_ns), micros(event.duration_ns),
                      ::getpid(), event.thread);
  const char *comma = "";
  const auto add = [&](const char *key, const std::string &value) {
    *out += fmt::format("{}\"{}\":{}", comma, key, value);
    comma = ",";
  };
  if (event.device[0] != '\0') add("device", json_string(event.device));
  if (event.kernel[0] != '\0') add("kernel", json_string(event.kernel));
  if (event.threads != 0) add("threads", std::to_string(event.threads));
  *out += "}}";
}

// All of `text` at `offset`.
bool write_at(int file, const std::string &text, int64_t offset) noexcept {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = uninterrupted(
        [&] { return ::pwrite(file, text.data() + done, text.size() - done, offset + static_cast<int64_t>(done)); });
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

std::string closing(uint64_t dropped) { return fmt::format("\n],\n\"otherData\":{{\"dropped\":\"{}\"}}}}\n", dropped); }

}  // namespace

// Every trace of this process, in the order of their opening.
struct Traces {
  std::mutex mutex;
  std::vector<Trace *> all;

  static Traces &get() {
    static auto *traces = new Traces;  // never destroyed: threads may outlive static destructors
    return *traces;
  }

 private:
  Traces() {
    ::pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                     [] {
                       for (Trace *trace : get().all) trace->foreign_.store(true, std::memory_order_relaxed);
                       get().mutex.unlock();
                     });
    std::atexit([] {
      for (Trace *trace : get().all) fence([trace] { trace->flush(); });
    });
  }
};

// Single producer (the thread that holds it), single consumer (flush, under the trace's mutex).
struct Trace::Ring {
  std::unique_ptr<TraceEvent[]> events = std::make_unique_for_overwrite<TraceEvent[]>(kCapacity);
  std::atomic<uint32_t> head{0};
  std::atomic<uint32_t> tail{0};
  std::atomic<uint64_t> dropped{0};
  std::atomic<bool> held{true};
  // The producer's own.
  TraceEvent open[kDeepest];
  uint32_t depth = 0;
};

// What a thread remembers: its ring in the trace it used last.
struct Trace::Slot {
  ~Slot() { release(); }
  void release() noexcept {
    if (ring != nullptr) ring->held.store(false, std::memory_order_release);
    ring = nullptr;
    trace = nullptr;
  }
  Trace *trace = nullptr;
  Ring *ring = nullptr;
};

Trace::Trace(std::string path, int file) : path_(std::move(path)), file_(file) {}
Trace::~Trace() = default;

int64_t trace_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

TraceEvent trace_event(SpanKind kind, std::string_view name, int64_t begin_ns, int64_t end_ns,
                       uint32_t track) noexcept {
  TraceEvent event{};
  event.kind = kind;
  event.begin_ns = begin_ns;
  event.duration_ns = std::max<int64_t>(end_ns - begin_ns, 0);
  event.thread = track;
  copy_text(event.name, name);
  return event;
}

Trace *Trace::open(std::string path) {
  if (const size_t at = path.find("%p"); at != std::string::npos) path.replace(at, 2, std::to_string(::getpid()));
  Traces &traces = Traces::get();
  const std::lock_guard lock(traces.mutex);
  for (Trace *trace : traces.all) {
    if (trace->path_ == path) return trace;
  }
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (file < 0) {
    fail(RAYO_IO, "trace file {} cannot be written: {}; name a file in a folder that exists", quote(path),
         std::strerror(errno));
  }
  const std::string head = fmt::format(
      R"({{"displayTimeUnit":"ns","traceEvents":[
{{"name":"process_name","ph":"M","pid":{},"args":{{"name":{}}}}})",
      ::getpid(), json_string(program_invocation_short_name));
  if (!write_at(file, head + closing(0), 0)) {
    const int why = errno;
    ::close(file);
    fail(RAYO_IO, "trace file {} cannot be written: {}", quote(path), std::strerror(why));
  }
  traces.all.reserve(traces.all.size() + 1);
  auto *trace = new Trace(path, file);
  trace->tail_ = static_cast<int64_t>(head.size());
  traces.all.push_back(trace);
  return trace;
}

Trace::Ring *Trace::take_ring() {
  const std::lock_guard lock(mutex_);
  for (const auto &ring : rings_) {
    bool held = false;
    if (ring->held.compare_exchange_strong(held, true, std::memory_order_acq_rel)) {
      ring->depth = 0;
      return ring.get();
    }
  }
  return rings_.emplace_back(std::make_unique<Ring>()).get();
}

Trace::Ring *Trace::ring() noexcept {
  if (foreign_.load(std::memory_order_relaxed)) return nullptr;
  thread_local Slot slot;
  if (slot.trace == this) return slot.ring;
  slot.release();
  if (fence([this] { slot.ring = take_ring(); }) != RAYO_OK) return nullptr;
  slot.trace = this;
  return slot.ring;
}

void Trace::add(const TraceEvent &event) noexcept {
  Ring *ring = this->ring();
  if (ring == nullptr) return;
  const uint32_t head = ring->head.load(std::memory_order_relaxed);
  if (head - ring->tail.load(std::memory_order_acquire) == kCapacity) {
    ring->dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  TraceEvent &place = ring->events[head % kCapacity];
  place = event;
  if (place.thread == 0) place.thread = thread_id();
  ring->head.store(head + 1, std::memory_order_release);
}

uint32_t Trace::track(std::string_view name) noexcept {
  if (foreign_.load(std::memory_order_relaxed)) return 0;
  uint32_t track = 0;
  fence([&] {
    const std::lock_guard lock(mutex_);
    const auto known = tracks_.find(name);
    if (known != tracks_.end()) {
      track = known->second;
      return;
    }
    const auto number = kFirstTrack + static_cast<uint32_t>(tracks_.size());
    names_ += fmt::format(R"(,
{{"name":"thread_name","ph":"M","pid":{0},"tid":{1},"args":{{"name":{2}}}}},
{{"name":"thread_sort_index","ph":"M","pid":{0},"tid":{1},"args":{{"sort_index":{1}}}}})",
                          ::getpid(), number, json_string(name));
    tracks_.emplace(name, number);
    track = number;
  });
  return track;
}

void Trace::add_arrow(const TraceEvent &of, SpanKind end, uint64_t number) noexcept {
  TraceEvent arrow{};
  arrow.kind = end;
  arrow.thread = of.thread;
  arrow.begin_ns = end == SpanKind::arrow_in ? of.begin_ns : of.begin_ns + std::max<int64_t>(of.duration_ns - 1, 0);
  arrow.duration_ns = static_cast<int64_t>(number);
  add(arrow);
}

void Trace::add_work(const TraceEvent &event, std::span<const uint64_t> waits,
                     std::span<const uint64_t> signals) noexcept {
  add(event);
  for (const uint64_t number : waits) add_arrow(event, SpanKind::arrow_in, number);
  for (const uint64_t number : signals) add_arrow(event, SpanKind::arrow_out, number);
}

uint64_t Trace::begin(const char *name) noexcept {
  Ring *ring = this->ring();
  if (ring == nullptr || name == nullptr || ring->depth == kDeepest) return 0;
  TraceEvent &event = ring->open[ring->depth];
  event = {};
  event.kind = SpanKind::plugin;
  copy_text(event.name, name);
  event.begin_ns = trace_now();
  return ++ring->depth;
}

void Trace::end(uint64_t token) noexcept {
  Ring *ring = this->ring();
  if (ring == nullptr || token == 0 || token > ring->depth) return;
  // Spans inside that were never ended go with it.
  ring->depth = static_cast<uint32_t>(token - 1);
  TraceEvent event = ring->open[ring->depth];
  event.duration_ns = trace_now() - event.begin_ns;
  add(event);
}

uint64_t Trace::dropped() const noexcept {
  if (foreign_.load(std::memory_order_relaxed)) return 0;
  const std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const auto &ring : rings_) sum += ring->dropped.load(std::memory_order_relaxed);
  return sum;
}

void Trace::flush() {
  if (foreign_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  std::string text = std::exchange(names_, {});
  uint64_t dropped = 0;
  for (const auto &ring : rings_) {
    const uint32_t head = ring->head.load(std::memory_order_acquire);
    uint32_t tail = ring->tail.load(std::memory_order_relaxed);
    for (; tail != head; ++tail) append_event(&text, ring->events[tail % kCapacity]);
    ring->tail.store(tail, std::memory_order_release);
    dropped += ring->dropped.load(std::memory_order_relaxed);
  }
  if (!text.empty()) write(text, dropped);
}

void Trace::write(const std::string &events, uint64_t dropped) {
  if (write_at(file_, events + closing(dropped), tail_)) {
    tail_ += static_cast<int64_t>(events.size());
    return;
  }
  const int why = errno;
  // What was there before stays whole; the events are lost.
  const std::string end = closing(dropped);
  if (write_at(file_, end, tail_)) (void)!::ftruncate(file_, tail_ + static_cast<int64_t>(end.size()));
  fail(RAYO_IO, "trace file {} cannot be written: {}; its newest events are lost", quote(path_), std::strerror(why));
}

void Span::start(SpanKind kind, std::string_view name, std::string_view device, std::string_view kernel,
                 uint32_t threads) noexcept {
  event_.kind = kind;
  event_.thread = 0;
  event_.threads = static_cast<uint16_t>(threads);
  copy_text(event_.name, name);
  copy_text(event_.device, device);
  copy_text(event_.kernel, kernel);
  event_.begin_ns = trace_now();
}

void Span::finish() noexcept {
  event_.duration_ns = trace_now() - event_.begin_ns;
  trace_->add(event_);
}

}  // namespace rayo
