#include "training/memory_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/status.h"
#include "tests/support/temp_folder.h"

namespace vitrine::training {
namespace {

std::filesystem::path write(const TempFolder& folder, const std::string& line, int times) {
  const std::filesystem::path path = folder.path() / "pairs";
  std::ofstream file(path);
  for (int i = 0; i < times; ++i) file << line;
  return path;
}

TEST(MemoryEstimateTest, LinesOfPairsAreCountedFromTheFirstOnesAndTheSize) {
  const TempFolder folder;
  const auto count = interactions_of_file(write(folder, "user1\tproduct1\n", 200'000));
  EXPECT_NEAR(static_cast<double>(count), 200'000, 2'000);
}

TEST(MemoryEstimateTest, LinesOfTheAdjacencyFormHoldOnePairABlank) {
  const TempFolder folder;
  EXPECT_EQ(interactions_of_file(write(folder, "u 1 2 3\n", 100)), 300U);
}

TEST(MemoryEstimateTest, WhatDoesNotFitIsRefusedWithTheNumbers) {
  const TrainingSize size{
      .interactions = 500'000'000, .users = 1'000, .products = 1'000, .dimension = 64};

  const absl::Status status = check_memory(size, std::uint64_t{8} << 30U);

  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr("500000000 interactions"));
  EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr("8.00 GiB"));
  EXPECT_TRUE(check_memory(size, 0).ok());
}

// A million users, 200,000 products, and a product that half of the users have.
constexpr TrainingSize k_target{.interactions = 50'000'000,
                                .users = 1'000'000,
                                .products = 200'000,
                                .longest_row = 500'000,
                                .dimension = 128,
                                .threads = 2};

TEST(MemoryEstimateTest, TheSetOfTheTargetFitsIntoEightGibibytes) {
  EXPECT_LT(training_bytes(k_target), std::uint64_t{8} << 30U);
}

TEST(MemoryEstimateTest, EveryThreadKeepsTheLongestRow) {
  TrainingSize size{
      .users = 1'000'000, .products = 1'000, .longest_row = 900'000, .dimension = 64, .threads = 2};
  const std::uint64_t two = training_bytes(size);
  size.threads = 6;
  EXPECT_GE(training_bytes(size) - two, 4 * 900'000 * 64 * sizeof(float));
}

TEST(MemoryEstimateTest, TakesItsSizeFromTheData) {
  DatasetBuilder builder{DatasetOptions{}};
  for (const char* user : {"a", "b", "c"}) {
    builder.add({user, "lamp", user, EventType::purchase, 1, "", "de", 1, {}});
    builder.add({user, "rug", "", EventType::purchase, 2, "", "de", 1, {}});
  }
  for (const char* product : {"lamp", "bulb"})
    builder.add({"", product, "", EventType::view, 3, "s", "", 1, {}});
  AlsOptions options;
  options.threads = 3;

  const TrainingSize size = training_size(builder.build().value(), options);

  EXPECT_EQ(size.interactions, 8U);
  EXPECT_EQ(size.users, 3U);
  EXPECT_EQ(size.products, 3U);
  EXPECT_EQ(size.orders, 3U);
  EXPECT_EQ(size.sessions, 1U);
  EXPECT_EQ(size.market_products, 2U);
  EXPECT_EQ(size.longest_row, 3U);
  EXPECT_EQ(size.dimension, options.factors.dimension);
  EXPECT_EQ(size.threads, 3U);
}

}  // namespace
}  // namespace vitrine::training
