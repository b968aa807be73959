#include "server/collect/bots.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace vitrine::collect {
namespace {

// In lower case; what crawlers and tools call themselves.
constexpr std::string_view k_bot_words[] = {"bot/",
                                            "bot;",
                                            "googlebot",
                                            "bingbot",
                                            "bot-",
                                            "crawler",
                                            "spider",
                                            "slurp",
                                            "headless",
                                            "phantomjs",
                                            "puppeteer",
                                            "playwright",
                                            "lighthouse",
                                            "pingdom",
                                            "uptimerobot",
                                            "statuscake",
                                            "curl/",
                                            "wget/",
                                            "python-requests",
                                            "scrapy",
                                            "httpclient",
                                            "go-http-client",
                                            "facebookexternalhit",
                                            "baiduspider",
                                            "yandexbot",
                                            "duckduckbot",
                                            "ahrefs",
                                            "semrush",
                                            "gptbot",
                                            "ccbot",
                                            "bytespider",
                                            "petalbot",
                                            "applebot",
                                            "amazonbot"};

constexpr std::size_t k_agent_bytes_looked_at = 512;

// What somebody does, not what is shown to them: one page may show hundreds of products.
bool is_deed(const Event& event) {
  return default_weight(event.type) > 0 || event.type == EventType::page ||
         event.type == EventType::search || event.type == EventType::list_view;
}

}  // namespace

bool is_bot_agent(std::string_view user_agent) {
  std::string lower(user_agent.substr(0, k_agent_bytes_looked_at));
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return std::ranges::any_of(
      k_bot_words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// A sliding window of two halves would need each event's time; two windows side by side need two
// counts, and the share of the earlier one that the last `window_ms` still reach.
BurstWatch::Verdict BurstWatch::look_at(UserNumber person, const Event& event, TimeMs now_ms) {
  if (person == k_nobody || !is_deed(event)) return Verdict::person;
  if (counts_.size() >= options_.people_max && !counts_.contains(person)) counts_.clear();
  Count& count = counts_[person];
  const TimeMs since_ms = now_ms - count.window_began_ms;
  if (since_ms >= options_.window_ms) {
    count.events_before = since_ms < 2 * options_.window_ms ? count.events : 0;
    count.events = 0;
    count.window_began_ms = now_ms - since_ms % options_.window_ms;
  }
  ++count.events;
  const bool was_flagged = now_ms < count.flagged_until_ms;
  const auto left = static_cast<double>(options_.window_ms - (now_ms - count.window_began_ms)) /
                    static_cast<double>(options_.window_ms);
  const double in_window =
      static_cast<double>(count.events) + static_cast<double>(count.events_before) * left;
  if (in_window > static_cast<double>(options_.events_max)) {
    count.flagged_until_ms = now_ms + options_.flagged_ms;
    if (!was_flagged) return Verdict::begins;
  }
  return was_flagged ? Verdict::bot : Verdict::person;
}

}  // namespace vitrine::collect
