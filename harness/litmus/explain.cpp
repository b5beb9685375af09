#include <fmt/format.h>

#include "harness/litmus/table.hpp"
#include "harness/litmus/teller.hpp"

namespace daxrace::litmus {
namespace {

constexpr std::size_t kColumn = 38;

std::string schedule_text(const Schedule& schedule) {
  std::string text = fmt::format("  forced: access to its stop {}", schedule.access_stops);
  text += schedule.change_stops == Schedule::kToTheEnd
              ? "; layout change until it sleeps or ends"
              : fmt::format("; layout change to its stop {}", schedule.change_stops);
  text += schedule.access_more == Schedule::kToTheEnd
              ? "; access to the end; the rest"
              : fmt::format("; access {} more; layout change; the rest", schedule.access_more);
  return text;
}

std::vector<std::string> names_of_tasks(AccessKind access) {
  std::vector<std::string> names = {"access", "layout change"};
  if (takes_two(access)) names.emplace_back("other access");
  return names;
}

void tell_trace(const Scene& scene, Teller& teller, std::vector<std::string>& out) {
  for (std::size_t i = 0; i < scene.machine.trace_size(); ++i) {
    const model::TraceLine& line = scene.machine.trace_line(i);
    const bool switched = teller.last_told() != model::kNobody && teller.last_told() != line.task;
    const std::string text = teller.line(line, switched ? '>' : ' ');
    if (!text.empty()) out.push_back(text);
  }
}

void conclude(const Outcome& outcome, std::vector<std::string>& out) {
  if (outcome.error != 0) out.push_back("  => the change returned -" + error_name(outcome.error));
  if (outcome.fenced) out.emplace_back("  => the lessee was fenced and touched nothing more");
  if (outcome.violated.empty() && outcome.waited) out.emplace_back("  => safe: it waited");
  if (outcome.violated.empty() && !outcome.waited && outcome.overlapped)
    out.emplace_back("  => it went ahead while the access was in flight, and nothing came of it");
}

void tell(const Cell& cell, const Schedule& schedule, std::vector<std::string>& out) {
  Scene scene(*cell.script, cell.operation, cell.access, cell.regime);
  scene.machine.trace(true);
  const Outcome outcome = run(scene, schedule);
  Teller teller(scene, names_of_tasks(cell.access), kColumn);
  out.push_back(schedule_text(schedule));
  out.push_back(teller.heads());
  tell_trace(scene, teller, out);
  const std::vector<std::string> wrong = teller.what_went_wrong(outcome.end);
  out.insert(out.end(), wrong.begin(), wrong.end());
  conclude(outcome, out);
}

}  // namespace

std::vector<std::string> explain(const Cell& cell) {
  std::vector<std::string> out = {fmt::format("{} under {} {}: {} against {}", info_of(cell.operation).name,
                                              cell.protocol().name,
                                              name_in(kRefcountRegimeNames, cell.regime),
                                              info_of(cell.operation).summary, info_of(cell.access).summary)};
  for (const Schedule& schedule : cell.telling_schedules()) tell(cell, schedule, out);
  return out;
}

}  // namespace daxrace::litmus
