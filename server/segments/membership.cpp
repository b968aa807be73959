#include "server/segments/membership.h"

#include <roaring/roaring.h>

#include <algorithm>

#include "base/check.h"
#include "server/segments/membership_form.h"

namespace vitrine::segments {

struct Membership::State {
  explicit State(roaring_bitmap_t* bits_in) : bits(bits_in) {
    CHECK(bits != nullptr, "there is memory for a bitmap");
  }
  ~State() { roaring_bitmap_free(bits); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  roaring_bitmap_t* const bits;
};

Membership::Membership() : state_(std::make_unique<State>(roaring_bitmap_create())) {}
Membership::~Membership() = default;
Membership::Membership(const Membership& other)
    : state_(std::make_unique<State>(roaring_bitmap_copy(other.state_->bits))) {}
Membership& Membership::operator=(const Membership& other) {
  if (this != &other) {
    state_ = std::make_unique<State>(roaring_bitmap_copy(other.state_->bits));
  }
  return *this;
}
Membership::Membership(Membership&&) noexcept = default;
Membership& Membership::operator=(Membership&&) noexcept = default;

bool Membership::set(UserNumber user, bool is_in) {
  return is_in ? roaring_bitmap_add_checked(state_->bits, user.value())
               : roaring_bitmap_remove_checked(state_->bits, user.value());
}

bool Membership::contains(UserNumber user) const {
  return roaring_bitmap_contains(state_->bits, user.value());
}

std::size_t Membership::size() const { return roaring_bitmap_get_cardinality(state_->bits); }
std::size_t Membership::bytes() const {
  return roaring_bitmap_portable_size_in_bytes(state_->bits);
}

void Membership::shrink() {
  roaring_bitmap_run_optimize(state_->bits);
  roaring_bitmap_shrink_to_fit(state_->bits);
}

std::size_t Membership::size_of_both(const Membership& other) const {
  return roaring_bitmap_and_cardinality(state_->bits, other.state_->bits);
}

std::vector<UserNumber> Membership::list(UserNumber after, std::size_t count_max) const {
  std::vector<std::uint32_t> numbers(std::min(count_max, size()));
  roaring_uint32_iterator_t at;
  roaring_init_iterator(state_->bits, &at);
  roaring_move_uint32_iterator_equalorlarger(&at, after.value() + 1);
  numbers.resize(roaring_read_uint32_iterator(&at, numbers.data(),
                                              static_cast<std::uint32_t>(numbers.size())));
  std::vector<UserNumber> users;
  users.reserve(numbers.size());
  for (const std::uint32_t number : numbers) users.emplace_back(number);
  return users;
}

std::string Membership::encode() const {
  std::string bytes(this->bytes(), '\0');
  roaring_bitmap_portable_serialize(state_->bits, bytes.data());
  return bytes;
}

std::optional<Membership> Membership::decode(std::string_view bytes) {
  if (!is_whole_bitmap(bytes)) return std::nullopt;
  roaring_bitmap_t* const bits =
      roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
  if (bits == nullptr) return std::nullopt;
  Membership membership;
  membership.state_ = std::make_unique<State>(bits);
  return membership;
}

bool operator==(const Membership& a, const Membership& b) {
  return roaring_bitmap_equals(a.state_->bits, b.state_->bits);
}

}  // namespace vitrine::segments
