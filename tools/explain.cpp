// SPDX-License-Identifier: Apache-2.0
//
// `rayo explain`: who would run a call of given shapes, at which cost, and why not the others. Nothing is run.
#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "attributes.hpp"
#include "call.hpp"
#include "command.hpp"
#include "dtypes.hpp"
#include "host_tensor.hpp"
#include "lists.hpp"
#include "options.hpp"
#include "session.hpp"
#include "table.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

constexpr const char *kHelp =
    "Shapes are written with x between extents and commas between inputs; 'scalar'\n"
    "is a tensor without axes, '-' an optional input that is left out. Types are one\n"
    "for all inputs, or one for each.\n"
    "\n"
    "Examples:\n"
    "  rayo explain matmul --shape 1000x1000,1000x1000\n"
    "  rayo explain add --shape 4x1x3,2x3 --numerics reproducible\n"
    "  rayo explain reduce_sum --shape 64x100 --attr axes=1 --dtype f64 --json\n"
    "\n"
    "Exit code 3: nothing here can run the call; the reasons are printed.\n";

// The inputs that --shape and --dtype describe. Their data is never read.
class DescribedInputs {
 public:
  DescribedInputs(const std::string &shapes, const std::string &dtypes) {
    const std::vector<std::string> shape_texts = split_list(shapes, ',');
    const std::vector<std::string> dtype_texts = split_list(dtypes, ',');
    if (dtype_texts.size() != 1 && dtype_texts.size() != shape_texts.size()) {
      throw usage_error(fmt::format("--dtype '{}': {} types for {} shapes; give one type, or one for each", dtypes,
                                    dtype_texts.size(), shape_texts.size()));
    }
    for (std::size_t i = 0; i < shape_texts.size(); ++i) {
      const std::string &name = dtype_texts[dtype_texts.size() == 1 ? 0 : i];
      const std::optional<DLDataType> dtype = dtype_from_name(name);
      if (!dtype) throw usage_error(fmt::format("--dtype '{}': legal: {}", name, dtype_names()));
      if (shape_texts[i] == "-") {
        pointers_.push_back(nullptr);
        continue;
      }
      const auto &shape = shapes_.emplace_back(parse_shape("--shape", shape_texts[i]));
      pointers_.push_back(&tensors_.emplace_back(
          rayo_tensor_make(&placeholder_, *dtype, static_cast<int32_t>(shape.size()), shape.data(), nullptr)));
    }
  }
  const std::vector<const rayo_tensor *> &pointers() const { return pointers_; }

 private:
  alignas(64) std::array<std::byte, 64> placeholder_{};
  std::deque<std::vector<int64_t>> shapes_;
  std::deque<rayo_tensor> tensors_;
  std::vector<const rayo_tensor *> pointers_;
};

const char *state_name(uint32_t state) {
  switch (state) {
    case RAYO_CANDIDATE_CHOSEN:
      return "chosen";
    case RAYO_CANDIDATE_POSSIBLE:
      return "possible";
    case RAYO_CANDIDATE_MASKED:
      return "masked";
    case RAYO_CANDIDATE_UNSUPPORTED:
      return "unsupported";
    default:
      return "rejected";
  }
}

json predicted_json(double nanoseconds) { return nanoseconds < 0 ? json(nullptr) : json(nanoseconds); }

// What predicted_ns is the sum of.
json parts_json(const rayo_candidate &candidate) {
  return {{"transfer_ns", predicted_json(candidate.transfer_ns)},
          {"launch_ns", predicted_json(candidate.launch_ns)},
          {"kernel_ns", predicted_json(candidate.kernel_ns)}};
}

json to_json(const std::string &op, const Explanation &explanation) {
  json chosen = nullptr;
  if (const rayo_candidate *best = explanation.chosen()) {
    chosen = {{"device", best->device},
              {"plugin", best->plugin},
              {"kernel", best->kernel},
              {"threads", best->threads},
              {"numerics", numerics_name(best->numerics)},
              {"predicted_ns", predicted_json(best->predicted_ns)},
              {"parts", parts_json(*best)}};
  }
  json list = json::array();
  for (const rayo_candidate &candidate : explanation.candidates()) {
    list.push_back({{"device", candidate.device},
                    {"plugin", candidate.plugin},
                    {"kernel", candidate.kernel},
                    {"state", state_name(candidate.state)},
                    {"threads", candidate.threads},
                    {"predicted_ns", predicted_json(candidate.predicted_ns)},
                    {"parts", parts_json(candidate)},
                    {"reason", candidate.reason}});
  }
  return {{"op", op}, {"chosen", chosen}, {"level", explanation.level()}, {"candidates", list}};
}

void print_text(const std::string &op, const Explanation &explanation) {
  if (const rayo_candidate *best = explanation.chosen()) {
    const std::string text =
        fmt::format("{} runs on {}: kernel {}, {} thread{}, {}; chosen at level '{}'.", op, best->device, best->kernel,
                    best->threads, best->threads == 1 ? "" : "s", numerics_name(best->numerics), explanation.level());
    fmt::print("{}\n\n", wrap(text, 80, 2));
  } else {
    fmt::print("{}: nothing here can run this call.\n\n", op);
  }
  Table table({"DEVICE", "STATE", "KERNEL", "PREDICTED", "REASON"});
  for (const rayo_candidate &candidate : explanation.candidates()) {
    const std::string device = candidate.device[0] != '\0' ? candidate.device : candidate.plugin;
    table.add_row({device, state_name(candidate.state), candidate.kernel[0] != '\0' ? candidate.kernel : "-",
                   candidate.predicted_ns < 0 ? "-" : duration_text(candidate.predicted_ns), candidate.reason});
  }
  fmt::print("{}", table.text());
}

}  // namespace

int explain_command(Arguments arguments) {
  SessionOptions options;
  std::vector<std::string> names;
  std::vector<std::string> attributes;
  std::string shapes;
  std::string dtypes = "f32";
  CommandLine line("explain", "rayo explain OP --shape SHAPE,... [--dtype TYPE,...] [--attr K=V]...", kHelp);
  namespace po = boost::program_options;
  line.add()("shape,s", po::value(&shapes)->value_name("LIST"), "shapes of the inputs, e.g. 1000x1000,1000x1000")(
      "dtype", po::value(&dtypes)->value_name("LIST"), "types of the inputs (default f32)")(
      "attr", po::value(&attributes)->value_name("K=V"), "attribute of the op; may be repeated")("json", "print JSON");
  line.add_session_options(options, true);
  line.add_positional("op", names);
  if (!line.parse(arguments)) return kExitOk;
  if (names.size() != 1) {
    throw usage_error(fmt::format("expected one OP, got {}; e.g. rayo explain matmul --shape 8x8,8x8", names.size()));
  }
  if (!line.given("shape")) throw usage_error("--shape is missing; e.g. --shape 1000x1000,1000x1000");
  const Session session(options);
  const rayo_op_info op = session.find_op(names[0]);
  const AttributeList attribute_list(op, attributes_from_arguments(attributes));
  const DescribedInputs inputs(shapes, dtypes);
  check_input_count(op, inputs.pointers().size());
  const Explanation explanation(session, op, inputs.pointers(), attribute_list, call_options(options, options.device));
  if (line.given("json")) {
    print_json(to_json(op.name, explanation));
  } else {
    print_text(op.name, explanation);
  }
  return explanation.chosen() != nullptr ? kExitOk : kExitUnsupported;
}

}  // namespace rayo::tools
