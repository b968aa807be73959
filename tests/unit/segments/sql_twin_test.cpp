// What expressions find out about people, against SQL over the same events: random expressions,
// random people, two readings of every one.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "server/profiles/profile_book.h"
#include "server/segments/segment_programs.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::segments {
namespace {

constexpr TimeMs k_now_ms = 20'000 * k_day_ms + 5 * k_hour_ms;
constexpr std::uint32_t k_people = 20;
constexpr int k_expressions = 10'000;

class Sql {
 public:
  Sql() {
    sqlite3* opened = nullptr;
    EXPECT_EQ(sqlite3_open(":memory:", &opened), SQLITE_OK);
    database_.reset(opened);
  }
  void run(const std::string& statement) {
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database_.get(), statement.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << statement << ": " << error;
    sqlite3_free(error);
  }
  std::set<std::uint32_t> numbers(const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &statement, nullptr),
              SQLITE_OK)
        << query << ": " << sqlite3_errmsg(database_.get());
    std::set<std::uint32_t> found;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      found.insert(static_cast<std::uint32_t>(sqlite3_column_int64(statement, 0)));
    }
    sqlite3_finalize(statement);
    return found;
  }

 private:
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_{nullptr, sqlite3_close};
};

// The same events into the profiles and into tables.
class Shop {
 public:
  explicit Shop(Random& random) : random_(random) {
    sql_.run("CREATE TABLE people (person, first_ms, country)");
    sql_.run("CREATE TABLE deeds (person, type, time_ms)");
    sql_.run("CREATE TABLE lines (person, basket, product, time_ms, pieces, paid)");
    sql_.run("CREATE TABLE returns (person, basket, product, pieces)");
    sql_.run("CREATE TABLE cancels (person, basket)");
    for (std::uint32_t person = 1; person <= k_people; ++person) live(person);
    sum_up();
  }

  Sql& sql() { return sql_; }
  const profiles::ProfileBook& book() const { return book_; }

 private:
  void live(std::uint32_t person) {
    first_ms_ = k_now_ms;
    const std::uint64_t deeds = random_.below(12);
    constexpr std::array<EventType, 3> k_types = {EventType::view, EventType::cart_add,
                                                  EventType::search};
    for (std::uint64_t i = 0; i < deeds; ++i) {
      const EventType type = k_types.at(random_.below(k_types.size()));
      happens(person, type, type == EventType::search ? "" : "cup", a_time(), "", 1, 0);
    }
    const std::uint64_t orders = random_.below(5);
    for (std::uint64_t i = 0; i < orders; ++i) order(person, fmt::format("{}-{}", person, i));
    std::string country = "NULL";
    if (random_.below(3) > 0) {
      country = random_.below(2) == 0 ? "DE" : "FR";
      LogEntry entry = entries_.event(person, EventType::identify, "", a_time());
      auto& event = std::get<Event>(entry.what);
      event.properties_json = fmt::format(R"({{"traits":{{"country":"{}"}}}})", country);
      first_ms_ = std::min(first_ms_, event.time_ms);
      book_.apply(entry);
      country = "'" + country + "'";
    } else if (deeds + orders == 0) {
      happens(person, EventType::view, "cup", a_time(), "", 1, 0);
    }
    sql_.run(fmt::format("INSERT INTO people VALUES ({}, {}, {})", person, first_ms_, country));
  }

  void order(std::uint32_t person, const std::string& basket) {
    const TimeMs time_ms = a_time();
    for (const std::string product : {"cup", "pot"}) {
      if (product == "pot" && random_.below(2) == 0) continue;
      const auto pieces = static_cast<std::int64_t>(1 + random_.below(3));
      const auto price = static_cast<std::int64_t>(random_.below(5'000));
      happens(person, EventType::purchase, product, time_ms, basket, pieces, price);
      sql_.run(fmt::format("INSERT INTO lines VALUES ({}, '{}', '{}', {}, {}, {})", person, basket,
                           product, time_ms, pieces, pieces * price));
      if (random_.below(4) > 0) continue;
      const auto back = static_cast<std::int64_t>(1 + random_.below(3));
      happens(person, EventType::refund, product, a_time(), basket, back, 0);
      sql_.run(fmt::format("INSERT INTO returns VALUES ({}, '{}', '{}', {})", person, basket,
                           product, back));
    }
    if (random_.below(6) > 0) return;
    happens(person, EventType::cancel, "", a_time(), basket, 1, 0);
    sql_.run(fmt::format("INSERT INTO cancels VALUES ({}, '{}')", person, basket));
  }

  void happens(std::uint32_t person, EventType type, std::string product, TimeMs time_ms,
               std::string order, std::int64_t quantity, std::int64_t price) {
    LogEntry entry =
        entries_.event(person, type, std::move(product), time_ms, std::move(order), "", quantity);
    if (type == EventType::purchase) {
      std::get<Event>(entry.what).price = Money{price};
      std::get<Event>(entry.what).currency = "EUR";
    } else {
      sql_.run(
          fmt::format("INSERT INTO deeds VALUES ({}, '{}', {})", person, name_of(type), time_ms));
    }
    first_ms_ = std::min(first_ms_, time_ms);
    book_.apply(entry);
  }

  // Whole minutes, as windows count.
  TimeMs a_time() {
    const std::uint64_t days = random_.below(3) == 0 ? 2 : 250;
    return k_now_ms - static_cast<TimeMs>(random_.below(days * 24 * 60)) * k_minute_ms;
  }

  // What is left of each basket.
  void sum_up() {
    sql_.run(
        "CREATE TABLE orders AS SELECT person, basket, MAX(time_ms) AS time_ms, SUM(net) AS net "
        "FROM (SELECT l.person, l.basket, l.time_ms, "
        "ROUND(l.paid * (l.pieces - COALESCE(r.pieces, 0)) * 1.0 / l.pieces) AS net "
        "FROM lines l LEFT JOIN returns r ON r.person = l.person AND r.basket = l.basket "
        "AND r.product = l.product WHERE COALESCE(r.pieces, 0) < l.pieces AND NOT EXISTS "
        "(SELECT 1 FROM cancels c WHERE c.person = l.person AND c.basket = l.basket)) "
        "GROUP BY person, basket");
    sql_.run("CREATE INDEX deeds_of ON deeds (person, type)");
    sql_.run("CREATE INDEX orders_of ON orders (person)");
  }

  Random& random_;
  Sql sql_;
  profiles::Entries entries_;
  catalog::ProductNumbers numbers_;
  profiles::ProfileBook book_{numbers_};
  TimeMs first_ms_ = 0;
};

// An expression and what it is in SQL.
struct Both {
  std::string expression;
  std::string sql;
};

class Author {
 public:
  explicit Author(Random& random) : random_(random) {}

  Both condition(int depth) {
    const std::uint64_t kind = depth == 0 ? 9 : random_.below(8);
    if (kind < 2) {
      const Both a = condition(depth - 1);
      const Both b = condition(depth - 1);
      return kind == 0 ? Both{fmt::format("({}) && ({})", a.expression, b.expression),
                              fmt::format("(({}) AND ({}))", a.sql, b.sql)}
                       : Both{fmt::format("({}) || ({})", a.expression, b.expression),
                              fmt::format("(({}) OR ({}))", a.sql, b.sql)};
    }
    if (kind == 2) {
      const Both a = condition(depth - 1);
      return {fmt::format("!({})", a.expression), fmt::format("(NOT ({}))", a.sql)};
    }
    return atom();
  }

 private:
  std::string one_of(std::initializer_list<const char*> texts) {
    return *(texts.begin() + random_.below(texts.size()));
  }
  // Where a value is missing the comparison is false.
  static std::string sure(const std::string& sql) { return fmt::format("COALESCE({}, 0)", sql); }
  Both compared(const std::string& expression, const std::string& sql, std::uint64_t below) {
    const std::string sign = one_of({"<", "<=", ">", ">=", "==", "!="});
    const std::uint64_t number = random_.below(below);
    return {fmt::format("{} {} {}", expression, sign, number),
            sure(fmt::format("({}) {} {}", sql, sign, number))};
  }
  static std::string days(const std::string& time) {
    return fmt::format("SELECT ({} - {}) / {}", k_now_ms, time, k_day_ms);
  }

  Both atom() {
    const std::string type = one_of({"view", "cart_add", "search", "refund", "cancel"});
    const std::string hours = one_of({"1", "5", "24", "100", "720", "4000"});
    const std::string since = fmt::format("time_ms > {} - {} * 3600000", k_now_ms, hours);
    const std::string mine = "person = p.person";
    switch (random_.below(11)) {
      case 0:
        return compared(fmt::format("count(\"{}\", \"{}h\")", type, hours),
                        fmt::format("SELECT COUNT(*) FROM deeds WHERE {} AND type = '{}' AND {}",
                                    mine, type, since),
                        4);
      case 1:
        return compared(fmt::format("count(\"purchase\", \"{}h\")", hours),
                        fmt::format("SELECT COUNT(*) FROM orders WHERE {} AND {}", mine, since), 4);
      case 2:
        return compared(
            fmt::format("sum(\"purchase\", \"{}h\")", hours),
            fmt::format("SELECT COALESCE(SUM(net), 0) / 100.0 FROM orders WHERE {} AND {}", mine,
                        since),
            150);
      case 3:
        return compared("days_since(user.last_order_at)",
                        days(fmt::format("(SELECT MAX(time_ms) FROM orders WHERE {})", mine)), 250);
      case 4:
        return compared("days_since(user.first_order_at)",
                        days(fmt::format("(SELECT MIN(time_ms) FROM orders WHERE {})", mine)), 250);
      case 5:
        return compared(
            fmt::format("days_since(last(\"{}\"))", type),
            days(fmt::format("(SELECT MAX(time_ms) FROM deeds WHERE {} AND type = '{}')", mine,
                             type)),
            250);
      case 6:
        return compared("user.orders_count",
                        fmt::format("SELECT COUNT(*) FROM orders WHERE {}", mine), 5);
      case 7:
        return compared(
            "user.net_spend",
            fmt::format("SELECT COALESCE(SUM(net), 0) / 100.0 FROM orders WHERE {}", mine), 250);
      case 8:
        return {"has(user.last_order_at)",
                fmt::format("EXISTS (SELECT 1 FROM orders WHERE {})", mine)};
      case 9:
        return compared("user.lifetime_days", days("p.first_ms"), 250);
      default: {
        const std::string sign = one_of({"==", "!="});
        const std::string country = one_of({"DE", "FR", "IT"});
        return {fmt::format("user.country {} \"{}\"", sign, country),
                sure(fmt::format("p.country {} '{}'", sign, country))};
      }
    }
  }

  Random& random_;
};

TEST(SqlTwinTest, TenThousandExpressionsFindTheSamePeople) {
  Random random(11);
  Shop shop(random);
  Author author(random);
  const Surroundings around;
  std::size_t found = 0;
  for (int i = 0; i < k_expressions; ++i) {
    const Both both = author.condition(3);
    const auto program = compile_for_people(both.expression);
    ASSERT_TRUE(program.ok()) << both.expression << ": " << program.status();
    std::set<std::uint32_t> ours;
    for (std::uint32_t person = 1; person <= k_people; ++person) {
      const auto profile = shop.book().find(UserNumber(person));
      const PersonSubject subject(UserNumber(person), false, *profile, k_now_ms, around);
      if (program->holds(subject, k_now_ms)) ours.insert(person);
    }
    ASSERT_EQ(ours, shop.sql().numbers("SELECT person FROM people p WHERE " + both.sql))
        << both.expression << "\n"
        << both.sql;
    found += ours.size();
  }
  EXPECT_GT(found, static_cast<std::size_t>(k_expressions)) << "somebody must be found";
  EXPECT_LT(found, static_cast<std::size_t>(k_expressions) * (k_people - 1)) << "and not everybody";
}

}  // namespace
}  // namespace vitrine::segments
