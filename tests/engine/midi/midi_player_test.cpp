// SPDX-License-Identifier: MIT
// A MIDI file played into a stream: every event on its own frame, patches by programs or by choice, tunings, headroom.
#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/midi_player.h>

using namespace tutti;

namespace {

std::vector<std::byte> raw(const std::vector<int>& values) {
    std::vector<std::byte> bytes;
    for (const int value : values)
        bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

// A sine from the first frame on.
Patch sine() {
    Patch patch;
    patch.parameters = {{"osc1_wave", 3},        {"filter_type", 0}, {"env1_attack", 0.0005}, {"env1_sustain", 1},
                        {"env1_release", 0.002}, {"osc_start", 1},   {"osc1_phase", 0.25}};
    return patch;
}

struct Take {
    std::vector<float> left;
    StreamStats stats;
};

Take play(const MidiFileWriter& writer, double seconds, MidiPlayerOptions options = {}) {
    auto file = std::make_shared<const MidiFile>(MidiFile::parse(writer.bytes().value()).value());
    auto engine = Engine::create({.threads = 1}).value();
    auto stream = engine->open({.mode = Mode::offline, .limiter = false}).value();
    auto player = MidiPlayer::create(file, stream, std::move(options));
    REQUIRE_MESSAGE(player.ok(), player.status().message());
    Take take;
    take.left.resize(static_cast<std::size_t>(48000 * seconds));
    std::vector<float> right(take.left.size());
    for (std::size_t at = 0; at < take.left.size(); at += 480) {
        REQUIRE(player->post_until(static_cast<std::int64_t>(at) + 480).ok());
        float* out[] = {take.left.data() + at, right.data() + at};
        stream->pull(out, 480);
    }
    take.stats = stream->stats();
    CHECK(take.stats.late_events == 0);
    return take;
}

// The first frame that is not silent, or -1.
int first_sound(const std::vector<float>& x) {
    for (std::size_t i = 0; i < x.size(); ++i)
        if (x[i] != 0.0f) return static_cast<int>(i);
    return -1;
}
double rms(const std::vector<float>& x, std::size_t from, std::size_t to) {
    double sum = 0.0;
    for (std::size_t i = from; i < to; ++i)
        sum += static_cast<double>(x[i]) * x[i];
    return std::sqrt(sum / static_cast<double>(to - from));
}
double rising_zeros(const std::vector<float>& x, std::size_t from, std::size_t to) {
    int count = 0;
    for (std::size_t i = from + 1; i < to; ++i)
        count += x[i - 1] < 0.0f && x[i] >= 0.0f;
    return count;
}

} // namespace

TEST_CASE("events fall on their own frames, through tempo changes and a start frame") {
    MidiFileWriter file(1, 480);
    const int track = file.add_track();
    file.tempo(track, 0, 500000);
    file.tempo(track, 480, 250000); // twice as fast from the second beat on
    file.message(track, 960, 0x90, 69, 100);
    file.message(track, 1920, 0x80, 69, 0);
    const auto frame_of = [&](int start) {
        MidiPlayerOptions options;
        options.start_frame = start;
        options.patches[0] = sine();
        return first_sound(play(file, 2.0, options).left);
    };
    // A beat of half a second and one of a quarter; the sine's first sample shows one frame into the attack.
    CHECK(std::abs(frame_of(0) - 36000) <= 1);
    // Red control: a frame later is seen as a frame later.
    CHECK(frame_of(777) == frame_of(0) + 777);
}

TEST_CASE("from the middle: what was struck before is left out, what was set before holds") {
    MidiFileWriter file(1, 480);
    const int track = file.add_track();
    file.tempo(track, 0, 500000);
    file.message(track, 0, 0x90, 57, 100); // struck before, let go after
    file.message(track, 480, 0xb0, 7, 0);  // the channel's volume: silence
    file.message(track, 960, 0x90, 69, 100);
    file.message(track, 1440, 0xb0, 7, 100);
    file.message(track, 1440, 0x80, 57, 0);
    file.message(track, 1920, 0x80, 69, 0);
    MidiPlayerOptions options;
    options.from_seconds = 0.75; // the second note comes a quarter of a second later
    options.start_frame = 480;
    options.patches[0] = sine();
    const auto left = play(file, 2.0, options).left;
    // Silent until the volume is up again: at 1.5 s of the file, 0.75 s from where it began.
    CHECK(first_sound(left) >= 480 + 36000);
    CHECK(rms(left, 480 + 38000, 480 + 46000) > 0.01);
    // Red control: without the volume the note is heard where it stands, and the earlier one is not.
    MidiFileWriter plain(1, 480);
    const int other = plain.add_track();
    plain.message(other, 0, 0x90, 57, 100);
    plain.message(other, 960, 0x90, 69, 100);
    plain.message(other, 1920, 0x80, 69, 0);
    CHECK(std::abs(first_sound(play(plain, 2.0, options).left) - (480 + 12000)) <= 1);
}

TEST_CASE("programs choose patches, a chosen patch stays, one part alone is a stem") {
    MidiFileWriter file(1, 480);
    const int track = file.add_track();
    for (int channel = 0; channel < 2; ++channel) {
        file.message(track, 0, 0xc0 | channel, 16); // an organ: it sounds as long as its key is held
        file.message(track, 0, 0x90 | channel, 60 + 7 * channel, 100);
        file.message(track, 960, 0xc0 | channel, 13); // a xylophone: gone after a second
        file.message(track, 960, 0x80 | channel, 60 + 7 * channel, 0);
        file.message(track, 1440, 0x90 | channel, 60 + 7 * channel, 100);
        file.message(track, 5760, 0x80 | channel, 60 + 7 * channel, 0);
    }
    const auto both = play(file, 4.0).left;
    CHECK(rms(both, 30000, 48000) > 0.005);
    CHECK(rms(both, 150000, 190000) < 0.1 * rms(both, 30000, 48000));
    MidiPlayerOptions options;
    options.patches[0] = sine();
    options.only_part = 0;
    const auto stem = play(file, 4.0, options).left;
    CHECK(rms(stem, 150000, 190000) == doctest::Approx(rms(stem, 30000, 48000)).epsilon(0.05));
}

TEST_CASE("a tuning message of the file is heard from its place on") {
    MidiFileWriter file(1, 480);
    const int track = file.add_track();
    file.message(track, 0, 0x90, 69, 100);
    // Key 69 to 81 (880 Hz), real time, after a second.
    file.sysex(track, 960, raw({0x7f, 0x7f, 0x08, 0x02, 0x00, 0x01, 69, 81, 0, 0, 0xf7}));
    file.message(track, 1920, 0x80, 69, 0);
    MidiPlayerOptions options;
    options.patches[0] = sine();
    const auto sound = play(file, 2.0, options).left;
    CHECK(rising_zeros(sound, 0, 48000) == doctest::Approx(440).epsilon(0.01));
    CHECK(rising_zeros(sound, 48000, 95000) == doctest::Approx(880 * 47.0 / 48.0).epsilon(0.01));
}

TEST_CASE("files of many parts leave headroom: 3 dB for each doubling beyond four") {
    const auto level = [](int parts) {
        MidiFileWriter file(1, 480);
        const int track = file.add_track();
        MidiPlayerOptions options;
        for (int channel = 0; channel < parts; ++channel) {
            // All have a note, the first alone sounds.
            file.message(track, channel == 0 ? 0 : 96000, 0x90 | channel, 69, 100);
            options.patches[channel] = sine();
        }
        return 20.0 * std::log10(rms(play(file, 1.0, options).left, 10000, 40000));
    };
    const double one = level(1);
    CHECK(level(4) == doctest::Approx(one).epsilon(0.001));
    CHECK(level(8) == doctest::Approx(one - 3.01).epsilon(0.001));
    CHECK(level(16) == doctest::Approx(one - 6.02).epsilon(0.001));
}
