// What the store holds once somebody is erased: every value of every family, as readers see it,
// whatever compression makes of it in files.
#include <gmock/gmock.h>

#include "server/store/families.h"
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

constexpr const char* k_user = "annabel-7Q5x2";
constexpr const char* k_events = R"({"events":[
  {"event_id":"a1","type":"view","visitor_id":"cookie-93kd02mf","session_id":"sess-annabel","product_id":"p1"},
  {"event_id":"a2","type":"identify","user_id":"annabel-7Q5x2","visitor_id":"cookie-93kd02mf",
   "properties":{"traits":{"email":"annabel@seaside.example","annabel-7Q5x2":true}}},
  {"event_id":"annabel-7Q5x2-a3","type":"purchase","user_id":"annabel-7Q5x2","product_id":"p1","quantity":1,
   "price":"2.00","currency":"EUR","order_id":"annabel-7Q5x2/0001","properties":{"to":"annabel@seaside.example"}},
  {"event_id":"a4","type":"refund","user_id":"annabel-7Q5x2","product_id":"p1","quantity":1,
   "order_id":"annabel-7Q5x2/0001"},
  {"event_id":"a5","type":"no such type","user_id":"annabel-7Q5x2","properties":{"email":"annabel@seaside.example"}},
  {"event_id":"b1","type":"view","user_id":"bob","product_id":"p1","query":"annabel-7Q5x2",
   "properties":{"friends":["\u0061nnabel-7Q5x2","carl"]}}]})";

class PrivacyApiTest : public ApiTest {
 protected:
  // The families, by number, with a value or key that holds the text.
  std::vector<int> families_with(std::string_view text) const {
    std::vector<int> found;
    for (const store::Family family : store::all_families()) {
      bool holds = false;
      for (auto at = services_->database().walk(family, {}, true); at->valid(); at->next()) {
        holds = holds || at->value().find(text) != std::string_view::npos ||
                at->key().find(text) != std::string_view::npos;
      }
      if (holds) found.push_back(static_cast<int>(family));
    }
    return found;
  }
};

TEST_F(PrivacyApiTest, NoValueOfTheStoreNamesWhoWasErased) {
  put("p1", "Cup");
  ok(post("/v1/events", k_events));
  const std::vector<const char*> secrets{k_user, "cookie-93kd02mf", "annabel@seaside.example",
                                         "sess-annabel"};
  for (const char* const secret : secrets) {
    EXPECT_THAT(families_with(secret), testing::Not(testing::IsEmpty())) << secret;
  }
  ok(ask({"DELETE", std::string("/v1/users/") + k_user, "", {}}));
  for (const char* const secret : secrets) {
    EXPECT_THAT(families_with(secret), testing::IsEmpty()) << secret;
  }
  EXPECT_THAT(families_with("carl"), testing::Not(testing::IsEmpty())) << "others keep theirs";
}

TEST_F(PrivacyApiTest, WhatMayBeStoredOfAPersonIsSaidByFieldAndLimit) {
  const auto change = [&](const std::string& id, std::string body) {
    return failure(ask({"PATCH", "/v1/users/" + id, std::move(body), {}}));
  };
  EXPECT_THAT(change("u", "{}"), testing::HasSubstr("400 invalid_argument personalize: "));
  EXPECT_THAT(change("u", R"({"personalize":1})"), testing::HasSubstr("personalize"));
  EXPECT_THAT(change("u", R"({"personalize":true,"colour":1})"), testing::HasSubstr("colour"));
  EXPECT_THAT(change(std::string(257, 'u'), R"({"personalize":true})"),
              testing::HasSubstr("at most 256 bytes, got 257"));
}

TEST_F(PrivacyApiTest, WhoWasErasedIsNotMadeAnewByARefusal) {
  ok(post("/v1/events", R"({"events":[{"type":"view","user_id":"ann","product_id":"p1"}]})"));
  ok(ask({"DELETE", "/v1/users/ann", "", {}}));
  EXPECT_THAT(failure(ask({"PATCH", "/v1/users/ann", R"({"personalize":false})", {}})),
              testing::HasSubstr("422 refused"));
  EXPECT_THAT(families_with("\"ann\""), testing::IsEmpty());
}

}  // namespace
}  // namespace vitrine::http
