// SPDX-License-Identifier: Apache-2.0
//
// A picture as a list of lines, boxes and texts, written as SVG, and as PNG where Cairo is there.
#pragma once

#include <string>
#include <vector>

namespace rayo::tools::tune {

struct Point {
  double x = 0;
  double y = 0;
};

enum class Anchor { start, middle, end };

class Drawing {
 public:
  Drawing(double width, double height) : width_(width), height_(height) {}

  // Colours are "#rrggbb". `dash`: lengths of strokes and gaps; empty = solid.
  void line(std::vector<Point> points, const std::string &colour, double width, std::vector<double> dash = {});
  void box(Point corner, double width, double height, const std::string &colour);
  void dot(Point centre, double radius, const std::string &colour);
  // (x, y) is on the base line of the text.
  void text(Point at, const std::string &text, double size, const std::string &colour, Anchor anchor = Anchor::start);

  // At most this wide, whatever sans-serif font draws it.
  static double text_width(const std::string &text, double size) {
    return 0.62 * size * static_cast<double>(text.size());
  }

  std::string svg() const;
  // PNG's bytes. Throws CommandError RAYO_UNSUPPORTED where this program was built without Cairo.
  std::string png() const;

 private:
  enum class Kind { line, box, dot, text };
  struct Item {
    Kind kind = Kind::line;
    std::vector<Point> points;
    std::string colour;
    std::string label;
    double width = 1;
    double height = 0;
    Anchor anchor = Anchor::start;
    std::vector<double> dash;
  };
  double width_;
  double height_;
  std::vector<Item> items_;
};

}  // namespace rayo::tools::tune
