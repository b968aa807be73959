#include "server/identity/identity_book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "server/events/event_log.h"
#include "server/identity/anonymous.h"
#include "server/store/key.h"
#include "tests/support/no_room_once.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::identity {
namespace {

class IdentityBookTest : public testing::Test {
 protected:
  // Resolves in a batch of its own.
  Who resolve(std::string_view user_id, std::string_view visitor_id,
              Trust trust = Trust::verified) {
    Who who;
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      who = book_->resolve(batch, user_id, visitor_id, trust);
                      return absl::OkStatus();
                    })
                    .ok());
    return who;
  }
  Who claim(std::string_view user_id, std::string_view visitor_id) {
    return resolve(user_id, visitor_id, Trust::claimed);
  }
  void reopen() {
    on_.reset();
    database_.reset();
    database_ = open_store(folder_.path());
    on_.emplace(*database_);
    book_ = open();
  }
  std::unique_ptr<IdentityBook> open() { return std::move(IdentityBook::open(*database_)).value(); }
  std::vector<VisitorLink> links_in_log() const {
    std::vector<VisitorLink> links;
    EXPECT_TRUE(events::make_local_event_log(*database_)
                    ->read(0,
                           [&](LogEntry&& entry) {
                             if (entry.link() != nullptr) links.push_back(*entry.link());
                             return true;
                           })
                    .ok());
    return links;
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  std::unique_ptr<IdentityBook> book_ = open();
};

TEST_F(IdentityBookTest, NobodyIsFoundBeforeAnybodyIsResolved) {
  for (const auto& [user, visitor] :
       {std::pair{"", ""}, std::pair{"u1", ""}, std::pair{"", "v1"}, std::pair{"u1", "v1"}}) {
    EXPECT_EQ(book_->find(user, visitor).user, k_nobody);
    EXPECT_EQ(book_->find(user, visitor).visitor, k_nobody);
  }
  EXPECT_EQ(resolve("", "").user, k_nobody);
  EXPECT_EQ(book_->user_count() + book_->visitor_count(), 0U);
}

TEST_F(IdentityBookTest, AnIdKeepsItsNumberAlsoAfterReopening) {
  const Who user = resolve("u1", "");
  const Who visitor = resolve("", "v1");
  EXPECT_EQ(user.visitor, k_nobody);
  EXPECT_EQ(visitor.user, visitor.visitor);
  EXPECT_NE(user.user, visitor.user);
  reopen();
  EXPECT_EQ(resolve("u1", "").user, user.user);
  EXPECT_EQ(book_->find("", "v1").user, visitor.user);
  EXPECT_EQ(book_->user_count(), 1U);
  EXPECT_EQ(book_->visitor_count(), 1U);
  EXPECT_GT(resolve("u2", "").user, std::max(user.user, visitor.user));
}

TEST_F(IdentityBookTest, AUserAndAVisitorMayHaveTheSameId) {
  EXPECT_NE(resolve("same", "").user, resolve("", "same").user);
}

TEST_F(IdentityBookTest, BothIdsTogetherLinkTheVisitorOnceAndForAll) {
  const Who before = resolve("", "v1");
  const Who linked = resolve("u1", "v1");
  EXPECT_EQ(linked.visitor, before.visitor);
  EXPECT_EQ(book_->find("", "v1").user, linked.user);
  EXPECT_EQ(resolve("", "v1").user, linked.user);
  EXPECT_EQ(book_->visitors_of(linked.user), std::vector{before.visitor});

  resolve("u1", "v1");
  const auto links = links_in_log();
  ASSERT_EQ(links.size(), 1U) << "a link that is there is not written again";
  EXPECT_EQ(links[0].visitor, before.visitor);
  EXPECT_EQ(links[0].from_user, before.visitor) << "what the visitor did so far moves";
  EXPECT_EQ(links[0].to_user, linked.user);
  reopen();
  EXPECT_EQ(book_->find("", "v1").user, linked.user);
  EXPECT_EQ(book_->visitors_of(linked.user), std::vector{before.visitor});
}

TEST_F(IdentityBookTest, ASecondUserTakesTheVisitorAndLeavesTheHistory) {
  const Who first = resolve("u1", "v1");
  const Who second = resolve("u2", "v1");
  EXPECT_EQ(book_->find("", "v1").user, second.user);
  EXPECT_TRUE(book_->visitors_of(first.user).empty());
  EXPECT_EQ(book_->visitors_of(second.user), std::vector{first.visitor});
  const auto links = links_in_log();
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[1].from_user, first.user);
  EXPECT_EQ(links[1].to_user, second.user);
}

TEST_F(IdentityBookTest, AKnownUserWinsAndAnUnknownOneDoesNotBorrowAHistory) {
  const Who owner = resolve("u1", "v1");
  const Who other = resolve("u2", "");
  const Who free = resolve("", "v2");
  EXPECT_EQ(book_->find("u2", "v1").user, other.user);
  EXPECT_EQ(book_->find("u2", "v1").visitor, owner.visitor);
  EXPECT_EQ(book_->find("unknown", "v1").user, k_nobody) << "v1 is somebody else's";
  EXPECT_EQ(book_->find("unknown", "v2").user, free.user) << "v2 is nobody's";
}

TEST_F(IdentityBookTest, OneBatchSeesItsOwnPeopleAndReadersOnlyAfterTheSync) {
  ASSERT_TRUE(on_->committer
                  .submit_and_wait([&](events::Batch& batch) {
                    const Who visitor = book_->resolve(batch, "", "v1");
                    const Who user = book_->resolve(batch, "u1", "v1");
                    EXPECT_EQ(user.visitor, visitor.visitor);
                    EXPECT_EQ(book_->resolve(batch, "", "v1").user, user.user);
                    EXPECT_EQ(book_->resolve(batch, "u1", "").user, user.user);
                    EXPECT_EQ(book_->find("u1", "v1").user, k_nobody);
                    EXPECT_EQ(book_->user_count(), 0U);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_NE(book_->find("u1", "").user, k_nobody);
  EXPECT_EQ(links_in_log().size(), 1U);
}

TEST_F(IdentityBookTest, ABatchThatCouldNotBeWrittenMadeNobody) {
  on_.reset();
  NoRoomOnce narrow(*database_);
  CommitterOnStore on(narrow);
  const auto link = [&](events::Batch& batch) {
    book_->resolve(batch, "u1", "v1");
    return absl::OkStatus();
  };
  EXPECT_EQ(on.committer.submit_and_wait(link).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(book_->find("u1", "v1").user, k_nobody);
  EXPECT_EQ(book_->user_count(), 0U);

  ASSERT_TRUE(on.committer.submit_and_wait(link).ok());
  EXPECT_EQ(book_->find("", "v1").user, book_->find("u1", "").user);
  EXPECT_EQ(links_in_log().size(), 1U);
}

TEST_F(IdentityBookTest, APersonsRecordHoldsTheIdAndTheStoreKeysDoNot) {
  const Who who = resolve("somebody@example.org", "v1");
  on_->clock.advance(k_day_ms);
  resolve("u2", "v1");

  const auto user = book_->person(who.user).value();
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(user->user_id, "somebody@example.org");
  EXPECT_EQ(user->visitor_id, "");
  EXPECT_EQ(user->first_seen_ms, CommitterOnStore::k_now_ms);
  const auto visitor = book_->person(who.visitor).value();
  EXPECT_EQ(visitor->visitor_id, "v1");
  EXPECT_EQ(visitor->first_seen_ms, CommitterOnStore::k_now_ms) << "a new link keeps it";
  EXPECT_EQ(visitor->linked_user, book_->find("u2", "").user);
  EXPECT_FALSE(book_->person(UserNumber(99)).value().has_value());

  for (const store::Family family : {store::Family::ids, store::Family::people}) {
    const auto cursor = database_->walk(family, {}, false);
    for (; cursor->valid(); cursor->next()) {
      EXPECT_EQ(cursor->key().find("somebody"), std::string_view::npos);
    }
  }
}

TEST_F(IdentityBookTest, ReadersAndTheCommitterDoNotDisturbEachOther) {
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const Who who = book_->find("u7", "v7");
      EXPECT_EQ(who.user == k_nobody, who.visitor == k_nobody) << "a batch appears as a whole";
    }
  });
  for (int i = 0; i < 200; ++i) resolve("u" + std::to_string(i), "v" + std::to_string(i));
  done = true;
  reader.join();
  EXPECT_EQ(book_->user_count(), 200U);
  EXPECT_EQ(book_->visitor_count(), 200U);
}

TEST_F(IdentityBookTest, AClaimMakesNoUserAndTouchesNone) {
  const Who victim = resolve("victim", "home");
  const Who forged = claim("victim", "attacker");
  EXPECT_NE(forged.user, victim.user);
  EXPECT_NE(claim("victim", "").user, victim.user) << "nor without a visitor";
  claim("nobody-yet", "attacker");
  EXPECT_EQ(book_->find("nobody-yet", "").user, k_nobody);
  EXPECT_EQ(book_->user_count(), 1U);
  EXPECT_EQ(book_->visitors_of(victim.user), std::vector{victim.visitor});
}

TEST_F(IdentityBookTest, AVisitorsPastGoesWithItsClaimAndThenToTheUserOnceThatIsConfirmed) {
  const Who anonymous = claim("", "v1");
  const Who claimed = claim("ann", "v1");
  EXPECT_NE(claimed.user, anonymous.user);
  EXPECT_EQ(book_->find_claimed("ann", "v1").user, claimed.user);
  EXPECT_EQ(book_->find("ann", "v1").user, claimed.user) << "as long as nobody says otherwise";
  reopen();
  EXPECT_EQ(claim("ann", "v1").user, claimed.user) << "the same one again";

  const Who ann = resolve("ann", "v1");
  EXPECT_EQ(book_->visitors_of(ann.user), std::vector{ann.visitor});
  EXPECT_EQ(claim("ann", "v1").user, ann.user) << "this visitor was confirmed";
  const std::vector<VisitorLink> links = links_in_log();
  ASSERT_EQ(links.size(), 3U);
  EXPECT_EQ(links[0].to_user, claimed.user);
  EXPECT_EQ(links[0].from_user, links[0].visitor) << "what it did before moves";
  EXPECT_EQ(links[1].visitor, claimed.user);
  EXPECT_EQ(links[1].from_user, claimed.user) << "and so does what it did since";
  EXPECT_EQ(links[1].to_user, ann.user);
}

TEST_F(IdentityBookTest, AnotherClaimOnTheSameDeviceTakesNothingAlong) {
  const Who ann = claim("ann", "shared");
  const Who bob = claim("bob", "shared");
  EXPECT_NE(bob.user, ann.user);
  EXPECT_EQ(book_->find_claimed("ann", "shared").user, k_nobody) << "it is Bob's now";
  EXPECT_EQ(links_in_log().back().from_user, ann.user);

  const Who confirmed = resolve("bob", "shared");
  EXPECT_EQ(links_in_log().size(), 4U) << "Ann's claim stays where it is";
  EXPECT_EQ(claim("ann", "shared").user, ann.user);
  EXPECT_EQ(book_->find("bob", "").user, confirmed.user);
}

TEST_F(IdentityBookTest, AClaimIsToldOnlyWhatItsVisitorDid) {
  const Who ann = resolve("ann", "phone");
  const Who found = book_->find_claimed("ann", "phone");
  EXPECT_EQ(found.user, ann.user);
  EXPECT_TRUE(found.is_own_part_only) << "Ann may have done more elsewhere";
  EXPECT_TRUE(book_->find_claimed("", "phone").is_own_part_only);
  EXPECT_EQ(book_->find_claimed("ann", "").user, k_nobody);
  EXPECT_EQ(book_->find_claimed("ann", "attacker").user, k_nobody);
  EXPECT_EQ(book_->find_claimed("bob", "phone").user, k_nobody);
  claim("", "new");
  EXPECT_FALSE(book_->find_claimed("", "new").is_own_part_only);
}

TEST_F(IdentityBookTest, KnowsWhereHistoryWent) {
  const Who visitor = claim("", "v1");
  const Who claimed = claim("ann", "v1");
  const Who ann = resolve("ann", "v1");
  const Who bob = resolve("bob", "v1");
  reopen();
  const auto home = [&](UserNumber number) {
    UserNumber found;
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      found = book_->home_of(batch, number);
                      return absl::OkStatus();
                    })
                    .ok());
    return found;
  };
  EXPECT_EQ(home(visitor.user), ann.user);
  EXPECT_EQ(home(claimed.user), ann.user);
  EXPECT_EQ(home(bob.user), bob.user);
  EXPECT_EQ(home(k_nobody), k_nobody);
}

TEST_F(IdentityBookTest, ABrokenTableIsDataLoss) {
  store::WriteSet changes;
  changes.put(store::Family::ids, "too short", "x");
  ASSERT_TRUE(database_->write(std::move(changes)).ok());
  EXPECT_EQ(IdentityBook::open(*database_).status().code(), absl::StatusCode::kDataLoss);
}

class ErasedIdentityTest : public IdentityBookTest {
 protected:
  events::DataSubject subject(std::string_view user_id) const {
    return book_->subject(user_id, {}).value().value();
  }
  void erase(std::string_view user_id) {
    const events::DataSubject gone = subject(user_id);
    EXPECT_TRUE(book_->erase_person(gone, on_->committer).ok());
  }
  // Whether any value in the store holds the text.
  bool is_in_store(std::string_view text) const {
    for (const store::Family family : {store::Family::ids, store::Family::people}) {
      for (auto at = database_->walk(family, {}, false); at->valid(); at->next()) {
        if (at->value().find(text) != std::string_view::npos) return true;
      }
    }
    return false;
  }
  void refuse(std::string_view user_id, std::string_view visitor_id) {
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      const Who who = book_->resolve(batch, user_id, visitor_id);
                      book_->set_personalization(batch, who.user, true);
                      return absl::OkStatus();
                    })
                    .ok());
  }
};

TEST_F(ErasedIdentityTest, APersonIsTheUserWithAllVisitorsAndClaims) {
  const Who ann = resolve("ann", "");
  const Who phone = resolve("ann", "phone");
  const Who claimed = claim("ann", "tablet");
  resolve("bob", "laptop");
  const events::DataSubject found = subject("ann");
  EXPECT_EQ(found.user_ids, std::vector<std::string>{"ann"});
  EXPECT_EQ(found.visitor_ids, (std::vector<std::string>{"phone", "tablet"}));
  for (const UserNumber number : {ann.user, phone.visitor, claimed.user, claimed.visitor}) {
    EXPECT_TRUE(found.did(number));
  }
  EXPECT_FALSE(found.did(resolve("bob", "").user));
  EXPECT_EQ(book_->subject("nobody", {}).value(), std::nullopt);
}

TEST_F(ErasedIdentityTest, WhoIsOnlyClaimedIsAPersonToo) {
  claim("ann", "tablet");
  EXPECT_EQ(subject("ann").visitor_ids, std::vector<std::string>{"tablet"});
  erase("ann");
  EXPECT_FALSE(is_in_store("ann"));
  EXPECT_TRUE(resolve("ann", "").is_erased);
}

TEST_F(ErasedIdentityTest, AVisitorThatWasSomebodyElsesLeavesThemTheirHistory) {
  const Who first = resolve("", "shared");
  resolve("bob", "shared");
  resolve("ann", "shared");
  const events::DataSubject ann = subject("ann");
  EXPECT_EQ(ann.visitor_ids, std::vector<std::string>{"shared"});
  EXPECT_FALSE(ann.did(first.visitor)) << "what it did before it was anybody's became bob's";
  EXPECT_TRUE(subject("bob").did(first.visitor));
}

TEST_F(ErasedIdentityTest, NothingOfAnErasedPersonIsLeftAndTheirNumbersAreNotReused) {
  resolve("bob", "");
  const Who ann = resolve("ann", "phone");
  claim("ann", "tablet");
  erase("ann");
  for (int round = 0; round < 2; ++round, reopen()) {
    for (const char* const id : {"ann", "phone", "tablet"}) EXPECT_FALSE(is_in_store(id)) << id;
    EXPECT_EQ(book_->find("ann", "phone").user, k_nobody);
    EXPECT_EQ(book_->find("", "phone").user, k_nobody);
    EXPECT_EQ(book_->find_claimed("ann", "tablet").user, k_nobody);
    EXPECT_EQ(book_->user_count(), 1U);
    EXPECT_EQ(book_->visitor_count(), 0U);
    EXPECT_EQ(book_->subject("ann", {}).value(), std::nullopt);
  }
  EXPECT_GT(resolve("new", "").user, ann.user);
}

TEST_F(ErasedIdentityTest, LateEventsDoNotBringAnErasedPersonBack) {
  resolve("ann", "phone");
  erase("ann");
  for (int round = 0; round < 2; ++round, reopen()) {
    EXPECT_TRUE(resolve("ann", "").is_erased);
    EXPECT_TRUE(resolve("ann", "new").is_erased);
    EXPECT_TRUE(resolve("", "phone").is_erased);
    EXPECT_TRUE(claim("ann", "").is_erased);
    EXPECT_FALSE(is_in_store("ann"));
  }
  // Somebody else on the same device is somebody else, and no link is made to it.
  const Who bob = resolve("bob", "phone");
  EXPECT_FALSE(bob.is_erased);
  EXPECT_EQ(bob.visitor, k_nobody);
  // A page that still says so is the visitor's.
  const Who page = claim("ann", "new");
  EXPECT_FALSE(page.is_erased);
  EXPECT_EQ(page.user, page.visitor);
}

TEST_F(ErasedIdentityTest, ErasingAgainChangesNothing) {
  resolve("ann", "phone");
  const events::DataSubject gone = subject("ann");
  EXPECT_EQ(book_->erase_person(gone, on_->committer)->dropped, 2U);
  EXPECT_EQ(book_->erase_person(gone, on_->committer)->dropped, 0U);
}

TEST_F(ErasedIdentityTest,
       WhomItsVisitorClaimedToBeGoesAlongAndAConfirmedClaimStaysWithoutTheVisitor) {
  const Who as_bob = claim("bob", "phone");
  const Who as_carl = claim("carl", "phone");
  resolve("carl", "phone");
  resolve("ann", "phone");
  ASSERT_TRUE(is_in_store("phone"));
  EXPECT_TRUE(subject("ann").did(as_bob.user));
  EXPECT_FALSE(subject("ann").did(as_carl.user));
  erase("ann");
  EXPECT_FALSE(is_in_store("phone"));
  EXPECT_TRUE(subject("carl").did(as_carl.user));
}

TEST_F(ErasedIdentityTest, AnAnonymousVisitorIsItselfAndItsClaimsAndTakesNobodyElseAlong) {
  const Who phone = claim("ann", "phone");
  claim("ann", "tablet");
  resolve("bob", "laptop");
  const auto found = anonymous_visitor(*book_, *database_, "phone").value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->visitor_ids, std::vector<std::string>{"phone"});
  EXPECT_TRUE(found->user_ids.empty());
  EXPECT_EQ(found->people.size(), 2U);
  EXPECT_TRUE(found->did(phone.user));
  EXPECT_EQ(anonymous_visitor(*book_, *database_, "unknown").value(), std::nullopt);
  EXPECT_EQ(anonymous_visitor(*book_, *database_, "laptop").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(book_->erase_person(*found, on_->committer).ok());
  EXPECT_FALSE(is_in_store("phone"));
  EXPECT_TRUE(is_in_store("tablet"));
  EXPECT_TRUE(resolve("", "phone").is_erased);
  EXPECT_FALSE(resolve("ann", "").is_erased);
}

TEST_F(ErasedIdentityTest, AVisitorThatWasAUsersOnceLeavesThemTheirHistory) {
  const Who first = resolve("", "shared");
  resolve("bob", "shared");
  claim("ann", "shared");
  const auto found = anonymous_visitor(*book_, *database_, "shared").value();
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->did(first.visitor));
}

TEST_F(ErasedIdentityTest, ARefusalStaysThroughRestartsAndMerges) {
  resolve("ann", "");
  resolve("", "phone");
  EXPECT_FALSE(book_->find("ann", "").refuses_personalization);
  refuse("ann", "");
  refuse("", "tablet");
  resolve("ann", "phone");
  resolve("bob", "tablet");
  for (int round = 0; round < 2; ++round, reopen()) {
    EXPECT_TRUE(book_->find("ann", "").refuses_personalization);
    EXPECT_TRUE(book_->find("", "phone").refuses_personalization);
    EXPECT_TRUE(book_->find_claimed("ann", "phone").refuses_personalization);
    EXPECT_TRUE(book_->find("bob", "").refuses_personalization) << "what a visitor refused wins";
    EXPECT_FALSE(book_->find("carl", "").refuses_personalization);
  }
  EXPECT_EQ(book_->user_count(), 2U);
}

}  // namespace
}  // namespace vitrine::identity
