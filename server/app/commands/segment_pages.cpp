#include "server/app/commands/segment_pages.h"

#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "base/status.h"
#include "server/app/commands/json_text.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_page = 100'000;

}  // namespace

absl::Status wait_until_built(ApiClient& client, const std::string& segment) {
  constexpr auto k_between = std::chrono::milliseconds(100);
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                             client.call("GET", "/v1/segments/" + url_encoded(segment)));
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value found, parsed_answer(answer));
    if (text_at(found, "/state") == "live") return absl::OkStatus();
    std::this_thread::sleep_for(k_between);
  }
}

absl::Status for_each_member(ApiClient& client, const std::string& segment,
                             const std::function<absl::Status(const boost::json::value&)>& visit) {
  std::string cursor;
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(
        const std::string answer,
        client.call("GET", fmt::format("/v1/segments/{}/members?limit={}&cursor={}",
                                       url_encoded(segment), k_page, cursor)));
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value page, parsed_answer(answer));
    for (const boost::json::value& member : array_at(page, "/members")) {
      VITRINE_RETURN_IF_ERROR(visit(member));
    }
    cursor = text_at(page, "/cursor");
    if (cursor.empty()) return absl::OkStatus();
  }
}

}  // namespace vitrine::app
