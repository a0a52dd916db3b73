// SPDX-License-Identifier: Apache-2.0
#include "resident.hpp"

#include <algorithm>

#include "tools/dtypes.hpp"

namespace rayo::tools::tune {

rayo_device *open_device(const Session &session, const std::string &id) {
  rayo_device *device = nullptr;
  check(rayo_device_find(session.runtime(), id.c_str(), &device));
  return device;
}

BufferPtr create_buffer(rayo_device *device, uint64_t bytes, uint32_t memory) {
  rayo_buffer *buffer = nullptr;
  check(rayo_buffer_create(device, std::max<uint64_t>(bytes, 1), memory, &buffer));
  return BufferPtr(buffer);
}

void ResidentOperands::add(rayo_device *device, const rayo_tensor &tensor, uint64_t bytes) {
  auto copy = std::make_unique<Copy>();
  copy->buffer = create_buffer(device, bytes, RAYO_MEMORY_DEVICE);
  copy->host = static_cast<char *>(tensor.dl.data) + tensor.dl.byte_offset;
  copy->bytes = bytes;
  check(rayo_buffer_tensor(copy->buffer.get(), 0, tensor.dl.dtype, tensor.dl.ndim, tensor.dl.shape, nullptr,
                           &copy->tensor));
  copies_.push_back(std::move(copy));
}

ResidentOperands::ResidentOperands(const Session &session, const std::string &device, bench::Operands &host) {
  rayo_device *const open = open_device(session, device);
  const auto bytes_of = [](const rayo_tensor &tensor) {
    uint64_t bytes = dtype_size(tensor.dl.dtype);
    for (int32_t axis = 0; axis < tensor.dl.ndim; ++axis) bytes *= static_cast<uint64_t>(tensor.dl.shape[axis]);
    return bytes;
  };
  for (const rayo_tensor *tensor : host.inputs()) add(open, *tensor, bytes_of(*tensor));
  input_count_ = copies_.size();
  for (const rayo_tensor *tensor : host.outputs()) add(open, *tensor, bytes_of(*tensor));
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    (i < input_count_ ? inputs_ : outputs_).push_back(&copies_[i]->tensor);
  }
  upload();
}

void ResidentOperands::upload() const {
  for (const auto &copy : copies_) check(rayo_buffer_upload(copy->buffer.get(), 0, copy->host, copy->bytes));
}

void ResidentOperands::fetch_outputs() const {
  for (std::size_t i = input_count_; i < copies_.size(); ++i) {
    check(rayo_buffer_download(copies_[i]->buffer.get(), 0, copies_[i]->host, copies_[i]->bytes));
  }
}

}  // namespace rayo::tools::tune
