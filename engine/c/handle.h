// SPDX-License-Identifier: MIT
// What stands behind the C handles.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <tutti/tutti.h>

#include "engine/memory/arena.h"
#include "engine/memory/memory.h"
#include "engine/stream/hooks.h"
#include "engine/stream/render_thread.h"
#include "engine/stream/state.h"
#include "engine/track/voice_tracker.h"

namespace tutti::engine {

// The functions of a tutti_allocator; without them the heap.
class CallerMemory final : public Memory {
public:
    explicit CallerMemory(const tutti_allocator& functions) noexcept : m_functions(functions) {}
    void* allocate(std::size_t size, std::size_t alignment) override;
    void release(void* place, std::size_t size, std::size_t alignment) noexcept override;

private:
    tutti_allocator m_functions;
};

// Of an engine, or of a thread's failed create: the last failure in words.
struct Detail {
    char text[320] = {};
    tutti_result set(tutti_result result, const char* what) noexcept;
    tutti_result set(const Status& status) noexcept;
};

// What a part was given last, so that a new sample rate brings it back.
struct PartMemory : FromMemory {
    PatchImage patch;
    bool has_patch = false;
    bool has_tuning = false;
    bool has_place = false;
    float azimuth = 0.0f, elevation = 0.0f;
    double tuning[128] = {};
};
struct OutputEffects : FromMemory {
    EffectImage images[PatchImage::k_most_effects];
    int count = 0;
};

} // namespace tutti::engine

struct tutti_sender {
    tutti_engine* engine = nullptr; // null: free
    std::unique_ptr<tutti::engine::EventQueue::Producer> producer;
};

struct tutti_clip : tutti::engine::FromMemory {
    tutti_engine* engine = nullptr;
    std::shared_ptr<tutti::engine::ClipPlayer> player;
    bool borrowed = false;
    tutti_clip* previous = nullptr; // of the engine's list
    tutti_clip* next = nullptr;
};

struct tutti_engine {
    explicit tutti_engine(const tutti_config& wanted) : config(wanted), caller(wanted.allocator) {}

    // [control]
    void open();           // throws std::bad_alloc, Refusal
    void close() noexcept; // what open() has made
    void restore();        // patches, tunings, effects
    tutti_result fail(tutti_result result, const char* what) noexcept;
    tutti_result fail(const tutti::Status& status) noexcept;
    void note(tutti_log_level level, const char* text) const noexcept;
    bool has_part(int32_t part) const noexcept { return part >= 0 && part < config.parts; }
    tutti::engine::PartMemory& part_memory(int32_t part);
    tutti::engine::Memory& memory() noexcept {
        if (arena) return *arena;
        if (config.allocator.allocate != nullptr) return caller;
        return tutti::engine::heap();
    }

    tutti_config config;
    tutti::engine::CallerMemory caller;
    std::optional<tutti::engine::Arena> arena; // of tutti_create_in
    tutti::engine::Detail detail;              // [control]
    tutti::engine::Hooks hooks;
    std::optional<tutti::engine::StreamState> state;
    std::unique_ptr<tutti::engine::RenderThread> thread; // of TUTTI_MODE_AHEAD
    char backend[48] = {};
    tutti::engine::Vector<tutti_sender> senders;
    tutti::engine::Vector<std::unique_ptr<tutti::engine::PartMemory>> parts;
    std::unique_ptr<tutti::engine::OutputEffects> effects;
    tutti_clip* clips = nullptr;
    tutti::engine::VoiceTracker tracker;
    void* jobs = nullptr; // what tutti_job_start has made, ended by `end_jobs`
    void (*end_jobs)(void* jobs) noexcept = nullptr;

    // Pause. [audio] but the wish.
    std::atomic<bool> wants_pause{false};
    int fade_frames = 240;
    int fade = 240; // of fade_frames: how far the sound is in
    alignas(64) float mixed[TUTTI_MAX_CHANNELS][256] = {};
};
