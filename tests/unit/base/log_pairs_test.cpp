#include "base/log_pairs.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(LogPairsTest, MakesMembersOfPairsAndAMessageOfTheRest) {
  EXPECT_EQ(json_members("event=checkpoint entries=12 took_ms=-3 error=\"no room: a b\""),
            R"("event":"checkpoint","entries":12,"took_ms":-3,"error":"no room: a b")");
  EXPECT_EQ(json_members("stopping signal=15"), R"("signal":15,"message":"stopping")");
  EXPECT_EQ(json_members(""), R"("message":"")");
  EXPECT_EQ(json_members("expires=2026-11-23T01:00:00Z id=0123"),
            R"("expires":"2026-11-23T01:00:00Z","id":"0123")");
}

// Values are not escaped where they are written: a quote inside must not end the line's form.
TEST(LogPairsTest, GivesValidTextForAnyBytes) {
  EXPECT_EQ(json_members("error=\"got \"x\", not \\y\" code=3"),
            R"("error":"got \"x\", not \\y","code":3)");
  EXPECT_EQ(json_members("error=\"open"), R"("error":"open")");
  EXPECT_EQ(json_members("a=\xff\x01\xc3\xa9"), "\"a\":\"\\ufffd\\u0001\xc3\xa9\"");
  EXPECT_EQ(json_members("a=\"\""), R"("a":"")");
  EXPECT_EQ(json_members("a="), R"("a":"")");
}

}  // namespace
}  // namespace vitrine
