// SPDX-License-Identifier: Apache-2.0
//
// A row: one work item on one device of ours, beside the peers that did the same. The JSON document of `rayo bench` is
// a machine and rows; every report is made from it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/measure/statistics.hpp"
#include "bench/peers/host.hpp"

namespace rayo::bench {

struct PeerTime {
  std::string name;
  double ns = 0;
  double spread = 0;
  double ulps = 0;  // the largest difference of its result from ours; of elementwise ops only
};

struct Row {
  std::string op, family, dtype, attributes, shape, device;
  std::string output = "reused";  // or "fresh"
  uint32_t threads = 1;
  double ns = 0;      // median of the readings
  double spread = 0;  // interquartile range / median
  Interval ns_interval;
  double operations = 0, bytes = 0;  // the least that the call does and moves
  std::optional<double> roofline;    // least time that the ceilings allow / ns
  std::string bound_by;              // "compute", "memory" or "latency"
  std::vector<PeerTime> peers;
  std::string best_peer;  // "" for none
  double peer_ns = 0;
  std::optional<double> ratio;  // peer_ns / ns
  Interval ratio_interval;
  std::vector<Refusal> refused;  // peers whose result was another one

  // What makes two rows of different runs the same measurement.
  std::string key() const;
};

nlohmann::json to_json(const Row &row);
// Throws CommandError naming the member that is missing or of the wrong kind.
Row row_from_json(const nlohmann::json &json);
std::vector<Row> rows_of(const nlohmann::json &document, const std::string &file);

}  // namespace rayo::bench
