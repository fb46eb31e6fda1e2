// SPDX-License-Identifier: MIT
#include "engine/cpu/isa.h"

#include <string>

namespace tutti::engine {

Result<Isa> select_isa() {
    const char* const wanted = dsp::forced_isa();
    if (wanted == nullptr) return best_isa();
    Isa found = Isa::scalar;
    if (dsp::find_isa(wanted, found)) return found;
    std::string have;
    for (const Isa isa : dsp::k_isas) {
        if (!isa_supported(isa)) continue;
        have += have.empty() ? "" : ", ";
        have += isa_name(isa);
    }
    return Status(Code::unsupported, std::string("TUTTI_ISA=") + wanted + " cannot be used on this machine",
                  "the engine was not made", "unset TUTTI_ISA or set it to one of " + have);
}

} // namespace tutti::engine
