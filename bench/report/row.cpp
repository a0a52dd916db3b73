// SPDX-License-Identifier: Apache-2.0
//
// Rows to JSON and back.
#include "row.hpp"

#include <fmt/core.h>

#include "tools/command.hpp"

namespace rayo::bench {
namespace {

using nlohmann::json;

json interval_json(const Interval &interval) { return json::array({interval.low, interval.high}); }

Interval interval_from(const json &list) { return {list.at(0).get<double>(), list.at(1).get<double>()}; }

json or_null(const std::optional<double> &value) { return value ? json(*value) : json(nullptr); }

std::optional<double> optional_from(const json &value) {
  return value.is_null() ? std::optional<double>() : std::optional<double>(value.get<double>());
}

}  // namespace

std::string Row::key() const {
  return fmt::format("{} {} {} {} {} {} {}", op, dtype, attributes, shape, device, threads, output);
}

json to_json(const Row &row) {
  json peers = json::array(), refused = json::array();
  for (const PeerTime &peer : row.peers) {
    peers.push_back({{"name", peer.name}, {"ns", peer.ns}, {"spread", peer.spread}, {"ulps", peer.ulps}});
  }
  for (const Refusal &refusal : row.refused) {
    refused.push_back({{"name", refusal.name}, {"reason", refusal.reason}});
  }
  const bool beaten = row.ratio.has_value();
  return {{"op", row.op},
          {"family", row.family},
          {"dtype", row.dtype},
          {"attributes", row.attributes},
          {"shape", row.shape},
          {"device", row.device},
          {"threads", row.threads},
          {"output", row.output},
          {"ns", row.ns},
          {"spread", row.spread},
          {"ns_interval", interval_json(row.ns_interval)},
          {"operations", row.operations},
          {"bytes", row.bytes},
          {"best_peer", beaten ? json(row.best_peer) : json(nullptr)},
          {"peer_ns", beaten ? json(row.peer_ns) : json(nullptr)},
          {"ratio", or_null(row.ratio)},
          {"ratio_interval", beaten ? interval_json(row.ratio_interval) : json(nullptr)},
          {"roofline", or_null(row.roofline)},
          {"bound_by", row.bound_by},
          {"peers", peers},
          {"refused_peers", refused}};
}

Row row_from_json(const json &json) {
  Row row;
  row.op = json.at("op").get<std::string>();
  row.family = json.at("family").get<std::string>();
  row.dtype = json.at("dtype").get<std::string>();
  row.attributes = json.at("attributes").get<std::string>();
  row.shape = json.at("shape").get<std::string>();
  row.device = json.at("device").get<std::string>();
  row.output = json.at("output").get<std::string>();
  row.threads = json.at("threads").get<uint32_t>();
  row.ns = json.at("ns").get<double>();
  row.spread = json.at("spread").get<double>();
  row.ns_interval = interval_from(json.at("ns_interval"));
  row.operations = json.at("operations").get<double>();
  row.bytes = json.at("bytes").get<double>();
  row.roofline = optional_from(json.at("roofline"));
  row.bound_by = json.at("bound_by").get<std::string>();
  row.ratio = optional_from(json.at("ratio"));
  if (row.ratio) {
    row.best_peer = json.at("best_peer").get<std::string>();
    row.peer_ns = json.at("peer_ns").get<double>();
    row.ratio_interval = interval_from(json.at("ratio_interval"));
  }
  for (const auto &peer : json.at("peers")) {
    row.peers.push_back({peer.at("name").get<std::string>(), peer.at("ns").get<double>(),
                         peer.at("spread").get<double>(), peer.value("ulps", 0.0)});
  }
  for (const auto &refusal : json.at("refused_peers")) {
    row.refused.push_back({refusal.at("name").get<std::string>(), refusal.at("reason").get<std::string>()});
  }
  return row;
}

std::vector<Row> rows_of(const json &document, const std::string &file) {
  std::vector<Row> rows;
  try {
    for (const json &row : document.at("rows")) rows.push_back(row_from_json(row));
  } catch (const json::exception &error) {
    throw tools::CommandError(
        RAYO_INVALID_ARGUMENT,
        fmt::format("{}: not a document of 'rayo bench --json': {}; write one with -o FILE --json", file,
                    error.what()));
  }
  return rows;
}

}  // namespace rayo::bench
