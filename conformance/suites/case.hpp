// SPDX-License-Identifier: Apache-2.0
//
// A case: one call under stated conditions, written as one line that replays it anywhere:
//
//   op dtype shape strides offset distribution seed [attribute=value]... [@condition=value]...
//   gemm f32 3x4,4x5,5 -,1x4,- 0,4 uniform,uniform,nan 42 alpha=0.7 beta=0 transB=0 @guard=front @threads=2
//
//   dtype         values of the op's type variables, in their order: f32; matmul_integer has two, u8,i8 (one given
//                 counts for both). Operands of a fixed type (where's condition) are not named
//   shape         one per input given, extents joined by x; "scalar" is rank 0, "none" an optional input left out
//   strides       in elements, inputs then output; "-" is compact; trailing operands left out are compact
//   offset        bytes from the alignment the guard page gives, inputs then output; left out = 0
//   distribution  one for all inputs, or one each (distribution.hpp)
//   conditions    inplace=I  the output is input I        alias=partial  output overlaps input 0; must be refused
//                 guard=back|front  operands end (default) or begin at an inaccessible page
//                 threads=N         budget of the call    repeat=N       the call is made N times; bits must agree
//                 load=N  the call again beside N busy threads    fork=1  the call again in a forked child
//                 law=NAME  no expected values: calls on related inputs must agree (oracle/laws.hpp)
//                 row=I  a call on row I of input 0 alone (its leading axis) must give the bits of row I of the result
//
// A line of two words is a check of the plugin itself (suites/probes.hpp): "abi larger_struct_size", "env fp_mode".
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "suites/dtype.hpp"

namespace rayo::conform {

enum class Guard { back, front };

// The shape of an optional input that is left out while one behind it is given.
const Shape kNoOperand = {-1};
inline bool is_absent(const Shape &shape) { return shape == kNoOperand; }

struct Case {
  std::string op;
  Dtype dtype = Dtype::f32;
  std::vector<Dtype> more_dtypes;  // of the type variables behind the first; missing = dtype
  std::vector<Shape> shapes;
  std::vector<std::optional<Shape>> strides;  // nullopt or missing = compact
  std::vector<std::uint32_t> offsets;         // missing = 0
  std::vector<std::string> distributions{"uniform"};
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, std::string>> attrs;

  int in_place = -1;
  bool partial_alias = false;
  Guard guard = Guard::back;
  std::uint32_t threads = 0;  // 0 = the runtime's
  std::uint32_t repeat = 1;
  std::int64_t row = -1;
  std::uint32_t load = 0;
  bool forked = false;
  std::string law;

  std::string probe;  // name of a check of the plugin itself; `op` is its suite, nothing else counts

  const std::string &distribution(std::size_t input) const;
  std::optional<Shape> operand_strides(std::size_t operand) const;
  std::uint32_t operand_offset(std::size_t operand) const;
};

// The message names the field, what stood there and what would be legal.
class CaseError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

std::string format_case(const Case &c);
Case parse_case(std::string_view line);  // throws CaseError

// Attributes of a case with the catalogue's defaults behind them. `op` must outlive the call.
struct OpInfo;
Dtype input_dtype(const Case &c, const OpInfo &op, std::size_t input);
std::int64_t attr_int(const Case &c, const OpInfo &op, std::string_view name);
double attr_real(const Case &c, const OpInfo &op, std::string_view name);
std::string attr_text(const Case &c, const OpInfo &op, std::string_view name);
std::vector<std::int64_t> attr_list(const Case &c, const OpInfo &op, std::string_view name);

std::vector<std::string> split(std::string_view text, char separator);
std::int64_t parse_integer(std::string_view text, std::string_view what);  // throws CaseError
double parse_real(std::string_view text, std::string_view what);           // throws CaseError

}  // namespace rayo::conform
