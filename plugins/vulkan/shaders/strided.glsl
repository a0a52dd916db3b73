// SPDX-License-Identifier: Apache-2.0
//
// Where element i of an elementwise call lies in each of up to four operands. Extents and strides come innermost first;
// what does not fit four axes is walked by the host with one dispatch each.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint kOp = 0;
layout(constant_id = 2) const bool kLine = true;  // one axis

layout(push_constant, std430) uniform Push {
  ivec4 offset;  // of element 0 of the buffers at bindings 0 to 3
  uvec4 shape;
  ivec4 stride[4];
  uint count;
  float parameter;
} push;

ivec4 locate(uint i) {
  ivec4 at = push.offset;
  if (kLine) {
    for (int k = 0; k < 4; ++k) at[k] += int(i) * push.stride[k].x;
    return at;
  }
  for (int axis = 0; axis < 4; ++axis) {
    uint extent = push.shape[axis];
    int index = int(axis == 3 ? i : i % extent);
    i /= extent;
    for (int k = 0; k < 4; ++k) at[k] += index * push.stride[k][axis];
  }
  return at;
}

#define FOR_EACH(i) \
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
