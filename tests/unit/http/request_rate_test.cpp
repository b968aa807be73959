#include "server/http/request_rate.h"

#include <gmock/gmock.h>

namespace vitrine::http {
namespace {

constexpr std::int64_t k_second_us = 1'000'000;

int taken_at(RequestBucket& bucket, std::int64_t now_us, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += bucket.take(now_us) ? 1 : 0;
  return taken;
}

TEST(RequestBucketTest, LetsABurstThroughAndThenTheRate) {
  RequestBucket bucket({.per_second = 10, .burst = 30});
  EXPECT_EQ(taken_at(bucket, k_second_us, 100), 30);
  EXPECT_EQ(taken_at(bucket, 2 * k_second_us, 100), 10) << "a second later";
  EXPECT_EQ(taken_at(bucket, 2 * k_second_us + 99'000, 1), 0);
  EXPECT_EQ(taken_at(bucket, 2 * k_second_us + 100'000, 2), 1);
  EXPECT_EQ(taken_at(bucket, 60 * k_second_us, 100), 30) << "it never holds more than the burst";
}

TEST(RequestBucketTest, WhatIsRefusedDoesNotCount) {
  RequestBucket bucket({.per_second = 1, .burst = 1});
  EXPECT_EQ(taken_at(bucket, k_second_us, 1000), 1);
  EXPECT_EQ(taken_at(bucket, 2 * k_second_us, 1000), 1);
}

}  // namespace
}  // namespace vitrine::http
