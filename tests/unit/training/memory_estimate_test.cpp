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

TEST(MemoryEstimateTest, TheSetOfTheTargetFitsIntoEightGibibytes) {
  EXPECT_LT(training_bytes({.interactions = 50'000'000,
                            .users = 1'000'000,
                            .products = 200'000,
                            .dimension = 128,
                            .threads = 2}),
            std::uint64_t{8} << 30U);
}

}  // namespace
}  // namespace vitrine::training
