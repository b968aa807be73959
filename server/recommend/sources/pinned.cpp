#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// Stands behind a pinned product that no source gave.
class Pinned final : public CandidateSource {
 public:
  std::string_view name() const override { return "pinned"; }
  absl::Status produce(const Context&, std::vector<ProductNumber>&) const override {
    return absl::OkStatus();
  }
  Reason reason(const Context&, ProductNumber) const override {
    return {.kind = "pinned", .product_id = {}, .text = "Chosen by the shop"};
  }
};

}  // namespace

const CandidateSource& pinned_source() {
  static const Pinned source;
  return source;
}

}  // namespace vitrine::recommend
