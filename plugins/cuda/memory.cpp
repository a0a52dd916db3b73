// SPDX-License-Identifier: Apache-2.0
//
// Memory of buffers. Device memory comes from a pool of the plugin's own, in the order of a stream that does nothing
// else, so that neither making nor freeing a buffer waits for a kernel.
#include "device.h"

namespace rayo::cuda {
namespace {

/// Asks; where there is none, lets go of what finished work held and of what the pool keeps, and asks again.
template <class Ask>
void ask_twice(Shared &shared, uint64_t size, const Ask &ask) {
  Result result = ask();
  if (result == kOutOfMemory) {
    {
      const std::lock_guard lock(shared.mutex);
      shared.retire_all();
    }
    if (shared.pool != nullptr) {
      shared.driver->stream_synchronize(shared.memory_stream);
      shared.driver->pool_trim(shared.pool, 0);
    }
    result = ask();
  }
  shared.check(result, "allocating " + std::to_string(size) + " bytes");
}

}  // namespace

Memory::Memory(std::shared_ptr<Shared> the_shared, uint64_t the_size, uint32_t kind)
    : shared(std::move(the_shared)), size(the_size) {
  const Driver &driver = *shared->driver;
  const Current current(*shared);
  const std::size_t bytes = size > 0 ? size : 1;
  if (kind == RAYO_MEMORY_PINNED) {
    from_ = From::host;
    ask_twice(*shared, size, [&] { return driver.host_alloc(&host, bytes, kHostPortable); });
    const Result found = driver.host_address(&address, host, 0);
    if (found != kSuccess) driver.host_free(host);
    shared->check(found, "mapping pinned memory");
  } else if (shared->pool != nullptr) {
    from_ = From::pool;
    ask_twice(*shared, size, [&] {
      const Result queued = driver.pool_alloc(&address, bytes, shared->pool, shared->memory_stream);
      // Nothing else runs there: this makes the memory usable from every stream, at the price of a call.
      return queued == kSuccess ? driver.stream_synchronize(shared->memory_stream) : queued;
    });
  } else {
    from_ = From::driver;
    ask_twice(*shared, size, [&] { return driver.alloc(&address, bytes); });
  }
}

Memory::Memory(std::shared_ptr<Shared> the_shared, void *imported, uint64_t the_size)
    : shared(std::move(the_shared)), size(the_size), host(imported), from_(From::application) {
  const Driver &driver = *shared->driver;
  const Current current(*shared);
  const Result result = driver.host_register(imported, size, kHostPortable | kRegisterDevicemap);
  if (result != kSuccess && result != kOutOfMemory)
    throw Error(RAYO_UNSUPPORTED,
                shared->id + " cannot reach this host memory (" + driver.describe(result) + "); copy it into a buffer");
  shared->check(result, "importing " + std::to_string(size) + " bytes of host memory");
  const Result found = driver.host_address(&address, imported, 0);
  if (found != kSuccess) driver.host_unregister(imported);
  shared->check(found, "mapping imported memory");
}

Memory::~Memory() {
  const Driver &driver = *shared->driver;
  const Current current(*shared);
  // Whatever these answer: after a loss everything fails, and the context takes the memory with it.
  switch (from_) {
    case From::pool:
      driver.pool_free(address, shared->memory_stream);
      break;
    case From::driver:
      driver.free(address);
      break;
    case From::host:
      driver.host_free(host);
      break;
    case From::application:
      driver.host_unregister(host);
      break;
  }
}

}  // namespace rayo::cuda
