#include "training/checkpoint_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

AlsOptions options_of(std::uint32_t epochs) {
  AlsOptions options;
  options.factors.dimension = 8;
  options.epochs = epochs;
  options.threads = 1;
  return options;
}

class CheckpointFileTest : public testing::Test {
 protected:
  // Trains, and stops after `epochs` of them as an interruption would: with the checkpoint written.
  void train_and_stop_after(std::uint32_t epochs) {
    AlsContinuation continuation;
    continuation.on_checkpoint = [&](const AlsCheckpoint& checkpoint) -> absl::Status {
      if (checkpoint.epochs_done < epochs) return absl::OkStatus();
      const absl::Status saved = file_.save(checkpoint);
      return saved.ok() ? absl::CancelledError("stop") : saved;
    };
    const auto stopped =
        train_als(data_.by_user, data_.by_product, options_, {}, nullptr, &continuation);
    ASSERT_TRUE(absl::IsCancelled(stopped.status())) << stopped.status();
  }

  TempFolder folder_;
  Dataset data_ = test::shop_of_two_tastes();
  AlsOptions options_ = options_of(6);
  CheckpointFile file_{folder_.path() / "work", fingerprint_of(data_, options_)};
};

TEST_F(CheckpointFileTest, AResumedRunEndsWithTheBytesOfAnUninterruptedOne) {
  const auto whole = train_als(data_.by_user, data_.by_product, options_, {}, nullptr);
  train_and_stop_after(2);

  const auto saved = file_.load();
  ASSERT_TRUE(saved.ok() && saved->has_value()) << saved.status();
  EXPECT_EQ((*saved)->epochs_done, 2U);
  const AlsContinuation continuation{.start = (*saved)->view(), .on_checkpoint = {}};
  std::vector<std::uint32_t> epochs;
  const auto resumed = train_als(
      data_.by_user, data_.by_product, options_,
      [&](const EpochReport& report) { epochs.push_back(report.epoch); }, nullptr, &continuation);

  ASSERT_TRUE(whole.ok() && resumed.ok());
  EXPECT_EQ(epochs, (std::vector<std::uint32_t>{3, 4, 5, 6}));
  EXPECT_EQ(whole->product_factors, resumed->product_factors);
  EXPECT_EQ(whole->user_factors, resumed->user_factors);
}

TEST_F(CheckpointFileTest, NoFileIsNoCheckpoint) {
  const auto saved = file_.load();
  ASSERT_TRUE(saved.ok());
  EXPECT_FALSE(saved->has_value());
}

TEST_F(CheckpointFileTest, ACheckpointOfOtherDataOrAnotherRecipeIsRefused) {
  train_and_stop_after(1);
  AlsOptions other = options_;
  other.factors.lambda *= 2;

  const CheckpointFile recipe(file_.path(), fingerprint_of(data_, other));
  const CheckpointFile data(file_.path(), fingerprint_of(test::shop_of_two_tastes(61), options_));

  EXPECT_TRUE(absl::IsFailedPrecondition(recipe.load().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(data.load().status()));
}

TEST_F(CheckpointFileTest, MoreEpochsAndThreadsAreTheSameRun) {
  AlsOptions other = options_;
  other.epochs = 20;
  other.threads = 2;
  EXPECT_EQ(fingerprint_of(data_, options_), fingerprint_of(data_, other));
}

TEST_F(CheckpointFileTest, ADamagedFileIsNotReadFrom) {
  train_and_stop_after(1);
  std::string content = read_file(file_.path()).value();
  content[200] = static_cast<char>(content[200] ^ 1);
  ASSERT_TRUE(replace_file(file_.path(), content).ok());
  EXPECT_TRUE(absl::IsDataLoss(file_.load().status()));
  ASSERT_TRUE(replace_file(file_.path(), content.substr(0, 50)).ok());
  EXPECT_TRUE(absl::IsDataLoss(file_.load().status()));
}

TEST_F(CheckpointFileTest, AStartThatDoesNotFitIsRefused) {
  train_and_stop_after(1);
  const auto saved = file_.load();
  ASSERT_TRUE(saved.ok() && saved->has_value());
  const Dataset other = test::shop_of_two_tastes(61);
  const AlsContinuation continuation{.start = (*saved)->view(), .on_checkpoint = {}};
  EXPECT_TRUE(absl::IsInvalidArgument(
      train_als(other.by_user, other.by_product, options_, {}, nullptr, &continuation).status()));
}

}  // namespace
}  // namespace vitrine::training
