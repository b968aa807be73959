// A placement: a named place in the shop, and how its answers are made.
//
// Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/recommend/product_condition.h"
#include "server/recommend/rule.h"
#include "server/segments/audience.h"

namespace vitrine::recommend {

enum class PurchasedPolicy {
  show,               // bought products may come back
  hide_for_180_days,  // what was bought in the last 180 days stays away
  show_when_due       // likewise, unless it is bought again sooner: see repurchase.h
};

// How the best of the candidates become a list that is worth looking at as a whole.
struct Variety {
  static constexpr std::size_t k_count_max = 1000;  // of the three numbers below

  // 0: best first; 1: only what differs from what is shown already (maximal marginal relevance,
  // Carbonell and Goldstein 1998, on cosines of the factors). In [0, 1].
  float diversity = 0;
  std::size_t category_max = 0;  // products of one deepest category; 0: any number
  std::size_t brand_max = 0;     // likewise of one brand
  // What part of an answer may be products the person bought before, rounded down, one at least;
  // above 0, at most 1. It gives way where the answer would stay short.
  float repeats_max_share = 1;
  // What this person has seen lately and left alone sinks; see rotation.h.
  bool rotates = false;
  // One place in so many is drawn evenly from the best candidates that did not make it, to learn
  // about them; 0: none.
  std::size_t explores_one_in = 0;
};

// InvalidArgument names the field, its value and what is allowed.
absl::Status validate(const Variety& variety);

struct SourceWeight {
  std::string source;  // a candidate source's name
  float weight = 1;    // above 0; only its size beside the others' matters
};

struct Placement {
  std::string name;
  std::string description;
  bool uses_blend = true;  // scores by what the model learnt, where it did; else by weights
  std::vector<SourceWeight> sources;  // at most Pool::k_sources_max
  std::vector<std::string> fallback;  // sources that fill what is missing, in order
  PurchasedPolicy purchased = PurchasedPolicy::show;
  bool needs_product = false;
  bool needs_cart = false;
  bool exclude_product_group = false;  // the product looked at and its variants
  bool exclude_cart = false;
  // The product of the person's newest event is named by one reason at least, as long as it or
  // anything related to it may be shown: the last click is never without effect.
  bool answers_newest = false;
  ProductCondition filter = {};  // on top of the request's own
  // For whom, and when: others get an answer without products. Empty: for everybody.
  segments::Audience audience = {};
  std::vector<Rule> rules = {};
  Variety variety = {};
  // 1: as shipped; every stored change of any placement takes the next number, so that a version
  // names one content for ever.
  std::uint64_t version = 1;
};

struct PlacementLimits {
  static constexpr std::size_t k_name_bytes_max = 64;
  static constexpr std::size_t k_text_bytes_max = 1024;  // of the description
  static constexpr float k_weight_max = 1000;            // of a source
};

// Whether a placement can be served: its name, sources, fallback, filter, rules and variety.
// InvalidArgument names the field, its value and what is allowed.
absl::Status validate(const Placement& placement);

// The segments that a placement names, each with where: "filter", "audience", "rules[autumn]".
struct NamedSegment {
  std::string segment;
  std::string where;
};
std::vector<NamedSegment> named_segments(const Placement& placement);

}  // namespace vitrine::recommend
