#include "server/events/mention.h"

#include <gtest/gtest.h>

namespace vitrine::events {
namespace {

TEST(MentionTest, ALongIdCountsAnywhereAShorterOneWhereItStandsAlone) {
  const Mention mention({"annabel-1", "17850", "a1"});
  EXPECT_TRUE(mention.is_in("xannabel-1x"));
  EXPECT_TRUE(mention.is_in("for 17850, please"));
  EXPECT_TRUE(mention.is_in("17850"));
  EXPECT_FALSE(mention.is_in("order 5178501"));
  EXPECT_FALSE(
      mention.is_in("\xC3\xA9"
                    "17850"))
      << "a letter beyond ASCII is a letter";
  EXPECT_FALSE(mention.is_in("a1")) << "so short a text is chance";
  EXPECT_TRUE(mention.is_id("a1"));
  EXPECT_FALSE(mention.is_in(""));
}

TEST(MentionTest, AFieldThatIsAnIdCountsAsAWholeOnly) {
  const Mention mention({"7"});
  EXPECT_TRUE(mention.is_in_json(R"({"user_id":"7"})"));
  EXPECT_TRUE(mention.is_in_json(R"({"traits":{"userId":7}})"));
  EXPECT_FALSE(mention.is_in_json(R"({"user_id":"77","quantity":7,"size":"7"})"));
}

TEST(MentionTest, EscapesHideNothing) {
  const Mention mention({"annabel-1"});
  EXPECT_TRUE(mention.is_in_json(R"({"x":"\u0061nnabel-1"})"));
  EXPECT_FALSE(mention.is_in_json(R"({"x":"\u0062nnabel-1"})"));
}

TEST(MentionTest, WhatNamesAnIdIsTakenOutOfJson) {
  const Mention mention({"annabel-1"});
  EXPECT_EQ(
      mention.without(R"({"a":"hi annabel-1","b":[1,"annabel-1"],"annabel-1":2,"c":{"d":3}})"),
      R"({"a":null,"b":[1,null],"c":{"d":3}})");
  const std::string other = R"({ "a" : "left as it is" })";
  EXPECT_EQ(mention.without(other), other);
  EXPECT_EQ(mention.without("no json, annabel-1"), "");
  EXPECT_EQ(mention.without("no json"), "no json");
}

TEST(MentionTest, AnEmptyIdIsNone) {
  const Mention mention({""});
  EXPECT_FALSE(mention.is_in("anything"));
  EXPECT_FALSE(mention.is_id(""));
}

}  // namespace
}  // namespace vitrine::events
