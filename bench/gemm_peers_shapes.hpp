// SPDX-License-Identifier: Apache-2.0
//
// The shapes that gemm_peers measures: squares, and odd ones where blocked products tend to fall off.
#ifndef RAYO_BENCH_GEMM_PEERS_SHAPES_HPP
#define RAYO_BENCH_GEMM_PEERS_SHAPES_HPP

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "gemm_peers_isa.hpp"

/// "MxNxK", then t = B stored transposed, T = A stored transposed, *BATCH; separated by commas.
inline std::vector<Product> parse_shapes(const char *text) {
  std::vector<Product> shapes;
  for (char *p = const_cast<char *>(text); *p != '\0';) {
    Product s{1, 0, 0, 0, false, false};
    s.m = std::strtoll(p, &p, 10);
    if (*p == 'x') s.n = std::strtoll(p + 1, &p, 10);
    if (*p == 'x') s.k = std::strtoll(p + 1, &p, 10);
    for (; *p == 't' || *p == 'T'; ++p) (*p == 't' ? s.trans_b : s.trans_a) = true;
    if (*p == '*') s.batch = std::strtoll(p + 1, &p, 10);
    if (s.m < 1 || s.n < 1 || s.k < 1 || s.batch < 1 || (*p != ',' && *p != '\0')) {
      throw std::runtime_error("'" + std::string(text) + "' is no list of shapes; write MxNxK[T][t][*BATCH],...");
    }
    if (*p == ',') ++p;
    shapes.push_back(s);
  }
  return shapes;
}

inline std::vector<Product> default_shapes() {
  return parse_shapes(
      "64x64x64,96x96x96,100x100x100,128x128x128,192x192x192,256x256x256,384x384x384,511x511x511,512x512x512,"
      "513x513x513,768x768x768,1000x1000x1000,1024x1024x1024,1536x1536x1536,2048x2048x2048,"
      "8x8x8,16x16x16,24x24x24,32x32x32,20x30x40,"                                                  // overhead
      "2x1024x1024,4x1024x1024,8x1024x1024,8x4096x512,16x512x2048,40x1000x1000,100x2000x100,"       // skinny
      "1024x8x1024,1024x4x1024,4096x12x256,1000x40x1000,2000x100x100,8192x16x16,"                   // tall
      "256x256x1,256x256x4,256x256x16,512x512x32,1000x1000x64,64x64x4096,16x16x4096,256x256x4096,"  // k
      "127x129x131,333x777x555,1023x1025x511,"                                                      // no round number
      "256x256x256t,256x256x256T,512x512x512tT,1000x100x500t,"                                      // transposed
      "32x32x32*64,16x16x16*256,100x100x100*16,8x512x64*32,"                                        // batched
      "1024x1x1024,100x1x1024,1x1024x1024,1x100x1024");                                             // vectors
}

#endif  // RAYO_BENCH_GEMM_PEERS_SHAPES_HPP
