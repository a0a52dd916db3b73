// SPDX-License-Identifier: Apache-2.0
#include "digest.hpp"

#include <sha2.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <sstream>
#include <stdexcept>

#include "calls.hpp"

namespace rayo::digests {
namespace {

class Sha256 {
 public:
  Sha256() { SHA256Init(&context_); }
  void add(const void *data, std::size_t size) { SHA256Update(&context_, static_cast<const uint8_t *>(data), size); }
  void add(const std::string &text) { add(text.data(), text.size() + 1); }
  std::string hex() {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
    SHA256End(&context_, text.data());
    return text.data();
  }

 private:
  SHA2_CTX context_{};
};

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

// "x:Q" or "[y:Q]" to "Q", for every operand.
std::vector<std::string> operand_types(const char *operands) {
  std::vector<std::string> types;
  for (const std::string &operand : split(operands, ' ')) {
    const std::size_t colon = operand.find(':');
    types.push_back(operand.substr(colon + 1, operand.find(']') - colon - 1));
  }
  return types;
}

int64_t elements(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

// Memory of one operand, laid out in a manner. Logical values go in and come out in row-major order.
class Operand {
 public:
  Operand(DLDataType dtype, std::vector<int64_t> shape, const Manner &manner)
      : dtype_(dtype), size_(dtype.bits / 8), shape_(std::move(shape)), strides_(shape_.size()) {
    const bool columns = manner.layout == Manner::columns;
    int64_t step = columns ? 2 : 1;  // gaps of one element
    for (std::size_t i = 0; i < shape_.size(); ++i) {
      const std::size_t axis = columns ? i : shape_.size() - 1 - i;
      strides_[axis] = step;
      step *= std::max<int64_t>(shape_[axis], 1);
    }
    if (manner.layout == Manner::reversed) {
      for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
        first_ += std::max<int64_t>(shape_[axis] - 1, 0) * strides_[axis];
        strides_[axis] = -strides_[axis];
      }
    }
    memory_.assign(static_cast<std::size_t>(step + 2) * size_ + 128, 0xA5);
    const std::size_t past = reinterpret_cast<uintptr_t>(memory_.data()) % 64;
    start_ = memory_.data() + (64 - past) % 64 + manner.offset;
  }

  void write(const std::vector<uint8_t> &values) {
    walk([&](std::size_t i, uint8_t *at) { std::memcpy(at, values.data() + i * size_, size_); });
  }
  std::vector<uint8_t> read() {
    std::vector<uint8_t> values(static_cast<std::size_t>(elements(shape_)) * size_);
    walk([&](std::size_t i, uint8_t *at) { std::memcpy(values.data() + i * size_, at, size_); });
    return values;
  }
  rayo_tensor tensor() {
    return rayo_tensor_make(start_ + first_ * static_cast<int64_t>(size_), dtype_, static_cast<int32_t>(shape_.size()),
                            shape_.data(), strides_.data());
  }

 private:
  template <class Body>
  void walk(Body &&body) {
    const int64_t count = elements(shape_);
    for (int64_t i = 0; i < count; ++i) {
      int64_t at = first_, rest = i;
      for (std::size_t axis = shape_.size(); axis-- > 0; rest /= shape_[axis])
        at += rest % shape_[axis] * strides_[axis];
      body(static_cast<std::size_t>(i), start_ + at * static_cast<int64_t>(size_));
    }
  }

  DLDataType dtype_;
  std::size_t size_;
  std::vector<int64_t> shape_, strides_;
  int64_t first_ = 0;  // where logical element 0 lies, in elements
  std::vector<uint8_t> memory_;
  uint8_t *start_ = nullptr;
};

std::vector<const rayo_tensor *> pointers_to(const std::vector<rayo_tensor> &tensors,
                                             const std::vector<Input> *inputs) {
  std::vector<const rayo_tensor *> pointers;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    pointers.push_back(inputs != nullptr && (*inputs)[i].absent ? nullptr : &tensors[i]);
  return pointers;
}

// One call; its outputs' shapes, types and values go into the digest. False: no reproducible kernel on this device.
bool run_call(Runtime &runtime, const Entry &entry, const Call &call, uint32_t index, const std::string &device,
              const Manner &manner, Sha256 *sha) {
  std::vector<Operand> inputs;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const Input &input = call.inputs[i];
    const DLDataType dtype = parse_type(entry.input_types[i]);
    inputs.emplace_back(dtype, input.shape, manner);
    inputs.back().write(
        make_values(dtype, input.fill, elements(input.shape), entry.key(), index, static_cast<uint32_t>(i)));
  }
  std::vector<rayo_tensor> in, out;
  for (Operand &operand : inputs) in.push_back(operand.tensor());
  const std::vector<const rayo_tensor *> in_pointers = pointers_to(in, &call.inputs);
  const std::vector<rayo_attr> attributes = call.attributes.c();
  const rayo_op op = find_op_or_throw(entry.op);
  const auto in_count = static_cast<uint32_t>(in.size());

  std::vector<rayo_shape> shapes(RAYO_MAX_OPERANDS);
  uint32_t out_count = 0;
  check(rayo_infer_shapes(runtime.get(), op, in_pointers.data(), in_count, attributes.data(), shapes.data(),
                          RAYO_MAX_OPERANDS, &out_count));
  std::vector<Operand> outputs;
  for (uint32_t i = 0; i < out_count; ++i)
    outputs.emplace_back(shapes[i].dtype, std::vector<int64_t>(shapes[i].extents, shapes[i].extents + shapes[i].ndim),
                         manner);
  for (Operand &operand : outputs) out.push_back(operand.tensor());
  const std::vector<const rayo_tensor *> out_pointers = pointers_to(out, nullptr);

  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = device.c_str();
  options.threads = manner.threads;
  options.numerics = RAYO_POLICY_REPRODUCIBLE;
  const rayo_status status = rayo_run_with(runtime.get(), op, in_pointers.data(), in_count, out_pointers.data(),
                                           out_count, attributes.data(), &options);
  if (status == RAYO_UNSUPPORTED) return false;
  check(status);
  for (uint32_t i = 0; i < out_count; ++i) {
    std::ostringstream header;
    header << int{shapes[i].dtype.code} << ' ' << int{shapes[i].dtype.bits};
    for (int32_t axis = 0; axis < shapes[i].ndim; ++axis) header << ' ' << shapes[i].extents[axis];
    sha->add(header.str());
    std::vector<uint8_t> values = outputs[i].read();
    canonicalise_nans(shapes[i].dtype, &values);
    sha->add(values.data(), values.size());
  }
  return true;
}

// Every choice of values for the type variables that inputs bind: "P=u8,i8 Q=u8,i8" gives 4.
std::vector<std::map<std::string, std::string>> choices(const rayo_op_info &info,
                                                        const std::vector<std::string> &input_types,
                                                        std::vector<std::string> *order) {
  std::vector<std::map<std::string, std::string>> all = {{}};
  for (const std::string &variable : split(info.types, ' ')) {
    const std::string name = variable.substr(0, variable.find('='));
    // cast's D is bound by its attribute alone: the calls go through its values.
    if (std::find(input_types.begin(), input_types.end(), name) == input_types.end()) continue;
    order->push_back(name);
    std::vector<std::map<std::string, std::string>> next;
    for (const auto &choice : all) {
      for (const std::string &type : split(variable.substr(variable.find('=') + 1), ',')) {
        next.push_back(choice);
        next.back()[name] = type;
      }
    }
    all = std::move(next);
  }
  return all;
}

}  // namespace

std::vector<Entry> entries(const Runtime &runtime) {
  std::vector<Entry> all;
  for (const rayo_op_info &info : runtime.ops()) {
    if (std::string(info.origin) != "rayo" || info.numerics != RAYO_NUMERICS_REPRODUCIBLE) continue;
    const std::vector<std::string> input_types = operand_types(info.inputs);
    std::vector<std::string> order;
    for (const auto &choice : choices(info, input_types, &order)) {
      Entry entry{info.name, info.family, "", {}};
      for (const std::string &variable : order) entry.types += (entry.types.empty() ? "" : ",") + choice.at(variable);
      for (const std::string &type : input_types)
        entry.input_types.push_back(choice.contains(type) ? choice.at(type) : type);
      all.push_back(std::move(entry));
    }
  }
  return all;
}

const std::vector<Manner> &manners() {
  static const std::vector<Manner> all = {{"1 thread, aligned", 1, 0, Manner::compact},
                                          {"2 threads, 1 byte off", 2, 1, Manner::compact},
                                          {"7 threads, 4 bytes off, column-major with gaps", 7, 4, Manner::columns},
                                          {"1 thread, 36 bytes off, every axis reversed", 1, 36, Manner::reversed},
                                          {"7 threads, 63 bytes off", 7, 63, Manner::compact},
                                          {"2 threads, 16 bytes off, column-major with gaps", 2, 16, Manner::columns}};
  return all;
}

std::optional<std::string> digest(Runtime &runtime, const Entry &entry, const std::string &device, const Manner &manner,
                                  std::vector<std::string> *per_call) {
  const std::vector<Call> calls = calls_of(entry.op, entry.family, entry.types);
  if (calls.empty()) throw std::runtime_error(entry.op + ": no calls are listed for it in tests/digests/calls.cpp");
  Sha256 sha;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Sha256 one;
    if (!run_call(runtime, entry, calls[i], static_cast<uint32_t>(i), device, manner, &one)) return std::nullopt;
    const std::string hex = one.hex();
    sha.add(hex);
    if (per_call != nullptr) per_call->push_back(hex);
  }
  return sha.hex();
}

}  // namespace rayo::digests
