#include "server/app/commands/evaluate_coupons.h"

#include "base/clock.h"
#include "base/status.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"
#include "training/uplift/redemption_study.h"

namespace vitrine::app {
namespace {

using training::Interval;
using training::WhichCoupon;
using training::WhoRedeems;

std::string cell(const Interval& interval) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", interval.mean, interval.low, interval.high);
}

std::string text_of(const WhoRedeems& who, bool colours) {
  std::string text = fmt::format("who redeems: {} grants, {} redeemed, {:.1f} expected ({:.2f})\n",
                                 grouped(who.grants), grouped(who.redeemed), who.expected,
                                 who.expected / static_cast<double>(who.redeemed));
  Table table({{"ranking"}, {"AUC", Table::Align::right}, {"top decile", Table::Align::right}});
  for (const WhoRedeems::Ranking& ranking : who.rankings)
    table.add_row({ranking.name, cell(ranking.auc), cell(ranking.top_decile)});
  return text + table.text(colours);
}

std::string text_of(const WhichCoupon& which, std::size_t cutoff, bool colours) {
  std::string text;
  for (const WhichCoupon::Part& part : which.parts) {
    text += fmt::format("\nwhich coupon{}: {} redemptions, {:.1f} candidates each\n",
                        part.type.empty() ? "" : ", campaigns of type " + part.type,
                        grouped(part.redemptions), part.candidates);
    Table table({{"ranking"},
                 {fmt::format("hit@{}", cutoff), Table::Align::right},
                 {"MRR", Table::Align::right}});
    for (const WhichCoupon::Ranking& ranking : part.rankings)
      table.add_row({ranking.name, cell(ranking.hit), cell(ranking.reciprocal_rank)});
    text += table.text(colours);
  }
  return text;
}

void write(http::JsonWriter& writer, const char* name, const Interval& interval) {
  writer.key(name)
      .begin_object()
      .field("mean", interval.mean)
      .field("low", interval.low)
      .field("high", interval.high)
      .end_object();
}

std::string json_of(const WhoRedeems& who, const WhichCoupon& which, std::size_t cutoff) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object().key("who_redeems").begin_object();
  writer.field("grants", who.grants)
      .field("redeemed", who.redeemed)
      .field("expected", who.expected)
      .key("rankings")
      .begin_object();
  for (const WhoRedeems::Ranking& ranking : who.rankings) {
    writer.key(ranking.name).begin_object();
    write(writer, "auc", ranking.auc);
    write(writer, "top_decile", ranking.top_decile);
    writer.end_object();
  }
  writer.end_object().end_object().field("cutoff", cutoff).key("which_coupon").begin_object();
  for (const WhichCoupon::Part& part : which.parts) {
    writer.key(part.type.empty() ? "all" : part.type).begin_object();
    writer.field("redemptions", part.redemptions)
        .field("candidates", part.candidates)
        .key("rankings")
        .begin_object();
    for (const WhichCoupon::Ranking& ranking : part.rankings) {
      writer.key(ranking.name).begin_object();
      write(writer, "hit", ranking.hit);
      write(writer, "mrr", ranking.reciprocal_rank);
      writer.end_object();
    }
    writer.end_object().end_object();
  }
  writer.end_object().end_object();
  return line;
}

}  // namespace

absl::Status evaluate_coupons(const std::string& folder, const std::string& split,
                              const Invocation& invocation) {
  if (split.empty()) return wrong_use("--coupons needs --split: the day from which on it judges");
  const absl::StatusOr<TimeMs> from = parse_time(split);
  if (!from.ok()) return wrong_use(fmt::format("--split: {}", message_of(from.status())));
  VITRINE_ASSIGN_OR_RETURN(const training::CouponBooks books, training::read_coupon_books(folder));
  training::StudyOptions options;
  options.from = static_cast<training::Day>(*from / k_day_ms);
  VITRINE_ASSIGN_OR_RETURN(const WhoRedeems who, training::study_who_redeems(books, options));
  VITRINE_ASSIGN_OR_RETURN(const WhichCoupon which, training::study_which_coupon(books, options));
  if (invocation.json) {
    print_line(json_of(who, which, options.cutoff));
  } else {
    const bool colours = has_colours(stdout);
    print(text_of(who, colours) + text_of(which, options.cutoff, colours));
  }
  return absl::OkStatus();
}

}  // namespace vitrine::app
