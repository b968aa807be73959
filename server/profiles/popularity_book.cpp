#include "server/profiles/popularity_book.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "model/event.h"
#include "server/profiles/daily_deeds.h"
#include "server/profiles/fixed_hash.h"
#include "server/store/key.h"

namespace vitrine::profiles {
namespace {

constexpr double k_popular_half_life_ms = 30.0 * k_day_ms;
constexpr double k_trending_half_life_ms = 3.0 * k_day_ms;

// The two kinds of keys in the checkpoint, and its form.
constexpr std::string_view k_deeds_prefix = "d";
constexpr std::string_view k_levels_prefix = "l";
constexpr std::string_view k_form = "1";

// Whom an event counts for: the person, else the order, else the event alone.
std::uint64_t person_of(const LogEntry& entry, const Event& event) {
  if (entry.user != k_nobody) return entry.user.value();
  if (!event.order_id.empty()) return fixed_hash("order", event.order_id);
  return fixed_hash(entry.source, event.event_id);
}

// An order that is told again was counted at the first time.
bool is_counted(const Event& event) {
  return !event.product_id.empty() && default_weight(event.type) > 0 && !event.is_bot &&
         event.telling == OrderTelling::first;
}

std::string bytes_of(const LevelTable::Block& block) {
  std::string bytes(block.size() * sizeof(LevelTable::Levels), '\0');
  std::memcpy(bytes.data(), block.data(), bytes.size());
  return bytes;
}

std::shared_ptr<LevelTable::Block> block_in(std::string_view bytes) {
  auto block = std::make_shared<LevelTable::Block>(LevelTable::k_block_products);
  if (bytes.size() != block->size() * sizeof(LevelTable::Levels)) return nullptr;
  std::memcpy(block->data(), bytes.data(), bytes.size());
  return block;
}

// What one checkpoint writes.
struct Changed {
  std::vector<LevelTable::NumberedBlock> blocks;
  DailyDeeds::Changes deeds;
};

void write(const Changed& changed, events::CheckpointWriter& out) {
  // Days that have gone are the older ones, but one may have come back.
  auto gone = changed.deeds.gone.begin();
  for (const auto& [key, bytes] : changed.deeds.pieces) {
    for (; gone != changed.deeds.gone.end() && *gone < key; ++gone) {
      out.erase(std::string(k_deeds_prefix) + *gone);
    }
    if (gone != changed.deeds.gone.end() && *gone == key) ++gone;
    out.put(std::string(k_deeds_prefix) + key, bytes);
  }
  for (; gone != changed.deeds.gone.end(); ++gone) out.erase(std::string(k_deeds_prefix) + *gone);
  for (const LevelTable::NumberedBlock& block : changed.blocks) {
    out.put(std::string(k_levels_prefix) + store::key_of(block.number), bytes_of(*block.block));
  }
}

}  // namespace

struct PopularityBook::State {
  State(catalog::ProductNumbers& numbers_in, std::unique_ptr<events::CheckpointReader> durable_in)
      : numbers(numbers_in),
        durable(std::move(durable_in)),
        popular(k_top_max, numbers_in),
        trending(k_top_max, numbers_in) {}

  void add(ProductNumber product, double gained, TimeMs time_ms);
  absl::Status load_levels();
  absl::Status load_deeds();

  catalog::ProductNumbers& numbers;
  const std::unique_ptr<events::CheckpointReader> durable;  // null: there is no checkpoint
  std::atomic<Position> position{0};
  // The committer thread's own.
  DailyDeeds deeds{{.days_max = k_days_kept, .deeds_max = k_deeds_max}};
  LevelTable levels;
  std::shared_ptr<const Changed> writing;    // what the last checkpoint began with
  std::atomic<bool> is_writing_lost{false};  // and whether it was not written

  std::mutex mutex;  // of the two rankings
  TopLevels popular;
  TopLevels trending;
};

void PopularityBook::State::add(ProductNumber product, double gained, TimeMs time_ms) {
  const LevelTable::Levels before = levels.at(product);
  LevelTable::Levels& now = levels.change(product);
  now.popular = raised(before.popular, gained, time_ms, k_popular_half_life_ms);
  now.trending = raised(before.trending, gained, time_ms, k_trending_half_life_ms);
  const std::lock_guard lock(mutex);
  popular.raise(product, before.popular, now.popular);
  trending.raise(product, before.trending, now.trending);
}

PopularityBook::PopularityBook(catalog::ProductNumbers& numbers)
    : state_(std::make_unique<State>(numbers, nullptr)) {}
PopularityBook::PopularityBook(catalog::ProductNumbers& numbers, const store::Database& database)
    : state_(std::make_unique<State>(numbers, events::read_checkpoint_of("popularity", database))) {
}
PopularityBook::~PopularityBook() = default;

std::shared_ptr<const std::vector<PopularProduct>> PopularityBook::popular() const {
  const std::lock_guard lock(state_->mutex);
  return state_->popular.list();
}

std::shared_ptr<const std::vector<PopularProduct>> PopularityBook::trending() const {
  const std::lock_guard lock(state_->mutex);
  return state_->trending.list();
}

Position PopularityBook::position() const { return state_->position.load(); }

void PopularityBook::apply(const LogEntry& entry) {
  if (entry.position <= state_->position.load()) return;
  const Event* const event = entry.event();
  if (event != nullptr && is_counted(*event)) {
    const std::uint64_t deed = fnv1a(event->product_id, mix64(person_of(entry, *event)));
    const double gained =
        state_->deeds.gain(mix64(deed), event->time_ms, default_weight(event->type));
    if (gained > 0) {
      state_->add(state_->numbers.number_of(event->product_id), gained, event->time_ms);
    }
  }
  state_->position.store(entry.position);
}

std::string PopularityBook::checkpoint() const {
  return std::string(state_->durable == nullptr ? std::string_view{} : k_form);
}

absl::Status PopularityBook::restore(std::string_view checkpoint, Position at) {
  if (checkpoint != k_form) return absl::UnimplementedError("another form of popularity");
  VITRINE_RETURN_IF_ERROR(state_->load_deeds());
  VITRINE_RETURN_IF_ERROR(state_->load_levels());
  state_->position = at;
  return absl::OkStatus();
}

absl::Status PopularityBook::State::load_deeds() {
  absl::Status readable;
  VITRINE_RETURN_IF_ERROR(
      durable->walk(k_deeds_prefix, [&](std::string_view key, std::string_view piece) {
        if (!deeds.load(key.substr(k_deeds_prefix.size()), piece)) {
          readable = data_loss("the checkpoint of popularity has deeds that cannot be read");
        }
        return readable.ok();
      }));
  return readable;
}

absl::Status PopularityBook::State::load_levels() {
  absl::Status readable;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    const auto number = store::small_number_in(key.substr(k_levels_prefix.size()));
    const auto block = block_in(bytes);
    if (!number || block == nullptr ||
        std::size_t{*number} * LevelTable::k_block_products > numbers.size()) {
      readable = data_loss("the checkpoint of popularity has levels that cannot be read");
      return false;
    }
    for (std::uint32_t i = 0; i < block->size(); ++i) {
      const LevelTable::Levels& levels_now = (*block)[i];
      if (levels_now.popular == LevelTable::k_none) continue;
      const ProductNumber product(*number * LevelTable::k_block_products + i);
      popular.raise(product, LevelTable::k_none, levels_now.popular);
      trending.raise(product, LevelTable::k_none, levels_now.trending);
    }
    levels.load(*number, block);
    return true;
  };
  VITRINE_RETURN_IF_ERROR(durable->walk(k_levels_prefix, visit));
  return readable;
}

events::CheckpointPart PopularityBook::begin_checkpoint() {
  State& state = *state_;
  if (state.is_writing_lost.exchange(false)) {
    state.levels.put_back(state.writing->blocks);
    state.deeds.put_back(state.writing->deeds);
  }
  state.writing = std::make_shared<const Changed>(
      Changed{state.levels.take_changed(), state.deeds.take_changes(position())});
  return [changed = state.writing](events::CheckpointWriter& out) { write(*changed, out); };
}

void PopularityBook::end_checkpoint(bool is_durable) {
  if (is_durable) state_->writing = nullptr;
  state_->is_writing_lost = !is_durable;
}

std::uint64_t PopularityBook::fingerprint() const {
  std::uint64_t sum = state_->deeds.fingerprint();
  for (std::uint32_t number = 0; number < state_->numbers.size(); ++number) {
    const LevelTable::Levels levels = state_->levels.at(ProductNumber(number));
    if (levels.popular == LevelTable::k_none) continue;
    const std::uint64_t product = fixed_hash(state_->numbers.id_of(ProductNumber(number)));
    sum += mix64(product ^ std::bit_cast<std::uint64_t>(levels.popular) ^
                 mix64(std::bit_cast<std::uint64_t>(levels.trending)));
  }
  return sum;
}

}  // namespace vitrine::profiles
