#include "base/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/status.h"

namespace vitrine {
namespace {

constexpr int k_gzip = 16 + MAX_WBITS;
constexpr int k_zlib = MAX_WBITS;
constexpr int k_bare = -MAX_WBITS;

std::string packed(std::string_view text, int form) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT: zlib only reads it
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(InflateTest, ReadsTheThreeFormsThatHttpKnows) {
  const std::string text = R"({"batch": [{"type": "track"}], "sentAt": "2026-11-21T10:00:00Z"})";
  for (const int form : {k_gzip, k_zlib, k_bare}) {
    EXPECT_EQ(inflate(packed(text, form), 1000).value_or("refused"), text) << form;
  }
  EXPECT_TRUE(is_gzip(packed(text, k_gzip)));
  EXPECT_FALSE(is_gzip(text));
}

TEST(InflateTest, JoinsTheMembersOfGzip) {
  EXPECT_EQ(inflate(packed("ab", k_gzip) + packed("cd", k_gzip), 100).value_or("refused"), "abcd");
}

TEST(InflateTest, StopsABombAtTheLimit) {
  const std::string bomb = packed(std::string(std::size_t{64} << 20, 'x'), k_gzip);
  ASSERT_LT(bomb.size(), std::size_t{100} << 10);
  EXPECT_EQ(inflate(bomb, std::size_t{4} << 20).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(InflateTest, TakesExactlyAsMuchAsIsAllowed) {
  const std::string text(100'000, 'y');
  EXPECT_EQ(inflate(packed(text, k_gzip), text.size()).value_or("refused"), text);
  EXPECT_EQ(inflate(packed(text, k_gzip), text.size() - 1).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(InflateTest, RefusesWhatIsNotPackedOrCutShort) {
  const std::string good = packed("some text that is long enough to be cut", k_gzip);
  EXPECT_EQ(inflate("", 100).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(inflate("{\"batch\": []}", 100).ok());
  for (std::size_t size = 1; size < good.size(); ++size) {
    EXPECT_EQ(inflate(std::string_view(good).substr(0, size), 100).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
  EXPECT_FALSE(inflate(good + "rest", 100).ok());
}

}  // namespace
}  // namespace vitrine
