#include "server/privacy/erasures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>

#include "server/events/function_command.h"
#include "server/store/families.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::privacy {
namespace {

using Answer = absl::StatusOr<ErasureRecord>;

// Keeps nothing of anybody, in all families that the people's own are not.
class NothingKept final : public events::PersonalData {
 public:
  std::string_view name() const override { return "rest"; }
  std::vector<store::Family> families() const override {
    return {store::all_families().begin(), store::all_families().end()};
  }
  absl::StatusOr<std::string> export_person(const events::DataSubject& /*who*/) const override {
    return std::string("[]");
  }
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& /*who*/,
                                              events::Committer& /*committer*/) override {
    return events::Erased{};
  }
};

class ErasuresTest : public testing::Test {
 protected:
  ErasuresTest() {
    EXPECT_TRUE(committer_
                    .submit_and_wait([&](events::Batch& batch) {
                      for (const char* const user : {"ann", "bob"}) {
                        identities_->resolve(batch, user, "");
                      }
                      return absl::OkStatus();
                    })
                    .ok());
  }

  Answer erase(const std::string& user) {
    return erasures_.erase({.user_ids = {user}, .visitor_ids = {}});
  }

  // Nothing is committed until the future is told.
  void hold_commits(std::shared_future<void> until) {
    ASSERT_TRUE(committer_
                    .submit(std::make_unique<events::FunctionCommand>(
                        [until = std::move(until)](events::Batch&) {
                          until.wait();
                          return absl::OkStatus();
                        },
                        [](const absl::Status&) {}))
                    .ok());
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  FakeClock clock_{CommitterOnStore::k_now_ms};
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  events::Checkpointer checkpointer_{*database_, {}, clock_, metrics_, *log_, {}};
  events::Committer committer_{*database_, {}, clock_, metrics_, *log_, {}, &checkpointer_};
  std::unique_ptr<identity::IdentityBook> identities_ =
      std::move(identity::IdentityBook::open(*database_)).value();
  NothingKept rest_;
  Erasures erasures_{{.database = *database_,
                      .committer = committer_,
                      .checkpointer = checkpointer_,
                      .identities = *identities_,
                      .owners = {&*identities_, &rest_},
                      .ledger = folder_ / "erasures.ndjson",
                      .clock = clock_,
                      .metrics = metrics_,
                      .log = *log_}};
};

TEST_F(ErasuresTest, AskedAgainForSomebodyGoneTheReceiptIsTheSame) {
  const Answer first = erase("ann");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(erase("ann")->erasure_id, first->erasure_id);
  EXPECT_TRUE(absl::IsNotFound(erase("carl").status()));
  EXPECT_NE(erase("bob")->erasure_id, first->erasure_id);
}

TEST_F(ErasuresTest, WhoComesWhileAnotherIsUnderWayWaitsALittleAndIsToldToComeAgain) {
  std::promise<void> release;
  hold_commits(release.get_future().share());
  std::array<std::future<Answer>, 2> both = {
      std::async(std::launch::async, [&] { return erase("ann"); }),
      std::async(std::launch::async, [&] { return erase("bob"); })};

  // One of them waits for the committer, so the other is the first to be answered.
  while (both[0].wait_for(std::chrono::milliseconds(10)) != std::future_status::ready &&
         both[1].wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
  }
  const bool first_waits = both[0].wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  const Answer refused = both[first_waits ? 1 : 0].get();
  release.set_value();
  const Answer done = both[first_waits ? 0 : 1].get();

  EXPECT_TRUE(absl::IsAborted(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()),
              testing::HasSubstr("another erasure is under way"));
  EXPECT_TRUE(done.ok()) << done.status();
  EXPECT_TRUE(erase(first_waits ? "bob" : "ann").ok()) << "and then it is their turn";
}

}  // namespace
}  // namespace vitrine::privacy
