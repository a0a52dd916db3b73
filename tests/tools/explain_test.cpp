// SPDX-License-Identifier: Apache-2.0
//
// `rayo explain` answers for every op of the catalogue, and on one screen.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "program.hpp"
#include "same_bits_cases.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string> &words, char separator) {
  std::string text;
  for (const std::string &word : words) text += (text.empty() ? "" : std::string(1, separator)) + word;
  return text;
}

// The command line that explains the op's first case with the types of its first kernel.
std::vector<std::string> explain_call(const json &op, const BitsCase &call) {
  std::vector<std::string> shapes;
  std::vector<std::string> dtypes;
  const std::string dtype = op.at("kernels").at(0).at("dtypes").at(0);
  for (std::size_t i = 0; i < call.shapes.size(); ++i) {
    std::vector<std::string> extents;
    for (const int64_t extent : call.shapes[i]) extents.push_back(std::to_string(extent));
    shapes.push_back(extents.empty() ? "scalar" : joined(extents, 'x'));
    const bool own = i < call.dtypes.size() && !call.dtypes[i].empty();
    dtypes.push_back(own ? call.dtypes[i] : dtype);
  }
  std::vector<std::string> words = {"explain",           op.at("name"), "--shape",
                                    joined(shapes, ','), "--dtype",     joined(dtypes, ',')};
  for (const auto &[name, value] : call.attributes.items()) {
    std::vector<std::string> values;
    if (value.is_array()) {
      for (const json &each : value) values.push_back(each.dump());
    } else {
      values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    words.insert(words.end(), {"--attr", name + "=" + joined(values, ',')});
  }
  return words;
}

TEST(Explain, EveryOpFitsOneScreen) {
  const json catalogue = rayo({"ops", "--json"}).json();
  std::size_t explained = 0;
  for (const json &op : catalogue.at("ops")) {
    std::vector<BitsCase> cases = bits_cases(op.at("name"), op.at("family"));
    if (op.at("name") == "eigh") cases = {{{{4, 4}}}};  // not reproducible, so without cases
    ASSERT_FALSE(cases.empty()) << op.at("name");
    if (op.at("kernels").empty()) continue;  // its plugin was not built
    const ProgramResult run = rayo(explain_call(op, cases[0]));
    ASSERT_EQ(run.exit_code, 0) << op.at("name") << ": " << run.err;
    std::istringstream text(run.out);
    int lines = 0;
    for (std::string line; std::getline(text, line); ++lines) EXPECT_LE(line.size(), 80u) << line;
    EXPECT_LE(lines, 24) << run.out;
    EXPECT_NE(run.out.find("chosen"), std::string::npos) << run.out;
    ++explained;
  }
  EXPECT_GE(explained, 50u);
}

}  // namespace
}  // namespace rayo::tools::test
