#include "server/collect/bots.h"

#include <gtest/gtest.h>

namespace vitrine::collect {
namespace {

TEST(BotAgentTest, TellsCrawlersAndToolsFromBrowsers) {
  for (const std::string_view bot :
       {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36",
        "curl/7.88.1", "python-requests/2.31", "Mozilla/5.0 (compatible; AhrefsBot/7.0)",
        "facebookexternalhit/1.1"}) {
    EXPECT_TRUE(is_bot_agent(bot)) << bot;
  }
  for (const std::string_view person :
       {"", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 10; Cubot X30) AppleWebKit/537.36 Chrome/119.0 Mobile"}) {
    EXPECT_FALSE(is_bot_agent(person)) << person;
  }
}

class BurstWatchTest : public testing::Test {
 protected:
  // "p" for a person, "b" where it begins to be a bot, "B" after that.
  char look(TimeMs now_ms, EventType type = EventType::view, std::uint32_t person = 1) {
    Event event;
    event.type = type;
    switch (watch_.look_at(UserNumber(person), event, now_ms)) {
      case BurstWatch::Verdict::person:
        return 'p';
      case BurstWatch::Verdict::begins:
        return 'b';
      case BurstWatch::Verdict::bot:
        return 'B';
    }
    return '?';
  }
  BurstWatch watch_{{.events_max = 3}};
  static constexpr TimeMs k_start_ms = 1'000 * k_minute_ms;
};

TEST_F(BurstWatchTest, OneEventTooManyWithinAMinuteIsAProgramsForADay) {
  std::string seen;
  for (int i = 0; i < 5; ++i) seen += look(k_start_ms + i * 1000);
  EXPECT_EQ(seen, "pppbB");
  EXPECT_EQ(look(k_start_ms + k_day_ms - k_minute_ms), 'B');
  EXPECT_EQ(look(k_start_ms + 2 * k_day_ms), 'p');
}

TEST_F(BurstWatchTest, AQuieterOneIsAPerson) {
  std::string seen;
  for (int i = 0; i < 12; ++i) seen += look(k_start_ms + i * 40'000);
  EXPECT_EQ(seen, "pppppppppppp");
}

TEST_F(BurstWatchTest, AMinutesBorderHidesNothing) {
  std::string seen;
  for (int i = 0; i < 6; ++i) seen += look(k_start_ms + k_minute_ms - 2500 + i * 1000);
  EXPECT_EQ(seen.find('b') == std::string::npos, false) << seen;
}

TEST_F(BurstWatchTest, WhatIsShownToSomebodyIsNoDeedAndNobodyIsNoPerson) {
  std::string seen;
  for (int i = 0; i < 9; ++i) seen += look(k_start_ms, EventType::impression);
  for (int i = 0; i < 9; ++i) seen += look(k_start_ms, EventType::view, 0);
  EXPECT_EQ(seen, std::string(18, 'p'));
}

}  // namespace
}  // namespace vitrine::collect
