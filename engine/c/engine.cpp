// SPDX-License-Identifier: MIT
// Life of an engine behind the C interface.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>

#include "engine/c/handle.h"

using tutti::Code;
using tutti::Mode;
using tutti::Status;
using namespace tutti::engine;

namespace {

thread_local Detail t_detail; // of creates that failed

// Thrown inside a create, caught at its end.
struct Refusal {
    tutti_result result;
    Status status;
};

tutti_result result_of(Code code) noexcept {
    return static_cast<tutti_result>(code);
}

// The caller's config over the defaults, as far as its size goes.
bool take(const tutti_config* given, tutti_config& config) noexcept {
    tutti_config_init(&config, sizeof config);
    if (given == nullptr || given->struct_size < offsetof(tutti_config, channels)) return false;
    std::memcpy(&config, given, std::min<std::size_t>(given->struct_size, sizeof config));
    config.struct_size = sizeof config;
    return true;
}

// The tracker posts through one of its own, the last.
int senders_of(const tutti_config& config) noexcept {
    return config.senders + (config.tracked_voices > 0 ? 1 : 0);
}

tutti::StreamConfig stream_config(const tutti_config& config) noexcept {
    tutti::StreamConfig stream;
    stream.sample_rate = config.sample_rate;
    stream.channels = config.channels;
    stream.layout = static_cast<tutti::Layout>(config.layout);
    stream.mode = static_cast<Mode>(config.mode);
    stream.max_frames = config.max_frames;
    stream.look_ahead_blocks = config.look_ahead_blocks;
    stream.parts = config.parts;
    stream.voices = config.voices;
    stream.senders = senders_of(config);
    stream.events = config.events;
    stream.seed = config.seed;
    stream.limiter = config.limiter;
    stream.soft_start = config.soft_start;
    return stream;
}

tutti_result check(const tutti_config& config, Detail& detail) {
    if (static_cast<unsigned>(config.mode) > TUTTI_MODE_OFFLINE)
        return detail.set(TUTTI_OUT_OF_RANGE, "mode is none of tutti_mode");
    if (static_cast<unsigned>(config.layout) > TUTTI_AMBISONIC)
        return detail.set(TUTTI_OUT_OF_RANGE, "layout is none of tutti_layout");
    if (config.tracked_voices < 0 || config.tracked_voices > 1 << 20)
        return detail.set(TUTTI_OUT_OF_RANGE, "tracked_voices: choose 0..1048576");
    if (config.audible_voices < 1 || config.audible_voices > 4096)
        return detail.set(TUTTI_OUT_OF_RANGE, "audible_voices: choose 1..4096");
    if (config.senders > 255) return detail.set(TUTTI_OUT_OF_RANGE, "senders: choose 1..255");
    if (config.threads < 0 || config.threads > 256) return detail.set(TUTTI_OUT_OF_RANGE, "threads: choose 0..256");
    if ((config.allocator.allocate == nullptr) != (config.allocator.release == nullptr))
        return detail.set(TUTTI_INVALID_ARGUMENT, "allocator: give both functions, or none");
    if (Status status = StreamState::check(stream_config(config)); !status) return detail.set(status);
    return TUTTI_OK;
}

} // namespace

// --- memory and words

void* CallerMemory::allocate(std::size_t size, std::size_t alignment) {
    void* const place = m_functions.allocate(m_functions.user, size, alignment);
    if (place == nullptr) throw std::bad_alloc();
    return place;
}
void CallerMemory::release(void* place, std::size_t size, std::size_t alignment) noexcept {
    m_functions.release(m_functions.user, place, size, alignment);
}

tutti_result Detail::set(tutti_result result, const char* what) noexcept {
    std::snprintf(text, sizeof text, "%s", what);
    return result;
}
tutti_result Detail::set(const Status& status) noexcept {
    std::snprintf(text, sizeof text, "%s; %s; %s", status.what().c_str(), status.means().c_str(),
                  status.remedy().c_str());
    return result_of(status.code());
}

void tutti_engine::note(tutti_log_level level, const char* text) const noexcept {
    if (config.log != nullptr && level <= config.log_level) config.log(config.log_user, level, text);
}
tutti_result tutti_engine::fail(tutti_result result, const char* what) noexcept {
    detail.set(result, what);
    note(TUTTI_LOG_ERROR, detail.text);
    return result;
}
tutti_result tutti_engine::fail(const Status& status) noexcept {
    const tutti_result result = detail.set(status);
    note(TUTTI_LOG_ERROR, detail.text);
    return result;
}

extern "C" const char* tutti_last_error(const tutti_engine* engine) noexcept {
    return engine != nullptr ? engine->detail.text : t_detail.text;
}

// --- life

PartMemory& tutti_engine::part_memory(int32_t part) {
    auto& place = parts[static_cast<std::size_t>(part)];
    if (!place) place = std::make_unique<PartMemory>();
    return *place;
}

void tutti_engine::open() {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    const int threads = config.mode == TUTTI_MODE_INLINE ? 1
                        : config.threads > 0             ? config.threads
                                                         : std::clamp(cores, 1, 8);
    auto made = hooks.make_backend({}, config.mode == TUTTI_MODE_OFFLINE ? threads : 1);
    if (!made) throw Refusal{result_of(made.status().code()), made.status()};
    std::snprintf(backend, sizeof backend, "%s", made.value()->name());
    state.emplace(stream_config(config), hooks, std::move(made).value(), threads);
    for (tutti_sender& sender : senders) {
        // All of them now: the queue's memory is asked for here and not later.
        sender.producer = state->queue()->make_producer();
    }
    if (config.tracked_voices > 0) {
        EventQueue::Producer* const own = senders.back().producer.get();
        tracker.set_ambisonic(config.layout == TUTTI_AMBISONIC);
        if (tracker.is_prepared())
            tracker.restart(config.sample_rate, own);
        else
            tracker.prepare(config.tracked_voices, config.audible_voices, config.sample_rate, own);
    }
    if (config.mode == TUTTI_MODE_AHEAD) {
        auto own = hooks.make_backend({}, threads);
        if (!own) throw Refusal{result_of(own.status().code()), own.status()};
        thread = std::make_unique<RenderThread>(std::move(own).value(), threads, hooks);
        thread->add(*state);
    }
    fade_frames = fade = static_cast<int>(0.005 * config.sample_rate);
}

void tutti_engine::close() noexcept {
    if (thread && state) thread->remove(*state);
    thread.reset();
    for (tutti_sender& sender : senders)
        sender.producer.reset();
    for (tutti_clip* clip = clips; clip != nullptr; clip = clip->next)
        clip->player.reset();
    state.reset();
}

void tutti_engine::restore() {
    for (int32_t part = 0; part < config.parts; ++part) {
        const PartMemory* const memory = parts[static_cast<std::size_t>(part)].get();
        if (memory == nullptr) continue;
        Status status;
        if (memory->has_patch) status = state->set_patch(part, memory->patch, 0);
        if (status.ok() && memory->has_tuning) status = state->set_tuning(part, memory->tuning, {}, 0);
        if (status.ok() && memory->has_place) status = state->place(part, memory->azimuth, memory->elevation, 0);
        if (!status) throw Refusal{result_of(status.code()), status};
    }
    if (!effects) return;
    const Status status =
        state->set_effects(std::span<const EffectImage>(effects->images, static_cast<std::size_t>(effects->count)), 0);
    if (!status) throw Refusal{result_of(status.code()), status};
}

namespace {

// Makes an engine at `place`, which is nobody's but its own.
tutti_result make(void* place, const tutti_config& config, void* block, std::size_t block_size,
                  tutti_engine** out) noexcept {
    tutti_engine* engine = nullptr;
    tutti_result result = TUTTI_INTERNAL;
    try {
        engine = new (place) tutti_engine(config);
        if (block != nullptr) engine->arena.emplace(block, block_size);
        const MemoryScope scope(engine->memory());
        engine->hooks = default_hooks();
        engine->senders = Vector<tutti_sender>(static_cast<std::size_t>(senders_of(config)));
        if (config.tracked_voices > 0) engine->senders.back().engine = engine;
        engine->parts = Vector<std::unique_ptr<PartMemory>>(static_cast<std::size_t>(config.parts));
        engine->open();
        *out = engine;
        engine->note(TUTTI_LOG_INFO, engine->backend);
        return TUTTI_OK;
    } catch (const std::bad_alloc&) {
        result = t_detail.set(TUTTI_OUT_OF_MEMORY, block != nullptr ? "the block is too small: see tutti_memory_size"
                                                                    : "there is not enough memory");
    } catch (const Refusal& refusal) {
        result = t_detail.set(refusal.status);
    } catch (...) {
        result = t_detail.set(TUTTI_INTERNAL, "an exception that nobody expected");
    }
    if (engine != nullptr) {
        engine->close();
        engine->~tutti_engine();
    }
    return result;
}

constexpr std::size_t k_handle = Arena::rounded(sizeof(tutti_engine)); // stands before the arena in a block

} // namespace

extern "C" tutti_result tutti_create(const tutti_config* given, tutti_engine** out) noexcept {
    tutti_config config;
    if (out == nullptr) return t_detail.set(TUTTI_INVALID_ARGUMENT, "engine is null");
    *out = nullptr;
    if (!take(given, config)) return t_detail.set(TUTTI_INVALID_ARGUMENT, "config is null or has no struct_size");
    if (const tutti_result result = check(config, t_detail); result != TUTTI_OK) return result;
    void* place = nullptr;
    try {
        CallerMemory caller(config.allocator);
        Memory& memory = config.allocator.allocate != nullptr ? static_cast<Memory&>(caller) : heap();
        place = memory.allocate(sizeof(tutti_engine), alignof(tutti_engine));
        const tutti_result result = make(place, config, nullptr, 0, out);
        if (result != TUTTI_OK) memory.release(place, sizeof(tutti_engine), alignof(tutti_engine));
        return result;
    } catch (const std::bad_alloc&) {
        return t_detail.set(TUTTI_OUT_OF_MEMORY, "there is not enough memory");
    }
}

// Most of what create takes is the event queue; every term stands beside the member that it is for. Held against the truth,
// from above and below, by tests/engine/c.
extern "C" size_t tutti_memory_size(const tutti_config* given) noexcept {
    tutti_config config;
    Detail detail;
    if (!take(given, config) || check(config, detail) != TUTTI_OK) return 0;
    const auto events = static_cast<std::size_t>(config.events) + EventQueue::k_own_events;
    const auto senders = static_cast<std::size_t>(senders_of(config)) + 1;
    const auto parts = static_cast<std::size_t>(config.parts);
    const auto channels = static_cast<std::size_t>(config.channels);
    // As moodycamel counts its blocks of 64 items: each producer may keep all that the queue may hold, and has an index of 16
    // bytes a block of the pool, of 1,024 at least.
    const std::size_t blocks = ((events + 63) / 64 - 1) * (senders + 1) + 2 * senders;
    const std::size_t index = 16 * std::bit_ceil(std::max<std::size_t>(blocks, 1024)) + 1024;
    const std::size_t queue = blocks * (64 * sizeof(Item) + 64) + senders * index + sizeof(EventQueue) + 8192;
    const std::size_t core = 2 * events * sizeof(Item) + 32 * static_cast<std::size_t>(config.voices) +
                             parts * (sizeof(StreamPart) + sizeof(PartMemory) + 256) +
                             (4 * parts + 16) * (sizeof(Bank) + sizeof(BankStep)) +
                             channels * (2 * 64 * sizeof(float) + 4096);
    const std::size_t backend = std::size_t{640} << 10;
    const std::size_t handles = senders * (sizeof(tutti_sender) + 64) + sizeof(OutputEffects) + 16384;
    const std::size_t tracker = static_cast<std::size_t>(config.tracked_voices) * VoiceTracker::k_bytes_a_voice +
                                static_cast<std::size_t>(config.audible_voices) * 64 + 2048;
    return k_handle + queue + core + backend + handles + tracker + config.patch_bytes;
}

extern "C" tutti_result tutti_create_in(void* memory, size_t size, const tutti_config* given,
                                        tutti_engine** out) noexcept {
    tutti_config config;
    if (out == nullptr) return t_detail.set(TUTTI_INVALID_ARGUMENT, "engine is null");
    *out = nullptr;
    if (memory == nullptr) return t_detail.set(TUTTI_INVALID_ARGUMENT, "memory is null");
    if (!take(given, config)) return t_detail.set(TUTTI_INVALID_ARGUMENT, "config is null or has no struct_size");
    config.allocator = {};
    if (const tutti_result result = check(config, t_detail); result != TUTTI_OK) return result;
    if (config.mode != TUTTI_MODE_INLINE)
        return t_detail.set(TUTTI_UNSUPPORTED, "an engine in a block has no threads: its mode is TUTTI_MODE_INLINE");
    // The handle comes first, the arena behind it.
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t place = (begin + Arena::k_grain - 1) / Arena::k_grain * Arena::k_grain;
    const std::size_t lost = place - begin + k_handle;
    if (size < lost + Arena::k_grain)
        return t_detail.set(TUTTI_OUT_OF_MEMORY, "the block is too small: see tutti_memory_size");
    return make(reinterpret_cast<void*>(place), config, reinterpret_cast<void*>(place + k_handle), size - lost, out);
}

extern "C" void tutti_destroy(tutti_engine* engine) noexcept {
    if (engine == nullptr) return;
    if (engine->end_jobs != nullptr) engine->end_jobs(engine->jobs);
    engine->close();
    while (engine->clips != nullptr) {
        tutti_clip* const clip = engine->clips;
        engine->clips = clip->next;
        delete clip;
    }
    const bool in_block = engine->arena.has_value();
    CallerMemory caller(engine->config.allocator);
    Memory& memory = engine->config.allocator.allocate != nullptr ? static_cast<Memory&>(caller) : heap();
    engine->~tutti_engine(); // the arena goes last: it is declared before what lies in it
    if (!in_block) memory.release(engine, sizeof(tutti_engine), alignof(tutti_engine));
}

extern "C" tutti_result tutti_set_sample_rate(tutti_engine* engine, double sample_rate) noexcept {
    if (engine == nullptr) return TUTTI_INVALID_ARGUMENT;
    if (!(sample_rate >= 8000.0 && sample_rate <= 192000.0))
        return engine->fail(TUTTI_OUT_OF_RANGE, "sample_rate: choose 8000..192000 Hz");
    const double old = engine->config.sample_rate;
    if (sample_rate == old) return TUTTI_OK;
    tutti_result result = TUTTI_OUT_OF_MEMORY;
    const MemoryScope scope(engine->memory());
    for (const double rate : {sample_rate, old}) {
        engine->close();
        engine->config.sample_rate = rate;
        try {
            engine->open();
            engine->restore();
            return rate == sample_rate ? TUTTI_OK : result;
        } catch (const Refusal& refusal) {
            if (rate == sample_rate) result = engine->fail(refusal.status);
        } catch (...) {
            if (rate == sample_rate)
                engine->fail(result, "there is not enough memory for this rate: it stays as it was");
        }
    }
    return result;
}
