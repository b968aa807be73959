// A data set to train on, and what the same people bought afterwards.
//
// Thread-safety: a Split is a value that nobody changes; a SplitBuilder belongs to one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
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

  // What the test set leaves out: nothing was learnt about them.
  std::uint64_t cold_users = 0;
  std::uint64_t cold_products = 0;
};

class SplitBuilder {
 public:
  // test_types: the events that count as truth.
  explicit SplitBuilder(DatasetOptions options,
                        std::set<EventType> test_types = {EventType::purchase})
      : train_(std::move(options)), test_types_(std::move(test_types)) {}

  void add_train(const Interaction& interaction) { train_.add(interaction); }
  void add_test(const Interaction& interaction);
  // Before `split_ms` into the training set, the rest into the test set.
  void add_by_time(const Interaction& interaction, TimeMs split_ms);

  // Errors of DatasetBuilder::build(); FailedPrecondition when no test pair has a known user and
  // product.
  absl::StatusOr<Split> build();

 private:
  DatasetBuilder train_;
  std::set<EventType> test_types_;
  TextNumbers test_users_;
  TextNumbers test_products_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> test_pairs_;
};

}  // namespace vitrine::training
