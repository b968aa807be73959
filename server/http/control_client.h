// Speaks to a running server through the control socket of its data directory.
//
// A connection is made once and kept. Blocking; one thread at a time.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace vitrine::http {

struct ControlAnswer {
  int status = 0;
  std::string body;
};

class ControlClient {
 public:
  // NotFound when nobody listens there: no socket, or one that a dead server left behind.
  static absl::StatusOr<ControlClient> connect(const std::filesystem::path& socket);
  ControlClient(ControlClient&&) noexcept;
  ControlClient& operator=(ControlClient&&) noexcept;
  ~ControlClient();

  // Sends one request and waits for its answer. Unavailable when the server goes away meanwhile:
  // whether it carried the request out is then not known.
  absl::StatusOr<ControlAnswer> call(std::string_view method, std::string_view target,
                                     std::string body);

 private:
  struct Connection;
  explicit ControlClient(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace vitrine::http
