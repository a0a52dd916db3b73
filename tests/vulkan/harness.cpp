// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

namespace rayo_test {

Described::Described(const rayo_host &host, const std::string &op, const std::vector<Tensor> &inputs,
                     const Tensor &output, const std::vector<Attribute> &attributes, rayo_device *device) {
  const auto add = [&](const Tensor &t) {
    rayo_tensor_desc d{};
    d.dtype = t.dtype;
    d.ndim = static_cast<int32_t>(t.shape.size());
    d.shape = t.shape.data();
    d.strides = t.strides.data();
    d.device = {kDLVulkan, 0};
    operands_.push_back(d);
  };
  for (const Tensor &t : inputs) add(t);
  add(output);
  for (size_t i = 0; i < inputs.size(); ++i) inputs_.push_back(&operands_[i]);
  output_ = &operands_.back();
  for (const Attribute &a : attributes) {
    const bool is_text = a.kind == RAYO_ATTR_STRING;
    const bool is_real = a.kind == RAYO_ATTR_FLOAT;
    const size_t count = is_text ? a.text.size() : is_real ? a.reals.size() : a.ints.size();
    const void *data = is_text   ? static_cast<const void *>(a.text.c_str())
                       : is_real ? static_cast<const void *>(a.reals.data())
                                 : static_cast<const void *>(a.ints.data());
    attrs_.push_back({a.name.c_str(), a.kind, static_cast<uint32_t>(count), data});
  }
  desc_.struct_size = sizeof desc_;
  desc_.struct_type = RAYO_TYPE_OP_DESC;
  desc_.op = host.intern(&host, op.c_str());
  desc_.schema_version = 1;
  desc_.input_count = static_cast<uint32_t>(inputs_.size());
  desc_.output_count = 1;
  desc_.inputs = inputs_.data();
  desc_.outputs = &output_;
  desc_.attr_count = static_cast<uint32_t>(attrs_.size());
  desc_.attrs = attrs_.data();
  desc_.numerics = RAYO_NUMERICS_STRICT;
  desc_.max_threads = 1;
  desc_.device = device;
}

std::string Vulkan::said;

Vulkan::Vulkan() {
  host.log = [](const rayo_host *, int32_t level, const char *words) {
    if (level <= RAYO_LOG_WARN) said += std::string(words) + "\n";
  };
  static const mini::Plugin file(RAYO_VULKAN_PLUGIN);
  plugin = file.query(host);
  api = plugin->device_api;
  if (plugin->create(&host, &instance, &error) != RAYO_OK) throw std::runtime_error(error.text);
}
Vulkan::~Vulkan() { plugin->destroy(instance); }

uint32_t Vulkan::devices() {
  uint32_t count = 0;
  if (api->enumerate(instance, 0, nullptr, &count, &error) != RAYO_OK) throw std::runtime_error(error.text);
  return count;
}

rayo_device_info Vulkan::info(uint32_t index) {
  std::vector<rayo_device_info> infos(index + 1);
  std::vector<rayo_device_info *> pointers;
  for (rayo_device_info &i : infos) {
    i.struct_size = sizeof i;
    i.struct_type = RAYO_TYPE_DEVICE_INFO;
    pointers.push_back(&i);
  }
  uint32_t count = 0;
  api->enumerate(instance, index + 1, pointers.data(), &count, &error);
  return infos[index];
}

const vulkan_control &Vulkan::control() {
  return *static_cast<const vulkan_control *>(plugin->get_extension(instance, VULKAN_CONTROL_NAME, 1));
}

void VulkanTest::SetUp() {
  Vulkan::said.clear();
  vulkan.emplace();
  uint32_t count = 0;
  const bool asked = vulkan->api->enumerate(vulkan->instance, 0, nullptr, &count, &error) == RAYO_OK;
  if (!asked && std::string(error.text).find("vulkan-validationlayers") != std::string::npos)
    GTEST_SKIP() << "no validation layer here (./dev deps vulkan): " << error.text;
  if (vulkan->devices() == 0) GTEST_SKIP() << "no Vulkan device here: " << vulkan->host.error;
  api = vulkan->api;
  ASSERT_EQ(api->device_open(vulkan->instance, 0, &device, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api->queue_create(device, &queue, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api->queue_create(device, &other, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api->semaphore_create(device, 0, &done, &error), RAYO_OK) << error.text;
}

void VulkanTest::TearDown() {
  if (device == nullptr) return;
  api->queue_destroy(queue);
  api->queue_destroy(other);
  for (rayo_buffer *b : buffers) api->buffer_destroy(b);
  api->semaphore_destroy(done);
  EXPECT_EQ(vulkan->control().live_bytes(device), 0u) << "device memory was not given back";
  api->device_close(device);
  for (const Bound &b : bounds) b.kernel->release(vulkan->instance, b.prepared.state);
  EXPECT_EQ(vulkan->control().validation_messages(vulkan->instance) > 0, expected_messages > 0) << Vulkan::said;
}

rayo_buffer *VulkanTest::buffer(uint64_t bytes, uint32_t memory) {
  const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, bytes, memory, 0};
  rayo_buffer *made = nullptr;
  EXPECT_EQ(api->buffer_create(device, &desc, &made, &error), RAYO_OK) << error.text;
  if (made != nullptr) buffers.push_back(made);
  return made;
}

void VulkanTest::destroy(rayo_buffer *b) {
  std::erase(buffers, b);
  api->buffer_destroy(b);
}

namespace {
rayo_copy copy_of(uint64_t bytes, const std::vector<rayo_point> &waits, const std::vector<rayo_point> &signals) {
  rayo_copy c{};
  c.struct_size = sizeof c;
  c.struct_type = RAYO_TYPE_COPY;
  c.size = bytes;
  c.waits = waits.data();
  c.wait_count = static_cast<uint32_t>(waits.size());
  c.signals = signals.data();
  c.signal_count = static_cast<uint32_t>(signals.size());
  return c;
}
}  // namespace

rayo_status VulkanTest::upload(rayo_queue *q, rayo_buffer *to, const void *from, uint64_t bytes,
                               const std::vector<rayo_point> &waits, const std::vector<rayo_point> &signals) {
  rayo_copy c = copy_of(bytes, waits, signals);
  c.dst_buffer = to;
  c.src_host = from;
  return api->copy(q, &c);
}

rayo_status VulkanTest::download(rayo_queue *q, void *to, rayo_buffer *from, uint64_t bytes,
                                 const std::vector<rayo_point> &waits, const std::vector<rayo_point> &signals) {
  rayo_copy c = copy_of(bytes, waits, signals);
  c.src_buffer = from;
  c.dst_host = to;
  return api->copy(q, &c);
}

rayo_tensor VulkanTest::operand(rayo_buffer *b, const Tensor &like) {
  rayo_tensor t{};
  t.struct_size = sizeof t;
  t.struct_type = RAYO_TYPE_TENSOR;
  t.buffer = b;
  // Where this fails, the submission is refused for want of the handle: tests of failures want just that.
  if (api->buffer_handle(b, &t.dl.data, &error) != RAYO_OK) t.dl.data = nullptr;
  t.dl.device = {kDLVulkan, 0};
  t.dl.dtype = like.dtype;
  t.dl.ndim = static_cast<int32_t>(like.shape.size());
  t.dl.shape = const_cast<int64_t *>(like.shape.data());
  t.dl.strides = const_cast<int64_t *>(like.strides.data());
  t.dl.byte_offset = like.offset;
  return t;
}

Tensor VulkanTest::run(const std::string &op, const std::vector<Tensor> &inputs, Tensor output,
                       const std::vector<Attribute> &attributes, int in_place) {
  const rayo_kernel *kernel = mini::find_kernel(*vulkan->plugin, op);
  const Described described(vulkan->host, op, inputs, output, attributes, device);
  rayo_prepared prepared = mini::empty_prepared();
  EXPECT_EQ(kernel->supports(vulkan->instance, &described.desc()), RAYO_WHY_SUPPORTED) << op;
  const rayo_status status = kernel->prepare(vulkan->instance, &described.desc(), &prepared, &error);
  EXPECT_EQ(status, RAYO_OK) << error.text;
  if (status != RAYO_OK) return output;
  std::vector<rayo_buffer *> made;
  const auto place = [&](const Tensor &t) {
    rayo_buffer *b = buffer(t.bytes.size());
    EXPECT_EQ(upload(queue, b, t.bytes.data(), t.bytes.size()), RAYO_OK) << vulkan->host.error;
    made.push_back(b);
    return operand(b, t);
  };
  std::vector<rayo_tensor> in;
  in.reserve(inputs.size());
  for (const Tensor &t : inputs) in.push_back(place(t));
  const rayo_tensor out = in_place >= 0 ? in[static_cast<size_t>(in_place)] : place(output);
  std::vector<const rayo_tensor *> pointers;
  pointers.reserve(in.size());
  for (const rayo_tensor &t : in) pointers.push_back(&t);
  const rayo_tensor *outs[] = {&out};
  rayo_submit s{};
  s.struct_size = sizeof s;
  s.struct_type = RAYO_TYPE_SUBMIT;
  s.kernel = kernel;
  s.state = prepared.state;
  s.inputs = pointers.data();
  s.outputs = outs;
  s.input_count = static_cast<uint32_t>(pointers.size());
  s.output_count = 1;
  if (prepared.workspace_size > 0) made.push_back(s.workspace = buffer(prepared.workspace_size));
  EXPECT_EQ(api->submit(queue, &s), RAYO_OK) << vulkan->host.error;
  EXPECT_EQ(download(queue, output.bytes.data(), out.buffer, output.bytes.size()), RAYO_OK) << vulkan->host.error;
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
  for (rayo_buffer *b : made) destroy(b);
  kernel->release(vulkan->instance, prepared.state);
  return output;
}

std::vector<float> VulkanTest::run_floats(const std::string &op, const std::vector<Tensor> &inputs,
                                          std::vector<int64_t> shape, const std::vector<Attribute> &attributes) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  const Tensor output = floats(std::move(shape), std::vector<float>(static_cast<size_t>(count), -77.0f));
  return values_of<float>(run(op, inputs, output, attributes));
}

VulkanTest::Bound VulkanTest::bind(const std::string &op, int64_t count, uint32_t inputs) {
  Bound bound{mini::find_kernel(*vulkan->plugin, op), mini::empty_prepared(), count, inputs};
  const Tensor vector = floats({count}, {});
  const std::vector<Tensor> operands(inputs, vector);
  const Described described(vulkan->host, op, operands, vector, {}, device);
  EXPECT_EQ(bound.kernel->prepare(vulkan->instance, &described.desc(), &bound.prepared, &error), RAYO_OK) << error.text;
  bounds.push_back(bound);
  return bound;
}

rayo_status VulkanTest::submit(rayo_queue *q, const Bound &bound, const std::vector<rayo_buffer *> &in,
                               rayo_buffer *out, const std::vector<rayo_point> &waits,
                               const std::vector<rayo_point> &signals) {
  const Tensor vector = floats({bound.count}, {});
  std::vector<rayo_tensor> inputs;
  inputs.reserve(in.size());
  for (rayo_buffer *b : in) inputs.push_back(operand(b, vector));
  const rayo_tensor output = operand(out, vector);
  std::vector<const rayo_tensor *> pointers;
  pointers.reserve(inputs.size());
  for (const rayo_tensor &t : inputs) pointers.push_back(&t);
  const rayo_tensor *outputs[] = {&output};
  rayo_submit s{};
  s.struct_size = sizeof s;
  s.struct_type = RAYO_TYPE_SUBMIT;
  s.kernel = bound.kernel;
  s.state = bound.prepared.state;
  s.inputs = pointers.data();
  s.outputs = outputs;
  s.input_count = static_cast<uint32_t>(pointers.size());
  s.output_count = 1;
  s.waits = waits.data();
  s.wait_count = static_cast<uint32_t>(waits.size());
  s.signals = signals.data();
  s.signal_count = static_cast<uint32_t>(signals.size());
  return api->submit(q, &s);
}

}  // namespace rayo_test
