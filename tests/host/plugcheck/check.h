// SPDX-License-Identifier: MIT
// What a check is, and what it works with.
#pragma once

#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/host/plugcheck/plugin.h"

namespace tutti::host {

// out[channel][frame] of a whole run.
struct Sound {
    std::vector<std::vector<float>> channels;
    int frames() const { return channels.empty() ? 0 : static_cast<int>(channels[0].size()); }
    bool operator==(const Sound& other) const; // bit for bit
};

class Context {
public:
    std::string path;
    std::string how;
    std::uint64_t seed = 1;
    double cents = 1.0;  // how far key 69 of the standard sound may be from 440 Hz
    std::string allowed; // symbols besides the format's entry points, separated by commas

    std::unique_ptr<Plugin> make() const { return load(path, how); }
    std::mt19937_64 random() const { return std::mt19937_64(seed); }

    // Once is enough for the check to fail; it goes on where that makes sense.
    void fail(std::string why);
    bool check(bool good, const std::string& why) {
        if (!good) fail(why);
        return good;
    }
    void note(std::string what) { notes.push_back(std::move(what)); } // a figure worth knowing
    void skip(std::string why) { skipped = std::move(why); }

    std::vector<std::string> failures;
    std::vector<std::string> notes;
    std::string skipped;
};

struct Check {
    const char* name;
    const char* after; // whose check it repeats: "pluginval 3", "Steinberg", "clap-validator", "fault 28"
    const char* says;
    std::function<void(Context&)> run;
    std::string format = {}; // empty: every format
};

const std::vector<Check>& checks();
std::vector<Check> description_checks();
std::vector<Check> parameter_checks();
std::vector<Check> state_checks();
std::vector<Check> audio_checks();
std::vector<Check> sound_checks();
std::vector<Check> event_checks();
std::vector<Check> life_checks();
std::vector<Check> realtime_checks();
std::vector<Check> module_checks();
std::vector<Check> editor_checks();
std::vector<Check> clap_checks();
std::vector<Check> vst3_checks();

// Events on frames of the whole run, rendered in blocks of `sizes`, which repeat; the rest in `sizes[0]`. Prepares nothing.
Sound render(Plugin& plugin, const std::vector<Event>& events, int frames, const std::vector<int>& sizes,
             const Transport* transport = nullptr);
// A few notes that overlap, end and come again, over `frames`.
std::vector<Event> phrase(const Plugin& plugin, int frames, std::uint64_t seed);
Event note_on(int frame, int key, double velocity = 0.8, int note_id = -1);
Event note_off(int frame, int key, int note_id = -1);
Event midi(int frame, int status, int data1, int data2);

float peak(const Sound& sound, int from = 0, int to = -1);
double rms(const Sound& sound, int from = 0, int to = -1);
double decibel(double linear);
int first_sound(const Sound& sound, float above = 0.0f); // frame; -1: none
// Not finite or subnormal samples.
int broken(const Sound& sound);
// Strongest frequency near `near_hz` (+-6 %), of both channels added, by a Hann window and a search.
double pitch(const Sound& sound, double sample_rate, double near_hz, int from, int length);
std::string number(double value);

} // namespace tutti::host
