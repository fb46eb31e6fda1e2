// SPDX-License-Identifier: MIT
// The body of an instruction set's translation unit; TUTTI_ISA_SPACE and TUTTI_RECORD_TABLE (the function's name) are defined.
//
// engine/cpu/chunk.h runs a row through the block's ticks as it does for sound. In place of the recurrence's `run` stands a note of what
// it would read, and the ramps' values after it, in closed form.
#include "engine/cpu/chunk.h"
#include "gpu/torch/record.h"
#include "voices/ambient_pad_kernel.h"
#include "voices/fm_kernel.h"
#include "voices/subtractive_kernel.h"
#include "voices/torchsynth_voice_kernel.h"

namespace tutti::gpu {
inline namespace TUTTI_ISA_SPACE {

using namespace voices;
using namespace torch_records;

template <class F>
class Notes {
public:
    Notes(Slots<F> v, float* to, int tick, std::uint64_t& moving)
        : m_v(v), m_to(to + tick * k_torch_tick_stride), m_moving(moving) {}
    void put(int record, F x) { store(m_to + record * k_stride, x); }
    void put_bits(int record, UintOf<F> x) { store_bits<F>(m_to + record * k_stride, x); }
    void value(int record, int field) { put(record, m_v.get(field)); }
    void bits(int record, int field) { put_bits(record, m_v.bits(field)); }
    // A ramp goes on by a tick.
    void ramp(int record, int field, int slope_field) {
        const F now = m_v.get(field), slope = m_v.get(slope_field);
        put(record, now);
        put(record + 1, slope);
        if (any(slope != F(0.0f))) m_moving |= std::uint64_t{1} << (record + 1);
        m_v.set(field, fma(slope, F(static_cast<float>(k_tick_frames)), now));
    }
    void word_ramp(int record, int field, int slope_field) {
        const UintOf<F> now = m_v.bits(field), slope = m_v.bits(slope_field);
        put_bits(record, now);
        put_bits(record + 1, slope);
        if (any(less_unsigned(UintOf<F>(0u), slope))) m_moving |= std::uint64_t{1} << (record + 1);
        m_v.set_bits(field, now + slope * UintOf<F>(static_cast<Word>(k_tick_frames)));
    }
    // A phase goes on by a tick; its increment's note is made after it.
    void phase(int record, int field, UintOf<F> increment, UintOf<F> slope) {
        bits(record, field);
        constexpr Word n = k_tick_frames;
        m_v.set_bits(field, m_v.bits(field) + increment * UintOf<F>(n) + slope * UintOf<F>(n * (n + 1) / 2));
    }
    void output(int left, int left_slope, int right, int right_slope, const Context& c) {
        ramp(out_left, left, left_slope);
        if (c.stereo) ramp(out_right, right, right_slope);
        const F open = m_v.get(input_lowpass);
        put(out_open, select(both(F(0.0f) < open, open < F(1.0f)), open, F(1.0f)));
    }
    Slots<F> view() const { return m_v; }

private:
    static constexpr int k_stride = k_torch_record_stride;
    Slots<F> m_v;
    float* m_to;
    std::uint64_t& m_moving;
};

template <class F>
void note_oscillator(Notes<F>& n, int record, int at, int wave, int width, int corner) {
    using namespace voices::subtractive;
    const Slots<F> v = n.view();
    n.phase(record + o_phase, at, v.bits(at + f_osc_increment), v.bits(at + f_osc_increment + k_slopes));
    n.word_ramp(record + o_increment, at + f_osc_increment, at + f_osc_increment + k_slopes);
    if (wave == wave_sine) return;
    n.ramp(record + o_slope, at + f_osc_slope, at + f_osc_slope + k_slopes);
    n.ramp(record + o_offset, at + f_osc_offset, at + f_osc_offset + k_slopes);
    if (wave == wave_triangle) n.value(record + o_corner, corner);
    if (wave == wave_pulse) n.word_ramp(record + o_width, width, width + k_slopes);
}

template <class F>
struct SubtractiveNotes : Subtractive<F> {
    static void note(Notes<F>& n, const Context& c, int first) {
        using namespace voices::subtractive;
        using namespace subtractive_kernel;
        namespace r = torch_records::subtractive;
        const Slots<F> v = n.view();
        if (has(c, shape_sub)) {
            // Half of the increment, cut off, at each frame.
            UintOf<F> sub = v.bits(f_sub_phase), increment = v.bits(f_osc1 + f_osc_increment);
            const UintOf<F> slope = v.bits(f_osc1 + f_osc_increment + k_slopes);
            n.put_bits(r::r_sub_phase, sub);
            for (int i = 0; i < k_tick_frames; ++i) {
                increment = increment + slope;
                sub = sub + shift_right(increment, 1);
            }
            v.set_bits(f_sub_phase, sub);
            n.ramp(r::r_sub, f_sub, f_sub + k_slopes);
            if (has(c, shape_sub_square)) {
                n.ramp(r::r_sub_slope, f_sub_slope, f_sub_slope + k_slopes);
                n.ramp(r::r_sub_offset, f_sub_offset, f_sub_offset + k_slopes);
            }
        }
        if (has(c, shape_osc1))
            note_oscillator(n, r::r_osc1, f_osc1, number(c, shape_osc1_wave, 2), f_width1, f_corner1);
        if (has(c, shape_osc2))
            note_oscillator(n, r::r_osc2, f_osc2, number(c, shape_osc2_wave, 2), f_width2, f_corner2);
        if (has(c, shape_mix)) {
            n.ramp(r::r_level1, f_level1, f_level1 + k_slopes);
            n.ramp(r::r_level2, f_level2, f_level2 + k_slopes);
            n.ramp(r::r_ring, f_ring, f_ring + k_slopes);
        }
        if (has(c, shape_noise)) {
            n.ramp(r::r_noise, f_noise, f_noise + k_slopes);
            n.bits(r::r_seed, input_seed);
            n.put_bits(r::r_frame, UintOf<F>(c.frame + static_cast<Word>(first)));
        }
        if (number(c, shape_filter, 3) != filter_off) {
            n.ramp(r::r_a1, f_c1, f_c1 + k_slopes);
            n.ramp(r::r_a2, f_c2, f_c2 + k_slopes);
            n.ramp(r::r_a3, f_c3, f_c3 + k_slopes);
            n.value(r::r_damping, f_damping);
        }
        n.output(f_left, f_left + k_slopes, f_right, f_right + k_slopes, c);
    }
};

template <class F>
struct FmNotes : Fm<F> {
    static void note(Notes<F>& n, const Context& c, int) {
        using namespace voices::fm;
        namespace r = torch_records::fm;
        const Slots<F> v = n.view();
        for (int op = 0; op < k_operators; ++op) {
            const int at = r::r_operator + op * r::op_count;
            n.phase(at + r::op_phase, f_phase + op, v.bits(f_increment + 2 * op), v.bits(f_increment + 2 * op + 1));
            n.word_ramp(at + r::op_increment, f_increment + 2 * op, f_increment + 2 * op + 1);
            n.ramp(at + r::op_amplitude, f_amplitude + 2 * op, f_amplitude + 2 * op + 1);
        }
        n.output(f_output + k_output_left, f_output + k_output_left + 1, f_output + k_output_right,
                 f_output + k_output_right + 1, c);
    }
};

template <class F>
struct AmbientPadNotes : AmbientPad<F> {
    static void note(Notes<F>& n, const Context& c, int first) {
        using namespace voices::ambient_pad;
        using namespace ambient_pad_kernel;
        namespace r = torch_records::ambient_pad;
        const Slots<F> v = n.view();
        Sources<F> s;
        fill_sources(v, c, false, s);
        for (int o = 0; o < (has(c, shape_octave) ? 6 : 4); ++o) {
            const int at = r::r_saw + o * r::saw_count;
            n.phase(at + r::saw_phase, f_phase + o, v.bits(f_increment + o), UintOf<F>(0u));
            n.bits(at + r::saw_increment, f_increment + o);
            n.value(at + r::saw_slope, f_slope + o);
            n.value(at + r::saw_offset, f_offset + o);
        }
        if (has(c, shape_octave)) n.put(r::r_octave, parameter(c, s, p_octave_level));
        if (has(c, shape_sub)) {
            n.phase(r::r_sub_phase, f_sub_phase, v.bits(f_sub_increment), UintOf<F>(0u));
            n.bits(r::r_sub_increment, f_sub_increment);
            n.put(r::r_sub, parameter(c, s, p_sub_level) * F(3.0f * 2147483648.0f));
        }
        if (has(c, shape_noise)) {
            const F angle = dsp::exp2(min(parameter(c, s, p_noise_colour) + F(c.log2_angle), F(0.5f)));
            n.put(r::r_pole, (angle + angle) / (F(1.0f) + angle + angle));
            n.put(r::r_noise, parameter(c, s, p_noise_level) * F(4.0f));
            n.bits(r::r_seed, input_seed);
            n.put_bits(r::r_frame, UintOf<F>(c.frame + static_cast<Word>(first)));
        }
        const F spread = min(max(parameter(c, s, p_spread), F(0.0f)), F(1.0f));
        n.put(r::r_near, fma(spread, F(0.5f), F(0.5f)));
        n.ramp(r::r_a1, f_c1, f_c1 + 1);
        n.ramp(r::r_a2, f_c2, f_c2 + 1);
        n.ramp(r::r_a3, f_c3, f_c3 + 1);
        n.output(f_output + k_output_left, f_output + k_output_left + 1, f_output + k_output_right,
                 f_output + k_output_right + 1, c);
    }
};

template <class F>
struct TorchsynthNotes : TorchsynthVoice<F> {
    static void note(Notes<F>& n, const Context& c, int first) {
        using namespace voices::torchsynth_voice;
        namespace r = torch_records::torchsynth;
        const Slots<F> v = n.view();
        n.bits(r::r_position, f_position);
        n.bits(r::r_position_step, f_position_step);
        v.set_bits(f_position,
                   v.bits(f_position) + v.bits(f_position_step) * UintOf<F>(static_cast<Word>(k_tick_frames)));
        n.value(r::r_tick_position, f_tick_position);
        n.put(r::r_edge, v.get(f_edge) * F(0.346573590f)); // ln(2) / 2: tanh wants it for e^x
        n.value(r::r_shape, f_shape);
        for (int o = 0; o < 2; ++o) {
            const int at = o == 0 ? f_vco_1 : f_vco_2, to = o == 0 ? r::r_vco_1 : r::r_vco_2;
            // In full where interface.h has the same name.
            n.bits(to + r::vco_step, at + o_step);
            n.value(to + r::vco_whole, at + o_whole);
            n.value(to + r::vco_over, at + o_over);
            n.value(to + r::vco_least, at + o_least);
            n.value(to + r::vco_most, at + o_most);
            n.value(to + r::vco_slope, at + int{voices::torchsynth_voice::o_slope});
            n.value(to + r::vco_slope_after, at + int{voices::torchsynth_voice::o_slope} + 1);
        }
        constexpr int target[3] = {to_amp_1, to_amp_2, to_noise};
        for (int m = 0; m < 3; ++m) {
            const torchsynth_kernel::Level<F> level(v, target[m], m);
            n.put(r::r_level + 3 * m, level.start);
            n.put(r::r_level + 3 * m + 1, level.slope);
            n.put(r::r_level + 3 * m + 2, level.slope_after);
        }
        n.bits(r::r_seed, input_seed);
        n.put_bits(r::r_frame, UintOf<F>(c.frame + static_cast<Word>(first)));
        n.output(f_output + k_output_left, f_output + k_output_left + 1, f_output + k_output_right,
                 f_output + k_output_right + 1, c);
    }
};

// A voice type whose sound is notes.
template <template <class> class Type, class F>
struct Noted : Type<F> {
    static bool runs_through(const Context&) { return false; }
    template <int G>
    static void run(const typename Type<F>::View* v, const Context& c, int first, int, bool, bool, Accumulator to) {
        std::uint64_t moving = 0;
        Notes<F> notes(v[0], to.left, first / k_tick_frames, moving);
        Type<F>::note(notes, c, first);
        t_moving |= moving;
    }
    static thread_local std::uint64_t t_moving;
};
template <template <class> class Type, class F>
thread_local std::uint64_t Noted<Type, F>::t_moving = 0;

template <template <class> class Type, class F>
void record_row(const engine::Bank& bank, const engine::Step& step, engine::Row& row, RowRecord& record) {
    const Context context = engine::make_context(bank, step);
    engine::Row* const rows[1] = {&row};
    const bool changed = row.version != bank.tables[0].version;
    row.version = bank.tables[bank.table_count - 1].version;
    Noted<Type, F>::t_moving = 0;
    for (int lane = 0; lane < k_row_slots; lane += width_of<F>()) {
        engine::Group<Noted<Type, F>, F> group(bank, step, context, lane, record.to, nullptr);
        record.muted += group.template render<1>(rows, &changed, false);
    }
    record.moving |= Noted<Type, F>::t_moving;
}

namespace {
#ifdef TUTTI_RECORD_LANES
using RecordLanes = TUTTI_RECORD_LANES;
#else
using RecordLanes = dsp::NativeLanes;
#endif
constexpr RecordTable k_table = {{record_row<SubtractiveNotes, RecordLanes>, record_row<FmNotes, RecordLanes>,
                                  record_row<AmbientPadNotes, RecordLanes>, record_row<TorchsynthNotes, RecordLanes>}};
} // namespace
} // namespace TUTTI_ISA_SPACE

const RecordTable* TUTTI_RECORD_TABLE() noexcept {
    return &k_table;
}
} // namespace tutti::gpu
