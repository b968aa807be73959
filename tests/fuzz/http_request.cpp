// What a socket gives: the request parser, in one piece and in many, then target, query and body.
#include "server/http/query_reader.h"
#include "server/http/request_body.h"
#include "server/http/request_parser.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_inflated_max = 64 * 1024;

Limits small_limits() {
  Limits limits;
  limits.max_header_bytes = 1024;
  limits.max_body_bytes = 4096;
  return limits;
}

// What came of the bytes; `request` only when it was whole.
struct Read {
  bool is_refused = false;
  std::size_t taken = 0;
  std::optional<Request> request;
};

// Feeds the parser as a connection does: what it leaves is given again with what comes next.
Read read(std::string_view bytes, std::size_t piece) {
  RequestParser parser(small_limits(), false);
  Read read;
  std::size_t given = 0;
  while (given < bytes.size() && !parser.is_done()) {
    given = std::min(bytes.size(), given + piece);
    for (;;) {
      const auto progress = parser.take(bytes.data() + read.taken, given - read.taken);
      CHECK(progress.taken <= given - read.taken, "no more is taken than was given");
      read.taken += progress.taken;
      if (progress.refusal) {
        CHECK(progress.refusal->kind.http_status >= 400, "a refusal is an error");
        read.is_refused = true;
        return read;
      }
      if (parser.is_done() || progress.taken == 0 || read.taken == given) break;
    }
  }
  if (parser.is_done()) read.request = std::move(parser.request());
  return read;
}

void use(Request request) {
  const std::string_view target = request.target;
  const std::size_t question = std::min(target.find('?'), target.size());
  static_cast<void>(percent_decode(target.substr(0, question), false));
  const auto query = parse_query(target.substr(std::min(question + 1, target.size())));
  if (query.ok()) {
    QueryReader reader(*query);
    reader.text("a", 16);
    reader.integer("limit", 1, 200);
    reader.boolean("explain");
    reader.texts("fields", 4, 16);
    static_cast<void>(reader.finish());
  }
  const auto body = take_body(request, k_inflated_max);
  CHECK(!body.ok() || body->size() <= k_inflated_max, "a body is no larger than it may be");
}

void compare(std::string_view input) {
  const std::size_t piece = 1 + fuzz::take_choice(input) % 64;
  Read whole = read(input, std::max<std::size_t>(input.size(), 1));
  const Read pieces = read(input, piece);
  // Limits may be noticed sooner in pieces, or later; what is a request is the same one.
  if (whole.request && pieces.request) {
    CHECK(whole.request->method == pieces.request->method &&
              whole.request->target == pieces.request->target &&
              whole.request->body == pieces.request->body && whole.taken == pieces.taken,
          "pieces make the same request");
  }
  CHECK(!whole.request || pieces.request || pieces.is_refused, "pieces end where the whole does");
  if (whole.request) use(*std::move(whole.request));
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::http::compare(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
