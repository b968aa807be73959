// Beast's parser filling a Request directly: no second copy of the headers, nothing of Beast in the
// handlers.
//
// One object per request; not thread-safe.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/http/response.h"

namespace vitrine::http {

// Why a request cannot be read: what to answer before closing.
struct Refusal {
  ErrorKind kind;
  std::string message;
};

class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  RequestParser(const Limits& limits, bool is_control);

  // Parses on and says how many bytes were taken; what is missing comes with the next call.
  struct Progress {
    std::size_t taken = 0;
    std::optional<Refusal> refusal;
  };
  Progress take(const char* bytes, std::size_t count);

  // Valid once is_done().
  Request& request() { return request_; }
  bool expects_continue() const;  // valid once is_header_done()

 private:
  using ErrorCode = boost::system::error_code;
  using Text = boost::beast::string_view;

  std::optional<Refusal> check_header() const;
  Refusal refusal_of(const ErrorCode& error) const;

  void on_request_impl(boost::beast::http::verb method, Text method_text, Text target, int version,
                       ErrorCode& error) override;
  void on_response_impl(int code, Text reason, int version, ErrorCode& error) override;
  void on_field_impl(boost::beast::http::field field, Text name, Text value,
                     ErrorCode& error) override;
  void on_header_impl(ErrorCode& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode& error) override;
  std::size_t on_body_impl(Text body, ErrorCode& error) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, ErrorCode& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remaining, Text body, ErrorCode& error) override;
  void on_finish_impl(ErrorCode& error) override;

  const std::size_t max_header_bytes_;
  const std::size_t max_body_bytes_;
  Request request_;
  bool is_http_1_0_ = false;
  bool header_checked_ = false;
  std::size_t framing_bytes_ = 0;  // of chunk extensions and trailers, which Beast does not bound
};

}  // namespace vitrine::http
