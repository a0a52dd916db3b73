// SPDX-License-Identifier: Apache-2.0
//
// What a report says, taken from the stream of its tokens: only the members that decide are kept.
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/env.hpp"
#include "base/error.hpp"
#include "loader/certificate.hpp"

namespace rayo {
namespace {

using nlohmann::json;

constexpr std::string_view kSchema = "urn:rayo:conform:1";
constexpr size_t kDeepest = 16;
constexpr std::array<std::string_view, 5> kFailures = {"failed", "crashed", "hung", "distrusted", "expected_fail"};

struct Summary {
  std::optional<uint64_t> passed;
  std::array<std::optional<uint64_t>, kFailures.size()> failures;
};

struct Report {
  std::optional<std::string> sha256;
  std::optional<bool> good;
  std::optional<std::string> refused;
  Summary summary;
  uint64_t cases = 0;
  uint64_t passed = 0;        // counted in the cases
  std::string first_failure;  // the state of the first case that is one
};

// Why it does not pass; "" = it does.
std::string judge_report(const Report &r) {
  if (!r.good || !r.refused || !r.summary.passed) return "lacks good, refused or summary.passed";
  if (!r.refused->empty()) return fmt::format("says that it was not judged: {}", quote(*r.refused));
  for (size_t i = 0; i < kFailures.size(); ++i) {
    if (!r.summary.failures[i]) return fmt::format("lacks summary.{}", kFailures[i]);
    if (*r.summary.failures[i] > 0) return fmt::format("counts {} cases as {}", *r.summary.failures[i], kFailures[i]);
  }
  if (!*r.good) return "says that the plugin did not pass";
  if (!r.first_failure.empty()) return fmt::format("lists a case that is {}", quote(r.first_failure));
  if (r.passed == 0) return "lists no passed case";
  if (r.passed != *r.summary.passed) {
    return fmt::format("counts {} passed cases, but lists {}", *r.summary.passed, r.passed);
  }
  return "";
}

// The SAX interface of nlohmann-json: returning false ends the reading.
class Reader : public nlohmann::json_sax<json> {
 public:
  explicit Reader(std::string_view sha256) : sha256_(sha256) {}

  std::string verdict() const {
    if (!problem_.empty()) return problem_;
    if (!schema_ || *schema_ != kSchema) {
      return fmt::format("has the schema {}; expected '{}'", schema_ ? quote(*schema_) : "(none)", kSchema);
    }
    if (!kind_ || *kind_ != "full") {
      return fmt::format("is the report of a run of kind {}; only a full run counts", kind_ ? quote(*kind_) : "(none)");
    }
    if (!found_) return "is about other files: none of its reports has this SHA-256";
    return report_verdict_;
  }

  bool null() override { return true; }
  bool boolean(bool value) override {
    if (where() == Where::report && key() == "good") return keep(report_.good, value);
    return true;
  }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t value) override {
    if (where() != Where::summary) return true;
    if (key() == "passed") return keep(report_.summary.passed, value);
    for (size_t i = 0; i < kFailures.size(); ++i) {
      if (key() == kFailures[i]) return keep(report_.summary.failures[i], value);
    }
    return true;
  }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool string(string_t &value) override {
    if (where() == Where::root && key() == "schema") return keep(schema_, value);
    if (where() == Where::run && key() == "kind") return keep(kind_, value);
    if (where() == Where::report && key() == "sha256") return keep(report_.sha256, value);
    if (where() == Where::report && key() == "refused") return keep(report_.refused, value);
    if (where() == Where::a_case && key() == "state") count(value);
    return true;
  }

  bool start_object(std::size_t) override { return enter(true); }
  bool key(string_t &name) override {
    levels_.back().key = name.size() < 64 ? name : string_t();
    return true;
  }
  bool end_object() override {
    if (where() == Where::report) finish_report();
    levels_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_array() override {
    levels_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string &, const nlohmann::detail::exception &) override {
    problem_ = fmt::format("is not a complete JSON document: unreadable at byte {}", position);
    return false;
  }

 private:
  enum class Where { outside, root, run, reports, report, summary, cases, a_case, other };
  struct Level {
    Where where;
    std::string key;
  };

  Where where() const { return levels_.empty() ? Where::outside : levels_.back().where; }
  const std::string &key() const { return levels_.back().key; }

  Where inner(bool object) const {
    switch (where()) {
      case Where::outside:
        return object ? Where::root : Where::other;
      case Where::root:
        if (object) return key() == "run" ? Where::run : Where::other;
        return key() == "reports" ? Where::reports : Where::other;
      case Where::reports:
        return object ? Where::report : Where::other;
      case Where::report:
        if (object) return key() == "summary" ? Where::summary : Where::other;
        return key() == "cases" ? Where::cases : Where::other;
      case Where::cases:
        return object ? Where::a_case : Where::other;
      default:
        return Where::other;
    }
  }

  bool enter(bool object) {
    if (levels_.size() == kDeepest) {
      problem_ = fmt::format("nests deeper than {}", kDeepest);
      return false;
    }
    const Where next = inner(object);
    if (next == Where::report) report_ = Report{};
    levels_.push_back({next, {}});
    return true;
  }

  // A member that decides stands once.
  template <class T, class V>
  bool keep(std::optional<T> &place, const V &value) {
    if (place) {
      problem_ = fmt::format("holds {} twice", quote(key()));
      return false;
    }
    place = value;
    return true;
  }

  void count(const std::string &state) {
    ++report_.cases;
    if (state == "passed") {
      ++report_.passed;
    } else if (state != "unsupported" && state != "not_evaluated" && report_.first_failure.empty()) {
      report_.first_failure = state;
    }
  }

  void finish_report() {
    if (report_.sha256 != sha256_) return;
    const std::string verdict = judge_report(report_);
    if (!found_ || report_verdict_.empty()) report_verdict_ = verdict;
    found_ = true;
  }

  std::string sha256_;
  std::vector<Level> levels_;
  std::optional<std::string> schema_;
  std::optional<std::string> kind_;
  Report report_;
  bool found_ = false;
  std::string report_verdict_;
  std::string problem_;
};

}  // namespace

std::string judge_certificate(std::string_view text, std::string_view sha256) {
  Reader reader(sha256);
  json::sax_parse(text.begin(), text.end(), &reader);  // what ends it early is the reader's problem
  return reader.verdict();
}

}  // namespace rayo
