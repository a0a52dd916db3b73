// SPDX-License-Identifier: Apache-2.0
//
// A profile as a picture: per entry, time against volume on log axes, a line per device and number of threads, what is
// chosen drawn thick, crossovers labelled.
#pragma once

#include <string>

#include "tuner/profile.hpp"

namespace rayo::tools::tune {

// Throws a usage error unless the name ends in .svg or .png.
void check_plot_name(const std::string &path);

// Writes the picture, whole or not at all.
void write_plot(const Profile &profile, const std::string &path);

// The SVG's text.
std::string plot_svg(const Profile &profile);

}  // namespace rayo::tools::tune
