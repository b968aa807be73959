#include "model/trained_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/model/learned/small_model.h"

namespace vitrine {
namespace {

using test::small_model;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* k_files[] = {"products.bin",
                                   "factors.bin",
                                   "similar.bin",
                                   "together.bin",
                                   "popularity.bin",
                                   "manifest.pb",
                                   "manifest.sha256",
                                   "also_viewed.bin",
                                   "content.pb",
                                   "popular_in_category.pb",
                                   "popular_in_market.pb",
                                   "buy_again.pb",
                                   "blend.pb"};

class TrainedModelTest : public ::testing::Test {
 protected:
  std::filesystem::path saved() {
    const std::filesystem::path folder = folder_.path() / "model";
    EXPECT_TRUE(small_model()->save(folder).ok());
    return folder;
  }
  static void change(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  TempFolder folder_;
};

TEST_F(TrainedModelTest, WhatIsSavedIsLoadedTheSame) {
  const auto model = small_model();
  const auto loaded = TrainedModel::load(saved());
  ASSERT_TRUE(loaded.ok()) << message_of(loaded.status());
  const TrainedModel& again = **loaded;

  EXPECT_EQ(again.version(), model->version());
  EXPECT_EQ(again.record().seed, 7U);
  EXPECT_EQ(again.record().source, "orders.csv");
  EXPECT_EQ(again.record().log_position_end, 90U);
  EXPECT_EQ(again.record().metrics, model->record().metrics);
  EXPECT_EQ(again.record().settings, model->record().settings);
  EXPECT_EQ(again.record().libraries, model->record().libraries);
  EXPECT_EQ(again.confidence().weights, model->confidence().weights);
  EXPECT_EQ(again.confidence().mean, 4.5);
  ASSERT_EQ(again.row_count(), 3U);
  EXPECT_EQ(again.products().id(2), "teapot");
  for (std::uint32_t row = 0; row < 3; ++row) {
    EXPECT_TRUE(std::ranges::equal(again.factors().row(row), model->factors().row(row)));
    EXPECT_TRUE(std::ranges::equal(again.similar().of(row), model->similar().of(row)));
    EXPECT_TRUE(std::ranges::equal(again.together().of(row), model->together().of(row)));
    EXPECT_EQ(again.popularity().weight(row), model->popularity().weight(row));
    EXPECT_TRUE(std::ranges::equal(again.also_viewed().of(row), model->also_viewed().of(row)));
    EXPECT_EQ(again.buy_again().of_product(row), model->buy_again().of_product(row));
  }
  EXPECT_EQ(again.buy_again().categories(), model->buy_again().categories());
  EXPECT_EQ(again.buy_again().repeat_shares(), model->buy_again().repeat_shares());
  ASSERT_NE(again.blends().find("home"), nullptr);
  EXPECT_EQ(*again.blends().find("home"), *model->blends().find("home"));
  EXPECT_EQ(again.popular_in_category().lists(), model->popular_in_category().lists());
  EXPECT_EQ(again.popular_in_market().lists(), model->popular_in_market().lists());
  EXPECT_TRUE(std::ranges::equal(again.content().weights(), model->content().weights()));
  EXPECT_TRUE(std::ranges::equal(again.content().mean(), model->content().mean()));
  EXPECT_TRUE(
      std::ranges::equal(again.content().features().names(), model->content().features().names()));
  EXPECT_EQ(again.content().features().bands(), model->content().features().bands());
  EXPECT_TRUE(std::ranges::equal(again.factors().spectrum(), model->factors().spectrum()));
  EXPECT_EQ(again.factors().parameters().alpha0, 0.3F);
}

TEST_F(TrainedModelTest, AFolderFromBeforeTheLaterTablesIsLoadedWithEmptyOnes) {
  const std::filesystem::path folder = folder_.path() / "old";
  const auto old = TrainedModel::create(test::small_record(), test::first_tables()).value();
  ASSERT_TRUE(old->save(folder).ok());
  for (const char* later : {"also_viewed.bin", "content.pb", "popular_in_category.pb",
                            "popular_in_market.pb", "buy_again.pb", "blend.pb"}) {
    ASSERT_FALSE(std::filesystem::exists(folder / later)) << later;
  }
  const auto loaded = TrainedModel::load(folder);
  ASSERT_TRUE(loaded.ok()) << message_of(loaded.status());
  const TrainedModel& again = **loaded;
  EXPECT_EQ(again.version(), old->version());
  EXPECT_EQ(again.together().of(1).size(), 1U);
  EXPECT_TRUE(again.also_viewed().of(2).empty());
  EXPECT_TRUE(again.content().empty());
  EXPECT_TRUE(again.popular_in_category().of("Home").empty());
  EXPECT_FALSE(again.buy_again().of_product(1));
  EXPECT_FALSE(again.buy_again().repeat_share_of("Home"));
  EXPECT_TRUE(again.blends().empty());
}

TEST_F(TrainedModelTest, ALaterTableMustFitTheModel) {
  const auto refused = [](auto change) {
    ModelTables tables = test::first_tables();
    change(tables);
    return !TrainedModel::create(test::small_record(), std::move(tables)).ok();
  };
  EXPECT_TRUE(refused([](ModelTables& tables) {
    tables.also_viewed = NeighborTable::create({{}, {}}).value();
  })) << "two rows";
  EXPECT_TRUE(refused([](ModelTables& tables) {
    tables.content =
        ContentMap::create(ContentFeatures::create({"term:lamp"}, {1}, {}).value(), {0}, {1})
            .value();
  })) << "one dimension";
  EXPECT_TRUE(refused([](ModelTables& tables) {
    tables.popular_in_market = PopularLists::create({{"DE", {{3, 1}}}}, 4).value();
  })) << "row 3 of 3";
  EXPECT_TRUE(refused([](ModelTables& tables) {
    tables.buy_again = BuyAgainTable::create({{7, 2}}, {}).value();
  })) << "one row";
}

TEST_F(TrainedModelTest, TheVersionTellsTimeAndContent) {
  EXPECT_THAT(small_model()->version(), StartsWith("20251121T100000Z-"));
  EXPECT_EQ(small_model()->version(), small_model()->version());
  EXPECT_NE(small_model(0, 1)->version(), small_model(0, 2)->version());
}

TEST_F(TrainedModelTest, PeopleCanReadTheManifest) {
  const std::string json = read_file(saved() / "manifest.json").value();
  EXPECT_THAT(json, HasSubstr("\"recall@20\": 0.25"));
  EXPECT_THAT(json, HasSubstr("factors.bin"));
}

TEST_F(TrainedModelTest, RefusesEveryFileWithOneFlippedBit) {
  const std::filesystem::path folder = saved();
  for (const char* name : k_files) {
    const std::string before = read_file(folder / name).value();
    std::string broken = before;
    broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 0x10);
    change(folder / name, broken);
    const absl::Status status = TrainedModel::load(folder).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << name;
    EXPECT_THAT(std::string(message_of(status)), HasSubstr(name));
    change(folder / name, before);
  }
  EXPECT_TRUE(TrainedModel::load(folder).ok());
}

TEST_F(TrainedModelTest, RefusesEveryFileCutShortOrGone) {
  const std::filesystem::path folder = saved();
  for (const char* name : k_files) {
    const std::string before = read_file(folder / name).value();
    change(folder / name, before.substr(0, before.size() - 1));
    EXPECT_EQ(TrainedModel::load(folder).status().code(), absl::StatusCode::kDataLoss) << name;
    std::filesystem::remove(folder / name);
    EXPECT_FALSE(TrainedModel::load(folder).ok()) << name;
    change(folder / name, before);
  }
}

TEST_F(TrainedModelTest, AFolderWithoutAManifestHoldsNoModel) {
  EXPECT_EQ(TrainedModel::load(folder_.path()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TrainedModelTest, DoesNotWriteOverAModel) {
  EXPECT_EQ(small_model(1)->save(saved()).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(TrainedModelTest, AllTablesMustHaveTheSameRows) {
  TrainingRecord record;
  record.confidence = ConfidenceRule::defaults();
  ModelTables tables;
  tables.products = ProductTable::create({"lamp"}).value();
  EXPECT_EQ(TrainedModel::create(record, std::move(tables)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
