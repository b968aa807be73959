#include "server/http/request_parser.h"

#include <gmock/gmock.h>

namespace vitrine::http {
namespace {

constexpr std::string_view k_chunked_header =
    "POST /v1/events HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n";

// Gives the parser a body as a connection does: each time what it has not taken, and one piece
// more.
struct Fed {
  bool is_done = false;
  bool is_refused = false;
  std::string body;
};
Fed feed(std::string_view body, std::size_t piece) {
  RequestParser parser(Limits(), false);
  EXPECT_EQ(parser.take(k_chunked_header.data(), k_chunked_header.size()).taken,
            k_chunked_header.size());
  std::size_t taken = 0;
  for (std::size_t given = 0; given < body.size() && !parser.is_done();) {
    given = std::min(body.size(), given + piece);
    for (std::size_t more = 1; more > 0 && taken < given && !parser.is_done(); taken += more) {
      const auto progress = parser.take(body.data() + taken, given - taken);
      if (progress.refusal) return {.is_done = false, .is_refused = true, .body = ""};
      more = progress.taken;
    }
  }
  return {.is_done = parser.is_done(), .is_refused = false, .body = parser.request().body};
}

TEST(RequestParserTest, AChunkedBodyMayComeInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece <= 12; ++piece) {
    const Fed empty = feed("0\r\n\r\n", piece);
    EXPECT_TRUE(empty.is_done && empty.body.empty()) << piece;
    const Fed words = feed("5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nTrailer: x\r\n\r\n", piece);
    EXPECT_TRUE(words.is_done) << piece;
    EXPECT_EQ(words.body, "hello!") << piece;
  }
}

TEST(RequestParserTest, ABrokenChunkIsRefusedInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece <= 12; ++piece) {
    EXPECT_TRUE(feed("xyz\r\n\r\n", piece).is_refused) << piece;
    EXPECT_TRUE(feed("5\r\nhelloX\r\n0\r\n\r\n", piece).is_refused) << piece;
  }
}

}  // namespace
}  // namespace vitrine::http
