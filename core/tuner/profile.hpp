// SPDX-License-Identifier: Apache-2.0
//
// A device profile in memory, and its JSON form (urn:rayo:profile:1, schema/profile.schema.json). Built into the core,
// which reads profiles, and into the tools, which write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo {

constexpr std::string_view kProfileSchema = "urn:rayo:profile:1";
constexpr uint64_t kMostProfileBytes = uint64_t{16} << 20;

// The machine that a profile was measured on, or this one.
struct MachineDevice {
  std::string id;
  std::string name;
  std::string driver;
};
struct Machine {
  std::string class_key;     // 16 hex digits over what follows, devices aside: machines of one kind share it
  std::string instance_key;  // 16 hex digits: this one machine
  std::string cpu;
  std::string isa;
  std::string caches;    // "48K 1024K 32768K" of CPU 0, data and unified
  std::string topology;  // "0-15": the CPUs that are online
  std::vector<MachineDevice> devices;
};

struct ProfilePlugin {
  std::string name;
  std::string sha256;
  std::string version;
};

// One way to run an op: a device with a number of threads.
struct ProfileCandidate {
  uint32_t plugin = 0;  // index into Profile::plugins
  std::string device;   // "avx2", "cuda0"
  std::string kernel;
  uint32_t threads = 1;
  std::string checked;  // how its results were compared: "bits", "bound", "none" (nobody to compare with)
};

// Times along one level of a shape class. times[c][v] and noise[c][v] belong to candidate c and volume v; a time below
// 0 was not measured: the candidate had fallen far behind. Noise is the standard error of the median, relative.
struct Surface {
  uint32_t shape_class = 0;
  int32_t level = 0;
  std::vector<uint64_t> volumes;  // strictly increasing
  std::vector<std::vector<double>> times;
  std::vector<std::vector<double>> noise;
};

// What follows from the times: candidate[i] is chosen for volumes from from[i] up to the next, by calls that may use up
// to `threads` threads.
struct ChoiceRow {
  uint32_t threads = 1;
  uint32_t shape_class = 0;
  int32_t level = 0;
  std::vector<uint64_t> from;  // strictly increasing; the first is 0
  std::vector<uint32_t> candidate;
};

// A plugin whose result was wrong when it was measured: never chosen for this op.
struct ProfileRejection {
  uint32_t plugin = 0;
  std::string device;
  std::string reason;
};

struct ProfileEntry {
  std::string op;
  uint32_t schema_version = 1;
  std::string types;      // "T=f32"
  std::string layout;     // "contiguous", "broadcast", "strided"
  std::string residency;  // where the operands live: "host" or a device
  std::vector<ProfileCandidate> candidates;
  std::vector<Surface> surfaces;
  std::vector<ChoiceRow> choices;
  std::vector<ProfileRejection> rejected;
};

// Moving data between the host and a device: ns = latency + bytes / rate. From and to the application's memory, and
// where the device has it pinned memory.
struct ProfileTransfer {
  std::string device;
  double launch_ns = 0;  // the smallest call on data that is there, waited for
  double to_latency_ns = 0;
  double to_bytes_per_ns = 0;
  double from_latency_ns = 0;
  double from_bytes_per_ns = 0;
  bool has_pinned = false;
  double pinned_to_latency_ns = 0;
  double pinned_to_bytes_per_ns = 0;
  double pinned_from_latency_ns = 0;
  double pinned_from_bytes_per_ns = 0;
};

struct Profile {
  std::string created;  // ISO 8601, UTC
  std::string kind;     // "quick", "default", "shapes": what was asked for
  bool complete = false;
  Machine machine;
  std::vector<ProfilePlugin> plugins;
  std::vector<ProfileTransfer> transfers;
  std::vector<ProfileEntry> entries;
};

// Reads a profile's text. Throws Error(RAYO_REFUSED) saying what is wrong with it and where; never trusts a size, an
// index or a number in it. An entry that names a shape class from a later version is left out.
Profile parse_profile(std::string_view content);
// Reads a file of at most kMostProfileBytes. Throws Error: RAYO_NOT_FOUND when it is not there, RAYO_IO, RAYO_REFUSED.
Profile read_profile(const std::string &path);

// Ends with a line end. The last member is a checksum over all before it.
std::string profile_text(const Profile &profile);

// FNV-1a, 64 bits, as 16 hex digits: against damage, not against malice.
std::string checksum_text(std::string_view bytes);

}  // namespace rayo
