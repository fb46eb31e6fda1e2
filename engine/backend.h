// SPDX-License-Identifier: MIT
// The backend's border: what the control side hands to whatever renders a batch of voices, and what comes back.
//
// The control side (allocator, envelopes' stages, controllers) runs first for a step and leaves, for every row, a list of
// edits ordered by frame. The backend then renders every bank of every stream in one go. Nothing flows back but the part
// buses: decisions are made from control records alone.
#pragma once

#include <cstdint>

#ifndef TUTTI_DEVICE_PROGRAM // a device knows the tables, not who renders them
#include "engine/memory/memory.h"
#endif
#include "voices/voice_type.h"

namespace tutti::engine {

#ifdef TUTTI_NO_DOUBLE
typedef std::uint64_t Rate; // as wide; the host works out what depends on it (gpu/device/program.h)
#else
typedef double Rate;
#endif

inline constexpr int k_max_channels = 16;
inline constexpr std::uint32_t k_no_edit = 0xffffffffu;

// One change to one lane of a row, `offset` frames into the step.
struct Edit {
    enum Kind : std::uint8_t {
        start, // a voice begins: values = inputs and envelopes (state_field(envelopes) floats); the state is made anew
        write, // fields first..first+count-1 of the lane take values[0..count-1]
        stop,  // the lane falls silent and idle (the voice has ended)
    };
    std::uint32_t next = k_no_edit; // index in Bank::edits of the row's next edit; offsets never fall along the list
    std::uint8_t offset = 0;        // 0..63
    std::uint8_t lane = 0;          // 0..15
    Kind kind = start;
    std::uint8_t first = 0;
    std::uint8_t count = 0;
    const float TUTTI_DEVICE* values = nullptr; // valid until the step is rendered
};

// Sixteen slots. `fields` belongs to the stream; the backend reads and writes it.
struct Row {
    float TUTTI_DEVICE* fields = nullptr; // [type->field_count][16]
    std::uint32_t first_edit = k_no_edit;
    std::uint32_t last_edit = k_no_edit; // control side only
    std::uint16_t active = 0;            // bit lane: the lane sounds at the step's start; the backend follows the edits
    std::uint16_t muted = 0;   // bit lane: was found not finite and is kept silent until its next start [backend]
    std::uint32_t version = 0; // table version that the row's targets were computed from [backend]
    std::uint16_t unsettled = 0xffff; // bit lane: targets must be computed at the next tick [backend]
    std::uint16_t gliding = 0;        // bit lane: input_pitch_step is not 0 [backend]
    std::uint16_t muffled = 0;        // bit lane: input_lowpass is between 0 and 1 [backend]
};

// The parameter table in effect from `offset` on. A change on a tick's first frame is taken by that tick; inside a tick it
// gives every lane of the bank new targets for the rest of the tick.
struct TableChange {
    std::uint8_t offset = 0;
    std::uint32_t version = 0;                 // differs whenever the content differs
    const float TUTTI_DEVICE* table = nullptr; // part inputs, then parameters in kernel units
};

// All rows of one part that play the same patch instance.
struct Bank {
    const voices::VoiceType* type = nullptr;
    std::uint64_t shape = 0;
    Rate sample_rate = 48000.0;
    const voices::Route TUTTI_DEVICE* routes = nullptr;
    int route_count = 0;
    int quality = 1; // 0 eco, 1 standard, 2 ultra
    const TableChange TUTTI_DEVICE* tables = nullptr;
    int table_count = 0; // at least 1; tables[0].offset is 0
    Row* rows = nullptr;
    int row_count = 0; // rows 0..row_count-1, some idle
    int rows_used = 0; // those from here on are idle in this step; 0: nobody has looked
    const Edit TUTTI_DEVICE* edits = nullptr;
    int channels = 2;                // 1, 2 or more: how many bus channels the stream has
    float* bus[k_max_channels] = {}; // [64] each, overwritten in [first, first + frames)
    std::uint32_t muted_voices = 0;  // counts voices found not finite [backend]

    int busy_rows() const noexcept { return rows_used > 0 ? rows_used : row_count; }
};

// Frames [frame, frame + frames) of a stream's clock; never crosses a multiple of 64. Bus index of the first frame is
// frame % 64.
struct Step {
    std::int64_t frame = 0;
    int frames = 0;
};

struct BankStep {
    Bank* bank = nullptr;
    Step step;
};

#ifndef TUTTI_DEVICE_PROGRAM
class Backend : public FromMemory {
public:
    using Work = void (*)(void* context, int i) noexcept;

    virtual ~Backend() = default;
    virtual const char* name() const noexcept = 0; // "cpu (avx512)"
    // Renders all banks; `threads` at most (1: on the caller alone). The sum over slots has design order: in a chunk rows
    // lane by lane in order, then lanes at distances 8, 4, 2, 1, then chunks by a pairwise tree over their index. The same
    // bits for every grouping of banks, every thread count. [render]
    virtual void render(BankStep* steps, int count, int threads) noexcept = 0;
    // render(), then work(context, i) once for each i below `jobs` as each() calls it. Work i below `count` touches nothing but what
    // hangs on the bus of bank i, the rest no bus at all: so each may begin where its own bank is done. [render]
    virtual void render_with(BankStep* steps, int count, Work work, void* context, int jobs, int threads) noexcept {
        render(steps, count, threads);
        each(work, context, jobs, threads);
    }
    // A device may be lost, or not answer in time: render() then returns, has left rows and buses as they were, writes nothing
    // later, and from then on this says why, in a literal. The engine renders that step on the CPU and asks it no more. [render]
    virtual const char* lost() const noexcept { return nullptr; }
    // Calls work(context, i) once for each i below `count`, on as many threads as are worth it, `threads` at most. [render]
    virtual void each(Work work, void* context, int count, int /*threads*/) noexcept {
        for (int i = 0; i < count; ++i)
            work(context, i);
    }
};
#endif

} // namespace tutti::engine
