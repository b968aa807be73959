// What comes next in a session, told by what came next in sessions like it.
//
// VMIS-kNN (Kersbergen, Sprangers and Schelter, SIGMOD 2022) with places: for each product of the
// session the latest sessions that hold it are neighbours, and what stands close to it there counts
// most, what follows a little more than what went before. Where those have little to say, the
// sessions around the best products so far are asked too. Reads the book's present state: a click
// counts in the next call.
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "model/ids.h"
#include "server/profiles/session_book.h"

namespace vitrine::recommend {

// Chosen on two validation cuts of the training part of the bol.com sessions (docs/recommend.md).
struct NextProductsOptions {
  std::size_t steps_max = 20;       // distinct products of the session that count, the latest
  std::size_t asked_steps_max = 5;  // of these are asked for their sessions: the rest count .002
  float step_decay = 0.3F;  // a product one click further back counts this much of the next one

  std::size_t sessions_of_step_max = 200;  // looked at for each product of the session
  std::size_t neighbors_max = 200;         // of these, the most alike are heard
  std::size_t neighbor_places_max = 500;   // heard in all, from the most alike on

  // What a product in a neighbour counts, by its distance to a product of the session.
  float distance_decay = 0.5F;  // per place further away
  float before = 0.9F;          // what stands before it, beside what stands behind it
  float itself = 2.0F;          // the product of the session itself: people return

  float idf_power = 1.0F;  // of ln(sessions / sessions with the product)

  // The second hop: from the best products on to sessions around them.
  std::size_t bridges_max = 15;
  std::size_t sessions_of_bridge_max = 20;
  float bridge_weight = 0.05F;
  float bridge_distance_decay = 0.6F;
  float bridge_before = 0.8F;
  std::size_t bridge_reach = 12;  // places further away count nothing: they would .0022 and less
  std::size_t bridge_places_max = 300;  // heard in all, from the best bridge on
  float bridge_share_power = 0.3F;      // a bridge of many sessions counts for its share

  // What was looked at before comes back: added to the latest but one, in parts of the best score.
  float return_weight = 1.0F;
  float return_decay = 0.7F;  // per distinct product further back
};

struct NextProduct {
  ProductNumber product;
  float score = 0;
};

// clicks  of the session, oldest first
// own     the session itself in the book, which is no neighbour of its own
// Fills `out`, best first, equal scores by product number, with at most `limit`; the last click is
// not among them. Empty when the book knows none of the clicks.
void find_next_products(const profiles::SessionBook& book, std::span<const ProductNumber> clicks,
                        std::optional<profiles::SessionRef> own, std::size_t limit,
                        std::vector<NextProduct>& out, const NextProductsOptions& options = {});

}  // namespace vitrine::recommend
