// SPDX-License-Identifier: MIT
#include "tests/host/plugcheck/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace tutti::host {

bool Sound::operator==(const Sound& other) const {
    if (channels.size() != other.channels.size()) return false;
    for (std::size_t c = 0; c < channels.size(); ++c) {
        if (channels[c].size() != other.channels[c].size()) return false;
        if (std::memcmp(channels[c].data(), other.channels[c].data(), channels[c].size() * sizeof(float)) != 0)
            return false;
    }
    return true;
}

void Context::fail(std::string why) {
    if (failures.size() < 8) failures.push_back(std::move(why));
}

const std::vector<Check>& checks() {
    static const std::vector<Check> all = [] {
        std::vector<Check> list;
        for (auto part : {description_checks, parameter_checks, state_checks, audio_checks, sound_checks, event_checks,
                          life_checks, realtime_checks, module_checks, editor_checks, clap_checks, vst3_checks})
            for (Check& check : part())
                list.push_back(std::move(check));
        return list;
    }();
    return all;
}

Event note_on(int frame, int key, double velocity, int note_id) {
    Event event;
    event.frame = frame;
    event.key = key;
    event.value = velocity;
    event.note_id = note_id;
    return event;
}

Event note_off(int frame, int key, int note_id) {
    Event event = note_on(frame, key, 0.5, note_id);
    event.type = EventType::note_off;
    return event;
}

Event midi(int frame, int status, int data1, int data2) {
    Event event;
    event.frame = frame;
    event.type = EventType::midi;
    event.midi[0] = static_cast<std::uint8_t>(status);
    event.midi[1] = static_cast<std::uint8_t>(data1);
    event.midi[2] = static_cast<std::uint8_t>(data2);
    return event;
}

std::vector<Event> phrase(const Plugin& plugin, int frames, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Event> events;
    for (int i = 0; i < 24; ++i) {
        const int from = static_cast<int>(random() % static_cast<std::uint64_t>(frames));
        const int to = from + 100 + static_cast<int>(random() % static_cast<std::uint64_t>(frames / 4 + 1));
        const int key = 36 + static_cast<int>(random() % 48);
        events.push_back(note_on(from, key, 0.2 + 0.03 * i, i));
        if (to < frames) events.push_back(note_off(to, key, i));
    }
    if (plugin.takes_midi()) {
        events.push_back(midi(frames / 5, 0xe0, 0, 80));
        events.push_back(midi(frames / 3, 0xe0, 0, 64));
        events.push_back(midi(frames / 4, 0xb0, 1, 90));
        events.push_back(midi(frames / 2, 0xb0, 64, 127));
        events.push_back(midi(frames * 2 / 3, 0xb0, 64, 0));
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.frame < b.frame; });
    return events;
}

Sound render(Plugin& plugin, const std::vector<Event>& events, int frames, const std::vector<int>& sizes,
             const Transport* transport) {
    Sound sound;
    sound.channels.assign(static_cast<std::size_t>(plugin.outs()),
                          std::vector<float>(static_cast<std::size_t>(frames), 7.0f));
    std::vector<std::vector<float>> input(static_cast<std::size_t>(plugin.ins()),
                                          std::vector<float>(static_cast<std::size_t>(frames), 0.0f));
    std::vector<float*> out(sound.channels.size()), in(input.size());
    std::vector<Event> inside;
    std::size_t next = 0, turn = 0;
    for (int at = 0; at < frames;) {
        const int size = std::min(sizes[turn++ % sizes.size()], frames - at);
        for (std::size_t c = 0; c < out.size(); ++c)
            out[c] = sound.channels[c].data() + at;
        for (std::size_t c = 0; c < in.size(); ++c)
            in[c] = input[c].data() + at;
        inside.clear();
        // A block of nothing carries nothing.
        while (size > 0 && next < events.size() && events[next].frame < at + size) {
            inside.push_back(events[next++]);
            inside.back().frame -= at;
        }
        Transport now;
        if (transport != nullptr) {
            now = *transport;
            now.frame += at;
        }
        plugin.process(
            {in.data(), plugin.ins(), out.data(), plugin.outs(), size, inside, transport != nullptr ? &now : nullptr});
        at += size;
    }
    return sound;
}

float peak(const Sound& sound, int from, int to) {
    float most = 0.0f;
    for (const auto& channel : sound.channels)
        for (int i = from; i < (to < 0 ? sound.frames() : std::min(to, sound.frames())); ++i)
            most = std::max(most, std::abs(channel[static_cast<std::size_t>(i)]));
    return most;
}

double rms(const Sound& sound, int from, int to) {
    double sum = 0.0;
    const int end = to < 0 ? sound.frames() : std::min(to, sound.frames());
    for (const auto& channel : sound.channels)
        for (int i = from; i < end; ++i)
            sum += static_cast<double>(channel[static_cast<std::size_t>(i)]) *
                   static_cast<double>(channel[static_cast<std::size_t>(i)]);
    return end <= from
               ? 0.0
               : std::sqrt(sum / (static_cast<double>(end - from) * static_cast<double>(sound.channels.size())));
}

double decibel(double linear) {
    return linear > 0.0 ? 20.0 * std::log10(linear) : -999.0;
}

int first_sound(const Sound& sound, float above) {
    for (int i = 0; i < sound.frames(); ++i)
        for (const auto& channel : sound.channels)
            if (!(std::abs(channel[static_cast<std::size_t>(i)]) <= above)) return i;
    return -1;
}

int broken(const Sound& sound) {
    int count = 0;
    for (const auto& channel : sound.channels)
        for (const float sample : channel) {
            std::uint32_t bits = 0;
            std::memcpy(&bits, &sample, sizeof bits); // a comparison may be folded away or flushed
            const std::uint32_t exponent = bits >> 23 & 0xff;
            count += static_cast<int>(exponent == 0xff || (exponent == 0 && (bits & 0x7fffff) != 0));
        }
    return count;
}

double pitch(const Sound& sound, double sample_rate, double near_hz, int from, int length) {
    const auto level = [&](double hz) {
        double re = 0.0, im = 0.0;
        const double step = 2.0 * std::numbers::pi * hz / sample_rate;
        for (int i = 0; i < length && from + i < sound.frames(); ++i) {
            double sample = 0.0;
            for (const auto& channel : sound.channels)
                sample += static_cast<double>(channel[static_cast<std::size_t>(from + i)]);
            sample *= 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / length);
            re += sample * std::cos(step * i);
            im += sample * std::sin(step * i);
        }
        return re * re + im * im;
    };
    // A Hann window's main lobe is four bins wide: a grid of half a bin finds it, a parabola of logarithms its top.
    double bin = 0.5 * sample_rate / length, best = near_hz, top = -1.0;
    for (double hz = near_hz * 0.94; hz <= near_hz * 1.06; hz += bin)
        if (const double here = level(hz); here > top) top = here, best = hz;
    for (int i = 0; i < 3; ++i, bin *= 0.2) {
        const double a = std::log(level(best - bin) + 1e-300), b = std::log(level(best) + 1e-300),
                     c = std::log(level(best + bin) + 1e-300);
        const double bend = a - 2.0 * b + c;
        if (bend < 0.0) best += bin * std::clamp(0.5 * (a - c) / bend, -1.0, 1.0);
    }
    return best;
}

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

} // namespace tutti::host
