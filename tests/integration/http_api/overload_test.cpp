// What becomes of recommendations that come to their turn late.
#include <gmock/gmock.h>

#include "api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

class OverloadTest : public ApiTest {
 protected:
  Response ask_after(std::int64_t waited_ms, std::string target) {
    Request request;
    request.method = "GET";
    request.target = std::move(target);
    request.is_control = true;
    request.arrived_us = steady_us() - waited_ms * 1000;
    Response answer;
    services_->router().handle(
        std::move(request), Reply("01JTEST", [&](Response&& made) { answer = std::move(made); }));
    return answer;
  }
};

// The deadline is 100 ms: past half of it nobody is answered once that has lasted a quarter of it.
TEST_F(OverloadTest, WhoWaitedTooLongIsToldToComeBackAndOthersGoOn) {
  const std::string home = "/v1/placements/home/products?visitor_id=v";
  put("cup", "CUP");
  const Response late = ask_after(400, home);
  EXPECT_EQ(late.status, 200) << "a queue that a pause left is answered";
  EXPECT_THAT(late.body, HasSubstr("\"cup\"")) << "by the fallback";

  const std::int64_t until_us = steady_us() + 5'000'000;
  Response refused = late;
  while (refused.status == 200 && steady_us() < until_us) refused = ask_after(60, home);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(failure(refused), HasSubstr("429 overloaded: too many requests wait"));

  EXPECT_EQ(ask_after(0, home).status, 200);
  EXPECT_EQ(ask_after(60, "/v1/products/cup").status, 200) << "not a recommendation";
  const std::string counted = get("/metrics").body;
  EXPECT_THAT(counted, HasSubstr("vitrine_recommend_shed_total{to=\"refused\"} 1\n"));
}

}  // namespace
}  // namespace vitrine::http
