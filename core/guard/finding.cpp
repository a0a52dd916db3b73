// SPDX-License-Identifier: Apache-2.0
#include "guard/finding.hpp"

#include "base/error.hpp"
#include "dispatch/bind.hpp"

namespace rayo {

std::string index_text(const OperandDesc &operand, uint64_t index) {
  std::string out;
  for (int32_t axis = operand.ndim; axis-- > 0;) {
    const auto extent = static_cast<uint64_t>(operand.shape[axis]);
    out = fmt::format("{}{}{}", index % extent, out.empty() ? "" : ", ", out);
    index /= extent;
  }
  return "[" + out + "]";
}

std::string describe(const Finding &finding, const BoundCall &call) {
  if (finding.kind == GuardKind::slowdown) {
    return fmt::format("slowdown: took {} us, the median of the calls before is {} us", finding.ns / 1000,
                       finding.median_ns / 1000);
  }
  const std::string &name = call.schema().outputs[finding.output].name;
  const std::string place = index_text(call.outputs()[finding.output], finding.index);
  const std::string many =
      fmt::format("{}: {} of {} elements of {}", guard_name(finding.kind), finding.wrong, finding.total, name);
  if (!finding.compared) {
    return fmt::format("{} are {}, no input has any; first {}", many,
                       finding.kind == GuardKind::nan ? "NaN" : "infinite", place);
  }
  const char *against = finding.kind == GuardKind::divergence ? "scalar" : "a second run";
  return fmt::format("{} differ from {}; worst {}: {:.9g}, expected {:.9g} ({})", many, against, place, finding.actual,
                     finding.expected,
                     finding.allowed == 0 ? std::string("the bits must agree")
                                          : fmt::format("{:.3g} apart is allowed", finding.allowed));
}

}  // namespace rayo
