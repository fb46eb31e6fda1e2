// SPDX-License-Identifier: MIT
// LFOs that are locked to the tempo follow the song's position: through jumps, loops, stops and changes of tempo; sounding voices,
// too; the same bits for any pulls. Heard as a square that throws a held note from right to left once a beat.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <tutti/engine.h>

using namespace tutti;

namespace {

constexpr int k_frames = 48000 * 8;
constexpr double k_rate = 48000.0;

struct Change {
    std::int64_t frame;
    enum Kind { position, play, stop, loop, tempo } kind;
    double a = 0.0, b = 0.0;
};
const Change k_changes[] = {{30011, Change::position, 10.5},
                            {30011, Change::play},
                            {61003, Change::loop, 12.0, 1.25},
                            {150000, Change::tempo, 75.0},
                            {200007, Change::stop},
                            {230000, Change::position, 3.25},
                            {260005, Change::play},
                            {300001, Change::loop, 0.0, 0.0},
                            {320000, Change::position, 2.75}};

std::vector<float> render(const char* trigger, int block) {
    auto engine = Engine::create().value();
    StreamConfig config;
    config.mode = Mode::inline_;
    auto stream = engine->open(config).value();
    auto sender = stream->make_sender().value();
    Patch patch;
    patch.parameters = {{"osc1_wave", 3},
                        {"filter_type", 0},
                        {"env1_attack", 0.001},
                        {"env1_sustain", 1},
                        {"lfo1_wave", 4},
                        {"lfo1_sync", 5},
                        {"lfo1_trigger", trigger[0] == 'n' ? 1.0 : 0.0}};
    patch.routes = {{"lfo1", "pan", 1.0}};
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    sender.post(Event::note_on(0, 0, 69, 1.0));
    for (const Change& change : k_changes)
        switch (change.kind) {
        case Change::position:
            sender.post(Event::set_position(change.frame, change.a));
            break;
        case Change::play:
        case Change::stop:
            sender.post(Event::play(change.frame, change.kind == Change::play));
            break;
        case Change::loop:
            sender.post(Event::set_loop(change.frame, change.a, change.b));
            break;
        case Change::tempo:
            sender.post(Event::set_tempo(change.frame, change.a));
            break;
        }
    std::vector<float> sound(2 * k_frames);
    for (int at = 0; at < k_frames;) {
        const int frames = std::min(block, k_frames - at);
        float* out[2] = {sound.data() + at, sound.data() + k_frames + at};
        REQUIRE(stream->pull(out, frames));
        at += frames;
    }
    return sound;
}

// Frame by frame: where the song is, and what follows it.
std::vector<double> beats() {
    std::vector<double> beats(k_frames);
    double song = 0.0, running = 0.0, bps = 2.0, begin = 0.0, length = 0.0;
    bool plays = false;
    for (int i = 0; i < k_frames; ++i) {
        for (const Change& change : k_changes) {
            if (change.frame != i) continue;
            if (change.kind == Change::position) song = change.a;
            if (change.kind == Change::play) plays = true;
            if (change.kind == Change::stop) plays = false;
            if (change.kind == Change::tempo) bps = change.a / 60.0;
            if (change.kind == Change::loop) begin = change.a, length = change.b;
        }
        if (plays) running = song;
        beats[static_cast<std::size_t>(i)] = running;
        running += bps / k_rate;
        if (!plays) continue;
        const double before = song;
        song += bps / k_rate;
        if (length > 0.0 && before < begin + length && song >= begin + length) song -= length;
    }
    return beats;
}

// Of windows of 400 frames that lie within half a beat: how many sound on the side where they should, and how many do not.
void count(const std::vector<float>& sound, int& right_ones, int& wrong_ones) {
    const std::vector<double> beat = beats();
    right_ones = wrong_ones = 0;
    for (int at = 4800; at + 1600 < k_frames; at += 400) {
        const auto half = [&](int frame) {
            const double b = beat[static_cast<std::size_t>(frame)];
            return b - std::floor(b) < 0.5;
        };
        bool within = true; // a pan of 10 ms and the tick are on their way after a change
        for (int i = at - 1200; i < at + 800 && within; ++i)
            within = half(i) == half(at);
        if (!within) continue;
        double energy[2] = {};
        for (int c = 0; c < 2; ++c)
            for (int i = at; i < at + 400; ++i) {
                const double x = static_cast<double>(sound[static_cast<std::size_t>(c * k_frames + i)]);
                energy[c] += x * x;
            }
        const int heard = energy[1] > 100.0 * energy[0] ? 1 : energy[0] > 100.0 * energy[1] ? 0 : -1;
        ++(heard == (half(at) ? 1 : 0) ? right_ones : wrong_ones);
    }
}

} // namespace

TEST_CASE("a synced LFO follows position, play, stop, loop and tempo, under a note that goes on") {
    const std::vector<float> sound = render("free", 64);
    int right = 0, wrong = 0;
    count(sound, right, wrong);
    CHECK(right > 400);
    CHECK(wrong == 0);
    for (const int block : {1000, 17}) {
        const std::vector<float> other = render("free", block);
        CHECK(std::memcmp(other.data(), sound.data(), sound.size() * sizeof(float)) == 0);
    }
}

TEST_CASE("red control: one that begins with the note does not follow, and is found") {
    int right = 0, wrong = 0;
    count(render("note", 64), right, wrong);
    CHECK(wrong > 100);
}
