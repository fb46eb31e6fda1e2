// SPDX-License-Identifier: MIT
// What every lane of real-time safety watches: an audio thread that posts and pulls 100,000 times, and a control thread that
// changes patches, tunings, effects and clips under it. The CPU backend and the factory patches, as a program would use them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <tutti/engine.h>

namespace tutti::realtime {

constexpr int k_callbacks = 100000;
constexpr int k_warm_up = 10000; // callbacks before faults of memory are counted: every kind of event came
constexpr int k_parts = 4;
constexpr int k_most_frames = 24;

class Work {
public:
    Work(Mode mode, std::uint32_t seed) : m_random(seed) {
        m_engine = must(Engine::create({.threads = 1}));
        StreamConfig config;
        config.mode = mode;
        config.max_frames = k_most_frames;
        config.parts = k_parts;
        config.voices = 12; // fewer than are asked for: notes are stolen all the time
        config.events = 4096;
        m_stream = must(m_engine->open(config));
        for (int part = 0; part < k_parts; ++part)
            change_patch(part);
        m_sender = must(m_stream->make_sender());
        m_written = must(m_stream->play_written(1, 2, 44100.0, 0.1));
        m_sound =
            std::make_shared<const Sound>(44100.0, std::vector<std::vector<float>>{std::vector<float>(4410, 0.1f)});
    }
    ~Work() {
        m_stop = true;
        if (m_control.joinable()) m_control.join();
    }

    // One callback, all of it the audio thread's: post, pull, look.
    void callback() noexcept {
        const int frames = 1 + static_cast<int>(m_random() % k_most_frames);
        for (int i = static_cast<int>(m_random() % 3); i > 0; --i)
            m_sender.post(event());
        if (m_random() % 4096 == 0) // more than fit
            for (int i = 0; i < 5000; ++i)
                m_sender.post(Event::note_off(k_asap, 0, 127));
        float* out[] = {m_left.data(), m_right.data()};
        m_refused += m_stream->pull(out, frames) ? 0 : 1;
        m_written.write(out, frames / 2);
        m_now = m_stream->now();
        m_stats = m_stream->stats();
        for (int i = 0; i < frames; ++i) {
            const float x = m_left[static_cast<std::size_t>(i)];
            m_heard += x != 0.0f;
        }
        ++m_count;
    }
    // Between callbacks: what a device's thread does by waiting. Now and then nothing is waited for: blocks come late in `ahead`.
    void pace() {
        if (m_stream->config().mode != Mode::ahead || m_count % 4000 < 100) return;
        for (int i = 0; i < 200 && m_stream->stats().ring_blocks < 4; ++i)
            std::this_thread::sleep_for(std::chrono::microseconds(20));
    }

    // Patches, tunings, effects and clips change while the callbacks run, all on this other thread.
    void start_control() {
        m_control = std::thread([this] {
            std::mt19937 random(7);
            std::array<double, 128> keys;
            while (!m_stop) {
                const int part = static_cast<int>(random() % k_parts);
                for (std::size_t key = 0; key < keys.size(); ++key)
                    keys[key] = static_cast<double>(key) + 0.01 * static_cast<double>(random() % 50);
                const PatchEffect effect{random() % 2 ? "reverb" : "delay", {}, true};
                // Full is an answer, too: patches may ring out longer than new ones come.
                m_changes += m_stream->set_patch(part, factory(random())).ok();
                (void)m_stream->set_tuning(part, keys);
                (void)m_stream->set_effects({&effect, random() % 2}).ok();
                if (random() % 4 == 0) (void)m_stream->play(part, m_sound).ok();
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
        });
    }

    // What the test was about did happen; else a lane would be green for nothing. Empty: it did.
    std::string idle_reason() const {
        const StreamStats stats = m_stream->stats();
        if (m_heard < m_count) return "hardly anything sounded";
        if (stats.stolen_voices < 100) return "too few voices were stolen: " + std::to_string(stats.stolen_voices);
        if (stats.dropped_events < 100) return "the queue was never full";
        if (m_changes < 5) return "too few patches were changed: " + std::to_string(m_changes.load());
        if (m_refused != 0) return "a pull was refused";
        if (m_stream->config().mode == Mode::ahead && stats.late_blocks == 0) return "no block came late";
        return {};
    }

private:
    template <class T>
    static T must(Result<T> result) {
        if (result.ok()) return std::move(result).value();
        std::fprintf(stderr, "%s\n", result.status().message().c_str());
        std::abort();
    }
    static Patch factory(unsigned number) {
        const auto names = Patch::factory_names();
        return must(Patch::factory(names[number % names.size()]));
    }
    void change_patch(int part) {
        const Status status = m_stream->set_patch(part, factory(m_random()));
        if (!status.ok()) std::abort();
    }
    Event event() noexcept {
        const auto draw = [this](unsigned n) { return static_cast<int>(m_random() % n); };
        const int part = draw(k_parts), key = 36 + draw(48);
        const std::int64_t at = draw(4) == 0 ? k_asap : m_now + draw(200);
        switch (draw(16)) {
        case 0:
        case 1:
        case 2:
            return Event::note_off(at, part, key);
        case 3:
            return Event::set_parameter(at, part, draw(40), 0.01 * draw(200));
        case 4:
            return Event::set_macro(at, part, draw(8), 0.01 * draw(101));
        case 5:
            return Event::set_effect(at, part, draw(2), draw(6), 0.01 * draw(101));
        case 6:
            return Event::midi(at, part, 0xb0, draw(128), draw(128));
        case 7:
            return Event::midi(at, part, 0xe0, draw(128), draw(128));
        case 8:
            return Event::set_tempo(at, 60 + draw(120));
        case 9:
            return Event::expression(at, part, key, k_any_note, static_cast<NoteExpression>(draw(7)), 0.01 * draw(100));
        case 10:
            return draw(64) == 0 ? Event::all_sound_off(at) : Event::note_choke(at, part, key);
        default:
            return Event::note_on(at, part, key, 0.2 + 0.008 * draw(100));
        }
    }

    std::unique_ptr<Engine> m_engine;
    std::shared_ptr<Stream> m_stream;
    Sender m_sender;
    Clip m_written;
    std::shared_ptr<const Sound> m_sound;
    std::mt19937 m_random;
    std::array<float, k_most_frames> m_left{}, m_right{};
    StreamStats m_stats;
    std::int64_t m_now = 0;
    std::int64_t m_heard = 0;
    std::int64_t m_count = 0;
    int m_refused = 0;
    std::atomic<int> m_changes{0};
    std::atomic<bool> m_stop{false};
    std::thread m_control;
};

} // namespace tutti::realtime
