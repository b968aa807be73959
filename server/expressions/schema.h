// What an expression can speak of: the names in scope with their types, and where their values come
// from.
//
// Thread-safe (values); a Subject is asked from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/event.h"

namespace vitrine::expressions {

enum class Type : std::uint8_t {
  boolean,
  number,
  text,
  time,
  texts,    // a list of texts
  numbers,  // a list of numbers
  paths,    // categories: "Home > Kitchen" holds "Home" too
  map       // of texts by text
};

// "a number", "a list of texts".
std::string_view name_of(Type type);

struct Field {
  std::string_view name;  // "price", "user.orders_count"; outlives the schema
  Type type;
  std::string_view meaning;  // one line, for people
  bool moves = false;        // its value changes as time passes; of booleans, numbers and texts
};

// Whether count(...), in_segment(...) and the like can be asked: of people, not of products alone.
enum class About : std::uint8_t { things, people };

// The one of `names` that was probably meant; nothing when none is like it.
std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> names);

class Schema {
 public:
  static constexpr std::size_t k_parts_max = 4;

  // `scope` names it in messages: "a product". A field's place in the list is the slot that a
  // Subject is asked for.
  Schema(std::string_view scope, std::vector<Field> fields, About about = About::things);
  // The names of all `parts`, at most k_parts_max, one after the other: see JoinedSubject.
  Schema(std::string_view scope, std::span<const Schema* const> parts);

  std::optional<std::size_t> find(std::string_view name) const;
  const Field& field(std::size_t slot) const { return fields_[slot]; }
  std::span<const Field> fields() const { return fields_; }
  std::string_view scope() const { return scope_; }
  bool is_about_people() const { return about_ == About::people; }
  // In which part a slot is, and which part functions about people ask; 0 of a schema in one.
  std::size_t part_of(std::size_t slot) const;
  std::size_t part_of_people() const { return people_part_; }
  // The first slot of each part but the first.
  std::span<const std::size_t> part_begins() const { return part_begins_; }

  // "; did you mean 'price'?", or which names there are.
  std::string suggestion_for(std::string_view name) const;

 private:
  std::optional<std::string_view> nearest(std::string_view name) const;

  About about_;
  std::string_view scope_;
  std::vector<Field> fields_;
  std::vector<std::size_t> part_begins_;
  std::size_t people_part_ = 0;
};

// A set of kinds of events, one bit each.
using EventTypes = std::uint64_t;
constexpr EventTypes k_all_event_types = ~EventTypes{0};
constexpr EventTypes of_type(EventType type) { return EventTypes{1} << static_cast<int>(type); }

constexpr TimeMs k_never_ms = std::numeric_limits<TimeMs>::max();

// What was done in a window of time that ends now.
struct Counted {
  double value = 0;
  TimeMs oldest_ms = k_never_ms;  // when the first of it happened: it leaves the window first
};

// Whom or what an expression is asked about. Nothing means that there is no value: every comparison
// with it is false. Views live until the subject changes.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::optional<bool> boolean(std::size_t slot) const = 0;
  virtual std::optional<double> number(std::size_t slot) const = 0;  // times in UTC milliseconds
  virtual std::optional<std::string_view> text(std::size_t slot) const = 0;
  virtual std::span<const std::string> texts(std::size_t slot) const = 0;  // and paths
  virtual std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const = 0;
  virtual std::size_t entry_count(std::size_t slot) const = 0;
  // When the value of a field that moves is another one, at the earliest.
  virtual TimeMs changes_at_ms(std::size_t /*slot*/) const { return k_never_ms; }

  // Of people: what they did after `since_ms`; of products in `category` where that is not empty.
  virtual std::optional<Counted> event_count(EventType /*type*/, std::string_view /*category*/,
                                             TimeMs /*since_ms*/) const {
    return std::nullopt;
  }
  // What they paid after `since_ms` and did not get back.
  virtual std::optional<Counted> spend(TimeMs /*since_ms*/) const { return std::nullopt; }
  virtual std::optional<double> last_event_ms(EventType /*type*/) const { return std::nullopt; }
  // `changes_at_ms` becomes the earliest time at which that changes by itself, if sooner.
  virtual std::optional<bool> is_in_segment(std::string_view /*key*/,
                                            TimeMs& /*changes_at_ms*/) const {
    return std::nullopt;
  }
  // In [0, 1), by chance but always the same for one person and seed.
  virtual std::optional<double> bucket(std::string_view /*seed*/) const { return std::nullopt; }
};

}  // namespace vitrine::expressions
