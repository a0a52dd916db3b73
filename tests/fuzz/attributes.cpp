// SPDX-License-Identifier: Apache-2.0
//
// "OP\nKEY=VALUE\n..." or "OP\n{JSON}": through the tool's reading, then the core's, as a call would.
#include "attributes.hpp"

#include <sstream>

#include "base/error.hpp"
#include "command.hpp"
#include "dispatch/attributes.hpp"
#include "registry/ops.hpp"

namespace {

void try_attributes(const rayo::Schema &schema, const nlohmann::json &values) {
  rayo_op_info info{};
  info.name = schema.raw->name;
  info.attr_count = schema.raw->attr_count;
  info.attrs = schema.raw->attrs;
  const rayo::tools::AttributeList list(info, values);
  for (const int32_t rank : {0, 1, 4}) {
    try {
      const rayo::Attributes resolved = rayo::resolve_attributes(schema, list.list(), rank);
      if (resolved.view().size() != schema.raw->attr_count) __builtin_trap();
    } catch (const rayo::Error &) {
      continue;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::istringstream text(std::string(reinterpret_cast<const char *>(data), size));
  std::string op, line;
  if (!std::getline(text, op)) return 0;
  std::vector<std::string> arguments;
  while (arguments.size() < 20 && std::getline(text, line)) arguments.push_back(line);
  for (const auto &schema : rayo::catalogue()) {
    if (op != schema->raw->name) continue;
    try {
      const bool json = arguments.size() == 1 && !arguments[0].empty() && arguments[0][0] == '{';
      // Depth is bounded where lines of JSON are read.
      const auto shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json &) { return depth < 32; };
      const nlohmann::json values = json ? nlohmann::json::parse(arguments[0], shallow, false)
                                         : rayo::tools::attributes_from_arguments(arguments);
      if (values.is_object()) try_attributes(*schema, values);
    } catch (const rayo::tools::CommandError &) {
      return 0;
    }
  }
  return 0;
}
