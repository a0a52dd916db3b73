// SPDX-License-Identifier: Apache-2.0
//
// The roofline picture: operations per second against operations per byte, both logarithmic, with the measured roofs.
#pragma once

#include <string>
#include <vector>

#include "row.hpp"

namespace rayo::bench {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;  // upper left corner
  bool meets(const Box &other) const;
};

struct Label {
  std::string text;
  Box box;
};

// A text's place beside its point, in order of importance, where it meets no label so far, no obstacle and not the
// frame; points for which there is no room get none.
struct LabelledPoint {
  double x = 0, y = 0;
  std::string text;
};
std::vector<Label> place_labels(const std::vector<LabelledPoint> &points, const std::vector<Box> &obstacles,
                                const Box &frame);

std::string roofline_svg(const nlohmann::json &machine, const std::vector<Row> &rows);

}  // namespace rayo::bench
