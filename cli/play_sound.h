// SPDX-License-Identifier: MIT
// tutti play SONG.wav: a sound file through the engine, with its lyrics in time.
#pragma once

#include <string>

namespace tutti::cli {

struct SoundPlay {
    std::string song;
    std::string lyrics; // an .lrc file; "-": the one beside the song, or heard by `model`
    std::string model;
    std::string device;
    double rate = 0.0;
    double seconds = 0.0;
    double wait = 60.0; // for a device that has gone
    int frames = 0;
    bool null = false;
    bool quiet = false;
};

// Is it a sound file by its name?
bool is_sound_file(const std::string& path);
// Until the end, q, or Ctrl-C; returns an exit code.
int play_sound(const SoundPlay& options);

} // namespace tutti::cli
