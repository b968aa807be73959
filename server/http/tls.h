// The server's certificate, and the encrypted end of one connection: the door to OpenSSL's TLS.
//
// TLS 1.2 and 1.3. A certificate is replaced as a whole; connections keep the one they began with.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/published.h"

typedef struct ssl_st SSL;          // NOLINT(modernize-use-using): as OpenSSL declares them
typedef struct ssl_ctx_st SSL_CTX;  // NOLINT(modernize-use-using)

namespace vitrine::http {

// Thread-safe.
class Certificate {
 public:
  struct Files {
    std::filesystem::path chain;  // PEM: the server's own certificate first, then those above it
    std::filesystem::path key;    // PEM, without a passphrase
  };

  // InvalidArgument names the file that cannot be used: unreadable, no PEM, key and certificate of
  // different pairs, or expired by `now_ms`.
  static absl::StatusOr<std::unique_ptr<Certificate>> open(Files files, TimeMs now_ms);
  ~Certificate();

  // Reads the files anew. After an error the former certificate goes on.
  absl::Status reload(TimeMs now_ms);
  // Whether the files have changed since they were read.
  bool has_changed() const;

  TimeMs expires_ms() const;

 private:
  friend class TlsSession;
  struct Loaded;
  explicit Certificate(Files files) : files_(std::move(files)) {}
  absl::StatusOr<std::shared_ptr<const Loaded>> load(TimeMs now_ms) const;

  const Files files_;
  std::unique_ptr<Published<Loaded>> loaded_;
};

// Reads and writes through a socket that does not block. One thread.
class TlsSession {
 public:
  // `descriptor` outlives it.
  TlsSession(const Certificate& certificate, int descriptor);

  enum class State { done, wants_read, wants_write, closed };
  struct Moved {
    State state = State::closed;
    std::size_t bytes = 0;  // when done
  };
  // The handshake is made on the way. `wants_...`: call again with the same bytes once the socket
  // can be read from, or written to.
  Moved read(std::span<char> into);
  Moved write(std::string_view bytes);
  // Tells the client that nothing more comes.
  void say_goodbye();

 private:
  struct Free {
    void operator()(SSL* session) const;
  };
  Moved outcome(int result, std::size_t bytes);

  std::unique_ptr<SSL, Free> session_;
};

}  // namespace vitrine::http
