#include "server/segments/membership_form.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vitrine::segments {
namespace {

constexpr std::uint32_t k_cookie_without_runs = 12'346;
constexpr std::uint32_t k_cookie_with_runs =
    12'347;  // in the low half; the high half counts containers
constexpr std::uint32_t k_containers_max = 1U << 16;
constexpr std::uint32_t k_array_max = 4'096;   // numbers; a container of more is a bitset
constexpr std::size_t k_bitset_words = 1'024;  // of 64 bits
constexpr std::uint32_t k_offsets_from =
    4;  // containers; with runs, fewer have no table of offsets

static_assert(std::endian::native == std::endian::little, "the form is little-endian");

// Takes from the front; once it came short it stays short.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > left_.size()) is_short_ = true;
    if (is_short_) return {};
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  template <class Number>
  Number take_number() {
    Number number{};
    const std::string_view taken = take(sizeof number);
    std::ranges::copy(taken, reinterpret_cast<char*>(&number));
    return number;
  }

  bool is_short() const { return is_short_; }
  bool is_at_end() const { return !is_short_ && left_.empty(); }

 private:
  std::string_view left_;
  bool is_short_ = false;
};

struct Head {
  std::uint32_t containers = 0;
  std::string_view run_flags;  // a bit a container; empty: none holds runs

  bool holds_runs(std::uint32_t i) const {
    return !run_flags.empty() &&
           (static_cast<unsigned char>(run_flags[i / 8]) >> (i % 8) & 1U) != 0;
  }
};

Head take_head(Reader& reader) {
  const auto cookie = reader.take_number<std::uint32_t>();
  if (cookie == k_cookie_without_runs) return {reader.take_number<std::uint32_t>(), {}};
  if ((cookie & 0xFFFFU) != k_cookie_with_runs) return {k_containers_max + 1, {}};
  const std::uint32_t containers = (cookie >> 16U) + 1;
  return {containers, reader.take((containers + 7) / 8)};
}

bool take_array(Reader& reader, std::uint32_t count) {
  int last = -1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const int number = reader.take_number<std::uint16_t>();
    if (reader.is_short() || number <= last) return false;
    last = number;
  }
  return true;
}

bool take_bitset(Reader& reader, std::uint32_t count) {
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < k_bitset_words; ++i) {
    seen += static_cast<std::uint32_t>(std::popcount(reader.take_number<std::uint64_t>()));
  }
  return !reader.is_short() && seen == count;
}

// Runs touch nowhere: two that do would be one.
bool take_runs(Reader& reader, std::uint32_t count) {
  const auto runs = reader.take_number<std::uint16_t>();
  std::uint32_t seen = 0;
  std::uint32_t free_from = 0;
  for (std::uint32_t i = 0; i < runs; ++i) {
    const std::uint32_t begin = reader.take_number<std::uint16_t>();
    const std::uint32_t more = reader.take_number<std::uint16_t>();
    if (reader.is_short() || begin < free_from || begin + more > 0xFFFFU) return false;
    seen += more + 1;
    free_from = begin + more + 2;
  }
  return !reader.is_short() && seen == count;
}

}  // namespace

bool is_whole_bitmap(std::string_view bytes) {
  Reader reader(bytes);
  const Head head = take_head(reader);
  if (reader.is_short() || head.containers > k_containers_max) return false;
  Reader of_heads(reader.take(std::size_t{head.containers} * 4));  // key and count less one of each
  if (head.run_flags.empty() || head.containers >= k_offsets_from) {
    reader.take(std::size_t{head.containers} * 4);
  }
  int last_key = -1;
  for (std::uint32_t i = 0; i < head.containers; ++i) {
    const int key = of_heads.take_number<std::uint16_t>();
    const std::uint32_t count = std::uint32_t{of_heads.take_number<std::uint16_t>()} + 1;
    if (reader.is_short() || of_heads.is_short() || key <= last_key) return false;
    last_key = key;
    const bool is_good = head.holds_runs(i)    ? take_runs(reader, count)
                         : count > k_array_max ? take_bitset(reader, count)
                                               : take_array(reader, count);
    if (!is_good) return false;
  }
  return reader.is_at_end();
}

}  // namespace vitrine::segments
