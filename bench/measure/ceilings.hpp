// SPDX-License-Identifier: Apache-2.0
//
// The machine's limits as measured here and now: FMA peak, FMA latency, bandwidth by working set. A time is compared
// with the least time that these allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rayo::bench {

// GB/s (1e9 bytes, read and written ones both counted) over a working set of `bytes` per thread, all threads together.
struct BandwidthPoint {
  double bytes = 0;
  double read = 0;
  double copy = 0;  // the best of a plain vector loop and memcpy (non-temporal stores when large)
  double add = 0;   // two inputs, one output
};

struct Ceilings {
  std::string isa;
  uint32_t threads = 1;
  double peak_f32 = 0, peak_f64 = 0;    // 1e9 operations per second, an FMA being two
  double chain_f32 = 0, chain_f64 = 0;  // ns per dependent FMA
  std::vector<BandwidthPoint> bandwidth;
};

// What a call cannot avoid.
struct Demand {
  bool f32 = true, f64 = false;  // which peak applies; neither: arithmetic is not judged
  double operations = 0;         // counted against the peak
  double chain = 0;
  double input_bytes = 0, output_bytes = 0;
  uint32_t inputs = 1;
};

struct Bound {
  double ns = 0;
  std::string by;  // "compute", "latency", or "memory"
};

// The largest of the limits that are known; nothing when none is.
std::optional<Bound> least_time(const Ceilings &ceilings, const Demand &demand);

// `isa` as in peer.h; `quick` stops at 16 MiB and takes fewer readings. About a second, a quarter when quick.
Ceilings measure_ceilings(const std::string &isa, uint32_t threads, bool quick);

nlohmann::json to_json(const Ceilings &ceilings);

}  // namespace rayo::bench
