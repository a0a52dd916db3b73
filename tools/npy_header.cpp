// SPDX-License-Identifier: Apache-2.0
//
// A parser for exactly the dictionary that .npy headers hold; every refusal says what was found and what is legal.
#include "npy_header.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "command.hpp"
#include "dtypes.hpp"
#include "host_tensor.hpp"

namespace rayo::tools {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr const char *kLegalTypes = "f2, f4, f8, i1, u1, i4, i8, b1, and u2 with --dtype bf16";

struct NpyType {
  std::string_view code;  // kind and size, without the byte order
  DLDataType dtype;
};

constexpr NpyType kNpyTypes[] = {
    {"f2", {kDLFloat, 16, 1}}, {"f4", {kDLFloat, 32, 1}},  {"f8", {kDLFloat, 64, 1}}, {"i1", {kDLInt, 8, 1}},
    {"u1", {kDLUInt, 8, 1}},   {"i4", {kDLInt, 32, 1}},    {"i8", {kDLInt, 64, 1}},   {"b1", {kDLUInt, 8, 1}},
    {"?", {kDLUInt, 8, 1}},    {"u2", {kDLBfloat, 16, 1}}, {"b", {kDLInt, 8, 1}},     {"B", {kDLUInt, 8, 1}},
};

// Text from a file, made printable and short.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string result;
  for (const char c : text.substr(0, kLongest)) {
    const bool printable = c >= 0x20 && c < 0x7f;
    result += printable ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text.size() > kLongest ? result + "..." : result;
}

// Reads the dictionary literal {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class DictParser {
 public:
  DictParser(std::string_view text, const std::string &file) : text_(text), file_(file) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = parse_string("a key");
      expect(':');
      if (key == "descr") {
        once(descr.has_value(), key);
        descr = parse_descr();
      } else if (key == "fortran_order") {
        once(fortran_order.has_value(), key);
        fortran_order = parse_bool();
      } else if (key == "shape") {
        once(shape.has_value(), key);
        shape = parse_shape();
      } else {
        fail(fmt::format("unknown key '{}'; legal: descr, fortran_order, shape", shown(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) fail(fmt::format("text after the dictionary: '{}'", rest()));
    if (!descr) fail("key 'descr' is missing");
    if (!fortran_order) fail("key 'fortran_order' is missing");
    if (!shape) fail("key 'shape' is missing");
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;

 private:
  [[noreturn]] void fail(const std::string &what) const {
    throw CommandError(RAYO_IO,
                       fmt::format("{}: bad .npy header: {}; write the file again with numpy.save", file_, what));
  }
  void once(bool present, std::string_view key) const {
    if (present) fail(fmt::format("key '{}' appears twice", key));
  }
  std::string rest() const { return shown(text_.substr(position_)); }
  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
  }
  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("expected '{}' at '{}'", c, rest()));
  }
  std::string_view parse_string(const char *what) {
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    const std::size_t end = quote == '\0' ? std::string_view::npos : text_.find(quote, position_);
    if (end == std::string_view::npos) fail(fmt::format("expected {} in quotes at '{}'", what, rest()));
    const std::string_view value = text_.substr(position_, end - position_);
    position_ = end + 1;
    return value;
  }
  std::string_view parse_descr() {
    if (accept('[')) {
      throw CommandError(RAYO_UNSUPPORTED,
                         fmt::format("{}: structured type [{}; legal types: {}", file_, rest(), kLegalTypes));
    }
    return parse_string("a type such as '<f4'");
  }
  bool parse_bool() {
    skip_space();
    for (const auto &[word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (text_.substr(position_, word.size()) != word) continue;
      position_ += word.size();
      return value;
    }
    fail(fmt::format("fortran_order is '{}'; legal: True, False", rest()));
  }
  std::vector<int64_t> parse_shape() {
    std::vector<int64_t> extents;
    if (!accept('(')) fail(fmt::format("shape is '{}'; legal: a tuple of integers such as (2, 3)", rest()));
    while (!accept(')')) {
      extents.push_back(parse_extent());
      if (extents.size() > RAYO_MAX_NDIM) {
        throw CommandError(RAYO_UNSUPPORTED, fmt::format("{}: more than {} axes; legal ranks: 0 to {}", file_,
                                                         RAYO_MAX_NDIM, RAYO_MAX_NDIM));
      }
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }
  int64_t parse_extent() {
    skip_space();
    int64_t value = 0;
    const char *begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) {
      fail(fmt::format("shape holds '{}'; legal: integers from 0 to 9223372036854775807", rest()));
    }
    position_ += static_cast<std::size_t>(end - begin);
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // written by Python 2
    return value;
  }

  std::string_view text_;
  const std::string &file_;
  std::size_t position_ = 0;
};

void read_type(std::string_view descr, const std::string &file, bool u2_is_bf16, NpyHeader &header) {
  const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const std::string_view code = descr.substr(has_order ? 1 : 0);
  if (code == "O") {
    throw CommandError(RAYO_REFUSED, fmt::format("{}: holds pickled Python objects (type '{}'), which Rayo never "
                                                 "unpickles; save numbers, e.g. numpy.save(f, a.astype('f4'))",
                                                 file, shown(descr)));
  }
  for (const NpyType &type : kNpyTypes) {
    if (type.code != code) continue;
    if (type.dtype.code == kDLBfloat && !u2_is_bf16) break;
    header.dtype = type.dtype;
    header.boolean = code == "b1" || code == "?";
    header.big_endian = has_order && descr[0] == '>' && type.dtype.bits > 8;
    return;
  }
  throw CommandError(RAYO_UNSUPPORTED,
                     fmt::format("{}: unsupported type '{}'; legal types: {}", file, shown(descr), kLegalTypes));
}

// What the first bytes of a file that is no .npy file look like.
std::string guess_format(std::string_view prefix) {
  if (prefix.empty()) return "it is empty";
  if (prefix.substr(0, 2) == "PK") return "it looks like an .npz or zip archive; extract the arrays first";
  if (prefix[0] == '\x80') return "it looks like a Python pickle, which Rayo never loads; use numpy.save";
  return fmt::format("it begins with '{}'; legal: '\\x93NUMPY', as numpy.save writes",
                     shown(prefix.substr(0, kMagic.size())));
}

// Length of the header text, and through `offset` where it begins.
uint64_t header_length(std::string_view prefix, const std::string &file, uint64_t *offset) {
  const auto byte = [&](std::size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(prefix[i])); };
  if (prefix.substr(0, kMagic.size()) != kMagic.substr(0, prefix.size()) || prefix.empty()) {
    throw CommandError(RAYO_IO, fmt::format("{}: not an .npy file: {}", file, guess_format(prefix)));
  }
  const uint64_t major = prefix.size() > 7 ? byte(6) : 1;
  if (prefix.size() > 7 && (major < 1 || major > 3 || byte(7) != 0)) {
    throw CommandError(RAYO_UNSUPPORTED,
                       fmt::format("{}: .npy format version {}.{}; legal: 1.0, 2.0, 3.0", file, major, byte(7)));
  }
  *offset = major == 1 ? 10 : 12;
  if (prefix.size() < *offset) {
    throw CommandError(RAYO_IO, fmt::format("{}: truncated: {} bytes, the header alone has more; copy or write the "
                                            "file again",
                                            file, prefix.size()));
  }
  if (major == 1) return byte(8) | byte(9) << 8;
  return byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
}

void check_size(const NpyHeader &header, uint64_t file_size, const std::string &file) {
  const uint64_t expected = header.count * dtype_size(header.dtype);
  const uint64_t found = file_size - header.data_offset;
  if (found == expected) return;
  throw CommandError(RAYO_IO, fmt::format("{}: {}: shape {} of type {} needs {} bytes of data, the file holds {}; copy "
                                          "or write the file again",
                                          file, found < expected ? "truncated" : "bytes after the array",
                                          shape_text(header.shape), dtype_name(header.dtype), expected, found));
}

}  // namespace

NpyHeader parse_npy_header(std::string_view prefix, uint64_t file_size, const std::string &file, bool u2_is_bf16) {
  uint64_t offset = 0;
  const uint64_t length = header_length(prefix, file, &offset);
  if (length > kNpyLongestHeader) {
    throw CommandError(RAYO_IO, fmt::format("{}: header of {} bytes; legal: up to {}; write the file again with "
                                            "numpy.save",
                                            file, length, kNpyLongestHeader));
  }
  if (offset + length > prefix.size()) {
    throw CommandError(RAYO_IO, fmt::format("{}: truncated: the header should end at byte {}, the file has {} bytes; "
                                            "copy or write the file again",
                                            file, offset + length, file_size));
  }
  DictParser parser(prefix.substr(offset, length), file);
  parser.parse();
  NpyHeader header;
  header.data_offset = offset + length;
  header.fortran_order = *parser.fortran_order;
  header.shape = *parser.shape;
  read_type(*parser.descr, file, u2_is_bf16, header);
  if (!element_count(header.shape, dtype_size(header.dtype), &header.count)) {
    throw CommandError(RAYO_IO, fmt::format("{}: shape {} of type {} has more bytes than an address can count; write "
                                            "the file again with numpy.save",
                                            file, shape_text(header.shape), dtype_name(header.dtype)));
  }
  check_size(header, file_size, file);
  return header;
}

std::string make_npy_header(DLDataType dtype, const std::vector<int64_t> &shape) {
  const auto *type = std::find_if(std::begin(kNpyTypes), std::end(kNpyTypes),
                                  [&](const NpyType &candidate) { return same_dtype(candidate.dtype, dtype); });
  if (type == std::end(kNpyTypes)) {
    throw CommandError(RAYO_UNSUPPORTED,
                       fmt::format("type {} has no .npy form; legal: {}", dtype_name(dtype), dtype_names()));
  }
  std::string extents;
  for (const int64_t extent : shape) extents += fmt::format("{},{}", extent, shape.size() == 1 ? "" : " ");
  if (shape.size() > 1) extents.erase(extents.size() - 2);
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                 dtype.bits == 8 ? '|' : '<', type->code, extents);
  constexpr std::size_t kStart = 10;
  text.append((64 - (kStart + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace rayo::tools
