// SPDX-License-Identifier: MIT
#include "cli/soak_world.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include <tutti/trace.h>
#include <tutti/worker.h>

#include "cli/pacer.h"

namespace tutti::cli {

namespace {

constexpr double k_step_seconds = 0.1;
constexpr int k_parts = 4;
constexpr std::size_t k_most_streams = 3;

int entries(const char* folder) noexcept {
    try {
        std::error_code error;
        int count = 0;
        for (auto it = std::filesystem::directory_iterator(folder, error);
             !error && it != std::filesystem::directory_iterator(); it.increment(error))
            ++count;
        return count;
    } catch (...) {
        return 0;
    }
}

int below(std::mt19937_64& random, int limit) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
}
bool chance(std::mt19937_64& random, double probability) {
    return static_cast<double>(random() >> 11) * 0x1p-53 < probability;
}

std::shared_ptr<Sound> tone(std::mt19937_64& random) {
    auto sound = std::make_shared<Sound>();
    sound->sample_rate = 22050.0 + below(random, 26000);
    const auto frames = static_cast<std::size_t>(2000 + below(random, 40000));
    const double step = 6.283185307179586 * (100.0 + below(random, 2000)) / sound->sample_rate;
    sound->channels.assign(1 + random() % 2, std::vector<float>(frames));
    for (auto& channel : sound->channels)
        for (std::size_t i = 0; i < frames; ++i)
            channel[i] = static_cast<float>(0.2 * std::sin(step * static_cast<double>(i)));
    return sound;
}

} // namespace

int thread_count() noexcept {
    return entries("/proc/self/task");
}
int open_files() noexcept {
    return entries("/proc/self/fd");
}

Result<std::unique_ptr<SoakStream>> SoakStream::open(Engine& engine, const SoakOptions& options, Mode mode,
                                                     const std::vector<std::string>& patches, std::mt19937_64& random) {
    std::unique_ptr<SoakStream> made(new SoakStream(options, mode, patches));
    StreamConfig config;
    config.sample_rate = options.rate;
    config.mode = mode;
    config.parts = k_parts;
    config.voices = 64;
    config.max_frames = 1024;
    config.look_ahead_blocks = 16;
    config.seed = random();
    auto stream = engine.open(config);
    if (!stream.ok()) return stream.status();
    made->m_stream = std::move(stream).value();
    auto sender = made->m_stream->make_sender();
    if (!sender.ok()) return sender.status();
    made->m_sender = std::move(sender).value();
    for (int part = 0; part < k_parts; ++part) {
        auto patch = Patch::factory(patches[random() % patches.size()]);
        if (!patch.ok()) return patch.status();
        if (Status status = made->m_stream->set_patch(part, *patch, 0); !status.ok()) return status;
    }
    made->m_left.resize(1024);
    made->m_right.resize(1024);
    if (options.fake_clock) {
        made->m_stream->set_bounce(true);
        return made;
    }
    made->m_puller = std::thread([self = made.get(), frames = 64 << (random() % 4)] {
        trace::name_thread("audio");
        Pacer pacer(frames / self->m_options.rate, Pacer::Clock::now());
        while (!self->m_stop.load(std::memory_order_relaxed)) {
            self->pull(frames);
            std::this_thread::sleep_until(pacer.next(Pacer::Clock::now()).due);
        }
    });
    return made;
}

SoakStream::~SoakStream() {
    m_stop = true;
    if (m_puller.joinable()) m_puller.join();
}

void SoakStream::pull(int frames) noexcept {
    float* out[] = {m_left.data(), m_right.data()};
    m_stream->pull(out, frames);
    std::int64_t broken = 0;
    for (int i = 0; i < frames; ++i)
        broken +=
            std::isfinite(m_left[static_cast<std::size_t>(i)]) && std::isfinite(m_right[static_cast<std::size_t>(i)])
                ? 0
                : 1;
    if (broken > 0) m_broken.fetch_add(broken, std::memory_order_relaxed);
}

void SoakStream::events(std::mt19937_64& random, int& notes) {
    const auto frames = static_cast<int>(k_step_seconds * m_options.rate);
    const std::int64_t begin = std::max(m_end, m_stream->now());
    for (int count = below(random, 3); count > 0; --count) {
        const int part = below(random, k_parts), key = 24 + below(random, 80);
        const std::int64_t on = begin + below(random, frames);
        if (!m_sender.post(Event::note_on(on, part, key, 0.1 + 0.9 * (below(random, 100) / 99.0)))) continue;
        m_sender.post(Event::note_off(on + 1 + below(random, frames * 10), part, key));
        ++notes;
    }
    if (chance(random, 0.3)) {
        static constexpr int k_controllers[] = {1, 7, 10, 11, 64, 66, 74};
        const int number = k_controllers[random() % std::size(k_controllers)];
        m_sender.post(Event::midi(begin, below(random, k_parts), 0xb0, number,
                                  number == 7 ? 64 + below(random, 64) : below(random, 128)));
    }
    if (chance(random, 0.1))
        m_sender.post(Event::midi(begin, below(random, k_parts), 0xe0, below(random, 128), below(random, 128)));
    if (chance(random, 0.01)) {
        Event off;
        off.type = chance(random, 0.5) ? EventType::all_sound_off : EventType::all_notes_off;
        off.part = k_every_part;
        m_sender.post(off);
    }
    if (chance(random, 0.02)) m_sender.post(Event::set_tempo(begin, 60.0 + below(random, 120)));
    m_end = begin + frames;
}

void SoakStream::control(std::mt19937_64& random, Engine& engine) {
    // `full` is an answer that is meant: patches that ring out hold their places.
    if (chance(random, 0.02))
        if (auto patch = Patch::factory(m_patches[random() % m_patches.size()]); patch.ok())
            (void)m_stream->set_patch(below(random, k_parts), *patch).ok();
    if (chance(random, 0.005)) {
        const PatchEffect effects[] = {{chance(random, 0.5) ? "equalizer" : "compressor", {}, true}};
        (void)m_stream->set_effects(effects).ok();
    }
    if (chance(random, 0.02)) {
        if (auto clip = m_stream->play(below(random, k_parts), tone(random)); clip.ok())
            m_clips.push_back(std::move(*clip));
    }
    if (chance(random, 0.01) && !m_clips.empty()) (void)m_clips[random() % m_clips.size()].stop().ok();
    std::erase_if(m_clips, [](const Clip& clip) { return clip.ended(); });
    if (chance(random, 0.005)) {
        Job job = engine.worker().submit({}, [seed = random()](JobContext&) {
            std::mt19937_64 own(seed);
            std::vector<std::uint64_t> numbers(20000);
            for (auto& each : numbers)
                each = own();
            std::sort(numbers.begin(), numbers.end());
            return Status();
        });
        if (chance(random, 0.3)) job.cancel();
    }
}

int SoakStream::live(std::mt19937_64& random, Engine& engine) {
    int notes = 0;
    control(random, engine);
    events(random, notes);
    if (m_options.fake_clock)
        for (auto left = static_cast<int>(k_step_seconds * m_options.rate); left > 0;) {
            const int frames = std::min(left, chance(random, 0.05) ? 1 + below(random, 64) : 256 + below(random, 768));
            pull(frames);
            left -= frames;
        }
    return notes;
}

void SoakStream::silence() {
    Event pedal = Event::midi(k_asap, 0, 0xb0, 64, 0);
    for (int part = 0; part < k_parts; ++part) {
        pedal.part = static_cast<std::uint16_t>(part);
        m_sender.post(pedal);
        Event sostenuto = Event::midi(k_asap, part, 0xb0, 66, 0);
        m_sender.post(sostenuto);
    }
    Event off;
    off.type = EventType::all_notes_off;
    off.part = k_every_part;
    m_sender.post(off);
}

// --- the world

Result<std::unique_ptr<SoakWorld>> SoakWorld::create(const SoakOptions& options) {
    std::unique_ptr<SoakWorld> world(new SoakWorld(options));
    auto engine = Engine::create();
    if (!engine.ok()) return engine.status();
    world->m_engine = std::move(*engine);
    for (const std::string_view name : Patch::factory_names())
        world->m_patches.emplace_back(name);
    // One of each kind comes and goes, and a job: threads that live as long as the engine are there from now on.
    for (const Mode mode : {Mode::ahead, Mode::inline_, Mode::offline}) {
        if (mode == Mode::offline && !options.fake_clock) continue;
        auto stream = SoakStream::open(*world->m_engine, options, mode, world->m_patches, world->m_random);
        if (!stream.ok()) return stream.status();
        for (int i = 0; i < 20; ++i)
            (*stream)->live(world->m_random, *world->m_engine);
    }
    world->m_engine->worker().submit({}, [](JobContext&) { return Status(); }).wait();
    return world;
}

SoakWorld::~SoakWorld() {
    m_end = true;
    m_end.notify_all();
    if (m_thread.joinable()) m_thread.join();
    if (m_file != nullptr) std::fclose(m_file);
}

Status SoakWorld::open_stream() {
    static constexpr Mode k_modes[] = {Mode::ahead, Mode::inline_, Mode::offline};
    const Mode mode = k_modes[m_random() % (m_options.fake_clock ? 3 : 2)];
    auto stream = SoakStream::open(*m_engine, m_options, mode, m_patches, m_random);
    if (!stream.ok()) return stream.status();
    m_streams.push_back(std::move(*stream));
    ++m_opened;
    return {};
}

Status SoakWorld::live() {
    if (m_streams.empty() || (m_streams.size() < k_most_streams && chance(m_random, 0.003)))
        if (Status status = open_stream(); !status.ok()) return status;
    for (const auto& stream : m_streams) {
        const int notes = stream->live(m_random, *m_engine);
        m_notes += notes;
        if (m_options.plant == "file" && m_file == nullptr) m_file = std::tmpfile();
        if (m_options.plant == "thread" && !m_thread.joinable()) m_thread = std::thread([this] { m_end.wait(false); });
        if (m_options.leak_bytes > 0)
            for (int i = 0; i < notes; ++i)
                m_leak.push_back(
                    std::make_unique<std::vector<char>>(static_cast<std::size_t>(m_options.leak_bytes), 'x'));
    }
    // With one stream most of the time: two or three come for some twenty seconds.
    if (m_streams.size() > 1 && chance(m_random, 0.01)) {
        const auto index = m_random() % m_streams.size();
        m_broken += m_streams[index]->broken();
        m_streams.erase(m_streams.begin() + static_cast<std::ptrdiff_t>(index));
    }
    return {};
}

std::int64_t SoakWorld::broken() const noexcept {
    std::int64_t sum = m_broken;
    for (const auto& stream : m_streams)
        sum += stream->broken();
    return sum;
}

void SoakWorld::close_streams() {
    m_broken = broken();
    m_streams.clear();
}

bool SoakWorld::settle(double seconds) {
    // What was posted for later still begins, and ends, within the longest note.
    bool silent = false;
    for (double at = 0.0; at < seconds && !silent; at += k_step_seconds) {
        for (const auto& stream : m_streams) {
            stream->silence();
            if (!m_options.fake_clock) continue;
            for (int i = 0; i < 10; ++i)
                stream->pull(static_cast<int>(0.01 * m_options.rate));
        }
        if (!m_options.fake_clock) std::this_thread::sleep_for(std::chrono::duration<double>(k_step_seconds));
        silent = at > 3.0 && std::all_of(m_streams.begin(), m_streams.end(),
                                         [](const auto& stream) { return stream->stream().stats().voices == 0; });
    }
    close_streams();
    return silent;
}

} // namespace tutti::cli
