#include "server/app/import/event_rows.h"

#include <gmock/gmock.h>

#include "tests/unit/app/import_files.h"

namespace vitrine::app {
namespace {

std::string event_of(std::vector<RowField> fields, const EventRowOptions& options = {}) {
  std::string json;
  const absl::Status status = append_event(row_of(std::move(fields)), options, json);
  EXPECT_TRUE(status.ok()) << status;
  return json;
}

TEST(EventRows, ReadsTheNamesOfCommonExports) {
  EXPECT_EQ(event_of({{"event_id", "e1"},
                      {"timestamp", "1970-01-01T00:00:01Z"},
                      {"item_id", "0042"},
                      {"event_type", "return"},
                      {"quantity", "3"},
                      {"price", "1.5"},
                      {"currency", "GBP"}}),
            R"({"event_id":"e1","time":1000,"product_id":"0042","type":"return","quantity":3,)"
            R"("price":"1.5","currency":"GBP"})");
}

TEST(EventRows, ReadsOurOwnNamesAsTheyAre) {
  EXPECT_EQ(event_of({{"product_id", "p"}, {"type", "view"}, {"visitor_id", "v"}}),
            R"({"product_id":"p","type":"view","visitor_id":"v"})");
}

TEST(EventRows, KeepsWhatItDoesNotKnowAsProperties) {
  EXPECT_EQ(event_of({{"type", "view"},
                      {"country", "Iceland"},
                      {"store", "7", true},
                      {"properties", R"({"a":1})", true}}),
            R"({"type":"view","properties":{"country":"Iceland","store":7,"a":1}})");
  EXPECT_EQ(event_of({{"properties", R"({"a":1})"}}), R"({"properties":{"a":1}})");
}

TEST(EventRows, RefusesPropertiesThatAreNoObjectAndTimesThatAreNone) {
  std::string json;
  EXPECT_FALSE(append_event(row_of({{"properties", "oops"}}), {}, json).ok());
  EXPECT_FALSE(append_event(row_of({{"properties", "3", true}}), {}, json).ok());
  EXPECT_FALSE(append_event(row_of({{"time", "yesterday"}}), {}, json).ok());
}

TEST(EventRows, LeavesItToTheServerToRefuseAQuantity) {
  EXPECT_EQ(event_of({{"quantity", "many"}}), R"({"quantity":"many"})");
  EXPECT_EQ(event_of({{"quantity", "007"}}), R"({"quantity":7})");
}

TEST(EventRows, MovesTimes) {
  EventRowOptions options;
  options.shift_ms = k_day_ms;
  EXPECT_EQ(event_of({{"time", "1970-01-01"}}, options), R"({"time":86400000})");
}

TEST(EventRows, GivesAPriceTheCurrencyItNeeds) {
  EventRowOptions options;
  options.currency_of = [](std::string_view product_id) {
    return product_id == "p" ? std::string_view("EUR") : std::string_view();
  };
  EXPECT_EQ(event_of({{"product_id", "p"}, {"price", "2"}}, options),
            R"({"product_id":"p","price":"2","currency":"EUR"})");
  EXPECT_EQ(event_of({{"item_id", "q"}, {"price", "2"}}, options),
            R"({"product_id":"q","price":"2"})");
  EXPECT_EQ(event_of({{"product_id", "p"}}, options), R"({"product_id":"p"})");
  options.currency = "USD";
  EXPECT_EQ(event_of({{"product_id", "p"}, {"price", "2"}}, options),
            R"({"product_id":"p","price":"2","currency":"USD"})");
}

TEST(EventRows, SaysWhenARowHappened) {
  EXPECT_EQ(event_time(row_of({{"timestamp", "1700000000000"}})).value(), 1'700'000'000'000);
  EXPECT_EQ(event_time(row_of({{"type", "view"}})).value(), std::nullopt);
  EXPECT_FALSE(event_time(row_of({{"time", "soon"}})).ok());
}

}  // namespace
}  // namespace vitrine::app
