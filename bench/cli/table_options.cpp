#include "bench/cli/table_options.hpp"

#include "bench/cli/options.hpp"
#include "harness/load/workload.hpp"

namespace daxrace {

TableOptions usual_table_options() {
  TableOptions table;
  table.uncontended = [](std::string_view name) {
    const Workload* workload = find_workload(name);
    return workload != nullptr && workload->uncontended;
  };
  table.protocol_order = protocol_names();
  table.workload_order = workload_names();
  return table;
}

}  // namespace daxrace
