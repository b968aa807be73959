#include "server/app/commands/one_call.h"

#include <memory>
#include <utility>

#include "base/status.h"
#include "server/app/api_client.h"

namespace vitrine::app {

absl::StatusOr<std::string> ask(const Invocation& invocation, std::string_view method,
                                const std::string& target, std::string body, bool must_exist) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, must_exist));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  return client->api().call(method, target, std::move(body));
}

}  // namespace vitrine::app
