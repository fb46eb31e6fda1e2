# SPDX-License-Identifier: MIT
# The libraries behind the io room; installed with the package, whose component io links them.
include("${CMAKE_CURRENT_LIST_DIR}/TuttiFind.cmake")

tutti_find(NAME sndfile HEADER sndfile.h LIBRARY sndfile PACKAGE libsndfile1-dev)
tutti_find(NAME soxr HEADER soxr.h LIBRARY soxr PACKAGE libsoxr-dev)
tutti_find(NAME portaudio HEADER portaudio.h LIBRARY portaudio PACKAGE portaudio19-dev)
tutti_find(NAME rtmidi HEADER rtmidi/RtMidi.h LIBRARY rtmidi PACKAGE librtmidi-dev)
tutti_find(NAME cairo HEADER cairo/cairo.h LIBRARY cairo PACKAGE libcairo2-dev)
tutti_find(NAME kissfft HEADER kissfft/kiss_fft.h LIBRARY kissfft-float PACKAGE libkissfft-dev)
