// SPDX-License-Identifier: Apache-2.0
//
// Which calls `rayo tune` measures. An op's calls lie on curves: shapes of one kind and growing volume.
#pragma once

#include <rayo/rayo.h>

#include <functional>
#include <string>
#include <vector>

#include "bench/work/item.hpp"
#include "tools/session.hpp"

namespace rayo::tools::tune {

enum class Extent { quick, normal };

// `make` gives the call whose volume is nearest to the one asked for.
struct Curve {
  std::string name;  // "square", "rows of 256": for people
  std::function<bench::WorkItem(double volume)> make;
  std::vector<double> volumes;  // ascending, to measure first
  bool refine = true;           // look closer at crossovers; false: `make` takes factors instead of volumes
};

// One op with the types and layout of its operands: an entry of the profile.
struct Job {
  rayo_op_info op{};
  std::string dtype;  // "f32", "f32 to i8": for people
  std::string layout;
  std::vector<Curve> curves;
};

// Jobs of an op. `dtypes` empty: f32 and f64, or f32 alone when quick.
std::vector<Job> jobs_of(const rayo_op_info &op, Extent extent, const std::vector<std::string> &dtypes);

// Values of the op's type variables in a call: "S=f32 D=i8".
std::string types_text(const rayo_op_info &op, const bench::WorkItem &item, const std::vector<DLDataType> &outputs);
std::string types_of(const Session &session, const rayo_op_info &op, const bench::WorkItem &item);

// A call of the op between the volumes of one of its curves, not on them; `random` gives numbers from 0 to 1.
bench::WorkItem random_call(const Job &job, const std::function<double()> &random);

}  // namespace rayo::tools::tune
