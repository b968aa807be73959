#include "server/events/log_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/events/retention.h"
#include "server/store/key.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::events {
namespace {

constexpr UserNumber k_ann(1);
constexpr UserNumber k_bob(2);

std::uint64_t length_of(std::string_view session_id) { return session_id.size(); }

class LogRecordsTest : public testing::Test {
 protected:
  static Event event_of(EventType type, std::string event_id) {
    Event event;
    event.event_id = std::move(event_id);
    event.type = type;
    event.product_id = "p1";
    event.session_id = "s-1";
    event.order_id = is_of_an_order(type) ? "o-1" : "";
    event.price = Money{450};
    event.currency = "EUR";
    event.query = "shoes";
    event.properties_json = R"({"note":"for annabel-1","page":"/x"})";
    return event;
  }
  Position append(UserNumber user, EventType type, const std::string& event_id) {
    Position position = 0;
    EXPECT_TRUE(on_.committer
                    .submit_and_wait([&](Batch& batch) {
                      position = batch.append({.user = user,
                                               .visitor = user,
                                               .source = "api",
                                               .what = event_of(type, event_id)});
                      batch.put(store::Family::dedupe, key_of(event_id), store::key_of(position));
                      return absl::OkStatus();
                    })
                    .ok());
    return position;
  }
  std::string key_of(std::string_view event_id) const {
    return store::hashed_key(database_->secret(), "event", "api", event_id);
  }
  LogEntry at(Position position) const {
    const auto bytes = database_->get(store::Family::log, store::key_of(position));
    return decode_log_entry(position, **bytes).value();
  }
  bool is_known(std::string_view event_id) const {
    return database_->get(store::Family::dedupe, key_of(event_id))->has_value();
  }
  Erased erase() { return records_.erase_person(ann_, on_.committer).value(); }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  LogRecords records_{*database_, length_of};
  const DataSubject ann_{.user_ids = {"annabel-1"},
                         .visitor_ids = {"cookie-of-annabel"},
                         .people = {k_ann},
                         .histories = {k_ann}};
};

TEST_F(LogRecordsTest, BehaviourLeavesAnEntryThatNamesNobody) {
  const Position position = append(k_ann, EventType::view, "e1");
  const Erased erased = erase();
  EXPECT_EQ(erased.dropped, 1U);
  EXPECT_EQ(erased.kept_without_person, 0U);
  ASSERT_NE(at(position).erasure(), nullptr);
  EXPECT_EQ(at(position).user, k_nobody);
  EXPECT_FALSE(is_known("e1"));
}

TEST_F(LogRecordsTest, AnOrderStaysWithoutThePerson) {
  const Position position = append(k_ann, EventType::purchase, "annabel-1-order");
  EXPECT_EQ(erase().kept_without_person, 1U);
  const LogEntry kept = at(position);
  const Event& order = *kept.event();
  EXPECT_EQ(kept.user, k_nobody);
  EXPECT_EQ(kept.visitor, k_nobody);
  EXPECT_EQ(order.order_id, "o-1");
  EXPECT_EQ(order.price, Money{450});
  EXPECT_EQ(order.session_id + order.query + order.properties_json, "");
  EXPECT_TRUE(is_known(order.event_id)) << "every event is found by its key";
  EXPECT_TRUE(is_known("annabel-1-order")) << "and known when it is sent again";
}

TEST_F(LogRecordsTest, OthersKeepWhatIsTheirs) {
  const Position position = append(k_bob, EventType::view, "e2");
  const Erased erased = erase();
  EXPECT_EQ(erased.dropped + erased.kept_without_person, 0U);
  EXPECT_EQ(at(position).user, k_bob);
  EXPECT_EQ(at(position).event()->properties_json, R"({"note":null,"page":"/x"})");
  EXPECT_EQ(at(position).event()->session_id, "s-1");
}

TEST_F(LogRecordsTest, ThoseWhoFollowTheLogAreToldOfTheSessions) {
  append(k_ann, EventType::view, "e1");
  const Position told = append(k_bob, EventType::view, "e2") + 1;
  erase();
  ASSERT_NE(at(told).erasure(), nullptr);
  EXPECT_EQ(at(told).erasure()->sessions, std::vector<std::uint64_t>{3});
}

TEST_F(LogRecordsTest, ErasingAgainFindsNothing) {
  append(k_ann, EventType::view, "e1");
  append(k_ann, EventType::refund, "e2");
  erase();
  const Erased again = erase();
  EXPECT_EQ(again.dropped + again.kept_without_person, 0U);
}

TEST_F(LogRecordsTest, MoreThanOneStepIsDone) {
  for (int i = 0; i < 600; ++i) append(k_ann, EventType::view, "e" + std::to_string(i));
  EXPECT_EQ(erase().dropped, 600U);
  EXPECT_EQ(*records_.export_person(ann_), "[]");
}

TEST_F(LogRecordsTest, AnExportHoldsWhatThePersonDidAndNothingElse) {
  append(k_ann, EventType::purchase, "e1");
  append(k_bob, EventType::view, "e2");
  const std::string archive = *records_.export_person(ann_);
  for (const char* const part : {"e1", "purchase", "o-1", "4.50", "shoes", "for annabel-1"}) {
    EXPECT_THAT(archive, testing::HasSubstr(part));
  }
  EXPECT_THAT(archive, testing::Not(testing::HasSubstr("e2")));
}

}  // namespace
}  // namespace vitrine::events
