// The members of a segment, through the API, page by page: it takes no memory to speak of.
//
// One thread.
#pragma once

#include <absl/status/status.h>

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "server/app/api_client.h"

namespace vitrine::app {

// After a start segments are built in the background: waits until this one is. NotFound.
absl::Status wait_until_built(ApiClient& client, const std::string& segment);

// `visit` is given {"user_id": ...} or {"visitor_id": ...}; its first failure ends the walk.
absl::Status for_each_member(ApiClient& client, const std::string& segment,
                             const std::function<absl::Status(const boost::json::value&)>& visit);

}  // namespace vitrine::app
