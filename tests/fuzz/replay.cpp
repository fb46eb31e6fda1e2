// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer: every seed, every prefix of it, and a number of mutations drawn from a fixed seed.
// usage: fuzz_NAME [--mutations N] [--random-seed N] [--write-seeds FOLDER] [FILE ...]
#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "tests/fuzz/fuzz.h"

namespace {

Bytes mutated(Bytes bytes, std::mt19937& random) {
    static constexpr std::uint8_t k_edges[] = {0, 1, 0x7f, 0x80, 0x90, 0xf0, 0xf7, 0xff};
    const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
    for (std::size_t turns = 1 + below(6); turns > 0; --turns) {
        const std::size_t at = below(bytes.size());
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        switch (below(6)) {
        case 0:
            if (!bytes.empty()) bytes[at] = static_cast<std::uint8_t>(random());
            break;
        case 1:
            if (!bytes.empty()) bytes[at] = k_edges[below(std::size(k_edges))];
            break;
        case 2:
            if (!bytes.empty()) bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1u << below(8));
            break;
        case 3:
            bytes.insert(place, k_edges[below(std::size(k_edges))]);
            break;
        case 4:
            if (!bytes.empty()) bytes.erase(place, place + static_cast<std::ptrdiff_t>(1 + below(bytes.size() - at)));
            break;
        default: {
            const Bytes again(place, place + static_cast<std::ptrdiff_t>(below(bytes.size() - at + 1)));
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)), again.begin(),
                         again.end());
        }
        }
    }
    return bytes;
}

} // namespace

int main(int argc, char** argv) {
    // A broken property is a failed test with its sentence, not a crash with a core file.
    std::signal(SIGABRT, [](int) { std::_Exit(1); });
    unsigned mutations = 20'000;
    unsigned seed = 1;
    unsigned long inputs = 0;
    const auto run = [&](const Bytes& bytes) {
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        ++inputs;
    };
    bool files = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--mutations" && i + 1 < argc) {
            mutations = static_cast<unsigned>(std::stoul(argv[++i]));
        } else if (word == "--random-seed" && i + 1 < argc) {
            seed = static_cast<unsigned>(std::stoul(argv[++i]));
        } else if (word == "--write-seeds" && i + 1 < argc) {
            const std::string folder = argv[++i];
            int number = 0;
            for (const Bytes& bytes : seeds())
                std::ofstream(folder + "/seed" + std::to_string(number++), std::ios::binary)
                    .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
            return 0;
        } else {
            std::ifstream file(word, std::ios::binary);
            run(Bytes(std::istreambuf_iterator<char>(file), {}));
            files = true;
        }
    }
    if (!files) {
        std::mt19937 random(seed);
        const auto corpus = seeds();
        run({});
        for (const Bytes& bytes : corpus)
            for (std::size_t size = 1; size <= bytes.size(); ++size)
                run(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
        for (unsigned i = 0; i < mutations; ++i)
            run(mutated(corpus[i % corpus.size()], random));
    }
    std::printf("%lu inputs, random seed %u\n", inputs, seed);
    return 0;
}
