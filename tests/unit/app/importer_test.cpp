#include "server/app/import/importer.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/status.h"
#include "server/app/import/event_rows.h"
#include "tests/unit/app/import_files.h"

namespace vitrine::app {
namespace {

using ::testing::HasSubstr;

// Answers as told, and remembers what it was asked.
class ScriptedApi final : public ApiClient {
 public:
  std::future<Answer> send(std::string_view, std::string, std::string body) override {
    bodies.push_back(std::move(body));
    std::promise<Answer> promise;
    Answer answer = answers.empty() ? Answer(R"({"accepted":0,"duplicates":0,"rejected":[]})")
                                    : std::move(answers.front());
    if (!answers.empty()) answers.pop_front();
    promise.set_value(std::move(answer));
    return promise.get_future();
  }
  bool is_beside_server() const override { return false; }

  std::deque<Answer> answers;
  std::vector<std::string> bodies;
};

class ImporterTest : public ::testing::Test {
 protected:
  absl::StatusOr<FileReport> import(std::string_view text) {
    Importer importer(api_, {.path = "/v1/import/events",
                             .list = "events",
                             .counted = "accepted",
                             .batch_rows = 2,
                             .batch_bytes = 10'000,
                             .in_flight = 2,
                             .append = [](const Row& row, std::string& json) {
                               return append_event(row, {}, json);
                             }});
    Progress quiet("", true);
    return importer.import(write_text(folder_ / "events.csv", text), folder_ / "rejected.csv",
                           quiet);
  }

  TempFolder folder_;
  ScriptedApi api_;
};

TEST_F(ImporterTest, SendsBatchesInOrder) {
  api_.answers = {R"({"accepted":2,"duplicates":0,"rejected":[]})",
                  R"({"accepted":0,"duplicates":1,"rejected":[]})"};
  const absl::StatusOr<FileReport> report = import("event_id\na\nb\nc\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(api_.bodies,
            (std::vector<std::string>{R"({"events":[{"event_id":"a"},{"event_id":"b"}]})",
                                      R"({"events":[{"event_id":"c"}]})"}));
  EXPECT_EQ(report->lines, 3U);
  EXPECT_EQ(report->accepted, 2U);
  EXPECT_EQ(report->duplicates, 1U);
  EXPECT_EQ(report->rejected, 0U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rejected.csv"));
}

TEST_F(ImporterTest, WritesEveryRefusalWithItsLineAndGoesOn) {
  api_.answers = {
      R"({"accepted":1,"duplicates":0,"rejected":[{"index":1,"code":"missing_id","message":"no"}]})",
      R"({"accepted":1,"duplicates":0,"rejected":[]})"};
  const absl::StatusOr<FileReport> report =
      import("event_id,time\na,\nb,never\ntoo,many,fields\nc,\nd,\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->lines, 5U);
  EXPECT_EQ(report->accepted, 2U);
  EXPECT_EQ(report->rejected, 3U);
  const std::string side = read_file(folder_ / "rejected.csv").value();
  EXPECT_THAT(side, HasSubstr("line,reason,text\n3,"));
  EXPECT_THAT(side, HasSubstr("4,\"the line has 3 fields, the header 2\",\"too,many,fields\"\n"));
  EXPECT_THAT(side, HasSubstr("5,missing_id: no,\"c,\"\n"));
}

TEST_F(ImporterTest, AsksAgainWhenTheServerIsBusy) {
  api_.answers = {overloaded("full"), R"({"accepted":1,"duplicates":0,"rejected":[]})"};
  const absl::StatusOr<FileReport> report = import("event_id\na\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->accepted, 1U);
  EXPECT_EQ(api_.bodies.size(), 2U);
  EXPECT_EQ(api_.bodies[0], api_.bodies[1]);
}

TEST_F(ImporterTest, EndsWithTheLinesWhenTheServerFails) {
  api_.answers = {unavailable("disk nearly full")};
  const absl::StatusOr<FileReport> report = import("event_id\na\nb\n");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(message_of(report.status()), "events.csv, lines 2 to 3: disk nearly full");
}

TEST_F(ImporterTest, RemovesTheSideFileOfAnEarlierImport) {
  write_text(folder_ / "rejected.csv", "old");
  ASSERT_TRUE(import("event_id\na\n").ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rejected.csv"));
}

}  // namespace
}  // namespace vitrine::app
