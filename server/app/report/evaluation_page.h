// An evaluation as one HTML page with charts: nothing is loaded from anywhere.
//
// Thread-safe.
#pragma once

#include <string>

#include "server/app/report/evaluation_report.h"

namespace vitrine::app {

std::string evaluation_page(const EvaluationReport& report);

}  // namespace vitrine::app
