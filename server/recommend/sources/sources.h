// The list of all candidate sources.
//
// Thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "server/recommend/candidate_source.h"

namespace vitrine::recommend {

const CandidateSource& personal_source();     // products near everything the person did lately
const CandidateSource& session_source();      // what sessions like this one went on to
const CandidateSource& similar_source();      // products like the one looked at, now or last
const CandidateSource& together_source();     // bought together with the product or cart looked at
const CandidateSource& also_viewed_source();  // looked at in one session with the product looked at
const CandidateSource& upsell_source();       // a dearer product of the same category
const CandidateSource& trending_source();     // wanted by everybody these days
const CandidateSource& popular_source();      // wanted by everybody these weeks
const CandidateSource& recent_source();       // what the person looked at lately
const CandidateSource& buy_again_source();    // what the person bought before
const CandidateSource& new_source();          // the latest in the catalog
const CandidateSource& catalog_source();      // all of what a narrow request asks for

// Behind what a rule shows and no source gave: none of the list below, as it finds nothing itself.
const CandidateSource& pinned_source();

std::span<const CandidateSource* const> all_sources();

// Null when there is none of that name.
const CandidateSource* find_source(std::string_view name);

}  // namespace vitrine::recommend
