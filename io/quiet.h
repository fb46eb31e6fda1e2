// SPDX-License-Identifier: MIT
// ALSA and JACK write to standard error while they look for devices; nobody reading it can do anything with that.
#pragma once

namespace tutti::io {

// Gives ALSA and JACK an error handler that says nothing, where they are in the process, and keeps JACK from starting a
// server of its own. Once, before they are first used. [control]
void silence_sound_libraries();

// false where ALSA is in the process but has no configuration (a bare container, a wrong ALSA_CONFIG_PATH): PortAudio would
// abort the whole program then, so it must not be asked. [control]
bool sound_libraries_usable();

// Standard error goes nowhere while this lives; of the whole process, so only round calls that search. [control]
class QuietStderr {
public:
    QuietStderr();
    ~QuietStderr();
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;

private:
    int m_kept = -1;
};

} // namespace tutti::io
