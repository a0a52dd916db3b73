// SPDX-License-Identifier: Apache-2.0
//
// matmul and gemm: a workgroup of kX x kY invocations makes a tile of 4 kY x 4 kX results, each invocation 4 x 4 of
// them, from strips of kDepth columns of A and rows of B in shared memory. An element is one chain of multiply-adds
// over ascending k from +0; nothing needs subgroups.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "arith.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 0) const uint kX = 16;
layout(constant_id = 1) const uint kY = 16;
layout(constant_id = 2) const uint kDepth = 16;

const uint kAlpha = 1u, kBetaC = 2u;      // flags: what follows the product
const uint kRowsOfA = 4u, kRowsOfB = 8u;  // A lies closest along k, B along n: loaded so

layout(push_constant, std430) uniform Push {
  ivec4 offset;  // of A, B, C, Y
  uvec3 size;    // m, n, k
  int batch_a;   // strides from matrix to matrix
  ivec4 stride_ab;  // A along m, k; B along k, n
  ivec4 stride_cy;  // C along m, n; Y along m, n
  int batch_b;
  int batch_y;
  float alpha;
  float beta;
  uint flags;
} push;

layout(binding = 0) readonly buffer A { uint a[]; };
layout(binding = 1) readonly buffer B { uint b[]; };
layout(binding = 2) readonly buffer C { uint c[]; };
layout(binding = 3) writeonly buffer Y { uint y[]; };

const uint kThreads = kX * kY;
const uint kTileM = 4u * kY;
const uint kTileN = 4u * kX;

shared float strip_a[kDepth * kTileM];  // [k][m]
shared float strip_b[kDepth * kTileN];  // [k][n]
shared uint tiny;                       // where a product might be, or a sum be decided by, a subnormal

// Nonzero and below 2^-51: products of two others are at least 2^-102, and their sums multiples of 2^-125.
bool is_tiny(float v) { return magnitude(v) - 1u < 0x26000000u - 1u; }

void load_strips(uint first_m, uint first_n, uint first_k, int base_a, int base_b) {
  bool found = false, rows_of_a = (push.flags & kRowsOfA) != 0u, rows_of_b = (push.flags & kRowsOfB) != 0u;
  for (uint t = gl_LocalInvocationIndex; t < kDepth * kTileM; t += kThreads) {
    uint k = rows_of_a ? t % kDepth : t / kTileM, m = rows_of_a ? t / kDepth : t % kTileM;
    float v = 0.0;
    if (first_m + m < push.size.x && first_k + k < push.size.z)
      v = uintBitsToFloat(a[base_a + int(first_m + m) * push.stride_ab.x + int(first_k + k) * push.stride_ab.y]);
    strip_a[k * kTileM + m] = v;
    found = found || is_tiny(v);
  }
  for (uint t = gl_LocalInvocationIndex; t < kDepth * kTileN; t += kThreads) {
    uint n = rows_of_b ? t % kTileN : t / kDepth, k = rows_of_b ? t / kTileN : t % kDepth;
    float v = 0.0;
    if (first_n + n < push.size.y && first_k + k < push.size.z)
      v = uintBitsToFloat(b[base_b + int(first_k + k) * push.stride_ab.z + int(first_n + n) * push.stride_ab.w]);
    strip_b[k * kTileN + n] = v;
    found = found || is_tiny(v);
  }
  if (kSoft && found) atomicOr(tiny, 1u);
}

// One strip where subnormals may matter. The accumulators become an array here alone, so that the body is compiled once.
void add_carefully(uint depth, uint my_m, uint my_n, inout vec4 r0, inout vec4 r1, inout vec4 r2, inout vec4 r3) {
  vec4 acc[4] = vec4[4](r0, r1, r2, r3);
  for (uint k = 0u; k < depth; ++k)
    for (uint e = 0u; e < 16u; ++e)
      acc[e / 4u][e % 4u] = add(mul(strip_a[k * kTileM + my_m + e / 4u], strip_b[k * kTileN + my_n + e % 4u]),
                                acc[e / 4u][e % 4u]);
  r0 = acc[0];
  r1 = acc[1];
  r2 = acc[2];
  r3 = acc[3];
}

void store(uint first_m, uint first_n, vec4 acc[4], int base_y) {
  for (uint e = 0u; e < 16u; ++e) {
    uint m = first_m + e / 4u, n = first_n + e % 4u;
    if (m >= push.size.x || n >= push.size.y) continue;
    float v = acc[e / 4u][e % 4u];
    if ((push.flags & kAlpha) != 0u) v = mul(push.alpha, v);
    if ((push.flags & kBetaC) != 0u)
      v = add(mul(push.beta, uintBitsToFloat(c[push.offset.z + int(m) * push.stride_cy.x + int(n) * push.stride_cy.y])),
              v);
    y[base_y + int(m) * push.stride_cy.z + int(n) * push.stride_cy.w] = bits(v);
  }
}

void main() {
  uint first_m = gl_WorkGroupID.y * kTileM, first_n = gl_WorkGroupID.x * kTileN;
  uint my_m = gl_LocalInvocationID.y * 4u, my_n = gl_LocalInvocationID.x * 4u;
  int matrix = int(gl_WorkGroupID.z);
  int base_a = push.offset.x + matrix * push.batch_a;
  int base_b = push.offset.y + matrix * push.batch_b;
  int base_y = push.offset.w + matrix * push.batch_y;
  vec4 r0 = vec4(0.0), r1 = vec4(0.0), r2 = vec4(0.0), r3 = vec4(0.0);
  if (gl_LocalInvocationIndex == 0u) tiny = 0u;
  barrier();
  for (uint first_k = 0u; first_k < push.size.z; first_k += kDepth) {
    load_strips(first_m, first_n, first_k, base_a, base_b);
    barrier();
    uint depth = min(kDepth, push.size.z - first_k);
    if (kSoft && tiny != 0u) {
      add_carefully(depth, my_m, my_n, r0, r1, r2, r3);
    } else {
      for (uint k = 0u; k < depth; ++k) {
        uint at = k * kTileM + my_m, bt = k * kTileN + my_n;
        vec4 w = vec4(strip_b[bt], strip_b[bt + 1u], strip_b[bt + 2u], strip_b[bt + 3u]);
        r0 = fma(vec4(strip_a[at]), w, r0);
        r1 = fma(vec4(strip_a[at + 1u]), w, r1);
        r2 = fma(vec4(strip_a[at + 2u]), w, r2);
        r3 = fma(vec4(strip_a[at + 3u]), w, r3);
      }
    }
    barrier();
  }
  store(first_m + my_m, first_n + my_n, vec4[4](r0, r1, r2, r3), base_y);
}
