// SPDX-License-Identifier: Apache-2.0
//
// Threads that make children take turns: one runs at a time, and all of them wait at once.
#include "runner/child.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using rayo::conform::Child;
using rayo::conform::Turn;

constexpr int kThreads = 4;

template <class Work>
void with_turns(Work work) {
  std::latch began(kThreads), done(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      began.arrive_and_wait();
      {
        const Turn turn;
        work();
      }
      done.arrive_and_wait();
    });
  }
  for (std::thread &thread : threads) thread.join();
}

TEST(Turn, NoOtherThreadRunsWhileOneMakesAChild) {
  std::atomic<int> running{0};
  std::atomic<int> together{0};
  const auto alone = [&](auto &&work) {
    if (running.fetch_add(1) != 0) ++together;
    work();
    running.fetch_sub(1);
  };
  with_turns([&] {
    for (int i = 0; i < 20; ++i) {
      std::unique_ptr<Child> child;
      alone([&] {
        child = std::make_unique<Child>([](const Child::Send &send) { send("ready"); });
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      });
      std::string line;
      EXPECT_EQ(child->next(60000, line), Child::Event::line);
      alone([&] { EXPECT_EQ(line, "ready"); });
      EXPECT_EQ(child->wait(), "");
    }
  });
  EXPECT_EQ(together, 0);
}

TEST(Turn, AllWaitAtOnce) {
  // Each child ends only when all of them were begun: by turns of whole lives none would.
  std::atomic<int> begun{0};
  std::atomic<int> waited{0};
  with_turns([&] {
    Child child([](const Child::Send &send) {
      send("ready");
      std::this_thread::sleep_for(std::chrono::minutes(10));
    });
    std::string line;
    EXPECT_EQ(child.next(60000, line), Child::Event::line);
    ++begun;
    while (begun < kThreads && waited < 1000) {
      EXPECT_EQ(child.next(10, line), Child::Event::timeout);
      ++waited;
    }
    EXPECT_EQ(begun, kThreads);
    child.kill();
    EXPECT_EQ(child.wait(), "signal SIGKILL");
  });
}

}  // namespace
