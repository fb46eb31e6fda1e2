// SPDX-License-Identifier: MIT
// The voices of one patch instance: slots, control records, stealing, and the edits that follow from them.
//
// A note's record holds everything that is decided about it: start frame, serial, pitch trajectory, envelope stages, gain.
// Rendered samples are never asked. A record lives at the note's first slot; unison copies are further slots of its list.
#pragma once

#include <array>
#include <cstdint>

#include <tutti/event.h>

#include "engine/memory/memory.h"
#include "engine/patch/image.h"
#include "engine/stream/edits.h"
#include "engine/stream/envelope.h"
#include "engine/stream/table.h"
#include "engine/stream/timers.h"

namespace tutti::engine {

class Voices;

struct Note {
    enum State : std::uint8_t { idle, held, released, fading };
    Timer timer; // first member: the wheel hands back its address
    Voices* owner = nullptr;
    std::int64_t start = 0;
    std::uint64_t serial = 0;
    std::int32_t note_id = k_any_note;
    std::int16_t slot = 0; // the first one: the record's place
    std::int16_t copies = 1;
    std::uint8_t key = 0;
    std::uint8_t channel = 0; // within the part's group of sixteen: MPE member, or the part's own
    std::uint8_t group = 0;   // choke group, 0: none
    State state = idle;
    bool key_down = false;
    bool sostenuto = false;
    float velocity = 1.0f; // after the curve
    float offset = 0.0f, gain = 1.0f, pan = 0.0f, pressure = 0.0f, timbre = 0.0f, send = 0.0f, lowpass_hz = 0.0f;
    // Pitch: `from` until glide_begin, a straight line to `to` at glide_end.
    double pitch_from = 60.0, pitch_to = 60.0;
    double glide_begin = 0.0, glide_end = 0.0;
    std::int64_t pitch_due = -1;               // tick of the next pitch edit
    std::int64_t anchor = 0;                   // frame of the last envelope edit inside a tick
    std::int16_t prev = -1, next = -1;         // by age, among sounding or among fading notes
    std::int16_t key_prev = -1, key_next = -1; // by age, of the same key
    std::int16_t let_prev = -1, let_next = -1; // by the frame of release, among released notes
};

// What a part knows when a note begins.
struct NoteStart {
    int key = 60;
    double velocity = 1.0; // before the curve
    std::int32_t note_id = k_any_note;
    int channel = 0;
    double pitch = 60.0;       // tuned
    double glide_from = -1e9;  // pitch to glide from; below -1e8: none
    double glide_frames = 0.0; // 0: at once
    double gain = 1.0;
    float offset = 0.0f, pressure = 0.0f, timbre = 0.0f;
    std::int64_t age = 0; // frames that it has been going on unheard
    bool legato = false;  // the sounding note moves on without a new attack (monophonic)
    bool mono = false;
};

// Counters of the stream, kept by its renderer. [render]
struct VoiceCounts {
    std::int64_t stolen = 0;
    std::int64_t shed = 0; // no slot of the stream was left
    int slots = 0;         // sounding, copies counted, fading ones not
    int notes = 0;         // sounding or fading
    int limit = 0;         // of `slots`
};

class Voices {
public:
    // [control]
    void prepare(const voices::VoiceType& type, const PatchImage& patch, double sample_rate, std::uint64_t seed,
                 int part, int copies);
    // [render]
    void attach(TimerWheel& wheel, VoiceCounts& counts, const ParameterTable& table) noexcept;

    void begin_step(std::int64_t frame) noexcept { m_edits.begin_step(frame); }
    EditList& edits() noexcept { return m_edits; }
    const EditList& edits() const noexcept { return m_edits; }

    // All below: [render]. `frame` is the present frame, never falls.
    void note_on(std::int64_t frame, const NoteStart& start) noexcept;
    // Monophonic: the sounding note moves to another key. False where none sounds (call note_on).
    bool move(std::int64_t frame, const NoteStart& start) noexcept;
    // The keys of matching notes come up; a pedal (sustain, or sostenuto with the note's flag) keeps them sounding.
    void note_off(std::int64_t frame, int key, int channel, std::int32_t note_id, bool sustain,
                  bool sostenuto) noexcept;
    void choke(std::int64_t frame, int key, std::int32_t note_id) noexcept;
    void sustain_up(std::int64_t frame, int channel, bool sostenuto) noexcept;
    void sostenuto_down(int channel) noexcept;
    void sostenuto_up(std::int64_t frame, int channel, bool sustain) noexcept;
    void release_all(std::int64_t frame, int channel) noexcept; // channel -1: every one
    void keys_up(std::int64_t frame, int channel, bool sustain, bool sostenuto) noexcept;
    void fade_all(std::int64_t frame, int channel) noexcept;
    // Overload: the note whose record is at `slot` fades out and is counted.
    void shed(std::int64_t frame, int slot) noexcept;
    // key -1: every key; channel -1: every channel.
    void express(std::int64_t frame, int key, int channel, std::int32_t note_id, NoteExpression kind,
                 double value) noexcept;
    // New pitches for sounding notes: pitch(key, channel).
    template <class Pitch>
    void retune(std::int64_t frame, Pitch&& pitch) noexcept {
        for (int i = m_ages.head; i >= 0;) {
            Note& note = m_notes[static_cast<std::size_t>(i)];
            i = note.next;
            retune_note(frame, note, pitch(static_cast<int>(note.key), static_cast<int>(note.channel)));
        }
    }
    void on_timer(Note& note, std::int64_t frame) noexcept;
    static void fire(Timer& timer, std::int64_t frame) noexcept {
        Note& note = reinterpret_cast<Note&>(timer);
        note.owner->on_timer(note, frame);
    }

    int notes() const noexcept { return m_sounding + m_fading; } // sounding or fading
    int sounding() const noexcept { return m_sounding; }
    int slots() const noexcept { return m_edits.slots(); }
    // Rows that sound in the step or have edits are before it: as far as the control side knows.
    int rows_used() const noexcept;
    std::uint64_t serial() const noexcept { return m_serial; }
    // The sounding note of a monophonic instance, or nullptr.
    Note* mono_note() noexcept;
    double pitch_at(const Note& note, std::int64_t frame) const noexcept;
    // 0..1: what stealing compares.
    double loudness(const Note& note, std::int64_t frame) const noexcept;
    const voices::VoiceType& type() const noexcept { return *m_type; }
    template <class Visit>
    void each(Visit&& visit) const noexcept {
        for (int i = m_ages.head; i >= 0; i = m_notes[static_cast<std::size_t>(i)].next)
            visit(m_notes[static_cast<std::size_t>(i)]);
    }

private:
    struct List {
        int head = -1, tail = -1;
    };
    struct EnvelopeState {
        EnvelopeRun run;
        std::int64_t due = -1; // tick of the next edit
        double anchor = 0.0;   // level on Note::anchor
    };

    Note& note_at(int index) noexcept { return m_notes[static_cast<std::size_t>(index)]; }
    EnvelopeState* envelopes(const Note& note) noexcept;
    const EnvelopeState* envelopes(const Note& note) const noexcept;
    voices::EnvelopePlan* plans(const Note& note) noexcept;
    const voices::EnvelopePlan* plans(const Note& note) const noexcept;
    double present_level(const Note& note, int envelope, std::int64_t frame) const noexcept;

    bool make_room(std::int64_t frame, const NoteStart& start, int copies) noexcept;
    Note* victim(std::int64_t frame, int key) noexcept;
    int take_slots(int copies) noexcept;
    void end(Note& note, std::int64_t frame) noexcept;
    void release(Note& note, std::int64_t frame) noexcept;
    void fade(Note& note, std::int64_t frame) noexcept;
    void write_start(Note& note, std::int64_t frame) noexcept;
    // Writes envelopes first..last with their edits for `frame`, copies of the note alike.
    void write_envelopes(Note& note, std::int64_t frame, const EnvelopeEdit* edits, std::uint32_t which) noexcept;
    void write_input(Note& note, std::int64_t frame, int field, float value) noexcept;
    EnvelopeEdit first_edit(Note& note, int envelope, std::int64_t frame, double value) noexcept;
    void restart(Note& note, std::int64_t frame, std::uint32_t which, const double* levels) noexcept;
    void write_pitch(Note& note, std::int64_t frame) noexcept;
    void pitch_edit(Note& note, std::int64_t frame, float& pitch, float& step) noexcept;
    void retune_note(std::int64_t frame, Note& note, double pitch) noexcept;
    void arm(Note& note) noexcept;
    bool ended(const Note& note) const noexcept;
    float lowpass_coefficient(float hertz) const noexcept;
    double curved(double velocity) const noexcept;

    void append(List& list, Note& note) noexcept;
    void remove(List& list, Note& note) noexcept;
    void append_key(Note& note) noexcept;
    void remove_key(Note& note) noexcept;
    void append_released(Note& note) noexcept;
    void remove_released(Note& note) noexcept;

    const voices::VoiceType* m_type = nullptr;
    const ParameterTable* m_table = nullptr;
    TimerWheel* m_wheel = nullptr;
    VoiceCounts* m_counts = nullptr;
    EditList m_edits;
    Vector<Note> m_notes;                 // [slot]
    Vector<EnvelopeState> m_envelopes;    // [slot][envelope]
    Vector<voices::EnvelopePlan> m_plans; // [slot][envelope]
    Vector<std::int16_t> m_slot_next;     // [slot]: the note's next slot, -1
    Vector<std::uint64_t> m_free;         // bit: the slot is free
    List m_ages, m_fades, m_released;
    std::array<List, 128> m_keys;
    double m_rate = 48000.0;
    double m_velocity_exponent = 1.0;
    std::uint64_t m_seed = 0;
    std::uint64_t m_serial = 0;
    int m_part = 0;
    int m_voices = 0; // most sounding notes
    int m_sounding = 0;
    int m_fading = 0;
    int m_free_count = 0;
    StealPolicy m_steal = StealPolicy::quietest;
};

} // namespace tutti::engine
