// SPDX-License-Identifier: Apache-2.0
//
// rayo_math_table: measures the transcendentals of CPU plugins and writes the table of docs/math-accuracy.md. For each
// op and type the first plugin's worst error against math_oracle.h, and the bits of every other plugin against it.
//
//   rayo_math_table [--ops LIST] [--types f32,f64] [--log2 N] [--nightly] [--write FILE.md] PLUGIN.so...
//
// f32: 2^N of all 2^32 bit patterns, evenly spaced (N = 20; --nightly: 32). f64: 2^N numbers, half of them evenly
// spread over the bit patterns, half over [-32, 32), and hard cases (N = 12; --nightly: 24). pow: pairs of both kinds.
// --write replaces the rows that were measured and keeps the others. Exit code 1 if bits differ or a bound is passed.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "math_oracle.h"

namespace {

using namespace rayo_test;

struct Options {
  std::vector<std::string> ops;
  std::vector<std::string> types = {"f32", "f64"};
  int log2 = 0;  // 0 = the type's default
  bool nightly = false;
  std::string write;
  std::vector<std::unique_ptr<Plugin>> plugins;
};

struct Result {
  double ulp = 0;
  double at[2] = {0, 0};
  unsigned long long beyond = 0, wrong = 0, bits = 0, falls = 0;
  double fall_ulp = 0;
};

template <class T>
T from_pattern(uint64_t bits) {
  T x;
  std::memcpy(&x, &bits, sizeof(T));
  return x;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "from_pattern takes the low bytes");

uint64_t mix(uint64_t i) {
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9;
  i = (i ^ (i >> 27)) * 0x94d049bb133111eb;
  return i ^ (i >> 31);
}

/// Zeros, ends of ranges, and arguments whose results are hard to round or to reduce.
const std::vector<double> kHard = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   HUGE_VAL,
                                   -HUGE_VAL,
                                   NAN,
                                   0x1p-1074,
                                   -0x1p-1074,
                                   0x1.fffffffffffffp1023,
                                   709.782712893384,
                                   709.7827128933841,
                                   -745.1332191019411,
                                   -745.1332191019412,
                                   -708.3964185322641,
                                   0x1.921fb54442d18p0,
                                   0x1.921fb54442d18p1,
                                   0x1.6ac5b262ca1ffp849,  // the f64 nearest to a multiple of pi/2
                                   -0x1.6ac5b262ca1ffp849,
                                   0x1p30,
                                   0x1.0000000000001p30,
                                   1e22,
                                   0.6,
                                   0.9375,
                                   6.0,
                                   5.921587195794507,
                                   -8.3,
                                   -22.0};

/// Input i of `total`.
template <class T>
T input(uint64_t i, uint64_t total, int which, int arity) {
  if (sizeof(T) == 4 && arity == 1) return from_pattern<T>(i * ((uint64_t{1} << 32) / total));
  if (arity == 2) {
    // Pairs: special values, all bit patterns, and exponents that leave a result in range.
    if (i < kHard.size() * kHard.size()) {
      return static_cast<T>(kHard[which == 0 ? i % kHard.size() : i / kHard.size()]);
    }
    if (i % 4 == 0) return from_pattern<T>(mix(2 * i + static_cast<uint64_t>(which)));
    const double base =
        std::exp2(static_cast<double>(static_cast<int64_t>(mix(2 * i))) * (i % 4 == 1 ? 0x1p-60 : 0x1p-56));
    const T x = static_cast<T>(base);
    if (which == 0) return x;
    const double range = (sizeof(T) == 4 ? 104 : 745) / std::max(std::fabs(std::log(static_cast<double>(x))), 1e-6);
    return static_cast<T>(range * static_cast<double>(static_cast<int64_t>(mix(2 * i + 1))) * 0x1p-63);
  }
  if (i < kHard.size()) return static_cast<T>(kHard[i]);
  if (i % 2 == 0) return from_pattern<T>(i * (~uint64_t{0} / total) + mix(i) % (~uint64_t{0} / total));
  return static_cast<T>(static_cast<double>(static_cast<int64_t>(mix(i))) * 0x1p-58);
}

template <class T>
bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
std::vector<T> apply(const Plugin &plugin, const MathOp &op, const std::vector<T> *x) {
  const auto view = compact({static_cast<int64_t>(x[0].size())}, sizeof(T) == 4 ? RAYO_F32 : RAYO_F64);
  std::vector<T> y(x[0].size());
  std::vector<View> views(static_cast<size_t>(op.arity), view);
  std::vector<const void *> data = {x[0].data()};
  if (op.arity == 2) data.push_back(x[1].data());
  if (plugin.run(op.op, views, data, view, y.data(), op.attrs) != RAYO_OK) {
    std::fprintf(stderr, "error: plugin %s does not run %s\n", plugin.name().c_str(), op.op.c_str());
    std::exit(2);
  }
  return y;
}

template <class T>
void count_falls(const std::vector<T> &x, const std::vector<T> &y, Result *r) {
  for (size_t i = 1; i < x.size(); ++i) {
    const bool up = x[i] > x[i - 1], down = x[i] < x[i - 1];
    if (!(up && y[i] < y[i - 1]) && !(down && y[i] > y[i - 1])) continue;
    ++r->falls;
    const double ulp = std::fabs(static_cast<double>(y[i]) - static_cast<double>(y[i - 1])) /
                       std::fabs(static_cast<double>(std::nextafter(y[i], T(2) * y[i]) - y[i]));
    r->fall_ulp = std::max(r->fall_ulp, ulp);
  }
}

template <class T>
Result measure(const MathOp &op, const Options &o, int log2) {
  Result r;
  const uint64_t total = uint64_t{1} << log2, chunk = std::min<uint64_t>(total, 1 << 18);
  for (uint64_t first = 0; first < total; first += chunk) {
    std::vector<T> x[2];
    for (int k = 0; k < op.arity; ++k) {
      for (uint64_t i = first; i < first + chunk; ++i) x[k].push_back(input<T>(i, total, k, op.arity));
    }
    const std::vector<T> y = apply(*o.plugins[0], op, x);
    std::vector<Verdict> verdicts;
    if constexpr (sizeof(T) == 4) {
      if (log2 > 24 && op.arity == 1) verdicts = judge_all(op, x[0], y);
    }
    for (size_t i = 0; i < chunk; ++i) {
      if (op.arity == 1 && std::isnan(x[0][i])) {
        r.wrong += std::isnan(y[i]) ? 0 : 1;
        continue;
      }
      const Verdict v = verdicts.empty() ? judge(op, x[0][i], op.arity == 2 ? x[1][i] : T(0), y[i]) : verdicts[i];
      r.wrong += v.wrong ? 1 : 0;
      r.beyond += v.beyond ? 1 : 0;
      if ((v.wrong || v.beyond) && r.wrong + r.beyond <= 3) {
        std::printf("  %s(%a, %a) = %a: %s, %.3f ULP\n", op.name.c_str(), static_cast<double>(x[0][i]),
                    op.arity == 2 ? static_cast<double>(x[1][i]) : 0.0, static_cast<double>(y[i]),
                    v.wrong ? "wrong kind" : "beyond", v.ulp);
      }
      if (v.ulp > r.ulp) {
        r.ulp = v.ulp;
        r.at[0] = static_cast<double>(x[0][i]);
        r.at[1] = op.arity == 2 ? static_cast<double>(x[1][i]) : 0;
      }
    }
    if (op.rises && sizeof(T) == 4) count_falls(x[0], y, &r);
    for (size_t p = 1; p < o.plugins.size(); ++p) {
      if (log2 > 24 && p == 1 && o.plugins.size() > 2 && o.plugins[1]->name() == "scalar") continue;  // fma by library
      const std::vector<T> z = apply(*o.plugins[p], op, x);
      for (size_t i = 0; i < chunk; ++i) r.bits += same(y[i], z[i]) ? 0 : 1;
    }
  }
  return r;
}

std::string row_key(const std::string &line) {
  const size_t second = line.find('|', 1);
  return second == std::string::npos ? "" : line.substr(0, line.find('|', second + 1));
}

constexpr const char *kHead =
    "# Accuracy of the transcendentals\n\n"
    "Written by `rayo_math_table --write docs/math-accuracy.md PLUGIN.so...` (build target `rayo_math_table`); the "
    "last\n"
    "measurement of a row stands. Errors are the first plugin's, in units in the last place of the true value, "
    "against\n"
    "long double (f32; double where all inputs are tried) and MPFR at 200 bits (f64); inputs are a stride of all bit "
    "patterns (f32; 2^32 = all of them), "
    "or\n"
    "samples with hard cases (f64, pow). *bits*: results in which any of the named plugins differs from the first.\n"
    "*falls*: neighbouring inputs whose results are out of order, and the largest such step. Allowances beside the "
    "bound:\n"
    "sigmoid and swish 2^-126 (f64: 2^-1022) absolute where e^x is subnormal; gelu 2^-22 |x| (2^-51 |x|).\n\n"
    "| op | type | inputs | worst ULP | at | bound | beyond | bits | falls | plugins | date |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

void write_table(const std::string &path, const std::map<std::string, std::string> &measured) {
  std::map<std::string, std::string> rows;
  std::ifstream old(path);
  for (std::string line; std::getline(old, line);) {
    if (line.rfind("| ", 0) == 0 && line.rfind("| op ", 0) != 0 && line.rfind("| ---", 0) != 0)
      rows[row_key(line)] = line;
  }
  for (const auto &[key, line] : measured) rows[key] = line;
  std::ofstream out(path);
  out << kHead;
  for (const MathOp &op : math_ops()) {
    for (const char *type : {"f32", "f64"}) {
      const std::string key = "| " + op.name + " | " + type + " ";
      const auto row = rows.find(key);
      out << (row != rows.end() ? row->second : key + "| not evaluated | | | | | | | | |") << "\n";
    }
  }
  if (!out.flush()) {
    std::fprintf(stderr, "error: cannot write %s\n", path.c_str());
    std::exit(1);
  }
}

std::string format_row(const MathOp &op, const std::string &type, int log2, const Result &r,
                       const std::string &plugins) {
  char date[16];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  char at[80], falls[60] = "-";
  std::snprintf(at, sizeof at, op.arity == 2 ? "%a, %a" : "%a", r.at[0], r.at[1]);
  if (op.rises && type == "f32") std::snprintf(falls, sizeof falls, "%llu", r.falls);
  if (r.falls != 0) std::snprintf(falls + std::strlen(falls), 30, " (%.3g ULP)", r.fall_ulp);
  char row[600];
  std::snprintf(row, sizeof row, "| %s | %s | 2^%d | %.3f | %s | %g | %llu | %llu | %s | %s | %s |", op.name.c_str(),
                type.c_str(), log2, r.ulp, at, op.ulp, r.beyond + r.wrong, r.bits, falls, plugins.c_str(), date);
  return row;
}

std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

Options parse(int argc, char **argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--ops" && more) {
      o.ops = split(argv[++i]);
    } else if (arg == "--types" && more) {
      o.types = split(argv[++i]);
    } else if (arg == "--log2" && more) {
      o.log2 = std::atoi(argv[++i]);
    } else if (arg == "--write" && more) {
      o.write = argv[++i];
    } else if (arg == "--nightly") {
      o.nightly = true;
    } else if (arg[0] == '-') {
      std::fprintf(stderr, "error: unknown option %s; legal: --ops --types --log2 --nightly --write\n", argv[i]);
      std::exit(2);
    } else {
      auto plugin = std::make_unique<Plugin>(argv[i], host_features());
      if (plugin->name().empty()) continue;  // not for this machine
      const bool scalar = plugin->name() == "scalar";
      o.plugins.push_back(std::move(plugin));
      if (scalar) o.plugins.push_back(std::make_unique<Plugin>(argv[i], host_features(RAYO_CPU_FMA)));
    }
  }
  return o;
}

}  // namespace

int main(int argc, char **argv) {
  const Options o = parse(argc, argv);
  if (o.plugins.empty() || o.log2 < 0 || o.log2 > 32) {
    std::fprintf(stderr,
                 "usage: rayo_math_table [--ops LIST] [--types f32,f64] [--log2 N] [--nightly] [--write FILE.md] "
                 "PLUGIN.so...\n");
    return 2;
  }
  std::string names;
  for (const auto &p : o.plugins) {
    if (names.find(p->name() + " ") == std::string::npos) names += p->name() + " ";
  }
  names.pop_back();
  std::map<std::string, std::string> rows;
  bool good = true;
  size_t done = 0;
  for (const MathOp &op : math_ops()) {
    bool wanted = o.ops.empty();
    for (const std::string &name : o.ops) wanted = wanted || name == op.name;
    if (!wanted) continue;
    for (const std::string &type : o.types) {
      const bool f32 = type == "f32";
      if (!f32 && !math_oracle_has_f64()) {
        std::printf("| %s | f64 | not evaluated: built without MPFR\n", op.name.c_str());
        continue;
      }
      const int usual = f32 && op.arity == 1 ? (o.nightly ? 32 : 20) : (o.nightly ? 24 : (f32 ? 18 : 12));
      const int log2 = o.log2 != 0 ? o.log2 : usual;
      const Result r = f32 ? measure<float>(op, o, log2) : measure<double>(op, o, log2);
      const std::string row = format_row(op, type, log2, r, names);
      rows[row_key(row)] = row;
      std::printf("%s\n", row.c_str());
      std::fflush(stdout);
      good = good && r.beyond + r.wrong + r.bits == 0;
      ++done;
    }
  }
  if (!o.write.empty()) write_table(o.write, rows);
  if (done == 0) std::fprintf(stderr, "error: nothing was measured; see --ops and --types\n");
  return good && done != 0 ? 0 : 1;
}
