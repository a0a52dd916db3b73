// SPDX-License-Identifier: Apache-2.0
//
// `rayo bench` as a user runs it, on tiny shapes: what it prints and writes, and how it fails. Times are not judged.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "../tools/program.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;

std::vector<std::string> bench(std::vector<std::string> more) {
  more.insert(more.begin(), {"bench", "--smoke"});
  return more;
}

TEST(BenchProgram, TimesEveryOpOfTheCatalogueAndKeepsTheContractsMembers) {
  const ProgramResult result = rayo(bench({"--json", "--peer-folder", "/nonexistent"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = result.json();
  std::set<std::string> timed, known;
  for (const json &row : document.at("rows")) {
    for (const char *const member :
         {"op", "dtype", "shape", "device", "threads", "ns", "spread", "best_peer", "peer_ns", "ratio", "roofline"}) {
      EXPECT_TRUE(row.contains(member)) << member;
    }
    EXPECT_GT(row.at("ns").get<double>(), 0);
    EXPECT_TRUE(row.at("ratio").is_null());
    timed.insert(row.at("op").get<std::string>());
  }
  for (const json &item : document.at("skipped")) timed.insert(item.at("op").get<std::string>());
  const json ops = rayo({"ops", "--json"}).json();
  for (const json &op : ops.at("ops")) known.insert(op.at("name").get<std::string>());
  EXPECT_EQ(timed, known);
  EXPECT_FALSE(document.at("machine").at("cpu").get<std::string>().empty());
  EXPECT_FALSE(document.at("machine").at("ceilings").empty());
}

TEST(BenchProgram, RatioIsThePeersTimeOverOursAndAWrongPeerDoesNotCount) {
  const ProgramResult result =
      rayo(bench({"--json", "--peers", "--ops", "add", "--dtype", "f32", "--peer-folder", TEST_PEER_FOLDER}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json row = result.json().at("rows").at(0);
  EXPECT_EQ(row.at("best_peer"), "right");
  EXPECT_NEAR(row.at("ratio").get<double>(), row.at("peer_ns").get<double>() / row.at("ns").get<double>(), 1e-9);
  EXPECT_LE(row.at("ratio_interval").at(0).get<double>(), row.at("ratio_interval").at(1).get<double>());
  ASSERT_EQ(row.at("peers").size(), 1U);
  ASSERT_EQ(row.at("refused_peers").size(), 1U);
  EXPECT_EQ(row.at("refused_peers").at(0).at("name"), "wrong");
}

TEST(BenchProgram, FreshOutputIsARowOfItsOwn) {
  const json rows = rayo(bench({"--json", "--fresh", "--ops", "exp", "--dtype", "f32"})).json().at("rows");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("output"), "reused");
  EXPECT_EQ(rows.at(1).at("output"), "fresh");
}

TEST(BenchProgram, DevicesOfSeveralInstructionSetsAreMergedFromProcessesOfTheirOwn) {
  const std::vector<std::string> ready = ready_devices();
  if (std::find(ready.begin(), ready.end(), "avx2") == ready.end()) GTEST_SKIP() << "needs the device avx2";
  const ProgramResult result = rayo(bench({"--json", "--ops", "add", "--dtype", "f64", "--device", "scalar,avx2"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = result.json();
  ASSERT_EQ(document.at("rows").size(), 2U);
  EXPECT_EQ(document.at("rows").at(0).at("device"), "scalar");
  EXPECT_EQ(document.at("rows").at(1).at("device"), "avx2");
  EXPECT_EQ(document.at("machine").at("ceilings").size(), 2U);
}

TEST(BenchProgram, ThreadsAndShapesAreThoseAskedFor) {
  const json rows =
      rayo(bench({"--json", "--ops", "matmul", "--dtype", "f32", "--threads", "1,2", "--shapes", "4x5,5x6;2x3,3x2"}))
          .json()
          .at("rows");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows.at(0).at("shape"), "4x5,5x6");
  EXPECT_EQ(rows.at(1).at("threads"), 2);
  EXPECT_EQ(rows.at(3).at("shape"), "2x3,3x2");
}

TEST(BenchProgram, WritesJsonAndPictureAndComparesWithThem) {
  const Folder folder;
  const std::string file = folder / "run.json", picture = folder / "run.svg";
  ASSERT_EQ(rayo(bench({"--ops", "add,mul", "-o", file, "--svg", picture})).exit_code, 0);
  const json document = json::parse(read_file(file));
  EXPECT_EQ(read_file(picture).rfind("<svg", 0), 0U);

  // A baseline in which everything was a thousand times slower: all rows are faster, none is an alert.
  json slow = document;
  for (json &row : slow.at("rows")) {
    row["ns"] = 1000 * row.at("ns").get<double>();
    for (json &bound : row.at("ns_interval")) bound = 1000 * bound.get<double>();
  }
  write_file(file, slow.dump());
  ProgramResult result = rayo(bench({"--ops", "add,mul", "--json", "--compare", file}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.json().at("comparison").at("faster").size(), document.at("rows").size());

  // And a thousand times faster: exit code 1 and every row named.
  for (json &row : slow.at("rows")) {
    row["ns"] = 1e-6 * row.at("ns").get<double>();
    for (json &bound : row.at("ns_interval")) bound = 1e-6 * bound.get<double>();
  }
  write_file(file, slow.dump());
  result = rayo(bench({"--ops", "add,mul", "--json", "--compare", file}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.json().at("comparison").at("slower").size(), document.at("rows").size());
}

TEST(BenchProgram, TextNamesTheMachineAndTheOps) {
  const ProgramResult result = rayo(bench({"--ops", "add,softmax", "--peers", "--peer-folder", TEST_PEER_FOLDER}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char *const text : {"ceilings", "softmax", "GEOMETRIC MEAN", "peer right: 1.0", "Not counted"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text << "\n" << result.out;
  }
}

TEST(BenchProgram, MistakesAreUsageErrorsThatNameThem) {
  const auto fails = [](const std::vector<std::string> &arguments, int code, const std::string &name) {
    const ProgramResult result = rayo(bench(arguments));
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(name), std::string::npos) << result.err;
  };
  fails({"--ops", "adds"}, 2, "adds");
  fails({"--dtype", "f33"}, 2, "f33");
  fails({"--threads", "0"}, 2, "--threads");
  fails({"--budget", "soon"}, 2, "soon");
  fails({"--device", "avx3"}, 2, "avx3");
  fails({"--ops", "add", "--shapes", "4"}, 2, "--shapes");
  fails({"--ops", "add", "--shapes", "4x,4"}, 2, "4x");
  fails({"--ops", "add", "--shapes", "4,5"}, 1, "add");
  fails({"add"}, 2, "--ops add");
  fails({"--compare", "/nonexistent.json"}, 1, "/nonexistent.json");
  fails({"-o", "/nonexistent/x.json"}, 1, "/nonexistent/x.json");
  fails({"--ops", "matmul_integer", "--dtype", "f32"}, 3, "nothing was measured");
}

}  // namespace
}  // namespace rayo::tools::test
