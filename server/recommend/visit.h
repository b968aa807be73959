// Who asks, what they did, and where they are: what expressions of one request are asked about
// beside products.
//
// Made for requests whose filters, rules or audience speak of that, for no others. One request, one
// thread.
#pragma once

#include <memory>

#include "server/recommend/product_expression.h"
#include "server/segments/audience.h"
#include "server/segments/person.h"
#include "server/segments/situation.h"

namespace vitrine::recommend {

struct Context;
struct Placement;
struct RecommendRequest;

class Visit {
 public:
  // `user`: k_nobody for somebody unknown, who did nothing (`profile` null) and is in no segment.
  Visit(segments::Surroundings around, UserNumber user, bool is_visitor,
        std::shared_ptr<const profiles::Profile> profile, segments::Situation situation);
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  bool holds(const segments::Audience& audience) const {
    return audience.holds(person_, situation_);
  }
  // What the expression says of the visit alone, and of a product beside it.
  bool allows(const ProductExpression& expression) const {
    return expression.allows(person_, situation_);
  }
  bool allows(const ProductExpression& expression, const Product& product) const {
    return expression.allows(product, person_, situation_);
  }

 private:
  const segments::Surroundings around_;
  const std::shared_ptr<const profiles::Profile> profile_;
  const segments::PersonSubject person_;
  const segments::SituationSubject situation_;
};

// Whether a visit is needed to answer.
bool asks_about_visit(const RecommendRequest& request, const Placement& placement);

// What `request` says of it; the views in it are those of the request and the context.
segments::Situation situation_of(const RecommendRequest& request, const Context& context);

// Whether the request's and the placement's filters let the product through, as far as they speak
// of the visit too. Precondition: filters that are about products alone were asked.
bool is_allowed_by_visit(const Context& context, const Product& product);

}  // namespace vitrine::recommend
