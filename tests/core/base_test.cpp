// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "base/cpu_count.hpp"
#include "base/env.hpp"
#include "base/error.hpp"
#include "base/in_flight.hpp"
#include "base/log.hpp"
#include "base/sha256.hpp"
#include "base/uninterrupted.hpp"
#include "loader/cpu_features.hpp"
#include "loader/fp_env.hpp"
#include "temp_folder.hpp"

namespace rayo {
namespace {

template <class Function>
std::string message_of(Function &&function) {
  try {
    function();
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(InFlight, WaitingInsideACallIsRefused) {
  const InFlight call(kAnyTarget);
  const std::string text = message_of([] { check_can_wait_for_calls("the test"); });
  EXPECT_NE(text.find("the test was called from inside a call"), std::string::npos) << text;
}

TEST(InFlight, AWaiterWaitsForCallsOfItsTargetAndForNoOther) {
  ASSERT_EQ(message_of([] { check_can_wait_for_calls("the test"); }), "");
  const int mine = 0, other = 0;
  std::atomic<int> stage{0};
  std::thread caller([&] {
    const InFlight call(&mine);
    stage = 1;
    while (stage != 2) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stage = 3;
  });
  while (stage != 1) std::this_thread::yield();
  wait_for_calls(&other);  // would hang here
  stage = 2;
  wait_for_calls(&mine);
  EXPECT_EQ(stage, 3);
  caller.join();
}

TEST(InFlight, ANestedCallOfAnotherTargetIsWaitedForToo) {
  ASSERT_EQ(message_of([] { check_can_wait_for_calls("the test"); }), "");
  const int outer = 0, inner = 0;
  std::atomic<int> stage{0};
  std::thread caller([&] {
    const InFlight call(&outer);
    const InFlight nested(&inner);
    stage = 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stage = 2;
  });
  while (stage == 0) std::this_thread::yield();
  wait_for_calls(&inner);
  EXPECT_EQ(stage, 2);
  caller.join();
}

TEST(LastError, IsPerThreadAndCutAtACharacter) {
  set_last_error("mine");
  std::thread([] { EXPECT_EQ(last_error(), ""); }).join();
  EXPECT_EQ(last_error(), "mine");
  // 498 bytes and a three-byte character: only its first byte would fit, so none of it is kept.
  set_last_error(std::string(498, 'x') + "\xe2\x82\xac");
  EXPECT_EQ(last_error(), std::string(498, 'x'));
}

TEST(Fence, MapsWhatIsThrown) {
  EXPECT_EQ(fence([] {}), RAYO_OK);
  EXPECT_EQ(fence([] { fail(RAYO_IO, "a {}", 1); }), RAYO_IO);
  EXPECT_EQ(last_error(), "a 1");
  EXPECT_EQ(fence([] { throw std::bad_alloc(); }), RAYO_OUT_OF_MEMORY);
  EXPECT_EQ(fence([] { throw 7; }), RAYO_INTERNAL);
}

TEST(Settings, WrongValuesNameSourceValueAndLegalValues) {
  EXPECT_EQ(parse_threads("V", "7"), 7u);
  for (const char *wrong : {"", "0", "-1", "1025", "2x", "99999999999999999999", " 2"}) {
    const std::string text = message_of([&] { parse_threads("RAYO_NUM_THREADS", wrong); });
    EXPECT_NE(text.find("RAYO_NUM_THREADS is '" + std::string(wrong) + "'; legal"), std::string::npos) << text;
  }
  EXPECT_EQ(parse_policy("V", "relaxed"), RAYO_POLICY_RELAXED);
  EXPECT_NE(message_of([] { parse_policy("V", "fast"); }).find("reproducible, accurate, relaxed"), std::string::npos);
  EXPECT_EQ(parse_log_level("V", "off"), -1);
  EXPECT_EQ(parse_log_level("V", "debug"), RAYO_LOG_DEBUG);
  EXPECT_NE(message_of([] { parse_log_level("V", "loud"); }).find("'loud'"), std::string::npos);
}

TEST(Settings, QuotesAreShortAndPrintable) {
  EXPECT_EQ(quote("a\nb"), "'a?b'");
  EXPECT_LT(quote(std::string(1 << 20, 'y')).size(), 160u);
}

TEST(CpuCount, ReadsTheQuotaOfAContainer) {
  EXPECT_EQ(cpus_of_quota("max 100000"), 0u);
  EXPECT_EQ(cpus_of_quota("100000 100000"), 1u);
  EXPECT_EQ(cpus_of_quota("150000 100000"), 2u);
  EXPECT_EQ(cpus_of_quota("1000 100000"), 1u);
  EXPECT_EQ(cpus_of_quota("5"), 0u);
  EXPECT_EQ(cpus_of_quota("5 0"), 0u);
  EXPECT_EQ(cpus_of_quota(""), 0u);
  EXPECT_GE(usable_cpus(), 1u);
}

TEST(Uninterrupted, CallsAgainOnlyWhatASignalInterrupted) {
  int calls = 0;
  EXPECT_EQ(uninterrupted([&] {
              errno = EINTR;
              return ++calls < 3 ? -1 : 7;
            }),
            7);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(uninterrupted([&] {
              ++calls;
              errno = EIO;
              return -1;
            }),
            -1);
  EXPECT_EQ(calls, 4);
}

TEST(Sha256, EqualsThePublishedVectors) {
  const rayo_test::TempFolder folder;
  folder.write("abc", {'a', 'b', 'c'});
  EXPECT_EQ(sha256_of_file(folder / "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  folder.write("empty", {});
  EXPECT_EQ(sha256_of_file(folder / "empty"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // FIPS 180-2: a million times 'a', which crosses the read buffer.
  folder.write("million", std::vector<char>(1000000, 'a'));
  EXPECT_EQ(sha256_of_file(folder / "million"), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256_of_file(folder / "missing"), "");
  EXPECT_EQ(sha256_of_file(folder.path()), "");
}

TEST(CpuFeatures, NamesGoBothWays) {
  EXPECT_EQ(cpu_feature_names(RAYO_CPU_AVX2 | RAYO_CPU_FMA), "fma, avx2");
  EXPECT_EQ(cpu_feature_names(0), "none");
  EXPECT_EQ(cpu_feature_names(uint64_t{1} << 60), "bit 60");
  EXPECT_EQ(parse_cpu_disable("V", "sse4.2,bmi2"), RAYO_CPU_SSE42 | RAYO_CPU_BMI2);
  EXPECT_NE(parse_cpu_disable("V", "avx") & RAYO_CPU_AVX512VNNI, 0u);  // what needs AVX goes with it
  EXPECT_EQ(parse_cpu_disable("V", "avx512f") & RAYO_CPU_AVX2, 0u);
  const std::string text = message_of([] { parse_cpu_disable("RAYO_CPU_DISABLE", "avx3"); });
  EXPECT_NE(text.find("RAYO_CPU_DISABLE names 'avx3'"), std::string::npos) << text;
  EXPECT_NE(text.find("avx512f"), std::string::npos) << text;
}

#if defined(__x86_64__)
TEST(CpuFeatures, AgreeWithTheCompilersOwnDetection) {
  __builtin_cpu_init();
  const uint64_t found = detect_cpu_features();
  EXPECT_EQ((found & RAYO_CPU_AVX2) != 0, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ((found & RAYO_CPU_FMA) != 0, __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ((found & RAYO_CPU_AVX512F) != 0, __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ((found & RAYO_CPU_AVX512VL) != 0, __builtin_cpu_supports("avx512vl") != 0);
  EXPECT_EQ((found & RAYO_CPU_AVX512VNNI) != 0, __builtin_cpu_supports("avx512vnni") != 0);
}

TEST(FpEnvironment, SeesAndUndoesFlushToZero) {
  const FpEnvironment before;
  EXPECT_EQ(before.restore(), "");
  const unsigned old = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(old | 0x8040u);
  EXPECT_NE(before.restore().find("MXCSR"), std::string::npos);
  EXPECT_EQ(__builtin_ia32_stmxcsr() & 0x8040u, 0u);
}

TEST(FpEnvironment, SeesAndUndoesAnotherPrecisionOfTheX87) {
  const FpEnvironment before;
  uint16_t usual = 0;
  asm volatile("fnstcw %0" : "=m"(usual));
  const uint16_t single = usual & ~0x0300u;
  asm volatile("fldcw %0" : : "m"(single));
  EXPECT_NE(before.restore().find(", and the x87 control word"), std::string::npos);
  uint16_t now = 0;
  asm volatile("fnstcw %0" : "=m"(now));
  EXPECT_EQ(now, usual);
}
#endif

TEST(Log, DropsBelowItsLevelAndCallsTheApplication) {
  std::string seen;
  const auto keep = [](void *ctx, int32_t, const char *text) { *static_cast<std::string *>(ctx) += text; };
  const Log log(RAYO_LOG_WARN, keep, &seen);
  log(RAYO_LOG_INFO, "quiet {}", 1);
  log(RAYO_LOG_ERROR, "loud {}", 2);
  EXPECT_EQ(seen, "loud 2");
}

}  // namespace
}  // namespace rayo
