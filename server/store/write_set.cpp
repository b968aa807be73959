#include "server/store/write_set.h"

#include <rocksdb/comparator.h>
#include <rocksdb/db.h>

#include "base/check.h"
#include "server/store/rocks_options.h"

namespace vitrine::store {
namespace {

// A batch records a family by its number alone, so it can be filled before and without a database.
class FamilyMark final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit FamilyMark(Family family)
      : name_(name_of(family)), id_(static_cast<std::uint32_t>(family)) {}
  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return id_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor* /*descriptor*/) override {
    return rocksdb::Status::NotSupported();
  }
  const rocksdb::Comparator* GetComparator() const override {
    return rocksdb::BytewiseComparator();
  }

 private:
  const std::string name_;
  const std::uint32_t id_;
};

rocksdb::ColumnFamilyHandle* mark_of(Family family) {
  static const auto marks = [] {
    std::vector<std::unique_ptr<FamilyMark>> made;
    for (const Family each : all_families()) made.push_back(std::make_unique<FamilyMark>(each));
    return made;
  }();
  return marks[static_cast<std::size_t>(family)].get();
}

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

WriteSet::WriteSet() : parts_(std::make_unique<Parts>()) {}
WriteSet::~WriteSet() = default;
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;

void WriteSet::put(Family family, std::string_view key, std::string_view value) {
  const auto status = parts_->batch.Put(mark_of(family), slice(key), slice(value));
  CHECK(status.ok(), "a write set takes any key and value");
}

void WriteSet::erase(Family family, std::string_view key) {
  const auto status = parts_->batch.Delete(mark_of(family), slice(key));
  CHECK(status.ok(), "a write set takes any key");
}

void WriteSet::erase_range(Family family, std::string_view from, std::string_view to) {
  const auto status = parts_->batch.DeleteRange(mark_of(family), slice(from), slice(to));
  CHECK(status.ok(), "a write set takes any keys");
}

void WriteSet::clear() { parts_->batch.Clear(); }
bool WriteSet::empty() const { return parts_->batch.Count() == 0; }
std::size_t WriteSet::bytes() const { return parts_->batch.GetDataSize(); }

}  // namespace vitrine::store
