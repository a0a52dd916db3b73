// SPDX-License-Identifier: Apache-2.0
//
// A lane: pinned chunks filled and emptied by the host while the device copies the other one.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "device/staging.hpp"
#include "trace/trace.hpp"

namespace rayo {
namespace {

constexpr uint64_t kForEver = UINT64_MAX;
constexpr uint64_t kPieceAlignment = 64;  // of pieces in a chunk

rayo_copy empty_copy() noexcept {
  rayo_copy copy{};
  copy.struct_size = sizeof copy;
  copy.struct_type = RAYO_TYPE_COPY;
  return copy;
}

}  // namespace

Lane::Lane(Device &device) : device_(device) {
  rayo_error error = no_error();
  device_.check(device_.api().queue_create(device_.raw(), &queue_, &error), error, "create a queue");
}

Lane::~Lane() {
  const rayo_device_api &api = device_.api();
  api.queue_destroy(queue_);  // waits for its work
  if (done_ != nullptr) api.semaphore_destroy(done_);
  for (const Chunk &chunk : chunks_) {
    if (chunk.raw != nullptr) api.buffer_destroy(chunk.raw);
  }
}

void Lane::begin() {
  if (done_ == nullptr) {
    rayo_error error = no_error();
    device_.check(device_.api().semaphore_create(device_.raw(), value_, &done_, &error), error, "create a semaphore");
  }
  for (Chunk &chunk : chunks_) chunk.used = 0;
}

// After a failure: until nothing runs any more, and the queue takes work again.
void Lane::settle() noexcept {
  arrivals_.clear();
  rayo_error error = no_error();
  (void)device_.api().queue_wait(queue_, kForEver, &error);
  if (done_ != nullptr) device_.api().semaphore_destroy(done_);  // it may be poisoned
  done_ = nullptr;
}

void Lane::make_chunks() {
  if (!pinned_ || chunks_[0].raw != nullptr) return;
  const rayo_buffer_desc desc{sizeof(rayo_buffer_desc), RAYO_TYPE_BUFFER_DESC, nullptr,
                              Staging::kChunk,          RAYO_MEMORY_PINNED,    0};
  for (Chunk &chunk : chunks_) {
    rayo_error error = no_error();
    void *host = nullptr;
    rayo_status status = device_.api().buffer_create(device_.raw(), &desc, &chunk.raw, &error);
    if (status == RAYO_OK) status = device_.api().buffer_map(chunk.raw, &host, &error);
    if (status == RAYO_OK) {
      chunk.host = static_cast<char *>(host);
      continue;
    }
    for (Chunk &made : chunks_) {
      if (made.raw != nullptr) device_.api().buffer_destroy(made.raw);
      made = Chunk{};
    }
    if (status != RAYO_UNSUPPORTED && status != RAYO_OUT_OF_MEMORY) device_.check(status, error, "pin host memory");
    pinned_ = status == RAYO_OUT_OF_MEMORY;  // memory may come back, a kind of memory will not
    return;
  }
}

std::pair<Lane::Chunk *, char *> Lane::room(uint64_t wanted, uint64_t *out_bytes) {
  Chunk *chunk = &chunks_[current_];
  if (chunk->used == Staging::kChunk || (chunk->used != 0 && wanted > Staging::kChunk - chunk->used)) {
    current_ ^= 1;
    chunk = &chunks_[current_];
    if (chunk->used != 0) {
      wait_for(chunk->busy_until);
      land(chunk);
    }
    chunk->used = 0;
  }
  *out_bytes = std::min(wanted, Staging::kChunk - chunk->used);
  char *at = chunk->host + chunk->used;
  chunk->used = std::min(Staging::kChunk, (chunk->used + *out_bytes + kPieceAlignment - 1) & ~(kPieceAlignment - 1));
  return {chunk, at};
}

void Lane::copy(rayo_copy work) {
  const rayo_point signal{done_, value_ + 1};
  work.signals = &signal;
  work.signal_count = 1;
  device_.check_hot(device_.api().copy(queue_, &work), "copy");
  ++value_;
}

void Lane::upload(rayo_buffer *buffer, uint64_t offset, const char *host, uint64_t bytes) {
  const Span span(device_.trace(), SpanKind::copy, "upload", device_.id());
  if (bytes != 0) make_chunks();
  while (bytes != 0) {
    rayo_copy work = empty_copy();
    work.dst_buffer = buffer;
    work.dst_offset = offset;
    work.size = bytes;
    Chunk *chunk = nullptr;
    if (chunks_[0].raw == nullptr) {
      work.src_host = host;
    } else {
      char *at = nullptr;
      std::tie(chunk, at) = room(bytes, &work.size);
      std::memcpy(at, host, work.size);
      work.src_buffer = chunk->raw;
      work.src_offset = static_cast<uint64_t>(at - chunk->host);
    }
    copy(work);
    if (chunk != nullptr) chunk->busy_until = value_;
    host += work.size;
    offset += work.size;
    bytes -= work.size;
  }
}

void Lane::download(rayo_buffer *buffer, uint64_t offset, char *host, uint64_t bytes) {
  const Span span(device_.trace(), SpanKind::copy, "download", device_.id());
  if (bytes != 0) make_chunks();
  while (bytes != 0) {
    rayo_copy work = empty_copy();
    work.src_buffer = buffer;
    work.src_offset = offset;
    work.size = bytes;
    Chunk *chunk = nullptr;
    char *at = nullptr;
    if (chunks_[0].raw == nullptr) {
      work.dst_host = host;
    } else {
      std::tie(chunk, at) = room(bytes, &work.size);
      work.dst_buffer = chunk->raw;
      work.dst_offset = static_cast<uint64_t>(at - chunk->host);
    }
    copy(work);
    if (chunk != nullptr) {
      chunk->busy_until = value_;
      arrivals_.push_back({value_, at, host, work.size, chunk});
    }
    host += work.size;
    offset += work.size;
    bytes -= work.size;
  }
}

void Lane::land(const Chunk *chunk) {
  for (const Arrival &arrival : arrivals_) {
    if (chunk != nullptr && arrival.chunk != chunk) continue;
    wait_for(arrival.value);
    std::memcpy(arrival.to, arrival.from, arrival.bytes);
  }
  std::erase_if(arrivals_, [chunk](const Arrival &each) { return chunk == nullptr || each.chunk == chunk; });
}

void Lane::submit(rayo_submit work, const std::vector<rayo_point> &waits) {
  const Span span(device_.trace(), SpanKind::submit, work.kernel->op, device_.id(), work.kernel->name);
  const rayo_point signal{done_, value_ + 1};
  work.waits = waits.data();
  work.wait_count = static_cast<uint32_t>(waits.size());
  work.signals = &signal;
  work.signal_count = 1;
  device_.check_hot(device_.api().submit(queue_, &work), "submit");
  ++value_;
}

// A poisoned timeline says that something failed; the queue knows what.
void Lane::wait_for(uint64_t value) {
  const Span span(device_.trace(), SpanKind::wait, "wait", device_.id());
  rayo_error error = no_error();
  rayo_status status = device_.api().semaphore_wait(done_, value, kForEver, &error);
  if (status == RAYO_CANCELLED) {
    rayo_error cause = no_error();
    const rayo_status first = device_.api().queue_wait(queue_, kForEver, &cause);
    if (first != RAYO_OK) {
      status = first;
      error = cause;
    }
  }
  device_.check(status, error, "queued work");
}

void Lane::finish() {
  land(nullptr);
  wait_for(value_);
}

}  // namespace rayo
