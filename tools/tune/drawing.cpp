// SPDX-License-Identifier: Apache-2.0
#include "drawing.hpp"

#include <fmt/core.h>

#include "tools/command.hpp"

#ifdef RAYO_HAVE_CAIRO
#include <cairo.h>

#include <cstdlib>
#include <memory>
#endif

namespace rayo::tools::tune {
namespace {

std::string escaped(const std::string &text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

const char *anchor_name(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

void Drawing::line(std::vector<Point> points, const std::string &colour, double width, std::vector<double> dash) {
  items_.push_back({Kind::line, std::move(points), colour, "", width, 0, Anchor::start, std::move(dash)});
}

void Drawing::box(Point corner, double width, double height, const std::string &colour) {
  items_.push_back({Kind::box, {corner}, colour, "", width, height, Anchor::start, {}});
}

void Drawing::dot(Point centre, double radius, const std::string &colour) {
  items_.push_back({Kind::dot, {centre}, colour, "", radius, 0, Anchor::start, {}});
}

void Drawing::text(Point at, const std::string &text, double size, const std::string &colour, Anchor anchor) {
  items_.push_back({Kind::text, {at}, colour, text, size, 0, anchor, {}});
}

std::string Drawing::svg() const {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#ffffff\"/>\n",
      width_, height_);
  for (const Item &item : items_) {
    const Point at = item.points.empty() ? Point{} : item.points.front();
    if (item.kind == Kind::line) {
      std::string points;
      for (const Point &p : item.points) points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", p.x, p.y);
      std::string dash;
      for (const double d : item.dash) dash += fmt::format("{}{:.0f}", dash.empty() ? "" : " ", d);
      out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{:.1f}\"{} points=\"{}\"/>\n",
                         item.colour, item.width, dash.empty() ? "" : " stroke-dasharray=\"" + dash + "\"", points);
    } else if (item.kind == Kind::box) {
      out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", at.x,
                         at.y, item.width, item.height, item.colour);
    } else if (item.kind == Kind::dot) {
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\"/>\n", at.x, at.y, item.width,
                         item.colour);
    } else {
      out +=
          fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.0f}\" fill=\"{}\" text-anchor=\"{}\">{}</text>\n",
                      at.x, at.y, item.width, item.colour, anchor_name(item.anchor), escaped(item.label));
    }
  }
  return out + "</svg>\n";
}

#ifdef RAYO_HAVE_CAIRO

namespace {

void set_colour(cairo_t *cairo, const std::string &colour) {
  const long value = std::strtol(colour.c_str() + 1, nullptr, 16);
  cairo_set_source_rgb(cairo, static_cast<double>(value >> 16 & 255) / 255, static_cast<double>(value >> 8 & 255) / 255,
                       static_cast<double>(value & 255) / 255);
}

cairo_status_t append(void *to, const unsigned char *data, unsigned length) {
  static_cast<std::string *>(to)->append(reinterpret_cast<const char *>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string Drawing::png() const {
  constexpr double kScale = 1.5;  // pixels per unit
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width_ * kScale),
                                 static_cast<int>(height_ * kScale)),
      cairo_surface_destroy);
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context(cairo_create(surface.get()), cairo_destroy);
  cairo_t *cairo = context.get();
  cairo_scale(cairo, kScale, kScale);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_paint(cairo);
  cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  for (const Item &item : items_) {
    const Point at = item.points.empty() ? Point{} : item.points.front();
    set_colour(cairo, item.colour);
    if (item.kind == Kind::line) {
      cairo_set_line_width(cairo, item.width);
      cairo_set_dash(cairo, item.dash.data(), static_cast<int>(item.dash.size()), 0);
      for (const Point &p : item.points) cairo_line_to(cairo, p.x, p.y);
      cairo_stroke(cairo);
    } else if (item.kind == Kind::box) {
      cairo_rectangle(cairo, at.x, at.y, item.width, item.height);
      cairo_fill(cairo);
    } else if (item.kind == Kind::dot) {
      cairo_arc(cairo, at.x, at.y, item.width, 0, 6.2831853);
      cairo_fill(cairo);
    } else {
      cairo_set_font_size(cairo, item.width);
      cairo_text_extents_t extents;
      cairo_text_extents(cairo, item.label.c_str(), &extents);
      const double shift = item.anchor == Anchor::start ? 0 : item.anchor == Anchor::middle ? 0.5 : 1;
      cairo_move_to(cairo, at.x - shift * extents.x_advance, at.y);
      cairo_show_text(cairo, item.label.c_str());
      cairo_new_path(cairo);
    }
  }
  std::string bytes;
  const cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS) {
    throw CommandError(RAYO_UNSUPPORTED,
                       fmt::format("the picture cannot be made: {}; try SVG", cairo_status_to_string(status)));
  }
  return bytes;
}

#else

std::string Drawing::png() const {
  throw CommandError(RAYO_UNSUPPORTED, "this rayo was built without Cairo and writes no PNG; name a FILE.svg");
}

#endif

}  // namespace rayo::tools::tune
