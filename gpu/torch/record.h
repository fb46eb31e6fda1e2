// SPDX-License-Identifier: MIT
// What a row of voices does at the ticks of a render block, written down for tensors by the voice type's own code.
#pragma once

#include "engine/backend.h"
#include "gpu/torch/interface.h"

namespace tutti::gpu {

struct RowRecord {
    float* to = nullptr; // [record][tick][voice], at the row's first voice
    std::uint64_t moving = 0;
    std::uint32_t muted = 0; // voices found not finite
};

// One function a kind. The row has no edits in this step, which is a whole render block; its fields end as after the block, but for the
// memories that tensors keep.
using RecordRow = void (*)(const engine::Bank& bank, const engine::Step& step, engine::Row& row, RowRecord& record);
struct RecordTable {
    RecordRow row[k_torch_kinds];
};
// Null where the machine or the build lacks the instruction set. [any]
const RecordTable* record_table_base() noexcept;
const RecordTable* record_table_avx2() noexcept;
const RecordTable* record_table_avx512() noexcept;

// Fields of a row that tensors keep, in the order of the kind's states.
struct StateFields {
    int count = 0;
    int field[torch_records::k_most_states] = {};
};
StateFields state_fields(int kind) noexcept; // [any]

} // namespace tutti::gpu
