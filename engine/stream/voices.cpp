// SPDX-License-Identifier: MIT
// Over 400 lines: one class, whose functions all keep the same lists and counts in step.
#include "engine/stream/voices.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/stream/hash.h"

namespace tutti::engine {

using voices::envelope_field;
using voices::k_tick_frames;

namespace {
constexpr double k_fade_seconds = 0.002;
// A new note is as loud as it will be to the ear that expects it: stealing would else take what is just being played.
constexpr double k_attack_guard_seconds = 0.05;
constexpr int k_first_voice_slots = 4; // spare slots of the smallest instance
} // namespace

void Voices::prepare(const voices::VoiceType& type, const PatchImage& patch, double sample_rate, std::uint64_t seed,
                     int part, int copies) {
    m_type = &type;
    m_rate = sample_rate;
    m_seed = seed;
    m_part = part;
    m_voices = patch.mode == PlayMode::poly ? patch.voices : 1;
    m_steal = patch.steal;
    m_velocity_exponent = std::exp2(patch.velocity_curve);
    const int spare = std::clamp(m_voices / 4, k_first_voice_slots, 16);
    m_edits.prepare(type, (m_voices + spare) * copies);
    const auto slots = static_cast<std::size_t>(m_edits.slots());
    const auto envelope_count = static_cast<std::size_t>(type.envelope_count);
    m_notes.resize(slots);
    m_envelopes.resize(slots * envelope_count);
    m_plans.resize(slots * envelope_count);
    m_slot_next.assign(slots, -1);
    m_free.assign((slots + 63) / 64, 0);
    for (std::size_t i = 0; i < slots; ++i) {
        m_free[i / 64] |= std::uint64_t{1} << (i % 64);
        m_notes[i].owner = this;
        m_notes[i].slot = static_cast<std::int16_t>(i);
    }
    m_free_count = static_cast<int>(slots);
}

void Voices::attach(TimerWheel& wheel, VoiceCounts& counts, const ParameterTable& table) noexcept {
    m_wheel = &wheel;
    m_counts = &counts;
    m_table = &table;
}

// --- lists

namespace {

// Intrusive lists by slot number; `prev` and `next` name the links.
template <class List>
void link_last(Vector<Note>& notes, List& list, Note& note, std::int16_t Note::*prev,
               std::int16_t Note::*next) noexcept {
    note.*prev = static_cast<std::int16_t>(list.tail);
    note.*next = -1;
    if (list.tail >= 0)
        notes[static_cast<std::size_t>(list.tail)].*next = note.slot;
    else
        list.head = note.slot;
    list.tail = note.slot;
}

template <class List>
void unlink(Vector<Note>& notes, List& list, Note& note, std::int16_t Note::*prev, std::int16_t Note::*next) noexcept {
    if (note.*prev >= 0)
        notes[static_cast<std::size_t>(note.*prev)].*next = note.*next;
    else
        list.head = note.*next;
    if (note.*next >= 0)
        notes[static_cast<std::size_t>(note.*next)].*prev = note.*prev;
    else
        list.tail = note.*prev;
}

} // namespace

void Voices::append(List& list, Note& note) noexcept {
    link_last(m_notes, list, note, &Note::prev, &Note::next);
}
void Voices::remove(List& list, Note& note) noexcept {
    unlink(m_notes, list, note, &Note::prev, &Note::next);
}
void Voices::append_key(Note& note) noexcept {
    link_last(m_notes, m_keys[note.key], note, &Note::key_prev, &Note::key_next);
}
void Voices::remove_key(Note& note) noexcept {
    unlink(m_notes, m_keys[note.key], note, &Note::key_prev, &Note::key_next);
}
void Voices::append_released(Note& note) noexcept {
    link_last(m_notes, m_released, note, &Note::let_prev, &Note::let_next);
}
void Voices::remove_released(Note& note) noexcept {
    if (note.state == Note::released) unlink(m_notes, m_released, note, &Note::let_prev, &Note::let_next);
}

int Voices::rows_used() const noexcept {
    const int slots = m_edits.slots();
    int word = static_cast<int>(m_free.size()) - 1;
    for (; word >= 0; --word) {
        const int bits = std::min(64, slots - 64 * word);
        const std::uint64_t taken = ~m_free[static_cast<std::size_t>(word)] & (~std::uint64_t{0} >> (64 - bits));
        if (taken == 0) continue;
        const int last = 64 * word + 63 - std::countl_zero(taken);
        return std::max(last / voices::k_row_slots + 1, m_edits.rows_edited());
    }
    return m_edits.rows_edited();
}

Voices::EnvelopeState* Voices::envelopes(const Note& note) noexcept {
    return &m_envelopes[static_cast<std::size_t>(note.slot * m_type->envelope_count)];
}
const Voices::EnvelopeState* Voices::envelopes(const Note& note) const noexcept {
    return &m_envelopes[static_cast<std::size_t>(note.slot * m_type->envelope_count)];
}
voices::EnvelopePlan* Voices::plans(const Note& note) noexcept {
    return &m_plans[static_cast<std::size_t>(note.slot * m_type->envelope_count)];
}
const voices::EnvelopePlan* Voices::plans(const Note& note) const noexcept {
    return &m_plans[static_cast<std::size_t>(note.slot * m_type->envelope_count)];
}

// --- what is known of a note

double Voices::curved(double velocity) const noexcept {
    const double v = std::clamp(velocity, 0.0, 1.0);
    return m_velocity_exponent == 1.0 ? v : std::pow(v, m_velocity_exponent);
}

float Voices::lowpass_coefficient(float hertz) const noexcept {
    if (!(hertz > 0.0f)) return 1.0f;
    return static_cast<float>(1.0 - std::exp(-6.283185307179586 * static_cast<double>(hertz) / m_rate));
}

double Voices::pitch_at(const Note& note, std::int64_t frame) const noexcept {
    const auto f = static_cast<double>(frame);
    if (f >= note.glide_end) return note.pitch_to;
    if (f <= note.glide_begin) return note.pitch_from;
    return note.pitch_from +
           (note.pitch_to - note.pitch_from) * ((f - note.glide_begin) / (note.glide_end - note.glide_begin));
}

// What the backend's ramp shows on `frame`: a chord between ticks, or from the last edit inside this tick.
double Voices::present_level(const Note& note, int envelope, std::int64_t frame) const noexcept {
    const EnvelopeState& state = envelopes(note)[envelope];
    const voices::EnvelopePlan& plan = plans(note)[envelope];
    const std::int64_t tick = tick_floor(frame);
    if (tick == frame && note.anchor < frame) return state.run.at(plan, static_cast<double>(frame), m_rate);
    const bool anchored = note.anchor > tick || (note.anchor == frame && tick == frame);
    const std::int64_t begin = anchored ? note.anchor : tick;
    const double from = anchored ? state.anchor : state.run.at(plan, static_cast<double>(tick), m_rate);
    const double to = state.run.at(plan, static_cast<double>(tick + k_tick_frames), m_rate);
    return from + (to - from) * static_cast<double>(frame - begin) / static_cast<double>(tick + k_tick_frames - begin);
}

double Voices::loudness(const Note& note, std::int64_t frame) const noexcept {
    double level = 0.0;
    for (int e = 0; e < m_type->envelope_count; ++e)
        if (m_type->amplitude_envelopes >> e & 1u)
            level = std::max(level, envelopes(note)[e].run.at(plans(note)[e], static_cast<double>(frame), m_rate));
    const bool young =
        note.state == Note::held && static_cast<double>(frame - note.start) < k_attack_guard_seconds * m_rate;
    return (young ? 1.0 : level) * (0.1 + 0.9 * static_cast<double>(note.velocity)) * static_cast<double>(note.gain);
}

bool Voices::ended(const Note& note) const noexcept {
    for (int e = 0; e < m_type->envelope_count; ++e)
        if ((m_type->amplitude_envelopes >> e & 1u) && !envelopes(note)[e].run.ended()) return false;
    return true;
}

Note* Voices::mono_note() noexcept {
    return m_ages.tail >= 0 ? &note_at(m_ages.tail) : nullptr;
}

// --- edits

void Voices::arm(Note& note) noexcept {
    std::int64_t due = note.pitch_due;
    for (int e = 0; e < m_type->envelope_count; ++e) {
        const std::int64_t own = envelopes(note)[e].due;
        if (own >= 0 && (due < 0 || own < due)) due = own;
    }
    if (due < 0)
        m_wheel->disarm(note.timer);
    else
        m_wheel->arm(note.timer, due / k_tick_frames);
}

void Voices::write_input(Note& note, std::int64_t frame, int field, float value) noexcept {
    for (int slot = note.slot; slot >= 0; slot = m_slot_next[static_cast<std::size_t>(slot)])
        *m_edits.add(slot, frame, Edit::write, field, 1) = value;
}

void Voices::write_envelopes(Note& note, std::int64_t frame, const EnvelopeEdit* edits, std::uint32_t which) noexcept {
    for (int e = 0; e < m_type->envelope_count;) {
        if (!(which >> e & 1u)) {
            ++e;
            continue;
        }
        int last = e;
        while (last + 1 < m_type->envelope_count && (which >> (last + 1) & 1u))
            ++last;
        const int count = 3 * (last - e + 1);
        for (int slot = note.slot; slot >= 0; slot = m_slot_next[static_cast<std::size_t>(slot)])
            std::memcpy(m_edits.add(slot, frame, Edit::write, envelope_field(e), count), edits + e,
                        static_cast<std::size_t>(count) * sizeof(float));
        e = last + 1;
    }
}

EnvelopeEdit Voices::first_edit(Note& note, int envelope, std::int64_t frame, double value) noexcept {
    EnvelopeState& state = envelopes(note)[envelope];
    const voices::EnvelopePlan& plan = plans(note)[envelope];
    state.anchor = value;
    EnvelopeEdit edit;
    if (tick_floor(frame) == frame) {
        edit = state.run.tick_edit(plan, frame, m_rate, state.due);
    } else {
        edit = state.run.frame_edit(plan, frame, value, m_rate);
        state.due = tick_floor(frame) + k_tick_frames;
    }
    // A plan without length ends at the next tick.
    if (state.due < 0 && state.run.ended()) state.due = tick_floor(frame) + k_tick_frames;
    return edit;
}

void Voices::pitch_edit(Note& note, std::int64_t frame, float& pitch, float& step) noexcept {
    const double now = pitch_at(note, frame);
    pitch = static_cast<float>(now);
    step = 0.0f;
    note.pitch_due = -1;
    if (static_cast<double>(frame) >= note.glide_end) return;
    const std::int64_t next = tick_floor(frame) + k_tick_frames;
    step = static_cast<float>(pitch_at(note, next) - now);
    const bool steady = tick_floor(frame) == frame && static_cast<double>(next) <= note.glide_end;
    // Put right every 32 ticks: the sums of an FP32 step stay within 0.01 cent.
    note.pitch_due =
        steady ? std::min(tick_floor(static_cast<std::int64_t>(note.glide_end)), frame + 32 * k_tick_frames) : next;
}

void Voices::write_pitch(Note& note, std::int64_t frame) noexcept {
    float values[2];
    pitch_edit(note, frame, values[0], values[1]);
    for (int slot = note.slot; slot >= 0; slot = m_slot_next[static_cast<std::size_t>(slot)])
        std::memcpy(m_edits.add(slot, frame, Edit::write, voices::input_pitch, 2), values, sizeof values);
}

void Voices::write_start(Note& note, std::int64_t frame) noexcept {
    alignas(16) float values[voices::state_field(voices::k_max_envelopes)];
    pitch_edit(note, frame, values[voices::input_pitch], values[voices::input_pitch_step]);
    values[voices::input_offset] = note.offset;
    values[voices::input_gain] = note.gain;
    values[voices::input_pan] = note.pan;
    values[voices::input_velocity] = note.velocity;
    values[voices::input_key] = static_cast<float>(note.key - 60) * (1.0f / 12.0f);
    values[voices::input_pressure] = note.pressure;
    values[voices::input_timbre] = note.timbre;
    values[voices::input_random] = signed_unit(note_hash(m_seed, m_part, note.serial, 255));
    values[voices::input_unison_gain] = note.copies == 1 ? 1.0f : 1.0f / std::sqrt(static_cast<float>(note.copies));
    values[voices::input_send] = note.send;
    values[voices::input_lowpass] = lowpass_coefficient(note.lowpass_hz);
    for (int e = 0; e < m_type->envelope_count; ++e) {
        const double level = note.start < frame
                                 ? envelopes(note)[e].run.at(plans(note)[e], static_cast<double>(frame), m_rate)
                                 : static_cast<double>(plans(note)[e].initial);
        const EnvelopeEdit edit = first_edit(note, e, frame, level);
        std::memcpy(values + envelope_field(e), &edit, sizeof edit);
    }
    int copy = 0;
    for (int slot = note.slot; slot >= 0; slot = m_slot_next[static_cast<std::size_t>(slot)], ++copy) {
        values[voices::input_unison] =
            note.copies == 1 ? 0.0f : 2.0f * static_cast<float>(copy) / static_cast<float>(note.copies - 1) - 1.0f;
        const auto seed = static_cast<std::uint32_t>(note_hash(m_seed, m_part, note.serial, copy) >> 32);
        std::memcpy(values + voices::input_seed, &seed, sizeof seed);
        const int size = m_edits.start_size();
        std::memcpy(m_edits.add(slot, frame, Edit::start, 0, size), values,
                    static_cast<std::size_t>(size) * sizeof(float));
    }
}

// --- slots

int Voices::take_slots(int copies) noexcept {
    int first = -1, last = -1;
    std::size_t word = 0;
    for (int i = 0; i < copies; ++i) {
        while (m_free[word] == 0)
            ++word;
        const int slot = static_cast<int>(word) * 64 + std::countr_zero(m_free[word]);
        m_free[word] &= m_free[word] - 1;
        m_slot_next[static_cast<std::size_t>(slot)] = -1;
        if (last < 0)
            first = slot;
        else
            m_slot_next[static_cast<std::size_t>(last)] = static_cast<std::int16_t>(slot);
        last = slot;
    }
    m_free_count -= copies;
    return first;
}

void Voices::end(Note& note, std::int64_t frame) noexcept {
    m_wheel->disarm(note.timer);
    if (note.state == Note::fading) {
        remove(m_fades, note);
        --m_fading;
    } else {
        remove(m_ages, note);
        remove_key(note);
        remove_released(note);
        --m_sounding;
        m_counts->slots -= note.copies;
    }
    --m_counts->notes;
    note.state = Note::idle;
    for (int slot = note.slot; slot >= 0;) {
        const auto s = static_cast<std::size_t>(slot);
        m_edits.add(slot, frame, Edit::stop, 0, 0);
        m_free[s / 64] |= std::uint64_t{1} << (s % 64);
        slot = m_slot_next[s];
    }
    m_free_count += note.copies;
}

Note* Voices::victim(std::int64_t frame, int key) noexcept {
    if (m_ages.head < 0) return nullptr;
    if (m_steal == StealPolicy::same_note && m_keys[static_cast<std::size_t>(key)].head >= 0)
        return &note_at(m_keys[static_cast<std::size_t>(key)].head);
    // What was let go goes first: a held note only where there is none.
    if (m_steal == StealPolicy::oldest) return &note_at(m_released.head >= 0 ? m_released.head : m_ages.head);
    Note* found = nullptr;
    double least = 1e300;
    const bool released = m_released.head >= 0;
    for (int i = released ? m_released.head : m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = released ? note.let_next : note.next;
        const double level = loudness(note, frame);
        if (level < least) {
            least = level;
            found = &note;
        }
    }
    return found;
}

bool Voices::make_room(std::int64_t frame, const NoteStart& start, int copies) noexcept {
    while (m_sounding >= m_voices || m_counts->slots + copies > m_counts->limit) {
        Note* const note = victim(frame, start.key);
        if (note == nullptr) {
            ++m_counts->shed;
            return false;
        }
        fade(*note, frame);
        ++m_counts->stolen;
    }
    // More thefts within 2 ms than there are spare slots: the oldest fade is cut.
    while (m_free_count < copies) {
        Note* const note = m_fades.head >= 0 ? &note_at(m_fades.head) : victim(frame, start.key);
        if (note == nullptr) {
            ++m_counts->shed;
            return false;
        }
        if (note->state != Note::fading) ++m_counts->stolen;
        end(*note, frame);
    }
    return true;
}

// --- a note's life

void Voices::note_on(std::int64_t frame, const NoteStart& start) noexcept {
    const int group = m_type->choke_group != nullptr ? m_type->choke_group(start.key) : 0;
    if (group > 0)
        for (int i = m_ages.head; i >= 0;) {
            Note& other = note_at(i);
            i = other.next;
            if (other.group == group) fade(other, frame);
        }
    // A key struck again: its earlier note is let go, as on an instrument that has one string a key.
    if (start.note_id == k_any_note)
        for (int i = m_keys[static_cast<std::size_t>(start.key)].head; i >= 0;) {
            Note& other = note_at(i);
            i = other.key_next;
            if (other.channel != start.channel || other.note_id != k_any_note || other.state != Note::held) continue;
            if (m_steal == StealPolicy::same_note)
                fade(other, frame);
            else
                release(other, frame);
        }

    int copies = 1;
    if (m_type->unison_parameter >= 0) {
        const float wanted = m_table->values()[m_type->unison_parameter];
        copies = std::clamp(static_cast<int>(std::lround(wanted)), 1, std::min(m_type->max_unison, slots()));
    }
    if (!make_room(frame, start, copies)) return;

    Note& note = note_at(take_slots(copies));
    note.start = frame - start.age;
    note.serial = m_serial++;
    note.note_id = start.note_id;
    note.copies = static_cast<std::int16_t>(copies);
    note.key = static_cast<std::uint8_t>(start.key);
    note.channel = static_cast<std::uint8_t>(start.channel);
    note.group = static_cast<std::uint8_t>(group);
    note.state = Note::held;
    note.key_down = true;
    note.sostenuto = false;
    note.velocity = static_cast<float>(curved(start.velocity));
    note.offset = start.offset;
    note.gain = static_cast<float>(start.gain);
    note.pan = note.send = note.lowpass_hz = 0.0f;
    note.pressure = start.pressure;
    note.timbre = start.timbre;
    note.anchor = frame;
    const bool glides = start.glide_frames >= 1.0 && start.glide_from > -1e8;
    note.pitch_to = start.pitch;
    note.pitch_from = glides ? start.glide_from : start.pitch;
    note.glide_begin = static_cast<double>(frame);
    note.glide_end = static_cast<double>(frame) + (glides ? start.glide_frames : 0.0);
    append(m_ages, note);
    append_key(note);
    ++m_sounding;
    ++m_counts->notes;
    m_counts->slots += copies;

    m_type->plan(m_table->values(), {static_cast<float>(note.key), note.velocity}, plans(note));
    for (int e = 0; e < m_type->envelope_count; ++e) {
        const voices::EnvelopePlan& plan = plans(note)[e];
        EnvelopeRun& run = envelopes(note)[e].run;
        run.start(plan, static_cast<double>(note.start), static_cast<double>(plan.initial), 0, false, m_rate);
        if (start.age > 0) run.advance(plan, static_cast<double>(frame), m_rate);
    }
    write_start(note, frame);
    arm(note);
}

void Voices::restart(Note& note, std::int64_t frame, std::uint32_t which, const double* levels) noexcept {
    EnvelopeEdit edits[voices::k_max_envelopes];
    note.anchor = frame;
    for (int e = 0; e < m_type->envelope_count; ++e) {
        if (which >> e & 1u)
            edits[e] = first_edit(note, e, frame, levels[e]);
        else
            envelopes(note)[e].anchor = levels[e];
    }
    write_envelopes(note, frame, edits, which);
    arm(note);
}

bool Voices::move(std::int64_t frame, const NoteStart& start) noexcept {
    Note* const sounding = mono_note();
    if (sounding == nullptr) return false;
    Note& note = *sounding;
    remove_key(note);
    note.key = static_cast<std::uint8_t>(start.key);
    append_key(note);
    note.channel = static_cast<std::uint8_t>(start.channel);
    note.note_id = start.note_id;
    const double from = start.glide_from > -1e8 ? start.glide_from : pitch_at(note, frame);
    note.pitch_from = start.glide_frames >= 1.0 ? from : start.pitch;
    note.pitch_to = start.pitch;
    note.glide_begin = static_cast<double>(frame);
    note.glide_end = static_cast<double>(frame) + start.glide_frames;
    write_pitch(note, frame);
    write_input(note, frame, voices::input_key, static_cast<float>(note.key - 60) * (1.0f / 12.0f));
    note.key_down = true;
    if (start.legato) {
        arm(note);
        return true;
    }
    remove_released(note);
    note.state = Note::held;
    note.velocity = static_cast<float>(curved(start.velocity));
    note.gain = static_cast<float>(start.gain);
    write_input(note, frame, voices::input_velocity, note.velocity);
    write_input(note, frame, voices::input_gain, note.gain);
    double levels[voices::k_max_envelopes];
    for (int e = 0; e < m_type->envelope_count; ++e)
        levels[e] = present_level(note, e, frame);
    note.start = frame;
    m_type->plan(m_table->values(), {static_cast<float>(note.key), note.velocity}, plans(note));
    for (int e = 0; e < m_type->envelope_count; ++e)
        envelopes(note)[e].run.start(plans(note)[e], static_cast<double>(frame), levels[e], 0, false, m_rate);
    restart(note, frame, ~0u, levels);
    return true;
}

void Voices::release(Note& note, std::int64_t frame) noexcept {
    if (note.state != Note::held) return;
    note.state = Note::released;
    note.key_down = false;
    append_released(note);
    double levels[voices::k_max_envelopes];
    std::uint32_t which = 0;
    voices::EnvelopePlan anew[voices::k_max_envelopes];
    m_type->plan(m_table->values(), {static_cast<float>(note.key), note.velocity}, anew);
    for (int e = 0; e < m_type->envelope_count; ++e)
        levels[e] = present_level(note, e, frame);
    for (int e = 0; e < m_type->envelope_count; ++e) {
        voices::EnvelopePlan& plan = plans(note)[e];
        if (plan.sustain < 0) continue; // one shot
        plan = anew[e];
        envelopes(note)[e].run.start(plan, static_cast<double>(frame), levels[e], plan.sustain + 1, true, m_rate);
        which |= 1u << e;
    }
    if (which != 0) restart(note, frame, which, levels);
}

void Voices::fade(Note& note, std::int64_t frame) noexcept {
    if (note.state == Note::fading || note.state == Note::idle) return;
    remove(m_ages, note);
    remove_key(note);
    remove_released(note);
    --m_sounding;
    m_counts->slots -= note.copies;
    append(m_fades, note);
    ++m_fading;
    note.state = Note::fading;
    note.key_down = false;
    // Ends on the last tick within 2 ms; where ticks are that long (below 16 kHz), on the next tick but none shorter than 8.
    std::int64_t end_frame = tick_floor(frame + static_cast<std::int64_t>(k_fade_seconds * m_rate));
    if (end_frame < frame + k_tick_frames / 2) end_frame = tick_ceil(frame + k_tick_frames / 2);
    double levels[voices::k_max_envelopes];
    for (int e = 0; e < m_type->envelope_count; ++e)
        levels[e] = present_level(note, e, frame);
    std::uint32_t which = 0;
    for (int e = 0; e < m_type->envelope_count; ++e) {
        if (!(m_type->amplitude_envelopes >> e & 1u)) continue;
        envelopes(note)[e].run.fade(static_cast<double>(frame), levels[e], static_cast<double>(end_frame));
        which |= 1u << e;
    }
    restart(note, frame, which, levels);
}

void Voices::on_timer(Note& note, std::int64_t frame) noexcept {
    EnvelopeEdit edits[voices::k_max_envelopes];
    std::uint32_t which = 0;
    for (int e = 0; e < m_type->envelope_count; ++e) {
        EnvelopeState& state = envelopes(note)[e];
        if (state.due != frame) continue;
        edits[e] = state.run.tick_edit(plans(note)[e], frame, m_rate, state.due);
        which |= 1u << e;
    }
    if (which != 0 && ended(note)) return end(note, frame);
    write_envelopes(note, frame, edits, which);
    if (note.pitch_due == frame) write_pitch(note, frame);
    arm(note);
}

// --- keys and pedals

void Voices::note_off(std::int64_t frame, int key, int channel, std::int32_t note_id, bool sustain,
                      bool sostenuto) noexcept {
    for (int i = m_keys[static_cast<std::size_t>(key)].head; i >= 0;) {
        Note& note = note_at(i);
        i = note.key_next;
        if (note.channel != channel || !note.key_down) continue;
        if (note_id != k_any_note && note.note_id != note_id) continue;
        note.key_down = false;
        if (sustain || (sostenuto && note.sostenuto)) continue;
        release(note, frame);
    }
}

void Voices::choke(std::int64_t frame, int key, std::int32_t note_id) noexcept {
    for (int i = m_keys[static_cast<std::size_t>(key)].head; i >= 0;) {
        Note& note = note_at(i);
        i = note.key_next;
        if (note_id == k_any_note || note.note_id == note_id) fade(note, frame);
    }
}

void Voices::keys_up(std::int64_t frame, int channel, bool sustain, bool sostenuto) noexcept {
    for (int i = m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = note.next;
        if ((channel >= 0 && note.channel != channel) || !note.key_down) continue;
        note.key_down = false;
        if (!sustain && !(sostenuto && note.sostenuto)) release(note, frame);
    }
}

void Voices::sustain_up(std::int64_t frame, int channel, bool sostenuto) noexcept {
    for (int i = m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = note.next;
        if ((channel >= 0 && note.channel != channel) || note.key_down) continue;
        if (!(sostenuto && note.sostenuto)) release(note, frame);
    }
}

void Voices::sostenuto_down(int channel) noexcept {
    for (int i = m_ages.head; i >= 0; i = note_at(i).next)
        if ((channel < 0 || note_at(i).channel == channel) && note_at(i).key_down) note_at(i).sostenuto = true;
}

void Voices::sostenuto_up(std::int64_t frame, int channel, bool sustain) noexcept {
    for (int i = m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = note.next;
        if ((channel >= 0 && note.channel != channel) || !note.sostenuto) continue;
        note.sostenuto = false;
        if (!note.key_down && !sustain) release(note, frame);
    }
}

void Voices::release_all(std::int64_t frame, int channel) noexcept {
    for (int i = m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = note.next;
        if (channel < 0 || note.channel == channel) release(note, frame);
    }
}

void Voices::fade_all(std::int64_t frame, int channel) noexcept {
    for (int i = m_ages.head; i >= 0;) {
        Note& note = note_at(i);
        i = note.next;
        if (channel < 0 || note.channel == channel) fade(note, frame);
    }
}

void Voices::shed(std::int64_t frame, int slot) noexcept {
    Note& note = note_at(slot);
    if (note.state != Note::held && note.state != Note::released) return;
    fade(note, frame);
    ++m_counts->shed;
}

void Voices::express(std::int64_t frame, int key, int channel, std::int32_t note_id, NoteExpression kind,
                     double value) noexcept {
    if (!std::isfinite(value)) return;
    const auto apply = [&](Note& note) noexcept {
        if (channel >= 0 && note.channel != channel) return;
        if (note_id != k_any_note && note.note_id != note_id) return;
        const auto set = [&](float& member, double low, double high, int field) noexcept {
            member = static_cast<float>(std::clamp(value, low, high));
            write_input(note, frame, field, kind == NoteExpression::lowpass ? lowpass_coefficient(member) : member);
        };
        switch (kind) {
        case NoteExpression::pitch:
            return set(note.offset, -120.0, 120.0, voices::input_offset);
        case NoteExpression::gain:
            return set(note.gain, 0.0, 4.0, voices::input_gain);
        case NoteExpression::pan:
            return set(note.pan, -1.0, 1.0, voices::input_pan);
        case NoteExpression::pressure:
            return set(note.pressure, 0.0, 1.0, voices::input_pressure);
        case NoteExpression::timbre:
            return set(note.timbre, 0.0, 1.0, voices::input_timbre);
        case NoteExpression::send:
            return set(note.send, 0.0, 1.0, voices::input_send);
        case NoteExpression::lowpass:
            return set(note.lowpass_hz, 0.0, 1e6, voices::input_lowpass);
        }
    };
    if (key >= 0) {
        for (int i = m_keys[static_cast<std::size_t>(key)].head; i >= 0; i = note_at(i).key_next)
            apply(note_at(i));
    } else {
        for (int i = m_ages.head; i >= 0; i = note_at(i).next)
            apply(note_at(i));
    }
}

void Voices::retune_note(std::int64_t frame, Note& note, double pitch) noexcept {
    if (note.pitch_to == pitch) return;
    if (static_cast<double>(frame) >= note.glide_end) note.pitch_from = pitch;
    note.pitch_to = pitch;
    write_pitch(note, frame);
    arm(note);
}

} // namespace tutti::engine
