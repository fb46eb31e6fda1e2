// SPDX-License-Identifier: MIT
#include "engine/stream/part.h"

#include <algorithm>
#include <cmath>

namespace tutti::engine {

void StreamPart::prepare(StreamPart* group, int index, int group_size, double sample_rate,
                         const TuningPrograms* tunings) {
    m_tunings = tunings;
    m_group = group;
    m_index = index;
    m_group_size = group_size;
    m_rate = sample_rate;
    m_level.prepare(sample_rate);
    m_inputs.fill(0.0);
    m_map.fill(k_patch_target);
    m_inputs[voices::part_expression] = 1.0;
    m_inputs[voices::part_tempo] = 2.0;
}

void StreamPart::begin_step(std::int64_t frame) noexcept {
    for (Instance* i = m_first; i != nullptr; i = i->next)
        i->begin_step(frame);
}

void StreamPart::tick(std::int64_t frame) noexcept {
    m_level.tick(frame);
    m_spread.tick(frame);
    each([&](Instance& i) { i.table().tick(frame); });
}

void StreamPart::begin_frame() noexcept {
    each([](Instance& i) { i.voices().edits().begin_frame(); });
}

bool StreamPart::room() const noexcept {
    const StreamPart& master = m_channel.master >= 0 ? m_group[m_channel.master] : *this;
    for (const Instance* i = master.m_first; i != nullptr; i = i->next)
        if (i->type() != nullptr && !i->edits().room()) return false;
    return true;
}

bool StreamPart::crowded() const noexcept {
    for (const Instance* i = m_first; i != nullptr; i = i->next)
        if (i->crowded()) return true;
    return false;
}

bool StreamPart::still() const noexcept {
    if (!m_level.still() || !m_spread.still()) return false;
    for (const Instance* i = m_first; i != nullptr; i = i->next)
        if (i->type() != nullptr && !i->parameters().still()) return false;
    return true;
}

void StreamPart::let_go() noexcept {
    if (m_first == nullptr) return;
    for (Instance** link = &m_first->next; *link != nullptr;) {
        Instance* const old = *link;
        if (old->drained()) {
            *link = old->next;
            // Release: every use of it came before.
            old->retired.set();
        } else {
            link = &old->next;
        }
    }
}

void StreamPart::take(Instance& instance, const Transport& transport, std::int64_t frame,
                      std::int64_t step_frame) noexcept {
    instance.next = m_first;
    m_first = &instance;
    instance.begin_step(step_frame);
    set_transport(transport, frame);
    send_inputs(instance, true);
    m_key_count = 0;
}

void StreamPart::take(ClipPlayer& clip) noexcept {
    ClipPlayer** link = &m_clips;
    while (*link != nullptr)
        link = &(*link)->next;
    clip.next = nullptr;
    *link = &clip;
}

void StreamPart::add_clips(std::int64_t frame, int frames, int channels, std::int64_t& dry) noexcept {
    if (m_first == nullptr) return;
    float* bus[k_max_channels];
    for (int c = 0; c < channels; ++c)
        bus[c] = m_first->bus(c) + frame % voices::k_block_frames;
    for (ClipPlayer** link = &m_clips; *link != nullptr;) {
        ClipPlayer* const clip = *link;
        if (clip->add_to(bus, channels, frame, frames, dry)) m_first->sounded();
        if (clip->ended()) {
            *link = clip->next;
            // Release: every use of it came before.
            clip->retired.set();
        } else {
            link = &clip->next;
        }
    }
}

void StreamPart::wait_for_clips(std::int64_t frame, int frames) noexcept {
    for (ClipPlayer* clip = m_clips; clip != nullptr; clip = clip->next)
        clip->wait(frame, frames);
}

void StreamPart::tune(const TuningTable& tuning, std::int64_t frame, bool follow) noexcept {
    m_tuning.take(tuning);
    if (follow) retune(frame);
}

// --- inputs

void StreamPart::set_input(int input, double value) noexcept {
    m_inputs[static_cast<std::size_t>(input)] = value;
    each([&](Instance& i) { i.table().set_input(input, value); });
}

void StreamPart::send_inputs(Instance& instance, bool jump) noexcept {
    if (instance.type() == nullptr) return;
    m_inputs[voices::part_bend] = is_member() ? 0.0 : m_channel.bend * bend_range();
    for (int i = 0; i < voices::part_input_count; ++i)
        instance.table().set_input(i, m_inputs[static_cast<std::size_t>(i)], jump);
}

void StreamPart::set_macro(int macro, double value) noexcept {
    if (macro < 0 || macro > 7 || !std::isfinite(value)) return;
    set_input(voices::part_macro1 + macro, std::clamp(value, 0.0, 1.0));
}

void StreamPart::set_transport(const Transport& transport, std::int64_t frame) noexcept {
    set_input(voices::part_tempo, transport.beats_per_second());
    double beat = std::fmod(transport.beat(frame), 64.0);
    if (beat < 0.0) beat += 64.0;
    set_input(voices::part_beat, beat);
    set_input(voices::part_playing, transport.playing() ? 1.0 : 0.0);
    set_input(voices::part_origin, transport.origin(frame));
    for (Instance* i = m_first; i != nullptr; i = i->next) {
        if (i->type() != nullptr) i->follow_tempo(transport.beats_per_second(), frame);
        if (i->effects() != nullptr) i->effects()->set_tempo(transport.tempo());
    }
}

void StreamPart::set_effect(int effect, int parameter, double value) noexcept {
    if (m_first != nullptr && m_first->effects() != nullptr)
        m_first->effects()->set_parameter(effect, parameter, static_cast<float>(value));
}

void StreamPart::set_parameter(std::int64_t frame, int index, double value) noexcept {
    if (m_first == nullptr || m_first->type() == nullptr) return;
    m_first->table().set(index, value, frame);
    m_first->follow_tempo(m_inputs[voices::part_tempo], frame);
}

double StreamPart::bend_range() const noexcept {
    if (m_channel.bend_range >= 0.0) return m_channel.bend_range;
    return m_first != nullptr ? m_first->bend_range() : 2.0;
}

void StreamPart::bend(std::int64_t frame) noexcept {
    if (is_member()) {
        const double range = m_channel.bend_range >= 0.0 ? m_channel.bend_range : 48.0;
        master().each([&](Instance& i) {
            i.voices().express(frame, -1, m_index % 16, k_any_note, NoteExpression::pitch, m_channel.bend * range);
        });
    } else {
        set_input(voices::part_bend, m_channel.bend * bend_range());
    }
}

// --- notes

double StreamPart::pitch(int key) const noexcept {
    return m_tuning.pitch(key) + m_channel.coarse + m_channel.fine;
}

void StreamPart::retune(std::int64_t frame) noexcept {
    each([&](Instance& i) { i.voices().retune(frame, [&](int key, int) { return pitch(key); }); });
}

bool StreamPart::sustain(const StreamPart& member) const noexcept {
    return m_channel.pedal(cc_sustain) || member.m_channel.pedal(cc_sustain);
}
bool StreamPart::sostenuto(const StreamPart& member) const noexcept {
    return m_channel.pedal(cc_sostenuto) || member.m_channel.pedal(cc_sostenuto);
}

PlayMode StreamPart::mode() const noexcept {
    const PlayMode patch = m_first->mode();
    if (m_channel.play == Channel::play_poly) return PlayMode::poly;
    if (m_channel.pedal(cc_legato)) return PlayMode::legato;
    if (m_channel.play == Channel::play_mono && patch == PlayMode::poly) return PlayMode::mono;
    return patch;
}

double StreamPart::glide_frames() const noexcept {
    const bool on = m_channel.portamento_seen ? m_channel.pedal(cc_portamento) : m_first->glide_seconds() > 0.0;
    if (!on) return 0.0;
    double seconds = m_first->glide_seconds();
    // CC 5: 5 ms to 5 s, exponential.
    if (m_channel.portamento_time_seen)
        seconds = m_channel.value(cc_portamento_time) == 0
                      ? 0.0
                      : 0.005 * std::pow(1000.0, m_channel.unit(cc_portamento_time));
    else if (seconds <= 0.0)
        seconds = 0.1;
    return seconds * m_rate;
}

void StreamPart::note_on(std::int64_t frame, int key, double velocity, std::int32_t note_id,
                         std::uint32_t age) noexcept {
    if (!std::isfinite(velocity)) return;
    master().start(frame, key, velocity, note_id, age, *this);
}

void StreamPart::note_off(std::int64_t frame, int key, std::int32_t note_id) noexcept {
    master().stop(frame, key, note_id, *this);
}

void StreamPart::start(std::int64_t frame, int key, double velocity, std::int32_t note_id, std::uint32_t age,
                       const StreamPart& member) noexcept {
    if (m_first == nullptr || m_first->type() == nullptr) return;
    if (m_tuning.silent(key)) return;
    Voices& voices = m_first->voices();
    NoteStart note;
    note.key = key;
    note.velocity = velocity;
    note.note_id = note_id;
    note.channel = member.m_index % 16;
    note.pitch = pitch(key);
    note.age = static_cast<std::int64_t>(age) * voices::k_tick_frames;
    // The soft pedal: a third less force.
    if (m_channel.pedal(cc_soft) || member.m_channel.pedal(cc_soft)) note.velocity *= 2.0 / 3.0;
    if (&member != this) {
        const double range = member.m_channel.bend_range >= 0.0 ? member.m_channel.bend_range : 48.0;
        note.offset = static_cast<float>(member.m_channel.bend * range);
        note.pressure = static_cast<float>(member.m_channel.pressure);
    }
    note.timbre = static_cast<float>(member.m_channel.unit(cc_timbre));
    const PlayMode play = mode();
    const bool overlapping = m_key_count > 0;
    note.glide_from = m_last_pitch;
    if (m_channel.glide_source >= 0) note.glide_from = pitch(m_channel.glide_source);
    note.glide_frames = play == PlayMode::legato && !overlapping && m_channel.glide_source < 0 ? 0.0 : glide_frames();
    if (m_channel.glide_source >= 0 && note.glide_frames < 1.0) note.glide_frames = 0.1 * m_rate;
    m_channel.glide_source = -1;

    if (play == PlayMode::poly) {
        voices.note_on(frame, note);
        m_last_pitch = note.pitch;
        return;
    }
    // Struck again: it becomes the last one.
    for (int i = 0; i < m_key_count; ++i)
        if (m_keys[static_cast<std::size_t>(i)].key == key &&
            m_keys[static_cast<std::size_t>(i)].channel == note.channel) {
            std::move(m_keys.begin() + i + 1, m_keys.begin() + m_key_count, m_keys.begin() + i);
            --m_key_count;
            break;
        }
    if (m_key_count == static_cast<int>(m_keys.size())) {
        std::move(m_keys.begin() + 1, m_keys.end(), m_keys.begin());
        --m_key_count;
    }
    m_keys[static_cast<std::size_t>(m_key_count++)] = {static_cast<std::uint8_t>(key),
                                                       static_cast<std::uint8_t>(note.channel), note_id,
                                                       static_cast<float>(note.velocity)};
    if (choose() != m_key_count - 1) return;
    note.mono = true;
    note.legato = play == PlayMode::legato && overlapping;
    if (Note* const sounding = voices.mono_note(); sounding != nullptr) {
        if (note.legato && sounding->state != Note::held) note.legato = false;
        if (note.glide_frames >= 1.0) note.glide_from = voices.pitch_at(*sounding, frame);
        voices.move(frame, note);
    } else {
        voices.note_on(frame, note);
    }
    m_last_pitch = note.pitch;
}

int StreamPart::choose() const noexcept {
    int chosen = m_key_count - 1;
    const NotePriority priority = m_first->priority();
    for (int i = m_key_count - 2; i >= 0 && priority != NotePriority::last; --i) {
        const int a = m_keys[static_cast<std::size_t>(i)].key, b = m_keys[static_cast<std::size_t>(chosen)].key;
        if (priority == NotePriority::high ? a > b : a < b) chosen = i;
    }
    return chosen;
}

void StreamPart::stop(std::int64_t frame, int key, std::int32_t note_id, const StreamPart& member) noexcept {
    if (m_first == nullptr) return;
    const int channel = member.m_index % 16;
    if (m_key_count > 0) {
        const int before = choose();
        int found = -1;
        for (int i = 0; i < m_key_count; ++i) {
            const Key& held = m_keys[static_cast<std::size_t>(i)];
            if (held.key == key && held.channel == channel && (note_id == k_any_note || note_id == held.note_id))
                found = i;
        }
        if (found >= 0) {
            std::move(m_keys.begin() + found + 1, m_keys.begin() + m_key_count, m_keys.begin() + found);
            --m_key_count;
            if (found != before) return;
            Note* const sounding = m_first->type() != nullptr ? m_first->voices().mono_note() : nullptr;
            if (m_key_count > 0 && sounding != nullptr && sounding->state == Note::held) {
                const Key& back = m_keys[static_cast<std::size_t>(choose())];
                NoteStart note;
                note.key = back.key;
                note.velocity = static_cast<double>(back.velocity);
                note.note_id = back.note_id;
                note.channel = back.channel;
                note.pitch = pitch(back.key);
                note.glide_frames = glide_frames();
                note.legato = mode() == PlayMode::legato;
                note.mono = true;
                m_first->voices().move(frame, note);
                m_last_pitch = note.pitch;
                return;
            }
        }
    }
    each([&](Instance& i) { i.voices().note_off(frame, key, channel, note_id, sustain(member), sostenuto(member)); });
}

void StreamPart::choke(std::int64_t frame, int key, std::int32_t note_id) noexcept {
    StreamPart& part = master();
    part.m_key_count = 0;
    part.each([&](Instance& i) { i.voices().choke(frame, key, note_id); });
}

void StreamPart::express(std::int64_t frame, int key, std::int32_t note_id, NoteExpression kind,
                         double value) noexcept {
    master().each([&](Instance& i) { i.voices().express(frame, key, m_index % 16, note_id, kind, value); });
}

void StreamPart::all_notes_off(std::int64_t frame) noexcept {
    m_key_count = 0;
    each([&](Instance& i) { i.voices().release_all(frame, -1); });
}

void StreamPart::all_sound_off(std::int64_t frame) noexcept {
    m_key_count = 0;
    each([&](Instance& i) { i.voices().fade_all(frame, -1); });
}

} // namespace tutti::engine
