// SPDX-License-Identifier: MIT
// What `tutti soak` does to an engine: random patches, notes, controllers, streams that come and go, clips and jobs.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <tutti/engine.h>

namespace tutti::cli {

struct SoakOptions {
    double minutes = 0.0;
    double hours = 0.0;
    bool fake_clock = false; // as fast as it goes
    std::uint64_t seed = 1;
    double rate = 48000.0;
    int leak_bytes = 0; // planted, a note: the check must find it
    std::string plant;  // "thread" or "file": one too many, which the check must find
    std::string plot;
    bool json = false;
    bool quiet = false;
};

// One stream with its player. On the wall clock a thread of its own pulls it, paced as a device would.
class SoakStream {
public:
    static Result<std::unique_ptr<SoakStream>> open(Engine& engine, const SoakOptions& options, Mode mode,
                                                    const std::vector<std::string>& patches, std::mt19937_64& random);
    ~SoakStream();

    // A tenth of a second of random life; returns how many notes began. On the fake clock it is also pulled here.
    int live(std::mt19937_64& random, Engine& engine);
    void silence(); // every note off
    const Stream& stream() const noexcept { return *m_stream; }
    // Samples that were not finite.
    std::int64_t broken() const noexcept { return m_broken.load(std::memory_order_relaxed); }
    void pull(int frames) noexcept;
    Mode mode() const noexcept { return m_mode; }

private:
    SoakStream(const SoakOptions& options, Mode mode, const std::vector<std::string>& patches)
        : m_options(options), m_mode(mode), m_patches(patches) {}
    void events(std::mt19937_64& random, int& notes);
    void control(std::mt19937_64& random, Engine& engine);

    const SoakOptions& m_options;
    const Mode m_mode;
    const std::vector<std::string>& m_patches;
    std::shared_ptr<Stream> m_stream;
    Sender m_sender;
    std::vector<Clip> m_clips;
    std::vector<float> m_left, m_right;
    std::int64_t m_end = 0; // frame up to which it was lived
    std::atomic<std::int64_t> m_broken{0};
    std::atomic<bool> m_stop{false};
    std::thread m_puller;
};

class SoakWorld {
public:
    static Result<std::unique_ptr<SoakWorld>> create(const SoakOptions& options);
    ~SoakWorld();

    // A tenth of a second.
    Status live();
    // All notes off and up to `seconds` more: true where every voice has ended. Then closes every stream.
    bool settle(double seconds);
    void close_streams();
    Engine& engine() noexcept { return *m_engine; }
    std::int64_t notes() const noexcept { return m_notes; }
    std::int64_t opened() const noexcept { return m_opened; }
    std::int64_t broken() const noexcept;

private:
    explicit SoakWorld(const SoakOptions& options) : m_options(options), m_random(options.seed) {}
    Status open_stream();

    const SoakOptions& m_options;
    std::mt19937_64 m_random;
    std::vector<std::string> m_patches;
    std::unique_ptr<Engine> m_engine;
    std::vector<std::unique_ptr<SoakStream>> m_streams;
    std::vector<std::unique_ptr<std::vector<char>>> m_leak;
    std::FILE* m_file = nullptr; // planted
    std::thread m_thread;        // planted
    std::atomic<bool> m_end{false};
    std::int64_t m_notes = 0, m_opened = 0, m_broken = 0;
};

// Threads and open files of this process; 0 where the system does not tell.
int thread_count() noexcept;
int open_files() noexcept;

} // namespace tutti::cli
