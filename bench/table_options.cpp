#include "bench/table_options.hpp"

#include "bench/options.hpp"
#include "harness/workload.hpp"

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
