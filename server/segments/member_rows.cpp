#include "server/segments/member_rows.h"

#include <algorithm>

namespace vitrine::segments {
namespace {

constexpr std::uint64_t bit_of(std::size_t column) { return std::uint64_t{1} << (column % 64); }

}  // namespace

std::size_t MemberRows::add() {
  if (!free_.empty()) {
    const std::size_t column = free_.back();
    free_.pop_back();
    clear(column);
    return column;
  }
  if (columns_ == words_ * k_bits) widen();
  return columns_++;
}

void MemberRows::clear(std::size_t column) {
  for (std::size_t at = column / k_bits; at < bits_.size(); at += words_) {
    bits_[at] &= ~bit_of(column);
  }
}

void MemberRows::widen() {
  const std::size_t people = bits_.size() / words_;
  std::vector<std::uint64_t> wider(people * (words_ + 1));
  for (std::size_t person = 0; person < people; ++person) {
    std::copy_n(bits_.begin() + static_cast<std::ptrdiff_t>(person * words_), words_,
                wider.begin() + static_cast<std::ptrdiff_t>(person * (words_ + 1)));
  }
  bits_ = std::move(wider);
  ++words_;
}

void MemberRows::make_room(UserNumber user) {
  if (user.value() * words_ >= bits_.size()) bits_.resize((user.value() + 1) * words_);
}

void MemberRows::fill(std::size_t column, const Membership& members) {
  constexpr std::size_t k_at_once = 65'536;
  clear(column);
  UserNumber last(0);
  while (true) {
    const std::vector<UserNumber> some = members.list(last, k_at_once);
    if (some.empty()) return;
    last = some.back();
    make_room(last);
    for (const UserNumber user : some) {
      bits_[user.value() * words_ + column / k_bits] |= bit_of(column);
    }
  }
}

bool MemberRows::has(UserNumber user, std::size_t column) const {
  const std::size_t at = user.value() * words_ + column / k_bits;
  return at < bits_.size() && (bits_[at] & bit_of(column)) != 0;
}

bool MemberRows::set(UserNumber user, std::size_t column, bool is_in) {
  if (has(user, column) == is_in) return false;
  make_room(user);
  bits_[user.value() * words_ + column / k_bits] ^= bit_of(column);
  return true;
}

std::size_t MemberRows::column_bytes() const { return bits_.size() / words_ / 8; }

}  // namespace vitrine::segments
