// SPDX-License-Identifier: MIT
// Which instruction set this process uses: the best that the processor has, or the one that TUTTI_ISA names.
#pragma once

#include <tutti/status.h>

#include "dsp/isa.h"

namespace tutti::engine {

using dsp::best_isa;
using dsp::Isa;
using dsp::isa_name;
using dsp::isa_supported;

// TUTTI_ISA where it is set, else the best. Errors: unsupported (names what this machine has). [control]
Result<Isa> select_isa();

} // namespace tutti::engine
