// SPDX-License-Identifier: Apache-2.0
//
// Batches: one result line per job, in order; a bad line is reported and the next one runs.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "npy.hpp"
#include "program.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;

class Batch : public ::testing::Test {
 protected:
  Batch() {
    write_array(folder_ / "a.npy", RAYO_F32, {2, 3}, [](uint64_t i) { return static_cast<double>(i); });
    write_array(folder_ / "b.npy", RAYO_F32, {4}, [](uint64_t i) { return static_cast<double>(i); });
  }
  json job(const std::string &op, const std::vector<std::string> &inputs, const std::string &output = "") const {
    json document = {{"op", op}, {"inputs", json::array()}};
    for (const std::string &input : inputs) document["inputs"].push_back(folder_ / input);
    if (!output.empty()) document["outputs"] = {folder_ / output};
    return document;
  }
  // Runs the text as standard input; the result lines.
  std::vector<json> run(const std::string &text, int exit_code) {
    const ProgramResult result = rayo({"run", "--batch", "-"}, {.input = text, .environment = {}});
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    std::vector<json> lines;
    std::istringstream stream(result.out);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }
  Folder folder_;
};

TEST_F(Batch, ResultsComeInOrder) {
  json sum = job("reduce_sum", {"a.npy"}, "s.npy");
  sum["attrs"] = {{"axes", {1}}, {"keepdims", 0}};
  sum["device"] = "scalar";
  const std::vector<json> lines = run(job("neg", {"a.npy"}, "n.npy").dump() + "\n\n" + sum.dump(), 0);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("line"), 1);
  EXPECT_EQ(lines[0].at("ok"), true);
  EXPECT_EQ(lines[0].at("op"), "neg");
  EXPECT_EQ(lines[1].at("line"), 3);
  EXPECT_EQ(lines[1].at("device"), "scalar");
  EXPECT_EQ(lines[1].at("outputs").at(0).at("shape"), json({2}));
  EXPECT_EQ(digest(read_npy(folder_ / "s.npy")), lines[1].at("outputs").at(0).at("digest"));
}

TEST_F(Batch, FailuresAreReportedAndTheRestRuns) {
  const std::vector<std::string> bad = {
      "{\"op\":",
      "[1,2]",
      "7",
      std::string(100000, '['),
      "\xff\xfe",
      "{}",
      R"({"op":"neg"})",
      R"({"op":5,"inputs":[]})",
      R"({"op":"neg","inputs":"a.npy"})",
      R"({"op":"neg","inputs":[1]})",
      R"({"op":"neg","inputs":["/nowhere/a.npy"]})",
      R"({"op":"negg","inputs":[]})",
      R"({"op":"neg","inputs":[]})",
      R"({"op":"neg","input":[]})",
      R"({"op":"neg","inputs":[],"attrs":[1]})",
      R"({"op":"neg","inputs":[],"attrs":{"x":1}})",
      R"({"op":"neg","inputs":["a\u0000b"],"device":"nonsense"})",
      job("add", {"a.npy", "b.npy"}, "c.npy").dump(),
      job("neg", {"a.npy"}, "none/c.npy").dump(),
      R"({"op":"neg","inputs":[],"attrs":{"x":1e999}})",
  };
  std::string text;
  for (const std::string &line : bad) text += line + "\n";
  text += job("neg", {"a.npy"}, "n.npy").dump();
  const std::vector<json> lines = run(text, 1);
  ASSERT_EQ(lines.size(), bad.size() + 1);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_EQ(lines[i].at("line"), i + 1);
    EXPECT_EQ(lines[i].at("ok"), false) << bad[i];
    EXPECT_EQ(lines[i].at("status").get<std::string>().rfind("RAYO_", 0), 0U) << lines[i];
    EXPECT_FALSE(lines[i].at("error").get<std::string>().empty());
  }
  EXPECT_EQ(lines.back().at("ok"), true);
  EXPECT_EQ(lines[10].at("status"), "RAYO_IO");
  EXPECT_EQ(lines[11].at("status"), "RAYO_NOT_FOUND");
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"a.npy", "b.npy", "n.npy"}));
}

TEST_F(Batch, LongLinesAreReadAndTooLongOnesReported) {
  json long_job = job("neg", {"a.npy"}, "n.npy");
  std::string text = long_job.dump();
  text.insert(1, std::string(1 << 20, ' '));
  text += "\n" + std::string(std::size_t{17} << 20, 'x') + "\n" + job("abs", {"a.npy"}).dump() + "\n";
  const std::vector<json> lines = run(text, 1);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("ok"), true);
  EXPECT_EQ(lines[1].at("ok"), false);
  EXPECT_LT(lines[1].dump().size(), 1000U);
  EXPECT_EQ(lines[2].at("ok"), true);
}

TEST_F(Batch, AnEmptyBatchIsFineAndAMissingOneIsNot) {
  EXPECT_TRUE(run("", 0).empty());
  EXPECT_TRUE(run("\n \n", 0).empty());
  const ProgramResult missing = rayo({"run", "--batch", folder_ / "missing.jsonl"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("missing.jsonl"), std::string::npos);
  EXPECT_EQ(rayo({"run", "--batch", folder_.path()}).exit_code, 1);
}

}  // namespace
}  // namespace rayo::tools::test
