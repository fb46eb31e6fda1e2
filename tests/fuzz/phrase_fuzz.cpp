// SPDX-License-Identifier: MIT
// Any text as a phrase: a Status with its three parts on one line, or notes within the keys and events in order.
#include <string_view>

#include <tutti/phrase.h>

#include "tests/fuzz/fuzz.h"

using namespace tutti;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Result<Phrase> phrase = Phrase::parse({reinterpret_cast<const char*>(data), size});
    if (!phrase.ok()) {
        const Status& status = phrase.status();
        require(!status.what().empty() && !status.means().empty() && !status.remedy().empty(),
                "an error has three parts");
        require(status.message().find('\n') == std::string::npos, "an error is one line");
        return 0;
    }
    PhraseStyle style;
    style.voicing = size % 2 ? Voicing::open : Voicing::close;
    style.voices = 2 + static_cast<int>(size % 7);
    style.hold_common = size % 3 == 0;
    std::int64_t frame = 0;
    for (const Event& event : phrase->events(style)) {
        require(event.frame >= frame, "events are in order");
        frame = event.frame;
        require(event.key < 128, "every key is one");
    }
    return 0;
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> all;
    for (const char* text : {"Am9 | Fmaj7 | C/G | G6sus4", "|: Cm7b5:2 F7(b9,#11) :|x3 - . | %",
                             "B\xe2\x99\xad\xce\x94 F\xe2\x99\xaf\xc3\xb8 C\xc2\xb0"
                             "7 G7alt:1/2",
                             "Csus2sus4 Dno3 Eomit5 F13(no1) Gm(maj9)/Eb"}) {
        const std::string_view view(text);
        all.emplace_back(view.begin(), view.end());
    }
    return all;
}
