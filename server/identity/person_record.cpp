#include "server/identity/person_record.h"

#include <utility>

#include "base/status.h"
#include "model/proto/identity.pb.h"

namespace vitrine::identity {

std::string encode(const Person& person) {
  proto::Person out;
  out.set_user_id(person.user_id);
  out.set_visitor_id(person.visitor_id);
  out.set_linked_user(person.linked_user.value());
  out.set_first_seen_ms(person.first_seen_ms);
  out.set_claimed_user_id(person.claimed_user_id);
  out.set_moved_to(person.moved_to.value());
  out.set_erased_ms(person.erased_ms);
  out.set_refuses_personalization(person.refuses_personalization);
  return out.SerializeAsString();
}

absl::StatusOr<Person> decode_person(UserNumber number, std::string_view bytes) {
  thread_local proto::Person in;  // kept, because making and freeing its parts takes longest
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("the record of person {} cannot be read", number.value());
  }
  return Person{.user_id = std::move(*in.mutable_user_id()),
                .visitor_id = std::move(*in.mutable_visitor_id()),
                .linked_user = UserNumber(in.linked_user()),
                .first_seen_ms = in.first_seen_ms(),
                .claimed_user_id = std::move(*in.mutable_claimed_user_id()),
                .moved_to = UserNumber(in.moved_to()),
                .erased_ms = in.erased_ms(),
                .refuses_personalization = in.refuses_personalization()};
}

}  // namespace vitrine::identity
