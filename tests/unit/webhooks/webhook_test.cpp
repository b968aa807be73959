#include "server/webhooks/webhook.h"

#include <gmock/gmock.h>

#include "base/status.h"

namespace vitrine::webhooks {
namespace {

std::string refusal(const Webhook& webhook, bool allow_private = false) {
  return std::string(message_of(validate(webhook, allow_private)));
}

TEST(WebhookTest, LeadsToThePublicInternetByHttps) {
  EXPECT_EQ(refusal({.key = "crm", .url = "https://hooks.example.com:8443/in?shop=1"}), "");
  using testing::HasSubstr;
  EXPECT_THAT(refusal({.key = "crm", .url = "http://example.com/"}), HasSubstr("https://"));
  EXPECT_THAT(refusal({.key = "crm", .url = "file:///etc/passwd"}), HasSubstr("https://"));
  EXPECT_THAT(refusal({.key = "crm", .url = "https://u:p@example.com/"}), HasSubstr("user name"));
  EXPECT_THAT(refusal({.key = "crm", .url = "https://example.com/#a"}), HasSubstr("fragment"));
  EXPECT_THAT(refusal({.key = "crm", .url = "nowhere"}), HasSubstr("url"));
  for (const char* const url :
       {"https://127.0.0.1/", "https://[::1]/", "https://10.1/", "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data", "https://[::ffff:192.168.1.1]/"}) {
    EXPECT_THAT(refusal({.key = "crm", .url = url}), HasSubstr("private")) << url;
    EXPECT_EQ(refusal({.key = "crm", .url = url}, true), "") << url;
  }
}

TEST(WebhookTest, NamesWhatIsWrong) {
  EXPECT_THAT(refusal({.key = "C R M", .url = "https://example.com/"}),
              testing::StartsWith("webhook must be"));
  EXPECT_THAT(refusal({.key = "crm", .url = "https://example.com/", .types = {"segment.moved"}}),
              testing::StartsWith("types must name"));
  EXPECT_THAT(refusal({.key = "crm", .url = "https://example.com/", .segments = {"A"}}),
              testing::StartsWith("segments must be"));
  EXPECT_THAT(refusal({.key = "crm", .url = "https://example.com/" + std::string(2000, 'a')}),
              testing::StartsWith("url may have at most 2000 bytes"));
}

TEST(WebhookTest, ItsStoredFormSaysAllOfIt) {
  const Webhook webhook{.key = "crm",
                        .url = "https://example.com/",
                        .description = "顾客",
                        .types = {"segment.left"},
                        .segments = {"vip", "lapsed"},
                        .is_active = false,
                        .version = 7,
                        .changed_ms = 8,
                        .secrets = {{"whsec_a", 0}, {"whsec_b", 1000}}};
  const auto read = decode_webhook("crm", encode(webhook));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(encode(*read), encode(webhook));
  EXPECT_THAT(read->secrets_at(999), testing::ElementsAre("whsec_a", "whsec_b"));
  EXPECT_THAT(read->secrets_at(1000), testing::ElementsAre("whsec_a"));
  EXPECT_EQ(decode_webhook("crm", "{}").status().code(), absl::StatusCode::kDataLoss);
}

TEST(WebhookTest, WithoutAListItWantsEverything) {
  const Webhook all{.key = "all"};
  EXPECT_TRUE(all.wants_type(k_segment_left));
  EXPECT_TRUE(all.wants_segment("vip"));
  const Webhook some{.key = "some", .types = {"segment.entered"}, .segments = {"vip"}};
  EXPECT_FALSE(some.wants_type(k_segment_left));
  EXPECT_FALSE(some.wants_segment("lapsed"));
}

}  // namespace
}  // namespace vitrine::webhooks
