// SPDX-License-Identifier: MIT
// One instance of the plugin: a stream of the process's shared engine, its parameters, state and undo. What a format's
// wrapper (VST3, LV2, CLAP, standalone) is a thin layer over.
//
//     auto instance = std::make_unique<tutti::plugin::Instance>();       // cheap: no engine, no thread, no file
//     instance->prepare(48000.0, 512);                                    // [control], while the host does not process
//     instance->process(out, 2, frames, events, &transport);              // [audio]
//     instance->tick();                                                   // [control], 10 to 60 times a second
//
// [control] calls may come from any thread but the audio thread, one after the other or together: a lock orders them, which the
// audio thread never takes. [audio] calls come from one thread at a time, between prepare and release.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <tutti/engine.h>
#include <tutti/tuning.h>

#include "plugin/core/block_event.h"
#include "plugin/core/document.h"
#include "plugin/core/history.h"
#include "plugin/core/monitor.h"

namespace tutti::plugin {

// Told from tick(), or from the [control] call that caused it, while no lock is held.
class InstanceListener {
public:
    virtual ~InstanceListener() = default;
    virtual void
    value_changed(int parameter) = 0;      // by MIDI, not by the host: the host and the editor hear of it [control]
    virtual void everything_changed() = 0; // a preset, a state, undo [control]
    virtual void restart_wanted() = 0;     // the mode or the latency: prepare again when it suits [control]
};

class Instance {
public:
    Instance();
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // --- life
    // Opens the stream, sets the patch; again where something changed. max_frames: the largest block. Errors: those of
    // Engine::open and Stream::set_patch; process() is then silent. [control], while nobody processes
    Status prepare(double sample_rate, int max_frames);
    void release(); // [control], while nobody processes
    bool prepared() const noexcept { return m_stream != nullptr; }
    // A fade-in of 20 ms from the next prepare on: for live devices. [control]
    void set_soft_start(bool on) noexcept { m_soft_start = on; }
    // A host's offline bounce: nothing is dropped, `ahead` waits for its blocks. [control], while nobody processes
    void set_offline(bool on) noexcept;
    // Constant from prepare to the next one. [any]
    int latency_frames() const noexcept { return m_latency; }
    // How long it may sound after the last note was let go, without the latency: the slowest release of the voice as it is set now (a
    // drum, which is not let go: its decay), then the effects. [control]
    std::int64_t tail_frames() const noexcept;

    // --- sound
    // out[channel][frame]: 1 (the mean of both), 2 or more channels (the others are silent). Events in any order, those outside
    // the block at its ends; `transport` may be null. Any number of frames, also more than was declared. [audio]
    void process(float* const* out, int channels, int frames, std::span<const BlockEvent> events,
                 const HostTransport* transport) noexcept TUTTI_NONBLOCKING;
    // The same for an offline bounce: program changes take effect on their frame, too, which allocates. [control], by the thread
    // that would call process()
    void process_offline(float* const* out, int channels, int frames, std::span<const BlockEvent> events,
                         const HostTransport* transport);
    // A system exclusive message, F0 and F7 included, `offset` frames into the next block: one of the MIDI Tuning Standard tunes from the
    // next tick() on (in process_offline() on its frame), any other says nothing here. One longer than k_sysex_bytes, or the
    // ninth between two ticks, is dropped. [audio]
    void take_sysex(std::span<const std::uint8_t> message, int offset) noexcept TUTTI_NONBLOCKING;
    void panic() noexcept { m_panic.store(true, std::memory_order_relaxed); } // every sound fades within 2 ms [any]
    // From an on-screen or computer keyboard: sounds with the next block. velocity 0: up. [control]
    void play_key(int key, double velocity);

    // --- parameters, by their place in ParameterList and in their unit
    float value(int parameter) const noexcept { // [any]
        return m_values[static_cast<std::size_t>(parameter)].load(std::memory_order_relaxed);
    }
    // Heard from the next block's first frame on, ramped. NaN changes nothing. [any]
    void set_value(int parameter, float value) noexcept TUTTI_NONBLOCKING;
    // A user's edit from touch to release: one step of undo. [control]
    void begin_edit(int parameter);
    void end_edit(int parameter);

    // --- patch
    Patch patch() const; // as it sounds [control]
    // Takes over routes, effects, mode, name, ... and all values; one step of undo with that name. Errors: those of
    // Patch::validate and Stream::set_patch. [control]
    Status edit_patch(const Patch& patch, const std::string& step);
    // A preset: macros go to 0, what is learnt and set stays. [control]
    Status load_preset(const Patch& patch, const std::string& preset);
    std::string preset() const; // [control]
    bool dirty() const;         // the sound is not the preset's any more [control]
    void mark_saved(const std::string& preset);
    Settings settings() const; // [control]
    // Errors: those of Tuning::from_scala, out_of_range; nothing changes then. A new mode wants a restart. [control]
    Status set_settings(const Settings& settings);

    // --- state
    std::string save() const; // [control]
    // Errors: those of document_from_text; nothing changes then. [control]
    Status load(std::string_view text);
    // The state named a sound that is not there: what is missing, and what sounds instead; empty: nothing is. [control]
    std::string missing() const;
    bool undo(); // false: nothing to undo [control]
    bool redo();
    std::string undo_name() const; // empty: nothing [control]
    std::string redo_name() const;
    // Two sounds to compare: the other one comes, this one is kept. [control]
    void compare();
    void copy_to_other();
    bool at_b() const; // the second of the two [control]
    // What an editor wants to find again (its size), JSON text that is a part of the state. [control]
    std::string editor_state() const;
    void set_editor_state(const std::string& json);

    // --- MIDI learn
    void learn(int parameter) noexcept { m_learning.store(parameter, std::memory_order_relaxed); } // -1: no more [any]
    int learning() const noexcept { return m_learning.load(std::memory_order_relaxed); }           // [any]
    int controller_of(int parameter) const noexcept;                                               // -1: none [any]
    void forget_controller(int parameter) noexcept;                                                // [control]

    // --- looking
    void set_listener(InstanceListener* listener) noexcept; // null: none [control]
    void tick();                                            // [control]
    Monitor& monitor() noexcept { return m_monitor; }
    StreamStats stats() const noexcept;                          // [control]
    EngineStats engine_stats() const noexcept;                   // [control]
    std::shared_ptr<Engine> engine() const;                      // null before prepare [control]
    std::shared_ptr<Stream> stream() const;                      // null before prepare [control]
    double sample_rate() const noexcept { return m_rate; }       // 0 before prepare [any]
    bool mpe() const noexcept { return zone() != MpeZone::off; } // switched by hand or by MIDI [any]
    MpeZone zone() const noexcept { return m_zone.load(std::memory_order_relaxed); } // [any]
    // The last key pressed and released by anybody, for an on-screen keyboard: bit k is key k. [any]
    std::uint64_t keys_down(int half) const noexcept {
        return m_keys[static_cast<std::size_t>(half & 1)].load(std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t k_words = 16; // of 64 parameters
    struct Row {                               // of a parameter, what the audio thread needs
        const Parameter* row = nullptr;
        ParameterKind kind = ParameterKind::macro;
        std::int16_t table = 0;
        std::int16_t index = 0;
    };

    // A host's step on its way: a straight line over 10 ms in events a tick apart, which the engine smooths besides. A step of the
    // pan alone would leave the engine with the edge of its pan law at the end of the range (-70 dB at 1 kHz beside a sine).
    struct Ramp {
        int parameter = 0;
        float from = 0.0f; // as the engine smooths: kernel values
        float to = 0.0f;
        std::int64_t start = 0;
        int done = 0; // steps posted
    };
    static constexpr std::size_t k_ramps = 32; // at once; further ones step

    // System exclusive on its way from the audio thread to the control side, which parses it: one writer, one reader (the lock held).
    static constexpr std::size_t k_sysex_bytes = 512; // a bulk dump of 128 keys has 408
    static constexpr std::size_t k_sysex_slots = 8;
    struct Sysex {
        std::array<std::uint8_t, k_sysex_bytes> bytes;
        std::size_t size = 0;
        std::int64_t frame = 0;
    };

    // [audio] (instance_audio.cpp)
    void take_host_value(int parameter, float value) noexcept;
    void post_ramps(int frames) noexcept;
    void drop_ramp(int parameter) noexcept;
    void post(const BlockEvent& event, std::int64_t frame) noexcept;
    void post_midi(int status, int data1, int data2, std::int64_t frame) noexcept;
    void post_value(int parameter, float value, std::int64_t frame) noexcept;
    void post_transport(const HostTransport& transport, int frames) noexcept;
    bool controller(int number, int value, std::int64_t frame) noexcept;
    void zone_message(int channel, int number, int value, std::int64_t frame) noexcept;
    int part_of(int channel) const noexcept;
    void mark(std::array<std::atomic<std::uint64_t>, k_words>& bits, int parameter) noexcept;

    // [control], the lock held
    Document current() const;
    void adopt(const Document& document, bool keep_settings);
    Status apply(std::int64_t frame = k_asap);
    void apply_tuning();
    void apply_mpe();
    void take_tunings(bool on_frame);
    void tune(const TuningMessage& message, std::int64_t frame);
    void publish();
    Status change(const std::string& step, const Document& next);
    double release_seconds() const noexcept;

    mutable std::mutex m_mutex;
    std::shared_ptr<Engine> m_engine;
    std::shared_ptr<Stream> m_stream;
    Document m_document; // its values are m_values'
    std::string m_clean; // the preset as it was loaded
    std::string m_before_edit;
    History m_history;
    Sender m_keyboard;
    InstanceListener* m_listener = nullptr;
    int m_max_frames = 0;
    bool m_soft_start = false;
    int m_edits = 0;
    bool m_patch_late = false; // set_patch found no room and is tried again

    std::vector<Row> m_rows;
    std::vector<std::atomic<float>> m_values;
    std::vector<std::atomic<float>> m_reached;                     // what the engine has been told
    std::array<std::atomic<std::uint64_t>, k_words> m_to_engine{}; // set, and not yet an event
    std::array<std::atomic<std::uint64_t>, k_words> m_to_host{};   // moved by MIDI, and not yet told
    std::array<std::atomic<std::int16_t>, 128> m_controllers;      // [number] parameter, -1: none
    std::array<std::atomic<std::int8_t>, 64> m_effect_places;      // [effect table] in the chain, -1: none
    std::atomic<int> m_voice{0};                                   // table of the patch
    std::atomic<int> m_learning{-1};
    std::atomic<int> m_program{-1}; // asked for by MIDI
    std::atomic<bool> m_panic{false};
    std::atomic<MpeZone> m_zone{MpeZone::off};
    std::atomic<bool> m_controllers_changed{false};
    std::atomic<bool> m_pickup{false};
    std::atomic<bool> m_offline{false};
    std::array<std::atomic<std::uint64_t>, 2> m_keys{};
    std::array<Sysex, k_sysex_slots> m_sysex{};
    std::atomic<std::uint32_t> m_sysex_written{0}, m_sysex_read{0};
    std::vector<TuningMessage> m_tuned; // since the instance was made, for the next prepare
    Monitor m_monitor;
    int m_latency = 0;
    double m_rate = 0.0;

    // Of the audio thread alone.
    Sender m_sender;
    std::int64_t m_frame = 0; // asked of the stream so far
    std::vector<float> m_scratch;
    std::array<Ramp, k_ramps> m_ramps;
    std::size_t m_ramp_count = 0;
    HostTransport m_transport;
    double m_expected_quarters = 0.0;
    bool m_transport_known = false;
    std::array<std::int16_t, 128> m_last_controller{}; // for pickup; -1: not seen
    std::array<std::array<std::uint8_t, 2>, 16> m_rpn{};
};

} // namespace tutti::plugin
