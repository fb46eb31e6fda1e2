// SPDX-License-Identifier: MIT
// Any bytes as a scale, a keyboard mapping and a tuning message: a Status with its three parts, or pitches within the range.
#include <string_view>

#include <tutti/tuning.h>

#include "tests/fuzz/fuzz.h"

using namespace tutti;

namespace {

void check(const Status& status) {
    require(!status.what().empty() && !status.means().empty() && !status.remedy().empty(), "an error has three parts");
    require(status.message().find('\n') == std::string::npos, "an error is one line");
}

void check(const Tuning& tuning) {
    for (int key = 0; key < Tuning::k_keys; ++key)
        require(tuning.semitones(key) >= Tuning::k_lowest && tuning.semitones(key) <= Tuning::k_highest,
                "every pitch is in range");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = std::min(text.find('\x1e'), size); // a scale before, a mapping behind
    const Result<Tuning> tuning = Tuning::from_scala(text.substr(0, cut), text.substr(std::min(cut + 1, size)));
    if (tuning.ok())
        check(*tuning);
    else
        check(tuning.status());
    const Result<TuningMessage> message = TuningMessage::parse({data, size});
    if (message.ok()) {
        Tuning tuned;
        message->apply(tuned);
        check(tuned);
    } else {
        check(message.status());
    }
    return 0;
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> all;
    for (const char* text : {"! c\nname\n 3\n 386.3\n 3/2 fifth\n2/1\n",
                             "x\n2\n-5.0\n1200.\n\x1e"
                             "0\n0\n127\n60\n69\n440.0\n12\n",
                             "\x1e"
                             "12\n0\n127\n60\n60\n261.6\n7\n0\nx\n1\nx\n2\n3\nx\n4\n",
                             "G\xfcnther\r\n1\r\n78.0\r\n"}) {
        const std::string_view view(text);
        all.emplace_back(view.begin(), view.end());
    }
    all.push_back(Tuning().bulk_dump());
    all.push_back({0xf0, 0x7f, 0x7f, 8, 2, 5, 2, 60, 61, 0x40, 0, 69, 0x7f, 0x7f, 0x7f, 0xf7});
    all.push_back({0xf0, 0x7f, 0x7f, 8, 8, 2, 1, 5, 127, 0, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 0xf7});
    return all;
}
