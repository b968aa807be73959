#include "server/privacy/consents.h"

#include <gtest/gtest.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::privacy {
namespace {

class ConsentsTest : public testing::Test {
 protected:
  void say(UserNumber user, TimeMs time_ms, bool is_granted) {
    const Consent consent{.purpose = "marketing",
                          .is_granted = is_granted,
                          .time_ms = time_ms,
                          .source = "checkout",
                          .text_version = "3"};
    EXPECT_TRUE(on_.committer
                    .submit_and_wait(
                        [&](events::Batch& batch) { return Consents::add(batch, user, consent); })
                    .ok());
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  Consents consents_{*database_};
};

TEST_F(ConsentsTest, KeepsWhatWasSaidInItsOrderAndForEachPerson) {
  say(UserNumber(7), 1, true);
  say(UserNumber(7), 2, false);
  say(UserNumber(8), 3, true);
  const auto said = consents_.of(UserNumber(7)).value();
  ASSERT_EQ(said.size(), 2U);
  EXPECT_TRUE(said[0].is_granted);
  EXPECT_FALSE(said[1].is_granted);
  EXPECT_EQ(said[1].text_version, "3");
  EXPECT_EQ(consents_.of(UserNumber(8))->size(), 1U);
  EXPECT_TRUE(consents_.of(UserNumber(9))->empty());
}

TEST_F(ConsentsTest, OfTooManyTheNewestStay) {
  for (std::size_t i = 0; i <= Consents::k_entries_max; ++i) {
    say(UserNumber(7), static_cast<TimeMs>(i), true);
  }
  const auto said = consents_.of(UserNumber(7)).value();
  ASSERT_EQ(said.size(), Consents::k_entries_max);
  EXPECT_EQ(said.front().time_ms, 1);
}

TEST_F(ConsentsTest, GoWithTheirPersonAlone) {
  say(UserNumber(7), 1, true);
  say(UserNumber(8), 1, true);
  const events::DataSubject seven{
      .user_ids = {}, .visitor_ids = {}, .people = {UserNumber(7)}, .histories = {UserNumber(7)}};
  EXPECT_EQ(consents_.erase_person(seven, on_.committer)->dropped, 1U);
  EXPECT_EQ(consents_.export_person(seven).value(), "[]");
  EXPECT_EQ(consents_.of(UserNumber(8))->size(), 1U);
}

}  // namespace
}  // namespace vitrine::privacy
