// SPDX-License-Identifier: MIT
// Plays a Standard MIDI File into a stream: every event on its own frame, program changes as patches.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include <tutti/engine.h>
#include <tutti/midi_file.h>

namespace tutti {

struct MidiPlayerOptions {
    std::int64_t start_frame = 0; // of the stream: where the file begins
    double from_seconds = 0.0;    // of the file, which falls on start_frame: earlier notes are left out, all else holds
    std::map<int, Patch> patches; // channel (0-based, 16 more a port) -> patch; these channels ignore program changes
    bool general_midi = true;     // other channels follow program changes through Patch::general_midi
    int only_part = -1;           // play this part alone (a stem); -1: all
};

// Feeds a stream ahead of its pulls. Files of more than four parts play 3 dB softer for each doubling, as headroom. Part = channel + 16 x MIDI port, folded into the parts that the stream has. The stream
// must outlive the player. One thread at a time.
class TUTTI_API MidiPlayer {
public:
    // Sets the patches that sound first. Errors: those of Stream::set_patch and make_sender. [control]
    static Result<MidiPlayer> create(std::shared_ptr<const MidiFile> file, std::shared_ptr<Stream> stream,
                                     MidiPlayerOptions options = {});
    MidiPlayer(MidiPlayer&&) noexcept;
    MidiPlayer& operator=(MidiPlayer&&) noexcept;
    ~MidiPlayer();

    // Posts every event before `frame`; what the queue has no room for is posted by the next call. Errors: those of
    // Stream::set_patch for a program change (the channel then keeps its patch, the rest is posted). [control]
    Status post_until(std::int64_t frame);
    // Every event was posted. [control]
    bool done() const noexcept;
    // The stream's frame at which the file ends. [control]
    std::int64_t end_frame() const noexcept;
    // The parts on which the file has notes, in order. [control]
    const std::vector<int>& parts() const noexcept;

private:
    struct Impl;
    explicit MidiPlayer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti
