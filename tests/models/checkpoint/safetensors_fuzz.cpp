// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file: the parser ends, and what it accepts keeps its promises.
#include <cstdio>
#include <cstdlib>
#include <random>

#include <models/checkpoint/safetensors.h>

#include "bad_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tutti::models;
    const auto header = parse_safetensors_header(std::as_bytes(std::span(data, size)), size, "fuzz");
    if (!header) {
        if (header.status().what().empty() || header.status().remedy().empty()) std::abort();
        return 0;
    }
    std::uint64_t position = header->tensors.empty() ? size : header->tensors.front().begin;
    for (const auto& tensor : header->tensors) {
        if (tensor.begin != position || tensor.end < tensor.begin || tensor.end > size) std::abort();
        if (tensor.end - tensor.begin != tensor.elements * dtype_bytes(tensor.dtype)) std::abort();
        position = tensor.end;
    }
    if (position != size && !header->tensors.empty()) std::abort();
    return 0;
}

#if !defined(TUTTI_LIBFUZZER)
// Without libFuzzer: the crafted files and `runs` seeded mutations of them.
int main(int argc, char** argv) {
    const int runs = argc > 1 ? std::atoi(argv[1]) : 20000;
    const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1;
    std::printf("%d mutations, seed %u\n", runs, seed);
    std::mt19937 random(seed);
    std::vector<std::string> seeds;
    for (const auto& file : tutti_test::crafted_files())
        if (file.bytes.size() < 1000) seeds.push_back(file.bytes);
    for (int run = -static_cast<int>(seeds.size()); run < runs; ++run) {
        std::string bytes = run < 0 ? seeds[static_cast<std::size_t>(-run) - 1] : seeds[random() % seeds.size()];
        for (unsigned edits = run < 0 ? 0 : 1 + random() % 4; edits > 0 && !bytes.empty(); --edits) {
            const std::size_t at = random() % bytes.size();
            switch (random() % 5) {
            case 0:
                bytes[at] = static_cast<char>(random());
                break;
            case 1:
                bytes.erase(at, 1 + random() % 8);
                break;
            case 2:
                bytes.insert(at, 1 + random() % 4, "0123456789[]{},:\"-"[random() % 18]);
                break;
            case 3:
                bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 40));
                break;
            default:
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
                break;
            }
        }
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
    std::puts("ok");
}
#endif
