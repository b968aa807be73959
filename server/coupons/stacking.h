// Which offers go together, and which of those that could apply saves the most.
//
// Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "server/coupons/cart.h"
#include "server/coupons/pricing.h"

namespace vitrine::coupons {

// Two offers go together when neither is exclusive and each lets the other in. An offer lets in
// the classes it names, itself included only if named; one that names none lets in every class but
// its own.
struct Stacking {
  std::string offer_class = "default";
  bool is_exclusive = false;
  std::vector<std::string> with = {};
  friend bool operator==(const Stacking&, const Stacking&) = default;
};
bool go_together(const Stacking& a, const Stacking& b);

struct Candidate {
  Applied applied = {};
  Stacking stacking = {};
};

struct Choice {
  std::vector<std::size_t> chosen = {};  // places in the candidates, ascending
  Priced priced = {};                    // cuts are those of the chosen
};

// Candidates that are tried in all combinations; of more, those that save most alone.
constexpr std::size_t k_combined_max = 12;

// The combination that saves most, gifts counted at their worth; of equal ones the one with more
// points, then with fewer offers, then with the smaller ids. Every offer of it has its effect.
Choice choose(const Cart& cart, std::span<const Candidate> candidates);

}  // namespace vitrine::coupons
