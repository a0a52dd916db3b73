// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/core.h>

#include "drawing.hpp"
#include "profile_file.hpp"
#include "tools/command.hpp"
#include "tools/table.hpp"
#include "tuner/model.hpp"

namespace rayo::tools::tune {
namespace {

// A panel, in units: title, band of crossover labels, plot, axis; the legend to the right.
constexpr double kPanelWidth = 560;
constexpr double kPanelHeight = 330;
constexpr double kLeft = 70;
constexpr double kLegend = 130;
constexpr double kTitle = 26;
constexpr double kBandRow = 15;
constexpr int kBandRows = 3;
constexpr double kBottom = 42;
constexpr double kGap = 14;
constexpr std::size_t kMostPanels = 400;

constexpr std::array<const char *, 8> kColours = {"#1b6ca8", "#d1495b", "#2e8b57", "#8d5bb0",
                                                  "#c77d0a", "#008b8b", "#7a5c3e", "#5f6b7a"};
constexpr const char *kInk = "#222222";
constexpr const char *kSoft = "#666666";
constexpr const char *kPaper = "#ffffff";
constexpr const char *kGrid = "#e4e4e4";

std::string volume_text(double volume) {
  static constexpr std::array<const char *, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (volume >= 1000 && unit + 1 < kUnits.size()) {
    volume /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", volume, kUnits[unit]);
}

const char *volume_name(const ProfileEntry &entry) {
  if (entry.op == "matmul" || entry.op == "gemm" || entry.op == "matmul_integer") return "m x n x k";
  return entry.op == "eigh" ? "n x n x n" : "elements";
}

struct Range {
  double low = 1;
  double high = 10;
  double at(double value) const { return (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low)); }
};

class Panel {
 public:
  Panel(Drawing *drawing, Point corner, const ProfileEntry &entry, const Surface &surface,
        const std::map<std::string, const char *> &colours)
      : drawing_(*drawing), corner_(corner), entry_(entry), surface_(surface), colours_(colours) {
    left_ = corner.x + kLeft;
    right_ = corner.x + kPanelWidth - kLegend;
    top_ = corner.y + kTitle + kBandRow * kBandRows;
    bottom_ = corner.y + kPanelHeight - kBottom;
    find_ranges();
  }

  void draw() {
    std::string title = fmt::format("{}  {}  {}", entry_.op, entry_.types, entry_.layout);
    if (entry_.residency != "host") title += "  on " + entry_.residency;
    drawing_.text({corner_.x + 8, corner_.y + 18}, title, 14, kInk);
    axes();
    curves();
    crossovers();
    legend();
  }

 private:
  void find_ranges() {
    volume_ = {static_cast<double>(surface_.volumes.front()), static_cast<double>(surface_.volumes.back())};
    if (volume_.high <= volume_.low) volume_.high = volume_.low * 10;
    double low = 1e300;
    double high = 0;
    for (const auto &row : surface_.times) {
      for (const double ns : row) {
        if (ns <= 0) continue;
        low = std::min(low, ns);
        high = std::max(high, ns);
      }
    }
    time_.low = std::pow(10, std::floor(std::log10(low)));
    time_.high = std::pow(10, std::ceil(std::log10(high * 1.001)));
  }

  Point place(double volume, double ns) const {
    return {left_ + volume_.at(volume) * (right_ - left_), bottom_ - time_.at(ns) * (bottom_ - top_)};
  }

  void axes() {
    // At most as many labels as have room.
    const int decades = static_cast<int>(std::lround(std::log10(time_.high / time_.low)));
    const int step = std::max(1, static_cast<int>(std::ceil(decades / 7.0)));
    for (int d = 0; d <= decades; d += step) {
      const double ns = time_.low * std::pow(10, d);
      const double y = place(volume_.low, ns).y;
      drawing_.line({{left_, y}, {right_, y}}, kGrid, 1);
      drawing_.text({left_ - 6, y + 4}, duration_short(ns), 11, kSoft, Anchor::end);
    }
    const double first = std::ceil(std::log10(volume_.low) - 1e-9);
    const double last = std::floor(std::log10(volume_.high) + 1e-9);
    const double every = std::max(1.0, std::ceil((last - first) / 7));
    for (double d = first; d <= last; d += every) {
      const double x = place(std::pow(10, d), time_.low).x;
      drawing_.line({{x, top_}, {x, bottom_}}, kGrid, 1);
      drawing_.text({x, bottom_ + 15}, volume_text(std::pow(10, d)), 11, kSoft, Anchor::middle);
    }
    drawing_.line({{left_, top_}, {left_, bottom_}, {right_, bottom_}}, kSoft, 1);
    drawing_.text({(left_ + right_) / 2, bottom_ + 32}, volume_name(entry_), 11, kSoft, Anchor::middle);
  }

  static std::string duration_short(double ns) {
    if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
    if (ns < 1e6) return fmt::format("{:.0f} us", ns / 1e3);
    return ns < 1e9 ? fmt::format("{:.0f} ms", ns / 1e6) : fmt::format("{:.0f} s", ns / 1e9);
  }

  const ChoiceRow *row() const {
    const uint32_t threads = thread_counts(entry_).back();
    for (const ChoiceRow &row : entry_.choices) {
      if (row.threads == threads && row.shape_class == surface_.shape_class && row.level == surface_.level) return &row;
    }
    return nullptr;
  }

  std::vector<double> dash_of(uint32_t threads) const {
    const std::vector<uint32_t> counts = thread_counts(entry_);
    const auto index = std::find(counts.begin(), counts.end(), threads) - counts.begin();
    if (index == 0) return {};
    return index == 1 ? std::vector<double>{7, 3} : std::vector<double>{2, 3};
  }

  void chosen(const ChoiceRow &row) {
    for (std::size_t i = 0; i < row.from.size(); ++i) {
      const double from = std::max(static_cast<double>(row.from[i]), volume_.low);
      const double to =
          i + 1 < row.from.size() ? std::min(static_cast<double>(row.from[i + 1]), volume_.high) : volume_.high;
      std::vector<Point> points;
      constexpr int kSteps = 60;
      for (int s = 0; s <= kSteps && to > from; ++s) {
        const double volume = from * std::pow(to / from, static_cast<double>(s) / kSteps);
        const double ns =
            predict(entry_, row.candidate[i], {surface_.shape_class, surface_.level, static_cast<uint64_t>(volume)});
        if (ns > 0) points.push_back(place(volume, std::clamp(ns, time_.low, time_.high)));
      }
      if (points.size() > 1) drawing_.line(std::move(points), "#ffd24d", 9);
    }
  }

  void curves() {
    if (const ChoiceRow *choices = row()) chosen(*choices);
    for (std::size_t c = 0; c < entry_.candidates.size(); ++c) {
      const ProfileCandidate &candidate = entry_.candidates[c];
      const char *colour = colours_.at(candidate.device);
      std::vector<Point> points;
      for (std::size_t v = 0; v < surface_.volumes.size(); ++v) {
        if (surface_.times[c][v] > 0) {
          points.push_back(place(static_cast<double>(surface_.volumes[v]), surface_.times[c][v]));
        }
      }
      for (const Point &point : points) drawing_.dot(point, candidate.threads == 1 ? 2.4 : 1.8, colour);
      if (points.size() > 1) drawing_.line(std::move(points), colour, 1.6, dash_of(candidate.threads));
    }
  }

  // A dotted line down from its label; labels go to the first row of the band where they touch no other, and lines pass
  // behind them.
  void crossovers() {
    const ChoiceRow *choices = row();
    if (choices == nullptr) return;
    std::array<double, kBandRows> used{};
    used.fill(-1e9);
    int left_out = 0;
    struct Label {
      Point at;
      double width;
      std::string text;
    };
    std::vector<Label> labels;
    for (std::size_t i = 1; i < choices->from.size(); ++i) {
      const double from = static_cast<double>(choices->from[i]);
      if (from < volume_.low || from > volume_.high) continue;
      const ProfileCandidate &to = entry_.candidates[choices->candidate[i]];
      const std::string label = fmt::format("{} from {}", way(to), volume_text(from));
      const double width = Drawing::text_width(label, 11);
      const double x = place(from, time_.low).x;
      const double begin = std::clamp(x - width / 2, left_, right_ + kLegend - width - 6);
      int band = 0;
      while (band < kBandRows && begin < used[static_cast<std::size_t>(band)]) ++band;
      drawing_.line({{x, top_}, {x, bottom_}}, kInk, 1, {2, 3});
      if (band == kBandRows) {
        ++left_out;
        continue;
      }
      used[static_cast<std::size_t>(band)] = begin + width + 8;
      const double y = corner_.y + kTitle + kBandRow * (band + 1) - 4;
      drawing_.line({{x, y + 3}, {x, top_}}, kInk, 1, {2, 3});
      labels.push_back({{begin, y}, width, label});
    }
    for (const Label &label : labels) {
      drawing_.box({label.at.x - 1, label.at.y - 10}, label.width + 2, 13, kPaper);
      drawing_.text(label.at, label.text, 11, kInk);
    }
    if (left_out > 0) {
      drawing_.text({corner_.x + kPanelWidth - 8, corner_.y + 18}, fmt::format("{} more crossovers", left_out), 11,
                    kSoft, Anchor::end);
    }
  }

  static std::string way(const ProfileCandidate &candidate) {
    return candidate.threads == 1 ? candidate.device : fmt::format("{} x{}", candidate.device, candidate.threads);
  }

  void legend() {
    const double x = right_ + 12;
    double y = top_ + 12;
    for (const ProfileCandidate &candidate : entry_.candidates) {
      if (y > bottom_ - 18) {
        drawing_.text({x, y}, "...", 11, kSoft);
        break;
      }
      drawing_.line({{x, y - 4}, {x + 26, y - 4}}, colours_.at(candidate.device), 1.6, dash_of(candidate.threads));
      drawing_.text({x + 32, y}, way(candidate).substr(0, 14), 11, kInk);
      y += 17;
    }
    drawing_.line({{x, y - 4}, {x + 26, y - 4}}, "#ffd24d", 9);
    drawing_.text({x + 32, y}, "chosen", 11, kInk);
  }

  Drawing &drawing_;
  Point corner_;
  const ProfileEntry &entry_;
  const Surface &surface_;
  const std::map<std::string, const char *> &colours_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  Range volume_, time_;
};

// The surface that says most: the one with the most points.
const Surface *main_surface(const ProfileEntry &entry) {
  const Surface *best = nullptr;
  for (const Surface &surface : entry.surfaces) {
    if (surface.volumes.size() > 1 && (best == nullptr || surface.volumes.size() > best->volumes.size()))
      best = &surface;
  }
  return best;
}

Drawing draw(const Profile &profile) {
  std::vector<std::pair<const ProfileEntry *, const Surface *>> panels;
  std::map<std::string, const char *> colours;
  for (const ProfileEntry &entry : profile.entries) {
    const Surface *surface = main_surface(entry);
    if (surface != nullptr && panels.size() < kMostPanels) panels.emplace_back(&entry, surface);
    for (const ProfileCandidate &candidate : entry.candidates) {
      colours.emplace(candidate.device, kColours[colours.size() % kColours.size()]);
    }
  }
  if (panels.empty()) throw CommandError(RAYO_NOT_FOUND, "the profile has no curve to draw; measure some ops first");
  const std::size_t columns = std::min<std::size_t>(panels.size(), panels.size() < 5 ? 2 : 3);
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  constexpr double kHead = 44;
  Drawing drawing(static_cast<double>(columns) * (kPanelWidth + kGap) + kGap,
                  kHead + static_cast<double>(rows) * (kPanelHeight + kGap));
  drawing.text({kGap, 28}, fmt::format("{}, measured {}", profile.machine.cpu, profile.created), 16, kInk);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const std::size_t row = i / columns;
    const Point corner{kGap + static_cast<double>(i % columns) * (kPanelWidth + kGap),
                       kHead + static_cast<double>(row) * (kPanelHeight + kGap)};
    Panel(&drawing, corner, *panels[i].first, *panels[i].second, colours).draw();
  }
  return drawing;
}

bool ends_with(const std::string &text, const std::string &end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

void check_plot_name(const std::string &path) {
  if (!ends_with(path, ".svg") && !ends_with(path, ".png")) {
    throw usage_error(fmt::format("--plot '{}': legal: a name that ends in .svg or .png", path));
  }
#ifndef RAYO_HAVE_CAIRO
  if (ends_with(path, ".png")) Drawing(1, 1).png();  // says that it cannot
#endif
}

std::string plot_svg(const Profile &profile) { return draw(profile).svg(); }

void write_plot(const Profile &profile, const std::string &path) {
  const Drawing drawing = draw(profile);
  write_whole(path, ends_with(path, ".png") ? drawing.png() : drawing.svg(), "plot");
}

}  // namespace rayo::tools::tune
