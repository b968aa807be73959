// A data set to train on, and what the same people bought afterwards.
//
// Thread-safety: a Split is a value that nobody changes; a SplitBuilder belongs to one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "training/dataset.h"

namespace vitrine::training {

// By user of the training set: distinct products of the training set that followed, rising. Users
// without any are left out.
struct TestSet {
  std::vector<std::uint32_t> users;
  SparseRows products;  // beside users; no values

  std::uint64_t pair_count() const { return products.columns.size(); }
};

struct Split {
  Dataset train;
  TestSet fresh;    // products the user had no training pair with
  TestSet repeats;  // all products, those bought before too

  // What the two leave out, because nothing was learnt about them.
  std::uint64_t cold_users = 0;
  std::uint64_t cold_products = 0;
  std::uint64_t cold_product_pairs = 0;  // of known users with products nobody had in training

  // Users of the test period alone, who are new to every method. The first half of their products,
  // at most k_cold_known_max, is what is known of them (rows of `cold_known`, by TestSet::users,
  // which are numbers from 0 here); the rest is to be found.
  TestSet cold;
  SparseRows cold_known;  // confidences of one event each
};

constexpr std::size_t k_cold_known_max = 5;

// The training set as it looks to cold users: their known products in place of everybody's pairs,
// and popularity as trained. For rankings that read nothing else of a user.
Dataset cold_view(const Split& split);

class SplitBuilder {
 public:
  // test_types: the events that count as truth.
  explicit SplitBuilder(const DatasetOptions& options,
                        std::set<EventType> test_types = {EventType::purchase})
      : train_(options), is_left_out_(options.is_left_out), test_types_(std::move(test_types)) {}

  void add_train(const Interaction& interaction) { train_.add(interaction); }
  // People who are left out of training are not judged by either.
  void add_test(const Interaction& interaction);
  // Before `split_ms` into the training set, the rest into the test set.
  void add_by_time(const Interaction& interaction, TimeMs split_ms);

  // Errors of DatasetBuilder::build(); FailedPrecondition when no test pair has a known user and
  // product.
  absl::StatusOr<Split> build();

 private:
  DatasetBuilder train_;
  std::function<bool(std::string_view user)> is_left_out_;  // may be empty
  std::set<EventType> test_types_;
  TextNumbers test_users_;
  TextNumbers test_products_;
  struct TestPair {
    std::uint32_t user;
    std::uint32_t product;
    EventType type;
    TimeMs time_ms;
  };
  void fill_cold(const std::vector<std::uint32_t>& users,
                 const std::vector<std::uint32_t>& products, Split& split) const;

  std::vector<TestPair> test_pairs_;
};

}  // namespace vitrine::training
