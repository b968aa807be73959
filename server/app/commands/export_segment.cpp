#include "server/app/commands/export_segment.h"

#include <boost/json.hpp>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/segment_pages.h"
#include "server/app/import/csv.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_write_bytes = std::size_t{1} << 20;

std::string_view id_in(const boost::json::value& member, std::string_view name) {
  const boost::json::value* const id =
      member.as_object().if_contains(boost::json::string_view(name.data(), name.size()));
  if (id == nullptr || !id->is_string()) return {};
  return {id->get_string().data(), id->get_string().size()};
}

// A cell that a spreadsheet would take for a formula begins with an apostrophe.
void append_cell(std::string& line, std::string_view id) {
  const bool is_formula =
      !id.empty() && std::string_view("=+-@").find(id.front()) != std::string_view::npos;
  append_csv(line, is_formula ? "'" + std::string(id) : std::string(id));
}

void append_member(std::string& out, const boost::json::value& member, bool is_csv) {
  const std::string_view user = id_in(member, "user_id");
  const std::string_view visitor = id_in(member, "visitor_id");
  if (is_csv) {
    append_cell(out, user);
    out += ',';
    append_cell(out, visitor);
  } else {
    http::JsonWriter(out)
        .begin_object()
        .field(user.empty() ? "visitor_id" : "user_id", user.empty() ? visitor : user)
        .end_object();
  }
  out += '\n';
}

absl::Status write_out(std::FILE* file, std::string& lines) {
  const bool is_written = std::fwrite(lines.data(), 1, lines.size(), file) == lines.size();
  lines.clear();
  return is_written && std::fflush(file) == 0 ? absl::OkStatus()
                                              : unavailable("cannot write what is exported");
}

}  // namespace

absl::StatusOr<std::uint64_t> export_segment(const Config& config, const std::string& segment,
                                             bool is_csv, std::FILE* file) {
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(config));
  VITRINE_RETURN_IF_ERROR(wait_until_built(client->api(), segment));
  std::uint64_t count = 0;
  std::string lines = is_csv ? "user_id,visitor_id\n" : "";
  const auto add = [&](const boost::json::value& member) -> absl::Status {
    append_member(lines, member, is_csv);
    ++count;
    return lines.size() < k_write_bytes ? absl::OkStatus() : write_out(file, lines);
  };
  VITRINE_RETURN_IF_ERROR(for_each_member(client->api(), segment, add));
  VITRINE_RETURN_IF_ERROR(write_out(file, lines));
  return count;
}

}  // namespace vitrine::app
