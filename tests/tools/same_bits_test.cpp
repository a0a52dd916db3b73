// SPDX-License-Identifier: Apache-2.0
//
// The second promise, through the program: every reproducible op of `rayo ops` writes byte-identical files on every
// CPU device and for 1, 2 and 7 threads. A second data set with NaN, infinities, zeros of both signs and subnormals is
// compared by digest, which counts all NaNs as one (their payloads are not part of the contract).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "dtypes.hpp"
#include "program.hpp"
#include "same_bits_cases.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;

// A fixed sequence (an integer mix), in [0, 1).
double uniform(uint64_t i, uint64_t seed) {
  uint64_t x = (i + 1) * 0x9e3779b97f4a7c15 + seed * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

// Values for which no op of the catalogue gives NaN: bytes can be compared.
double plain(uint64_t i, uint64_t seed) { return 0.01 + 3 * uniform(i, seed); }

// Special values among ordinary ones of both signs.
double special(uint64_t i, uint64_t seed) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kSpecial[] = {0.0,   -0.0,   kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN(),
                                 1e-40, -1e-45, 88.8,      -104.0,     3.4e38};
  const double draw = uniform(i, seed + 1000);
  if (draw < 0.03) return kSpecial[static_cast<std::size_t>(draw / 0.03 * 10)];
  return 200 * (uniform(i, seed) - 0.5) * uniform(i, seed + 2000);
}

// Whole numbers that every integer type holds.
double whole(uint64_t i, uint64_t seed, bool with_sign) {
  const double v = std::floor(128 * uniform(i, seed + 3000));
  return with_sign && uniform(i, seed + 4000) < 0.5 ? -v : v;
}

// Types a .npy file can hold; conformance tries the others.
bool has_file(const std::string &dtype) { return dtype != "f16" && dtype != "bf16"; }

struct PlannedJob {
  std::string name;  // for messages
  json job;          // without outputs
  bool by_bytes = false;
};

// What the program says of each job, and the bytes it wrote where those are compared.
struct Results {
  std::vector<json> lines;
  std::vector<std::string> files;
};

// All jobs, their input files, and the reference results: made once for all tests.
class Plan {
 public:
  static const Plan &get() {
    static const Plan plan;
    return plan;
  }
  Results run(const std::string &device, int threads) const;
  const std::vector<PlannedJob> &jobs() const { return jobs_; }
  const std::vector<std::string> &missing() const { return missing_; }
  const Results &reference() const { return reference_; }

 private:
  Plan();
  void add(const json &op, const std::string &dtype, const BitsCase &bits_case, bool by_bytes);

  Folder inputs_;
  std::vector<PlannedJob> jobs_;
  std::vector<std::string> missing_;  // ops without cases
  Results reference_;
};

Plan::Plan() {
  const json catalogue = rayo({"ops", "--json"}).json();
  for (const json &op : catalogue.at("ops")) {
    if (op.at("numerics") != "reproducible" || op.at("origin") != "rayo") continue;
    const std::vector<BitsCase> cases = bits_cases(op.at("name"), op.at("family"));
    if (cases.empty()) missing_.push_back(op.at("name"));
    std::vector<std::string> dtypes;
    for (const json &kernel : op.at("kernels")) {
      if (kernel.at("plugin") != "scalar") continue;
      for (const json &dtype : kernel.at("dtypes")) {
        if (std::find(dtypes.begin(), dtypes.end(), dtype) == dtypes.end()) dtypes.push_back(dtype);
      }
    }
    if (dtypes.empty()) missing_.push_back(op.at("name").get<std::string>() + " (no scalar kernel)");
    for (const std::string &dtype : dtypes) {
      if (!has_file(dtype)) continue;
      for (const BitsCase &bits_case : cases) {
        add(op, dtype, bits_case, true);
        add(op, dtype, bits_case, false);
      }
    }
  }
  reference_ = run("scalar", 1);
}

void Plan::add(const json &op, const std::string &dtype, const BitsCase &bits_case, bool by_bytes) {
  json inputs = json::array();
  std::string shapes;
  for (std::size_t i = 0; i < bits_case.shapes.size(); ++i) {
    const std::string shape = json(bits_case.shapes[i]).dump();
    const bool own = i < bits_case.dtypes.size() && !bits_case.dtypes[i].empty();
    const std::string type = own ? bits_case.dtypes[i] : dtype;
    const bool integer = type[0] == 'i' || type[0] == 'u';
    const std::string file = inputs_ / (type + shape + std::to_string(i) + (by_bytes ? "p" : "s"));
    if (read_file(file).empty()) {
      // The second input is in Fortran order: strides must not change bits.
      write_array(
          file, *dtype_from_name(type), bits_case.shapes[i],
          [&](uint64_t k) { return integer    ? whole(k, i, type[0] == 'i')
                                   : by_bytes ? plain(k, i)
                                              : special(k, i); },
          i == 1);
    }
    inputs.push_back(file);
    shapes += " " + shape;
  }
  const std::string name = op.at("name");
  jobs_.push_back({name + " " + dtype + shapes + " " + bits_case.attributes.dump() + (by_bytes ? "" : " special"),
                   {{"op", name}, {"attrs", bits_case.attributes}, {"inputs", inputs}},
                   by_bytes});
}

Results Plan::run(const std::string &device, int threads) const {
  const Folder outputs;
  std::string text;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    json job = jobs_[i].job;
    if (jobs_[i].by_bytes) job["outputs"] = {outputs / std::to_string(i)};
    text += job.dump() + "\n";
  }
  const ProgramResult result = rayo({"run", "--batch", "-", "--device", device, "--threads", std::to_string(threads)},
                                    {.input = text, .environment = {}});
  Results results;
  std::istringstream stream(result.out);
  for (std::string line; std::getline(stream, line);) results.lines.push_back(json::parse(line));
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    results.files.push_back(jobs_[i].by_bytes ? read_file(outputs / std::to_string(i)) : "");
  }
  EXPECT_EQ(result.exit_code, 0) << device << ": " << result.err;
  return results;
}

TEST(SameBits, EveryReproducibleOpHasCases) {
  EXPECT_EQ(Plan::get().missing(), std::vector<std::string>{});
  EXPECT_GT(Plan::get().jobs().size(), 300U);
  ASSERT_EQ(Plan::get().reference().lines.size(), Plan::get().jobs().size());
  for (std::size_t i = 0; i < Plan::get().jobs().size(); ++i) {
    const json &line = Plan::get().reference().lines[i];
    EXPECT_EQ(line.at("ok"), true) << Plan::get().jobs()[i].name << ": " << line;
  }
}

struct Variant {
  const char *device;
  int threads;
};

class SameBitsOn : public ::testing::TestWithParam<Variant> {};

TEST_P(SameBitsOn, AsScalarOnOneThread) {
  const Variant variant = GetParam();
  const std::vector<std::string> devices = ready_devices();
  if (std::find(devices.begin(), devices.end(), variant.device) == devices.end()) {
    GTEST_SKIP() << "device " << variant.device << " is not ready on this machine";
  }
  const Plan &plan = Plan::get();
  const Results results = plan.run(variant.device, variant.threads);
  ASSERT_EQ(results.lines.size(), plan.jobs().size());
  std::size_t compared = 0;
  for (std::size_t i = 0; i < plan.jobs().size(); ++i) {
    const std::string &name = plan.jobs()[i].name;
    const json &line = results.lines[i];
    ASSERT_EQ(line.at("ok"), true) << name << ": " << line;
    EXPECT_EQ(line.at("device"), variant.device) << name;
    EXPECT_EQ(line.at("outputs").at(0).at("digest"), plan.reference().lines[i].at("outputs").at(0).at("digest"))
        << name;
    if (!plan.jobs()[i].by_bytes) continue;
    ASSERT_GT(results.files[i].size(), 64U) << name;
    EXPECT_TRUE(results.files[i] == plan.reference().files[i]) << name << ": the files' bytes differ";
    ++compared;
  }
  EXPECT_EQ(compared * 2, plan.jobs().size());
}

INSTANTIATE_TEST_SUITE_P(Devices, SameBitsOn,
                         ::testing::Values(Variant{"scalar", 2}, Variant{"scalar", 7}, Variant{"avx2", 1},
                                           Variant{"avx2", 2}, Variant{"avx2", 7}, Variant{"avx512", 1},
                                           Variant{"avx512", 2}, Variant{"avx512", 7}),
                         [](const ::testing::TestParamInfo<Variant> &variant) {
                           return std::string(variant.param.device) + "_" + std::to_string(variant.param.threads) +
                                  "_threads";
                         });

}  // namespace
}  // namespace rayo::tools::test
