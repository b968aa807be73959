#include "training/interaction_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "tests/support/temp_folder.h"

namespace vitrine::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InteractionFileTest : public ::testing::Test {
 protected:
  std::filesystem::path plain(const std::string& content) {
    std::ofstream(folder_ / "events", std::ios::binary) << content;
    return folder_ / "events";
  }
  std::filesystem::path zipped(const std::string& content) {
    const std::filesystem::path path = folder_ / "events.gz";
    const gzFile file = ::gzopen(path.c_str(), "wb");
    EXPECT_GT(::gzwrite(file, content.data(), static_cast<unsigned>(content.size())), 0);
    ::gzclose(file);
    return path;
  }
  // Each interaction as "user product type time order weight".
  std::vector<std::string> read(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    status_ =
        read_interactions(path, [&](const Interaction& one) {
          lines.push_back(fmt::format("{} {} {} {} {} {}", one.user, one.product, name_of(one.type),
                                      one.time_ms, one.order, one.weight.value_or(0)));
        }).status();
    return lines;
  }
  std::string message() const { return std::string(message_of(status_)); }

  TempFolder folder_;
  absl::Status status_;
};

TEST_F(InteractionFileTest, ReadsPairsWithAndWithoutWeightAndTime) {
  EXPECT_THAT(read(plain("ann\tred lamp\nann\tteapot\t2.5\nbob\tlamp\t1\t1970-01-02\n")),
              ElementsAre("ann red lamp purchase 0  0", "ann teapot purchase 0  2.5",
                          "bob lamp purchase 86400000  1"));
  EXPECT_TRUE(status_.ok());
}

TEST_F(InteractionFileTest, ReadsOneUserALineAlsoWithoutProductsAndWithTrailingBlanks) {
  EXPECT_THAT(read(plain("0 7 9 \n1\n2 7\n")),
              ElementsAre("0 7 purchase 0  0", "0 9 purchase 0  0", "2 7 purchase 0  0"));
  EXPECT_TRUE(status_.ok());
}

TEST_F(InteractionFileTest, ReadsTheColumnsOfTheShippedData) {
  EXPECT_THAT(
      read(plain("event_id,timestamp,user_id,session_id,order_id,item_id,event_type,quantity\n"
                 "e1,1970-01-01T00:00:01Z,17850,,536365,85123A,purchase,6\n"
                 "e2,1970-01-01T00:00:02Z,,,536366,\"a \"\"b\"\", c\",return,1\n")),
      ElementsAre("17850 85123A purchase 1000 536365 0", " a \"b\", c refund 2000 536366 0"));
  EXPECT_TRUE(status_.ok()) << message();
}

TEST_F(InteractionFileTest, ReadsOurOwnColumnsAndKeepsVisitorsApartFromUsers) {
  EXPECT_THAT(
      read(plain("type,product_id,user_id,visitor_id,time\r\n"
                 "view,lamp,ann,v1,1763719200000\r\ncart_add,lamp,,ann,2025-11-21T10:00:"
                 "01Z\r\nsearch,,ann,,\r\n")),
      ElementsAre("ann lamp view 1763719200000  0", "visitor:ann lamp cart_add 1763719201000  0"));
  EXPECT_TRUE(status_.ok()) << message();
}

TEST_F(InteractionFileTest, ReadsSessionAndMarketWhereThereAreSuch) {
  std::vector<std::string> places;
  ASSERT_TRUE(read_interactions(plain("user_id,product_id,session_id,market\nann,lamp,s1,DE\n"
                                      "bob,lamp,,\n"),
                                [&](const Interaction& one) {
                                  places.push_back(std::string(one.session) + "@" +
                                                   std::string(one.market));
                                })
                  .ok());
  EXPECT_THAT(places, ElementsAre("s1@DE", "@"));
}

TEST_F(InteractionFileTest, ReadsAFileWhoseLinesAreLongerThanItsBuffer) {
  std::string line = "0";
  for (int i = 0; i < 60000; ++i) line += " " + std::to_string(i);
  EXPECT_EQ(read(plain(line + "\n1 5")).size(), 60001U);
}

TEST_F(InteractionFileTest, ReadsZippedFilesAndTellsWhenOneBreaksOff) {
  std::string content = "user\tproduct\n";
  for (int i = 0; i < 5000; ++i)
    content += std::to_string(i * 7919 % 10007) + "\t" + std::to_string(i) + "\n";
  const std::filesystem::path path = zipped(content);
  EXPECT_EQ(read(path).size(), 5000U);
  EXPECT_TRUE(status_.ok());

  const std::string bytes = read_file(path).value();
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.substr(0, bytes.size() / 2);
  read(path);
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
}

TEST_F(InteractionFileTest, NamesFileLineAndReasonOfWhatItRefuses) {
  const auto refused = [&](const std::string& content, const std::string& line,
                           const std::string& reason) {
    read(plain(content));
    EXPECT_EQ(status_.code(), absl::StatusCode::kInvalidArgument) << content;
    EXPECT_THAT(message(), HasSubstr("events"));
    EXPECT_THAT(message(), HasSubstr(line));
    EXPECT_THAT(message(), HasSubstr(reason));
  };
  refused("a\tb\n\na\tb\t-1\n", "line 3", "weight must be a number above 0, got '-1'");
  refused("a\tb\na\tb\t1\tnoon\n", "line 2", "noon");
  refused("a\tb\na\n", "line 2", "got 1 fields");
  refused("a\tb\n\tb\n", "line 2", "must not be empty");
  refused("user_id,product_id\na,b\na\n", "line 3", "the header has 2");
  refused("user_id,product_id\na,\"b\n", "line 2", "quote");
  refused("user_id,product_id,type\na,b,gaze\n", "line 2", "'gaze'");
  refused("user_id,product_id,type\na,,view\n", "line 2", "needs a product id");
  refused("name,colour\na,b\n", "line 1", "header");
  refused("", "", "holds no interactions");
}

TEST_F(InteractionFileTest, SaysWhenThereIsNoSuchFile) {
  read(folder_ / "absent.csv");
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vitrine::training
