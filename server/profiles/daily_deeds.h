// The strongest thing each person did with each product, for the latest days: so that it counts
// once.
//
// A deed is 8 bytes: a hash of person and product, and how strong it was. Not thread-safe.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace vitrine::profiles {

class DailyDeeds {
 public:
  struct Options {
    std::size_t days_max = 8;
    // Of all days together; the oldest day goes first, but never the newest.
    std::size_t deeds_max = 4'000'000;
  };
  explicit DailyDeeds(const Options& options) : options_(options) {}

  // How much `weight`, one of default_weight()'s, adds to what the person already counted for on
  // that day. `key` is a hash of person and product.
  double gain(std::uint64_t key, TimeMs time_ms, double weight);

  // What a checkpoint keeps: deeds come in pieces, each with a key that sorts by day; a day that
  // has gone takes its pieces with it. `sequence` makes keys unique and ascends.
  struct Changes {
    std::vector<std::pair<std::string, std::string>> pieces;  // ascending keys
    std::vector<std::string> gone;                            // ascending keys
  };
  Changes take_changes(std::uint64_t sequence);
  void put_back(const Changes& changes);  // changed still, as it turns out
  // A piece as it was taken; false when it cannot be read.
  bool load(std::string_view key, std::string_view piece);

  std::size_t size() const { return size_; }
  std::uint64_t fingerprint() const;

 private:
  // Equal when person and product are: the low bits are the strength.
  struct SameDeed {
    bool operator()(std::uint64_t a, std::uint64_t b) const { return a >> 3 == b >> 3; }
  };
  struct DeedHash {
    std::size_t operator()(std::uint64_t deed) const { return deed >> 3; }
  };
  using Deeds = absl::flat_hash_set<std::uint64_t, DeedHash, SameDeed>;
  struct Day {
    Deeds deeds;
    std::vector<std::uint64_t> fresh;  // new or stronger since the last checkpoint
    std::vector<std::string> pieces;   // keys of those that checkpoints hold
  };
  void forget_oldest();
  void keep(Day& day, std::uint64_t deed);

  Options options_;
  std::map<std::int64_t, Day> days_;
  std::vector<std::string> gone_;
  std::size_t size_ = 0;
};

}  // namespace vitrine::profiles
