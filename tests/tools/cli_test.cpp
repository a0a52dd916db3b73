// SPDX-License-Identifier: Apache-2.0
//
// The program as users run it: results, JSON shapes, help, tables and exit codes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "npy.hpp"
#include "program.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;

double counted(uint64_t i) { return static_cast<double>(i) + 1; }

std::vector<float> values_of(const std::string &file) {
  const HostTensor tensor = read_npy(file);
  const auto *data = static_cast<const float *>(tensor.data.get());
  return std::vector<float>(data, data + tensor.count);
}

void expect_keys(const json &object, const std::vector<std::string> &keys) {
  for (const std::string &key : keys) EXPECT_TRUE(object.contains(key)) << "no '" << key << "' in " << object;
}

std::size_t longest_line(const std::string &text) {
  std::size_t longest = 0;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

TEST(Cli, HelpTeachesAndExitsWithZero) {
  for (const std::vector<std::string> &words : {std::vector<std::string>{"--help"},
                                                {"devices", "--help"},
                                                {"ops", "--help"},
                                                {"run", "-h"},
                                                {"explain", "--help"}}) {
    const ProgramResult result = rayo(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("Usage: rayo"), std::string::npos);
    EXPECT_NE(result.out.find("Examples:\n  rayo "), std::string::npos);
    EXPECT_LE(longest_line(result.out), 80U) << result.out;
    EXPECT_EQ(result.err, "");
  }
  const ProgramResult bare = rayo({});
  EXPECT_EQ(bare.exit_code, 2);
  EXPECT_EQ(bare.out, "");
  EXPECT_EQ(rayo({"--version"}).out, "rayo 0.1.0\n");
}

TEST(Cli, NoColourAndNoProgressWhenNotATerminal) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {4}, counted);
  const std::string job = "{\"op\":\"neg\",\"inputs\":[\"" + (folder / "a.npy") + "\"]}\n";
  for (const ProgramResult &result : {rayo({"devices", "--all"}), rayo({"ops"}), rayo({"run", "neg", folder / "a.npy"}),
                                      rayo({"run", "--batch", "-"}, {.input = job, .environment = {}})}) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
    EXPECT_EQ(result.out.find('\r'), std::string::npos);
    EXPECT_EQ(result.err, "");
  }
}

TEST(Cli, DevicesJsonHasTheContractsShape) {
  const ProgramResult result = rayo({"devices", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json plugins = result.json().at("plugins");
  bool scalar = false;
  for (const json &plugin : plugins) {
    expect_keys(plugin, {"name", "file", "sha256", "state", "reason", "devices"});
    EXPECT_EQ(plugin.at("sha256").get<std::string>().size(), 64U);
    const std::string state = plugin.at("state");
    EXPECT_TRUE(state == "ready" || state == "rejected" || state == "quarantined") << state;
    EXPECT_EQ(plugin.at("reason").get<std::string>().empty(), state == "ready") << plugin;
    EXPECT_EQ(plugin.at("devices").empty(), state != "ready") << plugin;
    for (const json &device : plugin.at("devices")) expect_keys(device, {"id", "name", "kind"});
    scalar = scalar || (plugin.at("name") == "scalar" && state == "ready");
  }
  EXPECT_TRUE(scalar) << plugins;
}

TEST(Cli, DevicesListsFilesEvenWhereNoneCanBeUsed) {
  const Folder folder;
  write_file(folder / "bad.so", "this is no ELF file");
  const ProgramOptions options = {.input = "", .environment = {"RAYO_PLUGIN_PATH=" + folder.path()}};
  const ProgramResult text = rayo({"devices", "--all"}, options);
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_NE(text.out.find("bad.so rejected"), std::string::npos) << text.out;
  const ProgramResult result = rayo({"devices", "--json"}, options);
  EXPECT_EQ(result.exit_code, 1);
  const json plugins = result.json().at("plugins");
  ASSERT_EQ(plugins.size(), 1U) << plugins;
  EXPECT_EQ(plugins[0].at("state"), "rejected");
  EXPECT_NE(plugins[0].at("reason"), "");
}

TEST(Cli, OpsJsonHasTheContractsShape) {
  const ProgramResult result = rayo({"ops", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json ops = result.json().at("ops");
  ASSERT_GT(ops.size(), 20U);
  for (const json &op : ops) {
    expect_keys(op, {"name", "inputs", "outputs", "attributes", "kernels"});
    for (const json &attribute : op.at("attributes")) expect_keys(attribute, {"name", "kind", "default"});
    for (const json &kernel : op.at("kernels")) {
      expect_keys(kernel, {"plugin", "dtypes", "numerics"});
      EXPECT_FALSE(kernel.at("dtypes").empty());
    }
  }
  const json gemm = rayo({"ops", "gemm", "--json"}).json().at("ops").at(0);
  EXPECT_EQ(gemm.at("inputs").at(2).at("optional"), true);
  EXPECT_EQ(gemm.at("attributes").at(0), json::parse(R"({"name":"alpha","kind":"float","list":false,"required":false,
            "default":1.0,"legal":"","doc":"factor of the product"})"));
}

TEST(Cli, TablesFitEightyColumns) {
  EXPECT_LE(longest_line(rayo({"ops"}).out), 80U);
  EXPECT_LE(longest_line(rayo({"devices"}).out), 80U);
  EXPECT_LE(longest_line(rayo({"explain", "add", "--shape", "3,3"}).out), 80U);
}

TEST(Cli, RunWritesTheResult) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {2, 3}, counted);
  write_array(folder / "b.npy", RAYO_F32, {3}, [](uint64_t i) { return 10.0 * static_cast<double>(i); });
  const ProgramResult result = rayo({"run", "add", folder / "a.npy", folder / "b.npy", "-o", folder / "c.npy"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(values_of(folder / "c.npy"), (std::vector<float>{1, 12, 23, 4, 15, 26}));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.npy", "b.npy", "c.npy"}));
}

TEST(Cli, AnOutputMayReplaceItsOwnInput) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {3}, counted);
  ASSERT_EQ(rayo({"run", "neg", folder / "a.npy", "-o", folder / "a.npy"}).exit_code, 0);
  EXPECT_EQ(values_of(folder / "a.npy"), (std::vector<float>{-1, -2, -3}));
}

TEST(Cli, FortranOrderAndAttributesMeanWhatNumpyMeans) {
  const Folder folder;
  write_array(folder / "c.npy", RAYO_F32, {2, 3}, counted);        // 1 2 3 / 4 5 6
  write_array(folder / "f.npy", RAYO_F32, {3, 2}, counted, true);  // 1 4 / 2 5 / 3 6
  ASSERT_EQ(rayo({"run", "matmul", folder / "c.npy", folder / "f.npy", "-o", folder / "m.npy"}).exit_code, 0);
  EXPECT_EQ(values_of(folder / "m.npy"), (std::vector<float>{14, 32, 32, 77}));
  ASSERT_EQ(
      rayo({"run", "reduce_sum", folder / "f.npy", "-o", folder / "s.npy", "--attr", "axes=-1", "--attr", "keepdims=0"})
          .exit_code,
      0);
  EXPECT_EQ(read_npy(folder / "s.npy").shape, std::vector<int64_t>{3});
  EXPECT_EQ(values_of(folder / "s.npy"), (std::vector<float>{5, 7, 9}));
  ASSERT_EQ(rayo({"run", "transpose", folder / "f.npy", "-o", folder / "t.npy", "--attr", "perm=1,0"}).exit_code, 0);
  EXPECT_EQ(values_of(folder / "t.npy"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Cli, OptionalInputsMayBeLeftOut) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {2, 2}, counted);
  const std::string a = folder / "a.npy";
  ASSERT_EQ(rayo({"run", "gemm", a, a, "-", "-o", folder / "x.npy"}).exit_code, 0);
  ASSERT_EQ(rayo({"run", "gemm", a, a, "-o", folder / "y.npy", "--attr", "alpha=2"}).exit_code, 0);
  EXPECT_EQ(values_of(folder / "x.npy"), (std::vector<float>{7, 10, 15, 22}));
  EXPECT_EQ(values_of(folder / "y.npy"), (std::vector<float>{14, 20, 30, 44}));
}

TEST(Cli, RunSaysWhenItFellBack) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {3}, counted);
  const std::vector<std::string> words = {"run", "neg", folder / "a.npy", "--device", "nowhere,auto"};
  const ProgramResult text = rayo(words);
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.err.find("neg: fell back from nowhere to the host (no_device)"), std::string::npos) << text.err;
  EXPECT_NE(text.out.find("fell back from nowhere (1 call): no_device: "), std::string::npos) << text.out;
  std::vector<std::string> more = words;
  more.insert(more.end(), {"--repeat", "3", "--json"});
  const json document = rayo(more).json();
  ASSERT_EQ(document.at("fallbacks").size(), 1u);
  EXPECT_EQ(document.at("fallbacks").at(0).at("device"), "nowhere");
  EXPECT_EQ(document.at("fallbacks").at(0).at("reason"), "no_device");
  EXPECT_EQ(document.at("fallbacks").at(0).at("calls"), 4) << "the warm-up and three";
  EXPECT_NE(document.at("device"), "nowhere") << "where it ran";
  EXPECT_EQ(rayo({"run", "neg", folder / "a.npy", "--json"}).json().at("fallbacks"), json::array());
}

TEST(Cli, RunJsonAndVerify) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {1000}, [](uint64_t i) { return 0.001 * static_cast<double>(i); });
  const ProgramResult result = rayo({"run", "exp", folder / "a.npy", "-o", folder / "b.npy", "--verify", "--repeat",
                                     "5", "--json", "--threads", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = result.json();
  expect_keys(document, {"op", "device", "plugin", "kernel", "threads", "outputs", "ns", "min_ns", "spread_ns"});
  EXPECT_EQ(document.at("runs"), 5);
  EXPECT_GT(document.at("min_ns").get<double>(), 0);
  EXPECT_LE(document.at("min_ns").get<double>(), document.at("ns").get<double>());
  const json output = document.at("outputs").at(0);
  EXPECT_EQ(output.at("file"), folder / "b.npy");
  EXPECT_EQ(output.at("dtype"), "f32");
  EXPECT_EQ(output.at("shape"), json({1000}));
  EXPECT_EQ(output.at("digest").get<std::string>(), digest(read_npy(folder / "b.npy")));
  EXPECT_EQ(document.at("verify").at("equal"), true);
  EXPECT_EQ(document.at("verify").at("judged"), "bits");
}

TEST(Cli, DeviceChoiceIsFollowed) {
  const Folder folder;
  write_array(folder / "a.npy", RAYO_F32, {64}, counted);
  for (const std::string &device : ready_devices()) {
    const ProgramResult result = rayo({"run", "neg", folder / "a.npy", "--device", device, "--json"});
    if (result.exit_code == 3) continue;  // a device without this op
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.json().at("device"), device);
  }
  // The command line wins over the environment, even over a wrong one.
  const ProgramOptions environment{.input = "", .environment = {"RAYO_DEVICE=nonsense"}};
  EXPECT_EQ(rayo({"run", "neg", folder / "a.npy", "--device", "scalar"}, environment).exit_code, 0);
  EXPECT_NE(rayo({"run", "neg", folder / "a.npy"}, environment).exit_code, 0);
}

TEST(Cli, ExplainSaysWhoAndWhyNot) {
  const ProgramResult result = rayo({"explain", "matmul", "--shape", "100x50,50x20", "--device", "scalar", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = result.json();
  expect_keys(document, {"op", "chosen", "level", "candidates"});
  expect_keys(document.at("chosen"), {"device", "plugin", "kernel", "threads", "predicted_ns"});
  EXPECT_EQ(document.at("chosen").at("device"), "scalar");
  for (const json &candidate : document.at("candidates")) {
    expect_keys(candidate, {"device", "state", "predicted_ns", "reason"});
    EXPECT_FALSE(candidate.at("reason").get<std::string>().empty()) << candidate;
  }
  EXPECT_EQ(rayo({"explain", "add", "--shape", "scalar,3x1"}).exit_code, 0);
  EXPECT_EQ(rayo({"explain", "gemm", "--shape", "3x4,4x5,-"}).exit_code, 0);
  const ProgramResult nobody = rayo({"explain", "add", "--shape", "3,3", "--dtype", "i8", "--json"});
  EXPECT_EQ(nobody.exit_code, 3) << nobody.out << nobody.err;
}

}  // namespace
}  // namespace rayo::tools::test
