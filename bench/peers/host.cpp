// SPDX-License-Identifier: Apache-2.0
//
// dlopen, the entry point, and comparing results.
#include "host.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <fmt/core.h>

#include "tools/dtypes.hpp"

namespace rayo::bench {
namespace {

namespace fs = std::filesystem;

struct Tolerance {
  double relative, per_term, of_largest;
};

Tolerance tolerance_of(DLDataType dtype) {
  if (dtype.code == kDLInt || dtype.code == kDLUInt) return {0, 0, 0};
  if (dtype.bits == 64) return {1e-8, 0x1p-56, 1e-9};
  if (dtype.bits == 32) return {1e-3, 0x1p-27, 1e-4};
  return {2e-2, 0, 1e-2};
}

double element(const tools::HostTensor &tensor, uint64_t index) {
  const auto *const data = static_cast<const std::byte *>(tensor.data.get());
  return tools::element_as_double(data + index * tools::dtype_size(tensor.dtype), tensor.dtype);
}

// Index of the first element that differs; -1 for none. `at(tensor, i)` reads an element.
template <typename At>
int64_t first_difference(const tools::HostTensor &ours, const tools::HostTensor &theirs, double length, const At &at) {
  const bool bytes = ours.dtype.bits == 8;
  const Tolerance tolerance = tolerance_of(ours.dtype);
  const double relative = tolerance.relative + length * tolerance.per_term;
  double largest = 0;
  for (uint64_t i = 0; i < ours.count; ++i) {
    const double value = std::abs(at(ours, i));
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  for (uint64_t i = 0; i < ours.count; ++i) {
    const double a = at(ours, i), b = at(theirs, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double allowed = bytes ? 1 : relative * std::abs(a) + tolerance.of_largest * largest;
    if (!(std::abs(a - b) <= allowed)) return static_cast<int64_t>(i);
  }
  return -1;
}

template <typename T>
double typed_ulps(const tools::HostTensor &ours, const tools::HostTensor &theirs) {
  const auto *const a = static_cast<const T *>(ours.data.get());
  const auto *const b = static_cast<const T *>(theirs.data.get());
  double largest = 0;
  for (uint64_t i = 0; i < ours.count; ++i) {
    if (a[i] == b[i] || !std::isfinite(a[i])) continue;
    const T size = std::abs(a[i]);
    const double ulp = double{std::nextafter(size, std::numeric_limits<T>::infinity())} - double{size};
    largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}) / ulp);
  }
  return largest;
}

}  // namespace

PeerSet::PeerSet(const std::string &folder, const std::string &isa) {
  ::setenv("RAYO_BENCH_ISA", isa.c_str(), 1);
  std::error_code error;
  std::vector<fs::path> files;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path &file : files) {
    const std::string name = file.stem().string();
    void *const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      refusals_.push_back({name, ::dlerror()});
      continue;
    }
    using Entry = const rayo_peer_library *(*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(handle, RAYO_PEER_ENTRY));
    const rayo_peer_library *const library = entry == nullptr ? nullptr : entry();
    if (library == nullptr || library->version != RAYO_PEER_VERSION) {
      refusals_.push_back({name, fmt::format("no {} of version {}", RAYO_PEER_ENTRY, RAYO_PEER_VERSION)});
      continue;
    }
    if (library->count == 0) refusals_.push_back({name, fmt::format("not for '{}' on this CPU", isa)});
    peers_.insert(peers_.end(), library->peers, library->peers + library->count);
  }
}

std::string default_peer_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "rayo" / "peers").string();
}

PeerWork::PeerWork(const rayo_peer &peer, const Operands &operands, uint32_t threads) : work_(nullptr, Release{&peer}) {
  if (peer.set_threads(threads) == 0) return;
  rayo_peer_call call{};
  call.op = operands.op().name;
  call.inputs = operands.inputs().data();
  call.input_count = static_cast<uint32_t>(operands.inputs().size());
  call.outputs = operands.outputs().data();
  call.output_count = static_cast<uint32_t>(operands.outputs().size());
  call.attrs = operands.attributes();
  work_.reset(peer.prepare(&call));
}

double largest_ulps(const tools::HostTensor &ours, const tools::HostTensor &theirs) {
  if (ours.dtype.code != kDLFloat) return 0;
  if (ours.dtype.bits == 32) return typed_ulps<float>(ours, theirs);
  return ours.dtype.bits == 64 ? typed_ulps<double>(ours, theirs) : 0;
}

std::string difference(const tools::HostTensor &ours, const tools::HostTensor &theirs, double length) {
  const bool real = ours.dtype.code == kDLFloat;
  int64_t index = 0;
  if (real && ours.dtype.bits == 32) {
    index = first_difference(ours, theirs, length, [](const tools::HostTensor &tensor, uint64_t i) {
      return double{static_cast<const float *>(tensor.data.get())[i]};
    });
  } else if (real && ours.dtype.bits == 64) {
    index = first_difference(ours, theirs, length, [](const tools::HostTensor &tensor, uint64_t i) {
      return static_cast<const double *>(tensor.data.get())[i];
    });
  } else {
    index = first_difference(ours, theirs, length, element);
  }
  if (index < 0) return "";
  const auto i = static_cast<uint64_t>(index);
  return fmt::format("element {} is {:.9g}, Rayo's is {:.9g}", i, element(theirs, i), element(ours, i));
}

}  // namespace rayo::bench
