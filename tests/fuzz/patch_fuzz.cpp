// SPDX-License-Identifier: MIT
// Any bytes as a patch: a Status with its three parts on one line, or a patch whose second writing equals its first.
// fault 49: a hostile patch: any bytes are read or refused with a sentence, and what is read is written the same twice
#include "engine/patch/patch_file.h"
#include "tests/engine/patch/stub_catalog.h"
#include "tests/fuzz/fuzz.h"

using namespace tutti;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Result<Patch> patch = engine::read_patch(text, stub::catalog());
    if (!patch.ok()) {
        const Status& status = patch.status();
        require(!status.what().empty() && !status.means().empty() && !status.remedy().empty(),
                "an error has three parts");
        require(status.message().find('\n') == std::string::npos, "an error is one line");
        return 0;
    }
    const std::string once = engine::write_patch(*patch, stub::catalog());
    const Result<Patch> again = engine::read_patch(once, stub::catalog());
    require(again.ok(), "what was written can be read");
    require(engine::write_patch(*again, stub::catalog()) == once, "the second writing equals the first");
    return 0;
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> all;
    for (
        const char* text :
        {R"({"tutti_patch": 1, "name": "x", "voice": "plain", "tags": ["a"], "gain_db": -4.5, "quality": "eco",
             "mode": "mono", "parameters": {"wave": "sine", "sync": true, "cutoff": 1e3}})",
         R"({"tutti_patch": 1, "voice": "plain", "routes": [{"source": "lfo1", "target": "cutoff", "depth": 1, "x": []}],
             "effects": [{"type": "delay", "enabled": false, "parameters": {"mix": 0.5}, "y": {}}]})",
         R"({"tutti_patch": 1, "voice": "plain", "later": {"a": [1.5e-7, -3, 18446744073709551615, null, "\u00e4\ud83c\udfb9"]}})"}) {
        const std::string_view view(text);
        all.emplace_back(view.begin(), view.end());
    }
    return all;
}
