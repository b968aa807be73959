#include "server/store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/random.h"
#include "base/status.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::store {
namespace {

using testing::HasSubstr;

absl::Status put(Database& database, Family family, std::string_view key, std::string_view value) {
  WriteSet changes;
  changes.put(family, key, value);
  return database.write(std::move(changes));
}

std::string get(const Database& database, Family family, std::string_view key) {
  const auto value = database.get(family, key);
  return value.ok() && value->has_value() ? **value : "(none)";
}

// The newest log file of the store.
std::filesystem::path log_file_in(const std::filesystem::path& folder) {
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const bool is_newer = newest.empty() || entry.path().filename() > newest.filename();
    if (entry.path().extension() == ".log" && is_newer) newest = entry.path();
  }
  EXPECT_FALSE(newest.empty());
  return newest;
}

TEST(DatabaseTest, WhatIsNewTakesOnlySoMuchMemoryInAllFamiliesTogether) {
  const TempFolder folder;
  Database::Options options = small_store_options();
  options.write_buffer_bytes = std::size_t{64} << 20;
  options.max_total_wal_bytes = std::uint64_t{1} << 30;
  options.write_buffers_bytes = std::size_t{6} << 20;
  const auto opened = Database::open(folder.path(), options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Database& database = **opened;
  const std::string value(10'000, 'x');
  constexpr std::uint64_t k_much = std::uint64_t{40} << 20;
  std::uint64_t most = 0;
  for (int i = 0; i < 150; ++i) {
    WriteSet changes;
    for (const Family family : {Family::log, Family::people, Family::decisions}) {
      for (int j = 0; j < 20; ++j) changes.put(family, std::to_string(20 * i + j), value);
    }
    ASSERT_TRUE(database.write(std::move(changes)).ok());
    // Nobody else waits for the disk, and a busy machine may take long to get there.
    for (int look = 0; look < 4000 && database.memory_use().write_buffers > k_much; ++look) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_LE(database.memory_use().write_buffers, k_much) << "of 90 MB that fit the families";
    most = std::max(most, database.memory_use().write_buffers);
  }
  EXPECT_GT(most, options.write_buffers_bytes / 2);
  EXPECT_GT(database.memory_use().block_cache, 0U);
  EXPECT_EQ(get(database, Family::people, "2999"), value);
}

TEST(DatabaseTest, OneWriteChangesAllFamiliesAndSurvivesReopening) {
  const TempFolder folder;
  std::string secret;
  {
    const auto database = open_store(folder.path());
    WriteSet changes;
    changes.put(Family::log, "k", "entry");
    changes.put(Family::dedupe, "k", "position");
    changes.put(Family::people, "gone", "soon");
    changes.erase(Family::people, "gone");
    ASSERT_TRUE(database->write(std::move(changes)).ok());
    secret = database->secret();
  }
  const auto database = open_store(folder.path());
  EXPECT_EQ(get(*database, Family::log, "k"), "entry");
  EXPECT_EQ(get(*database, Family::dedupe, "k"), "position");
  EXPECT_EQ(get(*database, Family::people, "gone"), "(none)");
  EXPECT_EQ(get(*database, Family::ids, "k"), "(none)");
  EXPECT_EQ(database->secret(), secret);
  EXPECT_EQ(secret.size(), 32U);
}

TEST(DatabaseTest, EveryDirectoryHasASecretOfItsOwn) {
  const TempFolder one;
  const TempFolder other;
  EXPECT_NE(open_store(one.path())->secret(), open_store(other.path())->secret());
}

TEST(DatabaseTest, WalksInKeyOrderFromAKeyAndSeesTheStoreAsItWas) {
  const TempFolder folder;
  const auto database = open_store(folder.path());
  for (const char* key : {"c", "a", "d", "b"}) {
    ASSERT_TRUE(put(*database, Family::products, key, key).ok());
  }
  ASSERT_TRUE(put(*database, Family::keys, "z", "another family").ok());

  for (const bool long_walk : {false, true}) {
    const auto cursor = database->walk(Family::products, "b", long_walk);
    ASSERT_TRUE(put(*database, Family::products, "c2", "later").ok());
    std::string seen;
    for (; cursor->valid(); cursor->next()) seen += cursor->key();
    EXPECT_EQ(seen, long_walk ? "bcc2d" : "bcd");
    EXPECT_TRUE(cursor->status().ok());
  }
  EXPECT_EQ(database->last_key(Family::products), "d");
  EXPECT_FALSE(database->last_key(Family::people).has_value());
}

TEST(DatabaseTest, ABulkWriteIsThereAsAWholeOrNotAtAll) {
  const TempFolder folder;
  {
    const auto database = open_store(folder.path());
    ASSERT_TRUE(put(*database, Family::checkpoints, "b", "old").ok());
    ASSERT_TRUE(put(*database, Family::checkpoints, "c", "old").ok());
    {
      const auto abandoned = std::move(database->bulk_write(Family::checkpoints)).value();
      abandoned->put("a", "never");
    }
    const auto bulk = std::move(database->bulk_write(Family::checkpoints)).value();
    bulk->put("a", "new");
    bulk->erase("b");
    EXPECT_EQ(get(*database, Family::checkpoints, "a"), "(none)");
    ASSERT_TRUE(bulk->finish().ok());
    EXPECT_EQ(get(*database, Family::checkpoints, "a"), "new");
    ASSERT_TRUE(put(*database, Family::checkpoints, "c", "newest").ok());
  }
  const auto database = open_store(folder.path());
  EXPECT_EQ(get(*database, Family::checkpoints, "a"), "new");
  EXPECT_EQ(get(*database, Family::checkpoints, "b"), "(none)");
  EXPECT_EQ(get(*database, Family::checkpoints, "c"), "newest");
}

TEST(DatabaseTest, ABulkWriteNeedsRoomOnTheDisk) {
  const TempFolder folder;
  {
    open_store(folder.path());
  }
  auto options = small_store_options();
  options.min_free_bytes = UINT64_MAX;
  const auto database = std::move(Database::open(folder.path(), options)).value();

  EXPECT_EQ(database->bulk_write(Family::checkpoints).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(DatabaseTest, ErasesARangeOfKeys) {
  const TempFolder folder;
  const auto database = open_store(folder.path());
  for (const char* key : {"a", "b1", "b2", "c"}) {
    ASSERT_TRUE(put(*database, Family::checkpoints, key, key).ok());
  }
  WriteSet changes;
  changes.erase_range(Family::checkpoints, "b", "c");
  ASSERT_TRUE(database->write(std::move(changes)).ok());

  EXPECT_EQ(get(*database, Family::checkpoints, "b2"), "(none)");
  EXPECT_EQ(get(*database, Family::checkpoints, "a"), "a");
  EXPECT_EQ(get(*database, Family::checkpoints, "c"), "c");
}

TEST(DatabaseTest, ASecondOpeningIsRefusedAndNamesTheHolder) {
  const TempFolder folder;
  {
    const auto database = open_store(folder.path());
    const auto second = Database::open(folder.path(), small_store_options());
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(message_of(second.status())),
                HasSubstr(fmt::format("held by another process (process {})", ::getpid())));
  }
  EXPECT_TRUE(Database::open(folder.path(), small_store_options()).ok());
}

TEST(DatabaseTest, ANewerFormatIsRefusedWithBothVersions) {
  const TempFolder folder;
  ASSERT_TRUE(put(*open_store(folder.path()), Family::meta, "format_version", "7").ok());
  const auto opened = Database::open(folder.path(), small_store_options());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(message_of(opened.status())), HasSubstr("format version 7"));
  EXPECT_THAT(std::string(message_of(opened.status())), HasSubstr("up to version 1"));
  EXPECT_EQ(Database::open_beside(folder.path()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DatabaseTest, ABrokenManifestIsDataLoss) {
  const TempFolder folder;
  open_store(folder.path()).reset();
  std::ofstream(folder / "CURRENT") << "MANIFEST-none\n";
  EXPECT_EQ(Database::open(folder.path(), small_store_options()).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(DatabaseTest, BelowTheWatermarkNothingIsWritten) {
  const TempFolder folder;
  open_store(folder.path()).reset();
  auto options = small_store_options();
  options.min_free_bytes = std::uint64_t{1} << 62;
  const auto database = Database::open(folder.path(), options).value();

  const absl::Status written = put(*database, Family::products, "a", "1");

  EXPECT_EQ(written.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(get(*database, Family::products, "a"), "(none)");
}

TEST(DatabaseTest, AReaderBesideTheWriterSeesWhatIsThereAndFollows) {
  const TempFolder folder;
  EXPECT_EQ(Database::open_beside(folder.path()).status().code(), absl::StatusCode::kNotFound);
  const auto writer = open_store(folder.path());
  ASSERT_TRUE(put(*writer, Family::log, "1", "first").ok());

  const auto reader = Database::open_beside(folder.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(get(**reader, Family::log, "1"), "first");
  EXPECT_EQ((*reader)->secret(), writer->secret());

  ASSERT_TRUE(put(*writer, Family::log, "2", "second").ok());
  EXPECT_EQ(get(**reader, Family::log, "2"), "(none)");
  ASSERT_TRUE((*reader)->catch_up().ok());
  EXPECT_EQ(get(**reader, Family::log, "2"), "second");
  EXPECT_EQ((*reader)->last_key(Family::log), "2");

  EXPECT_EQ(put(**reader, Family::log, "3", "third").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(put(*writer, Family::log, "3", "third").ok());
}

TEST(DatabaseTest, AReaderLeavesNothingBehind) {
  const TempFolder folder;
  const TempFolder temporary;
  open_store(folder.path()).reset();
  ASSERT_EQ(::setenv("TMPDIR", temporary.path().c_str(), 1), 0);  // NOLINT(concurrency-mt-unsafe)
  {
    const auto reader = Database::open_beside(folder.path());
    ASSERT_TRUE(reader.ok());
    EXPECT_FALSE(std::filesystem::is_empty(temporary.path()));
  }
  ::unsetenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
}

// The store's log as the disk holds it after `bytes` of it were written, and what a start makes of
// it: how many of the keys 0, 1, ... are there, and none after the first that is not.
int keys_after_losing_the_tail(const std::filesystem::path& original, std::uintmax_t bytes,
                               int keys) {
  const TempFolder copy;
  std::filesystem::copy(
      original, copy.path(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(log_file_in(copy.path()), bytes);
  const auto database = open_store(copy.path());
  int found = 0;
  while (found < keys && get(*database, Family::log, std::to_string(found)) != "(none)") ++found;
  for (int i = found; i < keys; ++i) {
    EXPECT_EQ(get(*database, Family::log, std::to_string(i)), "(none)") << "after a lost one";
  }
  EXPECT_TRUE(put(*database, Family::log, "more", "after").ok());
  return found;
}

TEST(DatabaseTest, ATornTailOfTheLogLosesWhatWasNotSyncedAndNothingElse) {
  constexpr int k_keys = 6;
  const TempFolder folder;
  const auto database = open_store(folder.path());
  const std::filesystem::path log = log_file_in(folder.path());
  std::vector<std::uintmax_t> ends;  // of each write in the log
  for (int i = 0; i < k_keys; ++i) {
    // Longer than a block of the log, so that a record comes in several pieces.
    ASSERT_TRUE(put(*database, Family::log, std::to_string(i), std::string(40'000, 'x')).ok());
    ends.push_back(std::filesystem::file_size(log));
  }
  for (int i = 1; i < k_keys; ++i) {
    const std::uintmax_t length = ends[i] - ends[i - 1];
    for (const std::uintmax_t cut :
         {std::uintmax_t{0}, std::uintmax_t{1}, std::uintmax_t{7}, length / 2, length - 1}) {
      EXPECT_EQ(keys_after_losing_the_tail(folder.path(), ends[i - 1] + cut, k_keys), i)
          << cut << " bytes of write " << i;
    }
  }
  EXPECT_EQ(keys_after_losing_the_tail(folder.path(), ends.back(), k_keys), k_keys);
}

TEST(DatabaseTest, ABrokenRecordThatWasSyncedStopsTheStart) {
  const TempFolder folder;
  {
    const auto database = open_store(folder.path());
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(put(*database, Family::log, std::to_string(i), std::string(40'000, 'x')).ok());
    }
  }
  const std::filesystem::path log = log_file_in(folder.path());
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(log) / 2));
  file << "broken";
  file.close();

  EXPECT_EQ(Database::open(folder.path(), small_store_options()).status().code(),
            absl::StatusCode::kDataLoss);
}

// A limit on the size of files makes the append to the log fail as a broken disk would.
void write_past_the_file_limit(const std::filesystem::path& folder) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto database = open_store(folder);
  const rlimit limit{64 * 1024, 64 * 1024};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string value(16 * 1024, 'x');
  for (int i = 0; i < 64; ++i) put(*database, Family::log, std::to_string(i), value).IgnoreError();
  std::_Exit(0);  // the death test then sees a process that went on
}

TEST(DatabaseDeathTest, AFailedAppendEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const TempFolder folder;
  EXPECT_EXIT(write_past_the_file_limit(folder.path()), testing::ExitedWithCode(1),
              "cannot write .*uncertain");
}

// Bytes that no compression changes, so that a file shows them.
std::string noise(std::uint64_t seed) {
  Random random(seed);
  std::string bytes;
  for (int i = 0; i < 512; ++i) bytes += static_cast<char>(random.next() & 0xFF);
  return bytes;
}

bool is_in_a_file(const std::filesystem::path& folder, std::string_view bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(file), {});
    if (content.find(bytes) != std::string::npos) return true;
  }
  return false;
}

TEST(DatabasePurgeTest, NothingOverwrittenOrErasedIsInAnyFile) {
  const TempFolder folder;
  const auto database = open_store(folder.path());
  const std::string overwritten = noise(1);
  const std::string erased = noise(2);
  const std::string kept = noise(3);
  for (const Family family : {Family::log, Family::people, Family::quarantine, Family::meta}) {
    ASSERT_TRUE(put(*database, family, "a", overwritten).ok());
    ASSERT_TRUE(put(*database, family, "b", erased).ok());
    ASSERT_TRUE(put(*database, family, "c", kept).ok());
  }
  ASSERT_TRUE(database->purge({}).ok());  // into sorted files, where they must be found, too
  EXPECT_TRUE(is_in_a_file(folder.path(), overwritten));
  for (const Family family : {Family::log, Family::people, Family::quarantine, Family::meta}) {
    ASSERT_TRUE(put(*database, family, "a", "other").ok());
    WriteSet changes;
    changes.erase(family, "b");
    ASSERT_TRUE(database->write(std::move(changes)).ok());
  }
  EXPECT_TRUE(is_in_a_file(folder.path(), erased)) << "until it is purged";
  ASSERT_TRUE(database->purge({}).ok());
  EXPECT_FALSE(is_in_a_file(folder.path(), overwritten.substr(0, 64)));
  EXPECT_FALSE(is_in_a_file(folder.path(), erased.substr(0, 64)));
  EXPECT_EQ(get(*database, Family::people, "a"), "other");
  EXPECT_EQ(get(*database, Family::people, "c"), kept);
}

TEST(DatabasePurgeTest, IsForTheOneWhoWrites) {
  const TempFolder folder;
  const auto database = open_store(folder.path());
  const auto beside = Database::open_beside(folder.path());
  ASSERT_TRUE(beside.ok());
  EXPECT_EQ((*beside)->purge({}).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine::store
