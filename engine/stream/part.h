// SPDX-License-Identifier: MIT
// A part: a MIDI channel with the patch that plays it; turns events into calls on its instances' voices and tables.
#pragma once

#include <array>
#include <cstdint>

#include "engine/clip/clip_player.h"
#include "engine/midi/channel.h"
#include "engine/stream/instance.h"
#include "engine/stream/level.h"
#include "engine/stream/spread.h"
#include "engine/stream/transport.h"
#include "engine/stream/tuning_programs.h"

namespace tutti::engine {

// All of it [render] but prepare.
class StreamPart {
public:
    // `group`: the sixteen parts that this one is number `index` % 16 of. [control]
    void prepare(StreamPart* group, int index, int group_size, double sample_rate, const TuningPrograms* tunings);

    void begin_step(std::int64_t frame) noexcept;
    void tick(std::int64_t frame) noexcept;
    // False where an event must wait for the next frame.
    bool room() const noexcept;
    void begin_frame() noexcept;
    bool crowded() const noexcept;
    // Nothing moves at ticks until an event comes.
    bool still() const noexcept;
    // Old instances that have ended are let go of; only where frame % 64 == 0.
    void let_go() noexcept;

    void settle(std::int64_t frame) noexcept {
        m_level.tick(frame);
        m_spread.tick(frame);
    }
    void take(Instance& instance, const Transport& transport, std::int64_t frame, std::int64_t step_frame) noexcept;
    void take(ClipPlayer& clip) noexcept;
    // Clips onto the bus of the present instance; ended ones are let go of. Counts those that ran dry.
    void add_clips(std::int64_t frame, int frames, int channels, std::int64_t& dry) noexcept;
    bool has_clips() const noexcept { return m_clips != nullptr; }
    void wait_for_clips(std::int64_t frame, int frames) noexcept;
    // Keys take their new places, those of sounding notes too where `follow`.
    void tune(const TuningTable& tuning, std::int64_t frame, bool follow) noexcept;
    int tuning_program() const noexcept { return m_channel.tuning_program; } // of TuningPrograms
    void note_on(std::int64_t frame, int key, double velocity, std::int32_t note_id, std::uint32_t age = 0) noexcept;
    void note_off(std::int64_t frame, int key, std::int32_t note_id) noexcept;
    void choke(std::int64_t frame, int key, std::int32_t note_id) noexcept;
    void express(std::int64_t frame, int key, std::int32_t note_id, NoteExpression kind, double value) noexcept;
    void midi(std::int64_t frame, int status, int data1, int value) noexcept;
    void set_parameter(std::int64_t frame, int index, double value) noexcept;
    void set_macro(int macro, double value) noexcept;
    void map_controller(int number, std::uint32_t target) noexcept { m_map[static_cast<std::size_t>(number)] = target; }
    // True where a MIDI message moves a parameter that changes the present patch's shape.
    bool changes_shape(int status, int number, int value) const noexcept;
    void set_effect(int effect, int parameter, double value) noexcept;
    void set_transport(const Transport& transport, std::int64_t frame) noexcept;
    void all_notes_off(std::int64_t frame) noexcept;
    void all_sound_off(std::int64_t frame) noexcept;

    Instance* first() noexcept { return m_first; } // the present one, then older ones
    const Instance* first() const noexcept { return m_first; }
    const PartLevel& level() const noexcept { return m_level; }
    Spread& spread() noexcept { return m_spread; }
    const Channel& channel() const noexcept { return m_channel; }

private:
    struct Key {
        std::uint8_t key = 0;
        std::uint8_t channel = 0;
        std::int32_t note_id = k_any_note;
        float velocity = 0.0f;
    };

    StreamPart& master() noexcept { return m_channel.master >= 0 ? m_group[m_channel.master] : *this; }
    bool is_member() const noexcept { return m_channel.master >= 0 && m_channel.master != m_index % 16; }
    bool sustain(const StreamPart& member) const noexcept;
    bool sostenuto(const StreamPart& member) const noexcept;
    double pitch(int key) const noexcept;
    double bend_range() const noexcept;
    PlayMode mode() const noexcept;
    double glide_frames() const noexcept;
    void start(std::int64_t frame, int key, double velocity, std::int32_t note_id, std::uint32_t age,
               const StreamPart& member) noexcept;
    void stop(std::int64_t frame, int key, std::int32_t note_id, const StreamPart& member) noexcept;
    int choose() const noexcept; // of the held keys, by priority
    void controller(std::int64_t frame, int number, int value) noexcept;
    void data_entry(std::int64_t frame, double coarse, double fine, bool fine_only) noexcept;
    void set_zone(int members) noexcept;
    // What a controller at `value` moves: false, or the target and its new value.
    bool mapped(int number, int value, std::uint32_t& target, double& to) const noexcept;
    void bend(std::int64_t frame) noexcept;
    void retune(std::int64_t frame) noexcept;
    void reset_controllers(std::int64_t frame) noexcept;
    void set_input(int input, double value) noexcept;
    void send_inputs(Instance& instance, bool jump) noexcept;
    void release_pedals(std::int64_t frame, bool sustain_was, bool sostenuto_was) noexcept;
    void mode_change(std::int64_t frame) noexcept;
    template <class Call>
    void each(Call&& call) noexcept {
        for (Instance* i = m_first; i != nullptr; i = i->next)
            if (i->type() != nullptr) call(*i);
    }

    StreamPart* m_group = nullptr;
    int m_group_size = 16;
    int m_index = 0;
    double m_rate = 48000.0;
    Channel m_channel;
    PartLevel m_level;
    Spread m_spread;
    Instance* m_first = nullptr;
    KeyTuning m_tuning;
    const TuningPrograms* m_tunings = nullptr; // of the stream
    ClipPlayer* m_clips = nullptr;             // the first to come first
    std::array<double, voices::part_input_count> m_inputs{};
    std::array<std::uint32_t, 128> m_map; // of controllers: k_patch_target, or what was asked for
    std::array<Key, 128> m_keys;          // held, oldest first (monophonic)
    int m_key_count = 0;
    double m_last_pitch = -1e9; // of the last note: where a glide begins
};

} // namespace tutti::engine
