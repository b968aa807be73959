// A client that sends exactly the bytes it is told to: what a well-behaved library would never
// send.
//
// Every wait is bounded; running into the bound fails the test. Not thread-safe.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine::http {

struct Answer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;

  std::string header(std::string_view name) const {
    const std::string start = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(start);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + start.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  static constexpr int k_patience_ms = 20'000;

  // `receive_buffer_bytes` bounds what the kernel takes on the client's behalf; 0: its own choice.
  static RawClient to_port(std::uint16_t port, int receive_buffer_bytes = 0) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int done =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(done, 0) << "the server accepts";
    return RawClient(descriptor);
  }

  static RawClient to_socket(const std::filesystem::path& path) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int done =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(done, 0) << "the control socket accepts";
    return RawClient(descriptor);
  }

  RawClient(RawClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  // False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void close_writing() { ::shutdown(descriptor_, SHUT_WR); }

  // The next answer; nothing when the server closed first. `has_body` is false for HEAD.
  std::optional<Answer> receive(bool has_body = true) {
    std::size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return std::nullopt;
    }
    Answer answer;
    answer.head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
    if (!has_body) return answer;
    std::size_t length = 0;
    const std::string declared = answer.header("Content-Length");
    std::from_chars(declared.data(), declared.data() + declared.size(), length);
    while (received_.size() < length) {
      if (!read_more()) return std::nullopt;
    }
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
  }

  std::optional<Answer> ask(std::string_view request) {
    send(request);
    return receive();
  }

  // True when the server closes without sending anything more.
  bool is_closed() { return received_.empty() && !read_more(); }

 private:
  explicit RawClient(int descriptor) : descriptor_(descriptor) {}

  bool read_more() {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, k_patience_ms) <= 0) {
      ADD_FAILURE() << "the server neither answers nor closes";
      return false;
    }
    char bytes[16 * 1024];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  std::string received_;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

inline std::string post(std::string_view target, std::string_view body) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace vitrine::http
