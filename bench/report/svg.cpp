// SPDX-License-Identifier: Apache-2.0
//
// SVG by hand: a frame, roofs, points, labels, a legend. Colours are told apart by people with colour-blindness, too
// (Okabe and Ito's palette).
#include "svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/core.h>

namespace rayo::bench {
namespace {

using nlohmann::json;

constexpr double kWidth = 1200, kHeight = 760;
constexpr Box kFrame = {80, 50, 900, 630};
constexpr double kFont = 11, kGlyph = 6.4;  // width of a character at that size, on the safe side
constexpr double kRadius = 3.5;
constexpr std::array<const char *, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#000000", "#8c6d31"};

std::string escaped(const std::string &text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else {
      result += c;
    }
  }
  return result;
}

double text_width(const std::string &text) { return kGlyph * static_cast<double>(text.size()); }

// A logarithmic axis over whole decades.
struct Axis {
  double low = 0, high = 1;  // exponents of ten
  double from = 0, to = 1;   // pixels
  double at(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
};

Axis axis_over(double least, double most, double from, double to) {
  const double low = std::floor(std::log10(least)), high = std::ceil(std::log10(most));
  return {low, std::max(high, low + 1), from, to};
}

struct Roof {
  std::string text;
  double slope = 0;  // GB/s; 0 for a flat roof
  double flat = 0;   // 1e9 operations per second
};

std::vector<Roof> roofs_of(const json &machine) {
  std::vector<Roof> roofs;
  for (const json &ceiling : machine.value("ceilings", json::array())) {
    const std::string suffix =
        fmt::format(" ({} x{})", ceiling.at("isa").get<std::string>(), ceiling.at("threads").get<int>());
    roofs.push_back({"f32 FMA" + suffix, 0, ceiling.at("gflops_f32").get<double>()});
    roofs.push_back({"f64 FMA" + suffix, 0, ceiling.at("gflops_f64").get<double>()});
    const json &points = ceiling.at("bandwidth_gb_s");
    for (const std::size_t index : {std::size_t{0}, points.size() / 2, points.size() - 1}) {
      const double kib = points[index].at("bytes").get<double>() / 1024;
      roofs.push_back(
          {fmt::format("copy {}{}", kib < 1024 ? fmt::format("{:.0f} KiB", kib) : fmt::format("{:.0f} MiB", kib / 1024),
                       suffix),
           points[index].at("copy").get<double>(), 0});
    }
    break;  // one set of roofs keeps the picture readable; the first is the widest instruction set
  }
  return roofs;
}

class Picture {
 public:
  Picture(const json &machine, const std::vector<Row> &rows) : machine_(machine), roofs_(roofs_of(machine)) {
    for (const Row &row : rows) {
      if (row.bytes > 0 && row.operations > 0 && row.roofline) rows_.push_back(&row);
    }
    double x_low = 0.05, x_high = 50, y_low = 1, y_high = 10;
    for (const Row *const row : rows_) {
      x_low = std::min(x_low, row->operations / row->bytes);
      x_high = std::max(x_high, row->operations / row->bytes);
      y_low = std::min(y_low, row->operations / row->ns);
      y_high = std::max(y_high, row->operations / row->ns);
    }
    for (const Roof &roof : roofs_) y_high = std::max(y_high, roof.flat);
    x_ = axis_over(x_low, x_high, kFrame.x, kFrame.x + kFrame.width);
    y_ = axis_over(y_low, y_high, kFrame.y + kFrame.height, kFrame.y);
  }

  std::string draw() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"sans-serif\" font-size=\"{2}\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        kWidth, kHeight, kFont);
    text(kFrame.x, 28, fmt::format("Roofline: {}, {}", machine_.value("cpu", "?"), machine_.value("date", "?")), "#000",
         15);
    draw_axes();
    draw_roofs();
    draw_points();
    draw_legend();
    return out_ + "</svg>\n";
  }

 private:
  void text(double x, double y, const std::string &content, const char *colour, double size = kFont,
            const char *anchor = "start") {
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"{}\" text-anchor=\"{}\" stroke=\"white\" "
        "stroke-width=\"3\" "
        "paint-order=\"stroke\">{}</text>\n",
        x, y, colour, size, anchor, escaped(content));
  }

  void line(double x1, double y1, double x2, double y2, const char *colour, double width) {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{}\"/>\n", x1, y1,
        x2, y2, colour, width);
  }

  void draw_axes() {
    const double bottom = kFrame.y + kFrame.height, right = kFrame.x + kFrame.width;
    for (double e = x_.low; e <= x_.high; ++e) {
      line(x_.at(std::pow(10, e)), kFrame.y, x_.at(std::pow(10, e)), bottom, "#ddd", 1);
      text(x_.at(std::pow(10, e)), bottom + 16, fmt::format("{:g}", std::pow(10, e)), "#000", kFont, "middle");
    }
    for (double e = y_.low; e <= y_.high; ++e) {
      line(kFrame.x, y_.at(std::pow(10, e)), right, y_.at(std::pow(10, e)), "#ddd", 1);
      text(kFrame.x - 8, y_.at(std::pow(10, e)) + 4, fmt::format("{:g}", std::pow(10, e)), "#000", kFont, "end");
    }
    out_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#000\"/>\n",
                        kFrame.x, kFrame.y, kFrame.width, kFrame.height);
    text(kFrame.x + kFrame.width / 2, bottom + 40, "operations per byte moved at least", "#000", 13, "middle");
    out_ += fmt::format(
        "<text transform=\"translate(24 {}) rotate(-90)\" text-anchor=\"middle\" font-size=\"13\">1e9 operations per "
        "second</text>\n",
        kFrame.y + kFrame.height / 2);
  }

  // A sloped roof runs from the left edge up to the highest flat one; its label stands in a column at the right.
  void draw_roofs() {
    double highest = 0;
    for (const Roof &roof : roofs_) highest = std::max(highest, roof.flat);
    const double left = std::pow(10, x_.low), right = std::pow(10, x_.high), floor = std::pow(10, y_.low);
    for (std::size_t i = 0; i < roofs_.size(); ++i) {
      const Roof &roof = roofs_[i];
      const char *const colour = roof.slope > 0 ? "#999" : "#555";
      if (roof.slope > 0) {
        const double start = std::max(left, floor / roof.slope), end = std::min(right, highest / roof.slope);
        line(x_.at(start), y_.at(start * roof.slope), x_.at(end), y_.at(end * roof.slope), colour, 1.5);
        name_roof(x_.at(end) - 8, y_.at(end * roof.slope) - 12, i);
      } else {
        line(kFrame.x, y_.at(roof.flat), kFrame.x + kFrame.width, y_.at(roof.flat), colour, 1.5);
        name_roof(kFrame.x + kFrame.width, y_.at(roof.flat), i);
      }
    }
  }

  // Roofs are numbered; the legend tells the numbers.
  void name_roof(double x, double y, std::size_t index) {
    const Box box = {x + 3, y - 6, 14, 12};
    Box free = box;
    while (std::any_of(obstacles_.begin(), obstacles_.end(), [&](const Box &other) { return other.meets(free); })) {
      free.x += 16;
    }
    obstacles_.push_back(free);
    text(free.x, free.y + 10, fmt::format("{}", index + 1), "#333", 12);
  }

  const char *colour_of(const std::string &family) {
    const auto found = colours_.try_emplace(family, kColours[colours_.size() % kColours.size()]);
    return found.first->second;
  }

  void draw_points() {
    std::vector<const Row *> order = rows_;  // labels first for what is furthest below its roof
    std::stable_sort(order.begin(), order.end(),
                     [](const Row *a, const Row *b) { return *a->roofline < *b->roofline; });
    std::vector<LabelledPoint> points;
    for (const Row *const row : order) {
      const double x = x_.at(row->operations / row->bytes), y = y_.at(row->operations / row->ns);
      out_ += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" fill-opacity=\"0.7\"><title>{}: {:.0f}% of its "
          "ceiling ({})</title></circle>\n",
          x, y, kRadius, colour_of(row->family), escaped(row->key()), 100 * *row->roofline, row->bound_by);
      obstacles_.push_back({x - kRadius, y - kRadius, 2 * kRadius, 2 * kRadius});
      points.push_back({x, y, fmt::format("{} {} {}", row->op, row->dtype, row->shape)});
    }
    for (const Label &label : place_labels(points, obstacles_, kFrame)) {
      text(label.box.x, label.box.y + label.box.height - 3, label.text, "#333");
    }
  }

  void draw_legend() {
    const double x = kFrame.x + kFrame.width + 40;
    double y = kFrame.y + 12;
    for (const auto &[family, colour] : colours_) {
      out_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"{}\"/>\n", x + 5, y - 4, colour);
      text(x + 18, y, family, "#000", 12);
      y += 20;
    }
    y += 12;
    for (std::size_t i = 0; i < roofs_.size(); ++i) {
      text(x, y, fmt::format("{} {}", i + 1, roofs_[i].text), "#333", kFont);
      y += 18;
    }
    text(x, y + 12, "Labels: furthest below the", "#666");
    text(x, y + 28, "roof first, where there is room", "#666");
  }

  const json &machine_;
  std::vector<Roof> roofs_;
  std::vector<const Row *> rows_;
  Axis x_, y_;
  std::vector<Box> obstacles_;
  std::map<std::string, const char *> colours_;
  std::string out_;
};

}  // namespace

bool Box::meets(const Box &other) const {
  return x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height;
}

std::vector<Label> place_labels(const std::vector<LabelledPoint> &points, const std::vector<Box> &obstacles,
                                const Box &frame) {
  constexpr double kHeightOfText = 14, kGap = 5;
  std::vector<Label> labels;
  std::map<std::string, bool> used;
  for (const LabelledPoint &point : points) {
    if (used.contains(point.text)) continue;
    const double width = text_width(point.text);
    const Box places[] = {{point.x + kGap, point.y - kHeightOfText / 2, width, kHeightOfText},
                          {point.x - kGap - width, point.y - kHeightOfText / 2, width, kHeightOfText},
                          {point.x - width / 2, point.y - kGap - kHeightOfText, width, kHeightOfText},
                          {point.x - width / 2, point.y + kGap, width, kHeightOfText}};
    for (const Box &place : places) {
      const bool inside = place.x >= frame.x && place.x + place.width <= frame.x + frame.width && place.y >= frame.y &&
                          place.y + place.height <= frame.y + frame.height;
      const auto meets = [&](const Box &other) { return other.meets(place); };
      if (!inside || std::any_of(obstacles.begin(), obstacles.end(), meets) ||
          std::any_of(labels.begin(), labels.end(), [&](const Label &label) { return label.box.meets(place); })) {
        continue;
      }
      labels.push_back({point.text, place});
      used[point.text] = true;
      break;
    }
  }
  return labels;
}

std::string roofline_svg(const json &machine, const std::vector<Row> &rows) { return Picture(machine, rows).draw(); }

}  // namespace rayo::bench
