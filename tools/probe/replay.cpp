// SPDX-License-Identifier: Apache-2.0
#include "probe/replay.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <new>
#include <vector>

#include "base/error.hpp"
#include "device/pool.hpp"
#include "dispatch/call_line.hpp"
#include "dispatch/overlap.hpp"
#include "dispatch/scratch.hpp"
#include "probe/elements.hpp"

namespace rayo::probe {
namespace {

constexpr int64_t kLargest = int64_t{1} << 30;  // bytes of an operand
constexpr uint64_t kSeeds = 3;
constexpr size_t kAlignment = 64;

// Bytes between two pages that nobody may touch; the end is at the second one, but for alignment.
class Fenced {
 public:
  explicit Fenced(size_t bytes) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t room = (bytes + page - 1) / page * page;
    size_ = room + 2 * page;
    memory_ = ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    char *inside = static_cast<char *>(memory_) + page;
    if (room != 0 && ::mprotect(inside, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = inside + (room - bytes) / kAlignment * kAlignment;
  }
  ~Fenced() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, size_);
  }
  Fenced(const Fenced &) = delete;
  Fenced &operator=(const Fenced &) = delete;
  char *data() const { return data_; }

 private:
  void *memory_ = MAP_FAILED;
  size_t size_ = 0;
  char *data_ = nullptr;
};

// SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  uint64_t operator()() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// An operand's memory: every byte between its lowest and its highest.
class Memory {
 public:
  explicit Memory(const OperandDesc &operand)
      : item_(operand.dtype.bits / 8u), dtype_(operand.dtype), span_(span_of(operand)), fenced_(size()) {}
  void *element_zero() const { return size() == 0 ? nullptr : fenced_.data() - span_.low; }
  void fill(Draw *draw, bool truth) {
    for (size_t at = 0; at + item_ <= size(); at += item_) {
      constexpr uint64_t kValues = 17;
      const auto value = static_cast<double>((*draw)() % kValues) - 8;
      store_element(dtype_, truth ? std::fmod(std::abs(value), 2) : value,
                    reinterpret_cast<unsigned char *>(fenced_.data()) + at);
    }
  }

 private:
  static ByteSpan span_of(const OperandDesc &operand) {
    if (operand.absent() || operand.elements() == 0) return {};
    const ByteSpan span = byte_span(operand);
    if (span.high - span.low > kLargest) fail(RAYO_UNSUPPORTED, "has operands that are too large to be replayed");
    return span;
  }
  size_t size() const { return static_cast<size_t>(span_.high - span_.low); }

  size_t item_;
  DLDataType dtype_;
  ByteSpan span_;
  Fenced fenced_;
};

const KernelRecord &find_kernel(const Registry &registry, const LineCall &call) {
  for (const auto &record : registry.all_kernels()) {
    if (record->op == call.desc().op && call.kernel() == record->kernel->name &&
        (record->kernel->flags & RAYO_KERNEL_DEVICE) == 0) {
      return *record;
    }
  }
  fail(RAYO_NOT_FOUND, "has no kernel {} of that op to replay the call with", call.kernel());
}

class Replay {
 public:
  Replay(const KernelRecord &record, const LineCall &call) : record_(record), call_(call) {
    for (const OperandDesc &operand : call.inputs()) in_.push_back(inputs_.emplace_back(operand).element_zero());
    for (const OperandDesc &operand : call.outputs()) out_.push_back(outputs_.emplace_back(operand).element_zero());
  }

  void run(const Schema *schema, uint64_t seed) {
    Draw draw(seed);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const bool truth = schema != nullptr && i < schema->inputs.size() && schema->inputs[i].name == "condition";
      inputs_[i].fill(&draw, truth);
    }
    rayo_error error{};
    rayo_prepared prepared{};
    prepared.struct_size = sizeof prepared;
    prepared.struct_type = RAYO_TYPE_PREPARED;
    if (record_.prepare(call_.desc(), &prepared, &error) != RAYO_OK || prepared.fn == nullptr) {
      fail(RAYO_UNSUPPORTED, "declines the call that was to be replayed");
    }
    const Scratch scratch(prepared.workspace_size, prepared.workspace_alignment);
    if (scratch.failed()) throw std::bad_alloc();
    const uint32_t threads = std::min(std::max(prepared.threads, 1u), call_.desc().max_threads);
    const rayo_call packet{in_.data(), out_.data(), prepared.state, scratch.get(), pool_.executor(), threads, 0};
    (void)prepared.fn(&packet);
    record_.release(prepared.state);
  }

 private:
  const KernelRecord &record_;
  const LineCall &call_;
  std::deque<Memory> inputs_;
  std::deque<Memory> outputs_;
  std::vector<const void *> in_;
  std::vector<void *> out_;
  ThreadPool pool_;
};

}  // namespace

void replay_call(const Registry &registry, const std::string &line, TrialReport *report) {
  const LineCall call(line);
  const KernelRecord &record = find_kernel(registry, call);
  report->enter(fmt::format("in its kernel {}, {}", call.kernel(), call.text()));
  Replay replay(record, call);
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) replay.run(registry.schema(record.op), seed);
}

}  // namespace rayo::probe
