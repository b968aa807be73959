#include "model/model_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temp_folder.h"
#include "tests/unit/model/learned/small_model.h"

namespace vitrine {
namespace {

using test::small_model;
using ::testing::ElementsAre;

class ModelRegistryTest : public ::testing::Test {
 protected:
  std::string publish(int hours, bool promote = true) {
    const auto model = small_model(hours);
    EXPECT_TRUE(registry_.publish(*model, promote).ok());
    return model->version();
  }
  std::optional<std::string> current() { return registry_.current().value(); }
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    const std::vector<ModelRegistry::Version> versions = registry_.list().value();
    for (const ModelRegistry::Version& version : versions) names.push_back(version.name);
    return names;
  }

  TempFolder folder_;
  ModelRegistry registry_{folder_.path() / "models"};
};

TEST_F(ModelRegistryTest, HasNothingBeforeTheFirstModel) {
  EXPECT_EQ(current(), std::nullopt);
  EXPECT_TRUE(listed().empty());
}

TEST_F(ModelRegistryTest, PublishesWithAndWithoutServing) {
  const std::string first = publish(0);
  const std::string second = publish(1, false);
  EXPECT_EQ(current(), first);
  EXPECT_THAT(listed(), ElementsAre(second, first)) << "newest first";
  EXPECT_EQ(registry_.load(second).value()->version(), second);

  EXPECT_TRUE(registry_.promote(second).ok());
  EXPECT_EQ(current(), second);
  EXPECT_TRUE(registry_.list().value().front().is_current);
  EXPECT_EQ(registry_.list().value().front().record.users, 9U);
}

TEST_F(ModelRegistryTest, KnowsTheNewerOfTwoModelsOfOneSecond) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 6; ++i) {
    TrainingRecord record = test::small_record();
    record.created_ms += i;
    const auto model =
        TrainedModel::create(std::move(record), test::first_tables(static_cast<float>(1 + i)));
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_TRUE(registry_.publish(**model, false).ok());
    newest_first.insert(newest_first.begin(), (*model)->version());
  }
  EXPECT_EQ(listed(), newest_first);
}

TEST_F(ModelRegistryTest, RollsBackStepByStepAndThenRefuses) {
  const std::string first = publish(0);
  const std::string second = publish(1);
  publish(2);
  EXPECT_EQ(registry_.rollback().value(), second);
  EXPECT_EQ(current(), second);
  EXPECT_EQ(registry_.rollback().value(), first);
  EXPECT_EQ(registry_.rollback().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(current(), first);
}

TEST_F(ModelRegistryTest, PromotingTheServingModelAgainIsNoStepInTheHistory) {
  const std::string first = publish(0);
  const std::string second = publish(1);
  EXPECT_TRUE(registry_.promote(second).ok());
  EXPECT_EQ(registry_.rollback().value(), first);
}

TEST_F(ModelRegistryTest, ADamagedVersionIsNeitherPromotedNorReturnedTo) {
  const std::string first = publish(0);
  const std::string second = publish(1);
  const std::string third = publish(2, false);
  for (const std::string& version : {first, third}) {
    std::ofstream(registry_.folder_of(version) / "manifest.pb", std::ios::app) << "x";
  }

  EXPECT_EQ(registry_.promote(third).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(current(), second);
  EXPECT_EQ(registry_.rollback().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(current(), second);
}

TEST_F(ModelRegistryTest, RefusesUnknownAndImpossibleNames) {
  publish(0);
  EXPECT_EQ(registry_.promote("20200101T000000Z-00000000").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(registry_.promote("../models").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(registry_.promote("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(registry_.load("..").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ModelRegistryTest, TheSameModelIsPublishedOnce) {
  publish(0);
  EXPECT_EQ(registry_.publish(*small_model(0), true).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ModelRegistryTest, PruneKeepsTheServingModelAndTheWayBack) {
  const std::string first = publish(0);
  const std::string second = publish(1);
  const std::string third = publish(2, false);
  const std::string fourth = publish(3, false);

  EXPECT_THAT(registry_.prune(1).value(), ElementsAre(third));

  EXPECT_THAT(listed(), ElementsAre(fourth, second, first));
  EXPECT_EQ(registry_.rollback().value(), first);
}

TEST_F(ModelRegistryTest, PruneForgetsThePromotionsOfWhatItDeleted) {
  publish(0);
  const std::string second = publish(1);
  const std::string third = publish(2);
  ASSERT_EQ(registry_.prune(0).value().size(), 1U);
  EXPECT_EQ(registry_.rollback().value(), second);
  EXPECT_EQ(registry_.rollback().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(listed(), ElementsAre(third, second));
}

TEST_F(ModelRegistryTest, ACopyServesRollsBackAndOutlivesItsOriginal) {
  const std::string first = publish(0);
  const std::string second = publish(1);
  const std::string third = publish(2, false);

  ASSERT_TRUE(registry_.copy_to(folder_ / "copy").ok());
  EXPECT_FALSE(registry_.copy_to(folder_ / "copy").ok()) << "it is there already";
  std::filesystem::remove_all(registry_.folder());

  ModelRegistry copy(folder_ / "copy");
  EXPECT_EQ(copy.list().value().size(), 3U);
  EXPECT_EQ(copy.current().value(), second);
  EXPECT_EQ(copy.load(third).value()->version(), third);
  EXPECT_EQ(copy.rollback().value(), first);
}

TEST_F(ModelRegistryTest, WhatAKilledRunLeftIsNeitherListedNorInTheWay) {
  const auto model = small_model(0);
  const std::filesystem::path left = registry_.folder() / (model->version() + ".unfinished");
  std::filesystem::create_directories(left);
  std::ofstream(left / "manifest.pb") << "half";
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(registry_.publish(*model, true).ok());
  EXPECT_THAT(listed(), ElementsAre(model->version()));
}

// A reader sees the old or the new name, never a torn one, and the model of that name is whole.
TEST_F(ModelRegistryTest, ReadersBesideAWriterAlwaysFindAWholeModel) {
  publish(0);
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  std::jthread reader([&] {
    const ModelRegistry beside(registry_.folder());
    while (!done) {
      const auto name = beside.current();
      if (!name.ok() || !name->has_value() || !beside.load(**name).ok()) ++failures;
    }
  });
  for (int hours = 1; hours < 20; ++hours) publish(hours);
  done = true;
  reader.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace vitrine
