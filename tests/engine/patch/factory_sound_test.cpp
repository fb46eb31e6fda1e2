// SPDX-License-Identifier: MIT
// How the factory patches sound: their loudness, their peaks, no offset, no click at a note's end, silence afterwards.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>

using namespace tutti;

namespace {

constexpr double k_rate = 48000.0; // the filters below are given for this rate

struct Note {
    double at;
    int key;
    double seconds;
    double velocity; // 0..127
};

struct Take {
    std::vector<float> left, right;
};

Take render(const Patch& patch, const std::vector<Note>& notes, double seconds, bool limiter = true,
            const std::vector<Event>& more = {}) {
    auto engine = Engine::create().value();
    StreamConfig config;
    config.sample_rate = k_rate;
    config.mode = Mode::offline;
    config.limiter = limiter;
    auto stream = engine->open(config).value();
    const Status status = stream->set_patch(0, patch, 0);
    REQUIRE_MESSAGE(status.ok(), status.message());
    auto sender = stream->make_sender().value();
    for (const Event& event : more)
        sender.post(event);
    std::int32_t id = 0;
    for (const Note& note : notes) {
        sender.post(Event::note_on(std::llround(note.at * k_rate), 0, note.key, note.velocity / 127.0, ++id));
        sender.post(Event::note_off(std::llround((note.at + note.seconds) * k_rate), 0, note.key, 0.5, id));
    }
    Take sound;
    sound.left.resize(static_cast<std::size_t>(seconds * k_rate));
    sound.right.resize(sound.left.size());
    constexpr int k_block = 512;
    for (std::size_t at = 0; at < sound.left.size(); at += k_block) {
        const int frames = static_cast<int>(std::min<std::size_t>(k_block, sound.left.size() - at));
        float* out[2] = {sound.left.data() + at, sound.right.data() + at};
        REQUIRE(stream->pull(out, frames));
    }
    CHECK(stream->stats().muted_voices == 0);
    return sound;
}

double decibels(double amplitude) {
    return 20.0 * std::log10(std::max(amplitude, 1e-12));
}

double peak(const Take& sound) {
    float most = 0.0f;
    for (std::size_t i = 0; i < sound.left.size(); ++i)
        most = std::max({most, std::fabs(sound.left[i]), std::fabs(sound.right[i])});
    return decibels(static_cast<double>(most));
}

// ITU-R BS.1770-4: the two stages of K-weighting at 48 kHz, mean square in windows of 400 ms, the loudest of them. The loudest
// window, because a pluck and a pad that are equally loud in the mix differ by what follows.
double loudness(const Take& sound) {
    constexpr std::array<double, 5> k_shelf = {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241,
                                               0.73248077421585};
    constexpr std::array<double, 5> k_cut = {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};
    std::vector<double> sums(sound.left.size() + 1, 0.0);
    for (const std::vector<float>* channel : {&sound.left, &sound.right}) {
        double s1 = 0, s2 = 0, c1 = 0, c2 = 0, sum = 0;
        for (std::size_t i = 0; i < channel->size(); ++i) {
            const double x = static_cast<double>((*channel)[i]);
            const double y = k_shelf[0] * x + s1;
            s1 = k_shelf[1] * x - k_shelf[3] * y + s2;
            s2 = k_shelf[2] * x - k_shelf[4] * y;
            const double z = k_cut[0] * y + c1;
            c1 = k_cut[1] * y - k_cut[3] * z + c2;
            c2 = k_cut[2] * y - k_cut[4] * z;
            sum += z * z;
            sums[i + 1] += sum;
        }
    }
    constexpr std::size_t k_window = 19200, k_step = 4800;
    double most = 0.0;
    for (std::size_t i = k_window; i < sums.size(); i += k_step)
        most = std::max(most, (sums[i] - sums[i - k_window]) / k_window);
    return -0.691 + 10.0 * std::log10(std::max(most, 1e-20));
}

// What a patch is made for: one note of a bass or a tune, a bar of drums, a chord of four.
std::vector<Note> typical(const Patch& patch, double& seconds) {
    seconds = 2.5;
    if (patch.category == "Bass") return {{0, 36, 1.5, 100}};
    if (patch.category == "Lead" || patch.category == "Wind") return {{0, 72, 1.5, 100}};
    if (patch.category == "Drums") {
        std::vector<Note> notes;
        for (int i = 0; i < 8; ++i)
            notes.push_back({0.25 * i, 42, 0.1, 80});
        for (const double at : {0.0, 1.0})
            notes.insert(notes.end(), {{at, 36, 0.2, 100}, {at + 0.5, 38, 0.2, 100}});
        return notes;
    }
    const double held = patch.category == "Pad" || patch.category == "Effect" ? 5.0 : 2.5;
    seconds = held + 1.0;
    return {{0, 60, held, 100}, {0, 64, held, 100}, {0, 67, held, 100}, {0, 71, held, 100}};
}

template <class Body>
void each_patch(Body body) {
    for (std::string_view name : Patch::factory_names()) {
        CAPTURE(std::string(name));
        const Result<Patch> patch = Patch::factory(name);
        REQUIRE_MESSAGE(patch.ok(), patch.status().message());
        body(*patch);
    }
}

} // namespace

TEST_CASE("the measure: a full-scale sine of 997 Hz on both sides has 0 LUFS (BS.1770-4), and half of it 6 less") {
    Take sound;
    for (int i = 0; i < 48000; ++i)
        sound.left.push_back(static_cast<float>(std::sin(2.0 * 3.14159265358979 * 997.0 * i / k_rate)));
    sound.right = sound.left;
    CHECK(std::fabs(loudness(sound)) < 0.05); // -3.01 a side, two sides
    for (float& x : sound.left)
        x *= 0.5f;
    sound.right = sound.left;
    CHECK(loudness(sound) == doctest::Approx(-6.02).epsilon(0.01));
}

TEST_CASE("at velocity 100 all patches are within 6 dB of one another") {
    double least = 1e9, most = -1e9;
    each_patch([&](const Patch& patch) {
        double seconds = 0.0;
        const std::vector<Note> notes = typical(patch, seconds);
        const Take sound = render(patch, notes, seconds);
        const double level = loudness(sound);
        MESSAGE(patch.name << ": " << level << " LUFS, peak " << peak(sound) << " dBFS");
        least = std::min(least, level);
        most = std::max(most, level);
        // No offset: -60 dBFS, thirty times below what is heard.
        for (const std::vector<float>* channel : {&sound.left, &sound.right}) {
            double mean = 0.0;
            for (float x : *channel)
                mean += static_cast<double>(x);
            CHECK(std::fabs(mean / static_cast<double>(channel->size())) < 1e-3);
        }
    });
    CHECK(most - least < 6.0);
    CHECK(most < -14.0);
    CHECK(least > -24.0);
}

TEST_CASE("eight notes at velocity 127 on one frame stay below -1 dBFS") {
    each_patch([](const Patch& patch) {
        std::vector<Note> notes;
        for (const int key : {48, 52, 55, 60, 64, 67, 72, 76})
            notes.push_back({0, key, 1.5, 127});
        if (patch.category == "Drums") {
            const int kit[] = {36, 38, 42, 49, 51, 41, 45, 50};
            for (std::size_t i = 0; i < notes.size(); ++i)
                notes[i].key = kit[i];
        }
        const double seconds = patch.category == "Pad" || patch.category == "Effect" ? 3.0 : 1.5;
        // Without the stream's limiter, whose soft ceiling begins there.
        CHECK(peak(render(patch, notes, seconds, false)) <= -1.0);
    });
}

namespace {

// The largest second difference of a stretch: a high-pass of 12 dB an octave, in which a step stands out.
double roughness(const Take& take, double from, double to) {
    float value = 0.0f;
    for (auto i = static_cast<std::size_t>(from * k_rate); i < static_cast<std::size_t>(to * k_rate); ++i)
        value = std::max(value, std::fabs(take.left[i] - 2.0f * take.left[i - 1] + take.left[i - 2]));
    return decibels(static_cast<double>(value));
}

// By how much the end of a note at one second is rougher than the note; below -70 dBFS nobody hears it.
double click(const Take& take) {
    return roughness(take, 0.995, 1.1) - std::max(roughness(take, 0.9, 0.995), -70.0);
}

} // namespace

TEST_CASE("a note's end does not click; a note that is cut off does, and is found") {
    each_patch([](const Patch& patch) {
        if (patch.category == "Drums") return; // their ends are their own
        Patch dry = patch;
        dry.effects.clear();
        dry.room_send = dry.hall_send = 0.0;
        Take take = render(dry, {{0, patch.category == "Bass" ? 36 : 60, 1.0, 100}}, 1.3);
        CHECK(click(take) <= 6.0);
        // Pads' and basses' slow waves may be near zero on one frame: the cut is at the largest sample after a second.
        if (patch.voice != "fm") return;
        auto cut = static_cast<std::size_t>(k_rate);
        for (std::size_t i = cut; i < cut + 2000; ++i)
            if (std::fabs(take.left[i]) > std::fabs(take.left[cut])) cut = i;
        std::fill(take.left.begin() + static_cast<std::ptrdiff_t>(cut) + 1, take.left.end(), 0.0f);
        CHECK(click(take) > 6.0);
    });
}

TEST_CASE("fault 73: stuck notes: every patch falls silent after its notes, no hum, no stuck voice") {
    each_patch([](const Patch& patch) {
        const double quiet = 14.0; // the longest release and reverb among them are done by then
        const Take sound = render(patch, {{0, 60, 0.3, 100}}, quiet + 0.5);
        float most = 0.0f;
        for (auto i = static_cast<std::size_t>(quiet * k_rate); i < sound.left.size(); ++i)
            most = std::max({most, std::fabs(sound.left[i]), std::fabs(sound.right[i])});
        CHECK(decibels(static_cast<double>(most)) < -60.0);
    });
}

TEST_CASE("the mod wheel and every macro change what is heard") {
    each_patch([](const Patch& patch) {
        Patch dry = patch;
        dry.effects.clear();
        dry.room_send = dry.hall_send = 0.0;
        const std::vector<Note> notes = {{0.1, patch.category == "Drums" ? 45 : 60, 0.8, 100}};
        const Take still = render(dry, notes, 1.0);
        const auto change = [&](const Event& event) {
            const Take moved = render(dry, notes, 1.0, true, {event});
            double difference = 0.0, size = 0.0;
            for (std::size_t i = 0; i < still.left.size(); ++i) {
                const double x = static_cast<double>(still.left[i]);
                difference += std::pow(static_cast<double>(moved.left[i]) - x, 2.0) +
                              std::pow(static_cast<double>(moved.right[i] - still.right[i]), 2.0);
                size += x * x;
            }
            return 10.0 * std::log10(difference / size + 1e-12);
        };
        // -40 dB: a hundredth of the sound is another one.
        CHECK(change(Event::midi(0, 0, 0xb0, 1, 127)) > -40.0);
        for (const auto& [id, name] : patch.macros) {
            CAPTURE(name);
            CHECK(change(Event::set_macro(0, 0, id[5] - '1', 1.0)) > -40.0);
        }
    });
}
