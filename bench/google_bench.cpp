// SPDX-License-Identifier: Apache-2.0
//
// The work items of `rayo bench` as Google Benchmark programs see them: one benchmark per item and device, registered
// from the op catalogue, with Google Benchmark's own options, filters and output formats. No peers: `rayo bench
// --peers`.
//   google_bench [--device=NAME] [--quick] [--benchmark_filter=REGEX ...]
#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/measure/ours.hpp"
#include "bench/work/catalogue_work.hpp"
#include "tools/command.hpp"

namespace rayo::bench {
namespace {

void run_item(benchmark::State &state, const tools::Session &session, const rayo_op_info &op, const WorkItem &item,
              const std::string &device) {
  try {
    Operands operands(session, op, item);
    Ours ours(session, operands, device, 1);
    const Contestant contestant = ours.contestant();
    const std::vector<void *> outputs = operands.output_addresses();
    contestant.run(contestant.work, outputs.data());
    if (operands.output_has_nan()) operands.make_positive();  // the op has no value on some of the usual inputs
    for (auto _ : state) {
      if (contestant.run(contestant.work, outputs.data()) == 0) state.SkipWithError("the call failed");
      benchmark::ClobberMemory();
    }
    const auto calls = static_cast<double>(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(operands.bytes() * calls));
    state.SetLabel(ours.device());
  } catch (const tools::CommandError &error) {
    state.SkipWithError(error.what());
  }
}

// "matmul/f32/64x64,64x64/transA=1"
std::string name_of(const WorkItem &item) {
  const std::string attributes = item.attribute_text();
  return item.op + "/" + item.dtype + "/" + item.shape_text() + (attributes.empty() ? "" : "/" + attributes);
}

int run(int argc, char **argv) {
  std::string device = "auto";
  Selection selection;
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--device=", 0) == 0) {
      device = argument.substr(9);
    } else if (argument == "--quick") {
      selection.depth = Depth::quick;
    } else {
      std::fprintf(stderr, "google_bench: unknown argument '%s'; legal: --device=NAME, --quick, --benchmark_*\n",
                   argv[i]);
      return tools::kExitUsage;
    }
  }
  const tools::Session session(tools::SessionOptions{});
  session.check_device(device);
  for (const rayo_op_info &op : session.ops()) {
    for (const WorkItem &item : work_of(op, selection)) {
      benchmark::RegisterBenchmark(name_of(item).c_str(), [&session, op, item, device](benchmark::State &state) {
        run_item(state, session, op, item, device);
      });
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return tools::kExitOk;
}

}  // namespace
}  // namespace rayo::bench

int main(int argc, char **argv) {
  try {
    return rayo::bench::run(argc, argv);
  } catch (const rayo::tools::CommandError &error) {
    std::fprintf(stderr, "google_bench: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "google_bench: %s\n", error.what());
    return rayo::tools::kExitFailed;
  }
}
