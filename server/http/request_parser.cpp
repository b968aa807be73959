#include "server/http/request_parser.h"

#include <boost/beast/http/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace vitrine::http {
namespace beast_http = boost::beast::http;
namespace {

// "0", CRLF, CRLF: no chunked body ends in less. Beast asserts that it never looks at the last
// chunk anew with less in hand, so less waits for more.
constexpr std::size_t k_last_chunk_bytes = 5;
constexpr std::size_t k_first_body_reserve = 64 * 1024;  // bytes; a declared length is only a claim

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

RequestParser::RequestParser(const Limits& limits, bool is_control)
    : max_header_bytes_(limits.max_header_bytes),
      max_body_bytes_(is_control ? limits.max_control_body_bytes : limits.max_body_bytes) {
  header_limit(static_cast<std::uint32_t>(max_header_bytes_));
  body_limit(max_body_bytes_);
  eager(true);
  request_.is_control = is_control;
}

RequestParser::Progress RequestParser::take(const char* bytes, std::size_t count) {
  ErrorCode error;
  Progress progress;
  if (is_header_done() && chunked() && !is_done() && count < k_last_chunk_bytes) return progress;
  progress.taken = put(boost::asio::const_buffer(bytes, count), error);
  if (error && error != beast_http::error::need_more) {
    progress.refusal = refusal_of(error);
  } else if (is_header_done() && !header_checked_) {
    header_checked_ = true;
    progress.refusal = check_header();
  }
  return progress;
}

std::optional<Refusal> RequestParser::check_header() const {
  if (!request_.target.starts_with('/')) {
    return Refusal{kind_of(absl::StatusCode::kInvalidArgument),
                   "the request target must start with '/'"};
  }
  if (request_.headers.count("Host") > 1 ||
      (!is_http_1_0_ && request_.headers.count("Host") == 0)) {
    return Refusal{kind_of(absl::StatusCode::kInvalidArgument),
                   "a request must have one Host header"};
  }
  const std::optional<std::string_view> coding = request_.headers.find("Transfer-Encoding");
  if (coding && !chunked()) {
    return Refusal{kind_of(absl::StatusCode::kInvalidArgument),
                   "Transfer-Encoding must be chunked"};
  }
  return std::nullopt;
}

bool RequestParser::expects_continue() const {
  const std::optional<std::string_view> expected = request_.headers.find("Expect");
  return !is_http_1_0_ && expected && *expected == "100-continue";
}

Refusal RequestParser::refusal_of(const ErrorCode& error) const {
  if (error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow) {
    return {
        k_headers_too_large,
        fmt::format("the request line and headers must have at most {} bytes", max_header_bytes_)};
  }
  if (error == beast_http::error::body_limit) {
    return {k_body_too_large, fmt::format("the body must have at most {} bytes", max_body_bytes_)};
  }
  return {kind_of(absl::StatusCode::kInvalidArgument),
          fmt::format("the request must be HTTP/1.1, but: {}", error.message())};
}

void RequestParser::on_request_impl(beast_http::verb, Text method_text, Text target, int version,
                                    ErrorCode&) {
  request_.method = view(method_text);
  request_.target = view(target);
  is_http_1_0_ = version == 10;
}

void RequestParser::on_response_impl(int, Text, int, ErrorCode&) {}

void RequestParser::on_field_impl(beast_http::field, Text name, Text value, ErrorCode& error) {
  if (!is_header_done()) return request_.headers.add(view(name), view(value));
  // A trailer after the last chunk: read over, never mixed into the headers that were already
  // judged.
  framing_bytes_ += name.size() + value.size();
  if (framing_bytes_ > max_header_bytes_) error = beast_http::error::header_limit;
}

void RequestParser::on_header_impl(ErrorCode&) {}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) {
  if (length) {
    request_.body.reserve(
        static_cast<std::size_t>(std::min<std::uint64_t>(*length, k_first_body_reserve)));
  }
}

std::size_t RequestParser::on_body_impl(Text body, ErrorCode&) {
  request_.body += view(body);
  return body.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t, Text extensions, ErrorCode& error) {
  framing_bytes_ += extensions.size();
  if (framing_bytes_ > max_header_bytes_) error = beast_http::error::header_limit;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) {
  request_.body += view(body);
  return body.size();
}

void RequestParser::on_finish_impl(ErrorCode&) {}

}  // namespace vitrine::http
