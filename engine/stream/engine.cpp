// SPDX-License-Identifier: MIT
// The public face: Engine, Stream and Sender.
#include <tutti/engine.h>
#include <tutti/worker.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>

#include "engine/core/process.h"
#include "engine/core/voice_types.h"
#include "engine/stream/hooks.h"
#include "engine/stream/render_thread.h"
#include "engine/stream/state.h"
#include "engine/stream/stream_list.h"
#include "engine/worker/live.h"

namespace tutti {

namespace {

// What an engine's streams share; it lives until the last of them has gone.
struct Shared {
    EngineConfig config;
    engine::Hooks hooks;
    int threads = 1;
    std::string backend;
    std::atomic<int> streams_made{0};
    std::mutex mutex; // of `thread`'s birth
    std::unique_ptr<engine::RenderThread> thread;
    std::atomic<const engine::RenderThread*> thread_seen{nullptr}; // for stats()
    engine::StreamList streams;
    std::atomic<std::int64_t> memory{0};

    void look_at_memory() { memory.store(engine::resident_bytes(), std::memory_order_relaxed); }
    Status need_thread() {
        const std::lock_guard lock(mutex);
        if (thread) return {};
        auto made = hooks.make_backend(config, threads);
        if (!made) return made.status();
        std::unique_ptr<engine::Backend> own = std::move(made).value();
        if (hooks.add_device && config.backend == "auto") {
            own = hooks.add_device(std::move(own));
            if (!own) {
                auto again = hooks.make_backend(config, threads);
                if (!again) return again.status();
                own = std::move(again).value();
            }
        }
        thread = std::make_unique<engine::RenderThread>(std::move(own), threads, hooks);
        thread_seen.store(thread.get(), std::memory_order_release); // it is whole before it is seen
        return {};
    }
};

Status out_of_memory() {
    return Status(Code::out_of_memory, "there is not enough memory", "nothing was changed",
                  "ask for fewer voices or parts, or close something");
}

} // namespace

// --- Sender

struct Sender::Queue {
    Queue(std::shared_ptr<engine::EventQueue> shared, std::unique_ptr<engine::EventQueue::Producer> own)
        : queue(std::move(shared)), producer(std::move(own)) {}
    std::shared_ptr<engine::EventQueue> queue; // outlives the producer
    std::unique_ptr<engine::EventQueue::Producer> producer;
};

Sender::Sender() noexcept = default;
Sender::Sender(Sender&& other) noexcept
    : m_queue(std::exchange(other.m_queue, nullptr)), m_keep(std::move(other.m_keep)) {}
Sender& Sender::operator=(Sender&& other) noexcept {
    m_queue = std::exchange(other.m_queue, nullptr);
    m_keep = std::move(other.m_keep);
    return *this;
}
Sender::~Sender() = default;

bool Sender::post(const Event& event) noexcept {
    // Internal types carry objects; from outside they would be empty.
    const bool internal = event.type == EventType::patch || event.type == EventType::clip ||
                          event.type == EventType::tuning || event.type == EventType::effects;
    return m_queue != nullptr && !internal && m_queue->producer->post(event);
}

// --- Stream

struct Stream::Impl {
    Impl(std::shared_ptr<Shared> owner, const StreamConfig& config, std::unique_ptr<engine::Backend> backend)
        : shared(std::move(owner)), state(config, shared->hooks, std::move(backend), shared->threads) {}
    ~Impl() {
        if (shared->thread) shared->thread->remove(state);
        shared->streams.remove(state);
        shared->look_at_memory();
    }
    std::shared_ptr<Shared> shared;
    engine::StreamState state;
    std::shared_ptr<engine::StreamState*> alive = std::make_shared<engine::StreamState*>(&state); // clips ask it
};

Stream::Stream(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Stream::~Stream() = default;

const StreamConfig& Stream::config() const noexcept {
    return m_impl->state.config();
}

Status Stream::set_patch(int part, const Patch& patch, std::int64_t frame) {
    try {
        Status status = m_impl->state.set_patch(part, patch, frame);
        m_impl->shared->look_at_memory();
        return status;
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Status Stream::set_tuning(int part, const std::array<double, 128>& semitones, std::int64_t frame) {
    return m_impl->state.set_tuning(part, semitones.data(), {}, frame);
}

Status Stream::set_tuning(int part, const Tuning& tuning, std::int64_t frame) {
    return m_impl->state.set_tuning(part, tuning, frame);
}

Status Stream::tune(const TuningMessage& message, std::int64_t frame) {
    try {
        return m_impl->state.tune(message, frame);
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Status Stream::set_effects(std::span<const PatchEffect> effects, std::int64_t frame) {
    try {
        return m_impl->state.set_effects(effects, frame);
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Status Stream::set_send(int send, std::span<const PatchEffect> effects, std::int64_t frame) {
    try {
        return m_impl->state.set_send(send, effects, frame);
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Result<Clip> Stream::play(int part, std::shared_ptr<const Sound> sound, const ClipConfig& config, std::int64_t frame) {
    const bool empty = sound == nullptr || sound->channels.empty() || sound->channels.size() > 16;
    if (empty || !(sound->sample_rate >= 1.0 && sound->sample_rate <= 1e6))
        return Status(Code::invalid_argument, "the sound has no channels, more than 16, or no rate",
                      "nothing is played", "give it 1..16 channels and its sample rate");
    for (const auto& channel : sound->channels)
        if (channel.size() != sound->channels[0].size())
            return Status(Code::invalid_argument, "the sound's channels differ in length", "nothing is played",
                          "make them of one length");
    try {
        if (Status status = engine::ClipPlayer::check(config, static_cast<std::int64_t>(sound->channels[0].size()));
            !status)
            return status;
        auto clip = m_impl->state.play(
            part, std::make_shared<engine::ClipPlayer>(std::move(sound), config, sample_rate()), frame);
        if (clip) clip->m_stream = m_impl->alive;
        return clip;
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Result<Clip> Stream::play_written(int part, int channels, double rate, double buffer_seconds, const ClipConfig& config,
                                  std::int64_t frame) {
    if (channels < 1 || channels > 16 || !(rate >= 1.0 && rate <= 1e6) ||
        !(buffer_seconds >= 0.01 && buffer_seconds <= 60.0))
        return Status(Code::out_of_range, "a written clip's channels, rate or buffer is outside its range",
                      "nothing is played", "choose 1..16 channels, 1..1000000 Hz, 0.01..60 s");
    try {
        if (Status status = engine::ClipPlayer::check(config, -1); !status) return status;
        const int capacity = std::max(1024, static_cast<int>(buffer_seconds * rate));
        auto clip = m_impl->state.play(
            part, std::make_shared<engine::ClipPlayer>(channels, rate, capacity, config, sample_rate()), frame);
        if (clip) clip->m_stream = m_impl->alive;
        return clip;
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Status Clip::stop(std::int64_t frame) {
    const auto stream = m_stream.lock();
    if (!m_player || !stream) return {};
    return (*static_cast<engine::StreamState* const*>(stream.get()))->stop(*m_player, frame);
}
bool Clip::ended() const noexcept {
    return !m_player || m_stream.expired() || m_player->retired.is_set();
}
int Clip::write(const float* const* in, int frames) noexcept {
    return m_player && in != nullptr && frames > 0 ? m_player->write(in, frames) : 0;
}
int Clip::room() const noexcept {
    return m_player ? m_player->room() : 0;
}
void Clip::finish() noexcept {
    if (m_player) m_player->finish();
}

Result<Sender> Stream::make_sender() {
    auto queue = m_impl->state.queue();
    auto producer = queue->make_producer();
    if (!producer)
        return Status(Code::full, "all " + std::to_string(config().senders) + " senders are in use", "none was made",
                      "let one go, or open the stream with more senders");
    auto keep = std::make_shared<Sender::Queue>(std::move(queue), std::move(producer));
    Sender sender;
    sender.m_queue = keep.get();
    sender.m_keep = std::move(keep);
    return sender;
}

Status Stream::set_mode(Mode mode) {
    engine::StreamState& state = m_impl->state;
    if (mode == state.mode()) return {};
    if (mode == Mode::ahead) {
        if (Status status = m_impl->shared->need_thread(); !status) return status;
    }
    if (mode == Mode::offline) {
        auto backend = m_impl->shared->hooks.make_backend(m_impl->shared->config, m_impl->shared->threads);
        if (!backend) return backend.status();
        state.set_backend(std::move(backend).value());
    }
    if (state.mode() == Mode::ahead) {
        m_impl->shared->thread->remove(state);
    }
    state.set_mode(mode);
    if (mode == Mode::ahead) m_impl->shared->thread->add(state);
    return {};
}

void Stream::set_bounce(bool on) noexcept {
    m_impl->state.set_waiting(on);
}

bool Stream::pull(float* const* out, int frames) noexcept {
    return m_impl->state.pull(out, frames);
}
std::int64_t Stream::now() const noexcept {
    return m_impl->state.now();
}
int Stream::latency_frames() const noexcept {
    return m_impl->state.latency_frames();
}
std::int64_t Stream::tail_frames() const noexcept {
    return m_impl->state.tail_frames();
}
StreamStats Stream::stats() const noexcept {
    return m_impl->state.stats();
}
double Stream::sample_rate() const noexcept {
    return m_impl->state.config().sample_rate;
}

// --- Engine

struct Engine::Impl {
    std::shared_ptr<Shared> shared;
    std::shared_ptr<engine::LiveStreams> live = std::make_shared<engine::LiveStreams>();
    std::once_flag worker_made;
    std::unique_ptr<Worker> worker; // first to end: its jobs may hold streams
};

Engine::Engine(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::create(const EngineConfig& config) {
    if (Status status = engine::check_added_voices(); !status) return status;
    return engine::create_engine(config, engine::default_hooks());
}

const char* Engine::backend() const noexcept {
    return m_impl->shared->backend.c_str();
}

EngineStats Engine::stats() const noexcept {
    const Shared& shared = *m_impl->shared;
    EngineStats stats;
    stats.backend = shared.backend.c_str();
    stats.threads = shared.threads;
    stats.memory_bytes = shared.memory.load(std::memory_order_relaxed);
    // Acquire: the thread is whole.
    if (const engine::RenderThread* const thread = shared.thread_seen.load(std::memory_order_acquire))
        thread->add_to(stats);
    shared.streams.add_to(stats);
    return stats;
}

Result<std::shared_ptr<Stream>> Engine::open(const StreamConfig& config) {
    if (Status status = engine::StreamState::check(config); !status) return status;
    try {
        std::shared_ptr<Shared> shared = m_impl->shared;
        auto backend = shared->hooks.make_backend(shared->config, config.mode == Mode::offline ? shared->threads : 1);
        if (!backend) return backend.status();
        auto impl = std::make_unique<Stream::Impl>(shared, config, std::move(backend).value());
        impl->state.set_number(shared->streams_made.fetch_add(1, std::memory_order_relaxed) + 1);
        if (config.mode == Mode::ahead) {
            if (Status status = shared->need_thread(); !status) return status;
            shared->thread->add(impl->state);
        }
        shared->streams.add(impl->state);
        shared->look_at_memory();
        auto stream = std::shared_ptr<Stream>(new Stream(std::move(impl)));
        m_impl->live->add(stream);
        return stream;
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Worker& Engine::worker() {
    std::call_once(m_impl->worker_made, [&] {
        WorkerConfig config;
        config.audio_is_live = [live = m_impl->live] { return live->any(); };
        m_impl->worker = Worker::create(config).value(); // the defaults are in range
    });
    return *m_impl->worker;
}

namespace engine {

struct EngineAccess {
    static Shared& shared(Engine& engine) { return *engine.m_impl->shared; }
    static std::unique_ptr<Engine> make(std::shared_ptr<Shared> shared) {
        auto impl = std::make_unique<Engine::Impl>();
        impl->shared = std::move(shared);
        return std::unique_ptr<Engine>(new Engine(std::move(impl)));
    }
};

Result<std::unique_ptr<Engine>> create_engine(const EngineConfig& config, Hooks hooks) {
    if (config.threads < 0 || config.threads > 256)
        return Status(Code::out_of_range, "threads is " + std::to_string(config.threads), "the engine was not made",
                      "choose 0..256");
    auto shared = std::make_shared<Shared>();
    shared->config = config;
    shared->hooks = std::move(hooks);
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    shared->threads = config.threads > 0 ? config.threads : std::clamp(cores, 1, 8);
    auto backend = shared->hooks.make_backend(config, 1);
    if (!backend) return backend.status();
    shared->backend = backend.value()->name();
    return EngineAccess::make(std::move(shared));
}

bool render_once(Engine& engine) {
    Shared& shared = EngineAccess::shared(engine);
    return shared.thread && shared.thread->render_once();
}

} // namespace engine
} // namespace tutti
