#include "server/segments/segment_store.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/events/function_command.h"

namespace vitrine::segments {
namespace {

namespace json = boost::json;
using store::Family;

constexpr char k_segment_prefix = 's';
constexpr char k_members_prefix = 'm';
constexpr std::string_view k_last_version_key = "#last_version";  // no prefix of the others

std::string segment_key(std::string_view key) { return k_segment_prefix + std::string(key); }
std::string members_key(std::string_view key) { return k_members_prefix + std::string(key); }

// Versions are never given twice, not even after a segment is removed and made anew.
absl::StatusOr<std::uint64_t> next_version(const events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                           batch.get(Family::segments, k_last_version_key));
  std::uint64_t last = 0;
  if (stored) std::from_chars(stored->data(), stored->data() + stored->size(), last);
  return last + 1;
}

std::optional<Segment::Kind> kind_of(std::string_view name) {
  for (const auto kind : {Segment::Kind::dynamic, Segment::Kind::snapshot, Segment::Kind::fixed}) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string encode(const Segment& segment) {
  const json::object stored{{"name", view(segment.name)},
                            {"description", view(segment.description)},
                            {"kind", view(name_of(segment.kind))},
                            {"expression", view(segment.expression)},
                            {"includes_visitors", segment.includes_visitors},
                            {"version", segment.version},
                            {"changed_ms", segment.changed_ms}};
  return json::serialize(stored);
}

absl::StatusOr<Segment> decode_segment(std::string_view key, std::string_view bytes) {
  try {
    const json::value stored = json::parse(view(bytes));
    const auto text = [&](std::string_view name) {
      return json::value_to<std::string>(stored.at(view(name)));
    };
    const auto kind = kind_of(text("kind"));
    if (!kind) return data_loss("the segment {} is of no known kind", key);
    Segment segment{.key = std::string(key),
                    .name = text("name"),
                    .description = text("description"),
                    .kind = *kind,
                    .expression = text("expression"),
                    .includes_visitors = stored.at("includes_visitors").as_bool(),
                    .version = stored.at("version").to_number<std::uint64_t>(),
                    .changed_ms = stored.at("changed_ms").to_number<TimeMs>()};
    const absl::Status valid = validate(segment);
    if (!valid.ok()) return data_loss("the segment {} cannot be: {}", key, message_of(valid));
    return segment;
  } catch (const std::exception& fault) {
    return data_loss("the segment {} cannot be read: {}", key, fault.what());
  }
}

absl::Status check_version(SegmentStore::Expected expected, const Segment* current) {
  const std::uint64_t actual = current != nullptr ? current->version : 0;
  if (!expected || *expected == actual) return absl::OkStatus();
  return conflict("If-Match expects version {}, the segment has version {}", *expected, actual);
}

// What one batch makes of it, published once it is durable.
struct SegmentStore::Staged {
  SegmentList list;
  Members members;
  std::vector<UserNumber> changed;  // by hand
};

SegmentStore::SegmentStore(const SegmentList& list, Members members)
    : members_(std::make_shared<const Members>(std::move(members))),
      programs_(*SegmentPrograms::compile({}, *this)) {
  auto programs = SegmentPrograms::compile(list, *this);
  if (programs.ok()) programs_.publish(*std::move(programs));
}

absl::StatusOr<std::unique_ptr<SegmentStore>> SegmentStore::open(const store::Database& database) {
  SegmentList list;
  Members members;
  const auto cursor = database.walk(Family::segments, "", false);
  for (; cursor->valid(); cursor->next()) {
    const std::string_view key = cursor->key().substr(1);
    if (cursor->key().front() == k_segment_prefix) {
      VITRINE_ASSIGN_OR_RETURN(Segment segment, decode_segment(key, cursor->value()));
      list = list.with(std::move(segment));
    } else if (cursor->key().front() == k_members_prefix) {
      std::optional<Membership> stored = Membership::decode(cursor->value());
      if (!stored) return data_loss("the members of segment {} cannot be read", key);
      members.emplace(key, std::make_shared<const Membership>(*std::move(stored)));
    }
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  std::unique_ptr<SegmentStore> made(new SegmentStore(list, std::move(members)));
  if (made->current()->list().all().size() == list.all().size()) return made;
  return data_loss("the stored segments do not go together: {}",
                   message_of(SegmentPrograms::compile(list, *made).status()));
}

std::shared_ptr<const Membership> SegmentStore::members(std::string_view key) const {
  const std::shared_ptr<const Members> members = members_.current();
  const auto found = members->find(key);
  return found == members->end() ? nullptr : found->second;
}

bool SegmentStore::has(std::string_view key, UserNumber user) const {
  const std::shared_ptr<const Membership> known = members(key);
  return known != nullptr && known->contains(user);
}

SegmentStore::Staged& SegmentStore::staged_in(events::Batch& batch) {
  return batch.staged_by<Staged>(this, [&] {
    auto staged = std::make_shared<Staged>(Staged{current()->list(), *members_.current(), {}});
    batch.after_sync([this, staged] {
      auto programs = SegmentPrograms::compile(staged->list, *this);
      CHECK(programs.ok(), "what was staged was compiled before");
      members_.publish(std::make_shared<const Members>(staged->members));
      programs_.publish(*std::move(programs));
      if (listener_) listener_(staged->changed);
    });
    return staged;
  });
}

absl::Status SegmentStore::check(const Segment& segment) const {
  return SegmentPrograms::compile(current()->list().with(segment), *this).status();
}

absl::Status SegmentStore::stage_put(events::Batch& batch, Put& put, Expected expected,
                                     const std::optional<Membership>& members) {
  Staged& staged = staged_in(batch);
  Segment& segment = put.segment;
  const Segment* const current = staged.list.find(segment.key);
  VITRINE_RETURN_IF_ERROR(check_version(expected, current));
  put.is_new = current == nullptr;
  if (put.is_new && staged.list.all().size() >= SegmentList::k_segments_max) {
    return failed_precondition("there are {} segments, at most {} may be", staged.list.all().size(),
                               SegmentList::k_segments_max);
  }
  const bool keeps_members = current != nullptr && current->kind == Segment::Kind::fixed &&
                             segment.kind == Segment::Kind::fixed;
  VITRINE_ASSIGN_OR_RETURN(segment.version, next_version(batch));
  VITRINE_RETURN_IF_ERROR(SegmentPrograms::compile(staged.list.with(segment), *this).status());
  if (!keeps_members) {
    const auto stored = std::make_shared<const Membership>(members.value_or(Membership()));
    staged.members.erase(segment.key);
    batch.erase(Family::segments, members_key(segment.key));
    if (!segment.follows_people()) {
      batch.put(Family::segments, members_key(segment.key), stored->encode());
      staged.members[segment.key] = stored;
    }
  }
  batch.put(Family::segments, segment_key(segment.key), encode(segment));
  batch.put(Family::segments, k_last_version_key, std::to_string(segment.version));
  staged.list = staged.list.with(segment);
  return absl::OkStatus();
}

absl::Status SegmentStore::put(events::Committer& committer, Segment segment, Expected expected,
                               std::optional<Membership> members,
                               std::function<void(absl::StatusOr<Put>)> done) {
  const auto outcome = std::make_shared<Put>(Put{.segment = std::move(segment)});
  const auto stage = [this, outcome, expected, members = std::move(members)](events::Batch& batch) {
    return stage_put(batch, *outcome, expected, members);
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

absl::Status SegmentStore::check_unused(const SegmentList& list, std::string_view key) const {
  const auto refusal = [&](std::string_view user) {
    return failed_precondition("segment {} cannot be removed: {} asks for it", key, user);
  };
  VITRINE_ASSIGN_OR_RETURN(const auto programs, SegmentPrograms::compile(list, *this));
  const std::vector<std::string> segments = programs->users_of(key);
  if (!segments.empty()) return refusal("segment " + segments.front());
  for (const OtherUsers& others : other_users_) {
    const std::vector<std::string> users = others(key);
    if (!users.empty()) return refusal(users.front());
  }
  return absl::OkStatus();
}

absl::Status SegmentStore::remove(events::Committer& committer, std::string key, Expected expected,
                                  std::function<void(absl::Status)> done) {
  const auto stage = [this, key = std::move(key), expected](events::Batch& batch) -> absl::Status {
    Staged& staged = staged_in(batch);
    const Segment* const current = staged.list.find(key);
    if (current == nullptr) return not_found("there is no segment {}", key);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    VITRINE_RETURN_IF_ERROR(check_unused(staged.list, key));
    batch.erase(Family::segments, segment_key(key));
    batch.erase(Family::segments, members_key(key));
    staged.members.erase(key);
    staged.list = staged.list.without(key);
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, std::move(done)));
}

absl::Status SegmentStore::change(events::Committer& committer, std::string key, Change change,
                                  std::function<void(absl::StatusOr<std::size_t>)> done) {
  const auto changed = std::make_shared<std::size_t>(0);
  const auto stage = [this, key = std::move(key), change = std::move(change),
                      changed](events::Batch& batch) -> absl::Status {
    Staged& staged = staged_in(batch);
    const Segment* const current = staged.list.find(key);
    if (current == nullptr) return not_found("there is no segment {}", key);
    if (current->kind != Segment::Kind::fixed) {
      return failed_precondition("segment {} is {}: people are put into static ones only", key,
                                 name_of(current->kind));
    }
    const auto next = std::make_shared<Membership>(*staged.members.at(key));
    const auto set = [&](const std::vector<UserNumber>& users, bool is_in) {
      for (const UserNumber user : users) {
        if (!next->set(user, is_in)) continue;
        staged.changed.push_back(user);
        ++*changed;
      }
    };
    set(change.added, true);
    set(change.removed, false);
    batch.put(Family::segments, members_key(key), next->encode());
    staged.members[key] = next;
    return absl::OkStatus();
  };
  const auto answer = [changed, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(*changed) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

std::size_t SegmentStore::forget(events::Batch& batch, const std::vector<UserNumber>& people) {
  Staged& staged = staged_in(batch);
  std::size_t forgotten = 0;
  for (auto& [key, members] : staged.members) {
    const auto next = std::make_shared<Membership>(*members);
    std::size_t changes = 0;
    for (const UserNumber user : people) {
      if (!next->set(user, false)) continue;
      staged.changed.push_back(user);
      ++changes;
    }
    if (changes == 0) continue;
    batch.put(Family::segments, members_key(key), next->encode());
    members = next;
    forgotten += changes;
  }
  return forgotten;
}

}  // namespace vitrine::segments
