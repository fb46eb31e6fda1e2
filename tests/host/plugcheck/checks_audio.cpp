// SPDX-License-Identifier: MIT
// Blocks, rates and buffers of every kind.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>
#if defined(__SSE__) || defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "tests/host/plugcheck/check.h"

namespace tutti::host {
namespace {

constexpr int k_frames = 24000;

// A channel that ends where memory ends: one sample too many is a signal, one before the start is seen by its canary.
class Guarded {
public:
    explicit Guarded(int frames, bool unaligned = false) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = static_cast<std::size_t>(std::max(frames, 1)) * sizeof(float) + 64;
        m_size = (bytes + page - 1) / page * page;
        m_memory = static_cast<char*>(
            mmap(nullptr, m_size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        m_size += page;
        mprotect(m_memory + m_size - page, page, PROT_NONE);
        // Aligned to 4 bytes and no more, where asked for.
        m_data = reinterpret_cast<float*>(m_memory + m_size - page) - frames;
        if (!unaligned)
            m_data = reinterpret_cast<float*>(reinterpret_cast<std::uintptr_t>(m_data) & ~std::uintptr_t{15});
        std::fill(reinterpret_cast<float*>(m_memory), reinterpret_cast<float*>(m_memory + m_size - page), k_canary);
        m_frames = frames;
    }
    ~Guarded() { munmap(m_memory, m_size); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    float* data() { return m_data; }
    bool intact() const {
        const auto* p = reinterpret_cast<const float*>(m_memory);
        while (p < m_data)
            if (*p++ != k_canary) return false;
        for (p = m_data + m_frames; p < reinterpret_cast<const float*>(m_memory + m_size) - sysconf(_SC_PAGESIZE) / 4;
             ++p)
            if (*p != k_canary) return false;
        return true;
    }

private:
    static constexpr float k_canary = 1234567.0f;
    char* m_memory = nullptr;
    float* m_data = nullptr;
    std::size_t m_size = 0;
    int m_frames = 0;
};

void finite(Context& context) {
    const auto plugin = context.make();
    auto random = context.random();
    for (const double rate : {44100.0, 48000.0, 96000.0})
        for (const int block : {64, 128, 256, 512, 1024}) {
            if (!context.check(plugin->prepare(rate, block),
                               "refuses " + number(rate) + " Hz in blocks of " + number(block)))
                return;
            std::vector<std::vector<float>> in(static_cast<std::size_t>(plugin->ins()),
                                               std::vector<float>(static_cast<std::size_t>(block)));
            Sound out{std::vector<std::vector<float>>(static_cast<std::size_t>(plugin->outs()),
                                                      std::vector<float>(static_cast<std::size_t>(block)))};
            std::vector<float*> ins, outs;
            for (auto& channel : in)
                ins.push_back(channel.data());
            for (auto& channel : out.channels)
                outs.push_back(channel.data());
            int bad = 0, unwritten = 0;
            for (int k = 0; k < 40; ++k) {
                for (auto& channel : in)
                    for (float& sample : channel)
                        sample = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
                for (auto& channel : out.channels)
                    std::fill(channel.begin(), channel.end(), 1e9f);
                std::vector<Event> events;
                const int key = static_cast<int>(random() % 128);
                events.push_back(k % 3 == 2 ? note_off(static_cast<int>(random()) & (block - 1), key)
                                            : note_on(static_cast<int>(random()) & (block - 1), key,
                                                      static_cast<double>(random() % 128) / 127.0));
                plugin->process({ins.data(), plugin->ins(), outs.data(), plugin->outs(), block, events, nullptr});
                bad += broken(out);
                for (const auto& channel : out.channels)
                    for (const float sample : channel)
                        unwritten += static_cast<int>(sample == 1e9f);
            }
            context.check(bad == 0, number(bad) + " samples not finite or subnormal at " + number(rate) +
                                        " Hz in blocks of " + number(block));
            context.check(unwritten == 0, number(unwritten) + " samples were never written at " + number(rate) + " Hz");
            plugin->release();
        }
}

void block_sizes(Context& context) {
    Sound whole;
    std::vector<int> random_sizes{64, 0, 1};
    auto random = context.random();
    for (int i = 0; i < 50; ++i)
        random_sizes.push_back(static_cast<int>(random() % 1000));
    for (const auto& sizes : std::initializer_list<std::vector<int>>{
             {k_frames}, {1}, {7}, {16}, {64}, {997}, {1024, 1, 0, 17}, {64, 63, 65}, {480}, random_sizes}) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, k_frames, true), "refuses 48 kHz")) return;
        const auto sound = render(*plugin, phrase(*plugin, k_frames, context.seed), k_frames, sizes);
        if (whole.channels.empty()) {
            whole = sound;
            context.check(peak(whole) > 0.001f, "it is silent");
            continue;
        }
        int at = 0;
        for (; at < k_frames; ++at)
            if (std::memcmp(&sound.channels[0][static_cast<std::size_t>(at)],
                            &whole.channels[0][static_cast<std::size_t>(at)], 4) != 0)
                break;
        context.check(sound == whole, "blocks of " + number(sizes[0]) +
                                          " frames: other bits than in one block, from frame " + number(at) + " on");
    }
}

void larger_block(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    Guarded left(512), right(512);
    std::vector<float*> out;
    std::vector<std::unique_ptr<Guarded>> others;
    for (int c = 0; c < plugin->outs(); ++c) {
        if (c > 1) others.push_back(std::make_unique<Guarded>(512));
        out.push_back(c == 0 ? left.data() : c == 1 ? right.data() : others.back()->data());
    }
    std::vector<float> silence(512);
    std::vector<float*> in(static_cast<std::size_t>(plugin->ins()), silence.data());
    const std::vector<Event> events{note_on(0, 60), note_on(400, 64)};
    for (int k = 0; k < 20; ++k)
        plugin->process({in.data(), plugin->ins(), out.data(), plugin->outs(), 512, events, nullptr});
    context.check(left.intact() && right.intact(), "it wrote outside the block");
    Sound sound{{std::vector<float>(left.data(), left.data() + 512)}};
    context.check(broken(sound) == 0 && peak(sound) < 100.0f, "a block larger than declared breaks the sound");
}

// What reads or writes beyond the block ends the process here: it runs in one of its own.
void buffers(Context& context) {
    Sound plain;
    for (int kind = 0; kind < 4; ++kind) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 333), "refuses 48 kHz")) return;
        const auto channels = static_cast<std::size_t>(std::max(plugin->outs(), plugin->ins()));
        std::vector<std::unique_ptr<Guarded>> outs, ins;
        for (std::size_t c = 0; c < channels; ++c) {
            outs.push_back(std::make_unique<Guarded>(333, kind > 0));
            ins.push_back(std::make_unique<Guarded>(333, kind > 0));
        }
        std::vector<float*> out, in;
        for (std::size_t c = 0; c < channels; ++c) {
            out.push_back(outs[c]->data());
            // In place, and every input the same memory.
            in.push_back(kind == 2 ? outs[c]->data() : kind == 3 ? ins[0]->data() : ins[c]->data());
        }
        Sound all{std::vector<std::vector<float>>(static_cast<std::size_t>(plugin->outs()))};
        const auto events = phrase(*plugin, 333 * 30, context.seed);
        std::size_t next = 0;
        for (int k = 0; k < 30; ++k) {
            std::vector<Event> inside;
            while (next < events.size() && events[next].frame < 333 * (k + 1)) {
                inside.push_back(events[next++]);
                inside.back().frame -= 333 * k;
            }
            for (std::size_t c = 0; c < channels; ++c)
                std::fill(in[c], in[c] + 333, 0.0f);
            plugin->process({in.data(), plugin->ins(), out.data(), plugin->outs(), 333, inside, nullptr});
            for (std::size_t c = 0; c < all.channels.size(); ++c)
                all.channels[c].insert(all.channels[c].end(), out[c], out[c] + 333);
            if (kind != 2)
                for (std::size_t c = 0; c < static_cast<std::size_t>(plugin->ins()); ++c)
                    for (int i = 0; i < 333; ++i)
                        if (in[c][i] != 0.0f) return context.fail("it wrote to its input");
        }
        for (std::size_t c = 0; c < channels; ++c)
            context.check(outs[c]->intact() && ins[c]->intact(), "it wrote outside the block");
        if (kind == 0) plain = all;
        const char* names[] = {"plain", "unaligned", "in-place", "shared"};
        context.check(all == plain, std::string(names[kind]) + " buffers change the sound");
    }
}

void rates(Context& context) {
    int taken = 0, refused = 0;
    for (const double rate : {22050.0, 32000.0, 44100.0, 48000.0, 88200.0, 96000.0, 192000.0, 12345.678, 47999.5,
                              8000.0, 384000.0, 1234.5678, 123456.78, 1234567.8, 1.0, 0.0, -48000.0, 1e300}) {
        const auto plugin = context.make();
        if (!plugin->prepare(rate, 512)) {
            ++refused;
            context.check(rate != 44100.0 && rate != 48000.0 && rate != 96000.0, "refuses " + number(rate) + " Hz");
            continue;
        }
        const int second = static_cast<int>(std::clamp(rate, 1000.0, 400000.0));
        const auto sound = render(*plugin, {note_on(0, 69)}, second, {512});
        context.check(broken(sound) == 0, "samples not finite or subnormal at " + number(rate) + " Hz");
        // A host that goes on where we have refused hears silence, not a wrong pitch.
        if (rate < 8000.0 || peak(sound) == 0.0f) continue;
        ++taken;
        const double hz = pitch(sound, rate, 440.0, second / 4, second / 2), off = 1200.0 * std::log2(hz / 440.0);
        context.check(std::abs(off) <= context.cents,
                      "at " + number(rate) + " Hz key 69 is " + number(hz) + " Hz, " + number(off) + " cents off");
    }
    context.check(taken >= 6, "only " + number(taken) + " rates sound");
    context.note(number(taken) + " rates sound in tune, " + number(refused) + " are refused");
}

void offline(Context& context) {
    Sound sounds[3];
    for (int how = 0; how < 3; ++how) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 480, how == 2), "refuses 48 kHz")) return;
        const auto events = phrase(*plugin, 24000, context.seed);
        if (how != 0) {
            sounds[how] = render(*plugin, events, 24000, {480});
            continue;
        }
        // As a sound card asks: a block every 10 ms.
        auto next = std::chrono::steady_clock::now();
        std::vector<Event> left = events;
        Sound& all = sounds[0];
        all.channels.resize(static_cast<std::size_t>(plugin->outs()));
        for (int at = 0; at < 24000; at += 480) {
            std::vector<Event> inside;
            for (const Event& event : events)
                if (event.frame >= at && event.frame < at + 480) {
                    inside.push_back(event);
                    inside.back().frame -= at;
                }
            const Sound block = render(*plugin, inside, 480, {480});
            for (std::size_t c = 0; c < all.channels.size(); ++c)
                all.channels[c].insert(all.channels[c].end(), block.channels[c].begin(), block.channels[c].end());
            std::this_thread::sleep_until(next += std::chrono::milliseconds(10));
        }
    }
    context.check(peak(sounds[0]) > 0.001f, "it is silent");
    context.check(sounds[0] == sounds[1], "as fast as it goes it gives other bits than in real time");
    context.check(sounds[0] == sounds[2], "the offline mode gives other bits than real time");
}

void float_state(Context& context) {
#if defined(__SSE__) || defined(__x86_64__)
    Sound plain;
    for (const unsigned extra : {0u, 0x8040u}) { // flush to zero, denormals are zero
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
        const unsigned before = _mm_getcsr(), wanted = (before & ~0x803fu & ~0x40u) | extra;
        _mm_setcsr(wanted);
        const auto sound = render(*plugin, phrase(*plugin, 9600, context.seed), 9600, {256});
        const unsigned after = _mm_getcsr();
        _mm_setcsr(before);
        context.check((after & ~0x3fu) == (wanted & ~0x3fu), "it changed the host's floating-point state");
        if (extra == 0) plain = sound;
        context.check(sound == plain, "the host's floating-point state changes the sound");
    }
#else
    context.skip("this machine has no MXCSR");
#endif
}

void other_thread(Context& context) {
    Sound sounds[2];
    for (int where = 0; where < 2; ++where) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
        const auto play = [&] { sounds[where] = render(*plugin, phrase(*plugin, 9600, context.seed), 9600, {256}); };
        if (where == 0)
            play();
        else
            std::thread(play).join();
    }
    context.check(sounds[0] == sounds[1], "another thread gives other bits");
}

} // namespace

// fault 20: denormals of a host: the sound is the same with and without them flushed, and the host's setting is put back
// fault 28: block sizes that change with every call: 0, 1, primes and the largest give the bits of one whole block
// fault 29: strange sample rates: refused or in tune, from 8 kHz to 384 kHz and broken ones
// fault 31: odd buffers: in place, shared, unaligned, with a guard page behind: the same bits and nothing outside
// fault 40: a bounce unlike what was heard: paced like a sound card, as fast as it goes, offline: the same bits
std::vector<Check> audio_checks() {
    return {
        {"audio.finite", "pluginval 3",
         "seeded noise and notes, three rates, five block sizes: every sample written, finite, not subnormal", finite},
        {"audio.block_sizes", "Steinberg, clap-validator, fault 28",
         "blocks of 0, 1, primes, the largest, mixed: the same bits as in one", block_sizes},
        {"audio.larger_block", "pluginval 8, Steinberg, fault 28",
         "a block of twice the declared size is survived, nothing is written outside", larger_block},
        {"audio.buffers", "Steinberg, clap-validator, fault 31",
         "unaligned, in place, shared: the same bits, nothing outside, inputs untouched", buffers},
        {"audio.rates", "Steinberg, clap-validator, fault 29", "odd sample rates are refused or in tune", rates},
        {"audio.offline", "fault 40", "real time, as fast as it goes, offline: the same bits", offline},
        {"audio.float_state", "fault 20, fault 21", "the host's floating-point state is put back and does not matter",
         float_state},
        {"audio.thread", "Steinberg", "processing in another thread gives the same bits", other_thread},
    };
}

} // namespace tutti::host
