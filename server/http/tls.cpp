#include "server/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace vitrine::http {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// What OpenSSL last complained of on this thread.
std::string complaint() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

// Clients that offer protocols get HTTP/1.1, or none.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned int offered_bytes, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int found =
      SSL_select_next_proto(&selected, chosen_bytes, ours, sizeof ours - 1, offered, offered_bytes);
  *chosen = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Context hardened_context() {
  Context context(SSL_CTX_new(TLS_server_method()));
  CHECK(context != nullptr, "there is memory for a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Of TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection holds no buffers; a write may go on from another place in memory.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return context;
}

TimeMs expiry_of(const SSL_CTX* context) {
  std::tm parts{};
  const X509* const own = SSL_CTX_get0_certificate(context);
  if (own == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(own), &parts) != 1) return 0;
  return static_cast<TimeMs>(timegm(&parts)) * k_second_ms;
}

struct Stamp {
  std::filesystem::file_time_type chain;
  std::filesystem::file_time_type key;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const Certificate::Files& files) {
  std::error_code ignored;
  return {std::filesystem::last_write_time(files.chain, ignored),
          std::filesystem::last_write_time(files.key, ignored)};
}

}  // namespace

struct Certificate::Loaded {
  Context context;
  Stamp stamp;  // of the files, looked at before they were read
  TimeMs expires_ms = 0;
};

Certificate::~Certificate() = default;

absl::StatusOr<std::shared_ptr<const Certificate::Loaded>> Certificate::load(TimeMs now_ms) const {
  auto loaded = std::make_shared<Loaded>();
  loaded->stamp = stamp_of(files_);
  loaded->context = hardened_context();
  SSL_CTX* const context = loaded->context.get();
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, files_.chain.c_str()) != 1) {
    return invalid_argument("the certificate {} cannot be used: {}", files_.chain.string(),
                            complaint());
  }
  if (SSL_CTX_use_PrivateKey_file(context, files_.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return invalid_argument("the key {} cannot be used with the certificate {}: {}",
                            files_.key.string(), files_.chain.string(), complaint());
  }
  loaded->expires_ms = expiry_of(context);
  if (loaded->expires_ms <= now_ms) {
    return invalid_argument("the certificate {} expired at {}", files_.chain.string(),
                            format_time(loaded->expires_ms));
  }
  return loaded;
}

absl::StatusOr<std::unique_ptr<Certificate>> Certificate::open(Files files, TimeMs now_ms) {
  std::unique_ptr<Certificate> certificate(new Certificate(std::move(files)));
  VITRINE_ASSIGN_OR_RETURN(std::shared_ptr<const Loaded> loaded, certificate->load(now_ms));
  certificate->loaded_ = std::make_unique<Published<Loaded>>(std::move(loaded));
  return certificate;
}

absl::Status Certificate::reload(TimeMs now_ms) {
  VITRINE_ASSIGN_OR_RETURN(std::shared_ptr<const Loaded> loaded, load(now_ms));
  loaded_->publish(std::move(loaded));
  return absl::OkStatus();
}

bool Certificate::has_changed() const { return stamp_of(files_) != loaded_->current()->stamp; }

TimeMs Certificate::expires_ms() const { return loaded_->current()->expires_ms; }

void TlsSession::Free::operator()(SSL* session) const { SSL_free(session); }

TlsSession::TlsSession(const Certificate& certificate, int descriptor)
    : session_(SSL_new(certificate.loaded_->current()->context.get())) {
  CHECK(session_ != nullptr, "there is memory for a TLS session");
  CHECK(SSL_set_fd(session_.get(), descriptor) == 1, "a socket can be encrypted");
  SSL_set_accept_state(session_.get());
}

TlsSession::Moved TlsSession::outcome(int result, std::size_t bytes) {
  if (result == 1) return {State::done, bytes};
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::wants_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::wants_write, 0};
    default:
      // What one connection left there must not be taken for an error of the next.
      ERR_clear_error();
      return {State::closed, 0};
  }
}

TlsSession::Moved TlsSession::read(std::span<char> into) {
  std::size_t bytes = 0;
  const int result = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
  return outcome(result, bytes);
}

TlsSession::Moved TlsSession::write(std::string_view bytes) {
  std::size_t written = 0;
  const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
  return outcome(result, written);
}

void TlsSession::say_goodbye() {
  if (SSL_is_init_finished(session_.get()) == 1) SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace vitrine::http
