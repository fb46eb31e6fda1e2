// SPDX-License-Identifier: MIT
// Packed weights in a file of the user's cache, in the order in which a model is loaded: what quantising made is read back instead.
// Internal to models/whisper. A file that is not whole, or of other weights, numbers or kernels, is not used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <models/checkpoint/mapped_file.h>
#include <models/nn/linear.h>

namespace tutti::models {

// What the contents depend on, as one line.
std::string weight_cache_name(const std::string& checkpoint_key, Compute compute, const Kernels& kernels);

class WeightCacheReader {
public:
    // None where there is no such file, or it is not whole. [worker]
    static std::optional<WeightCacheReader> open(const std::filesystem::path& path, const std::string& name);
    // The next piece, by the threads of `runner`. False: it has another size or another sum. [worker]
    bool next(std::span<std::byte> out, Runner& runner);

private:
    struct Piece {
        std::uint64_t offset = 0, bytes = 0, sum = 0;
    };
    explicit WeightCacheReader(MappedFile file) : m_file(std::move(file)) {}
    MappedFile m_file;
    std::vector<Piece> m_pieces;
    std::size_t m_at = 0;
};

// Writes under another name; keep() gives the file its own. What fails leaves nothing behind.
class WeightCacheWriter {
public:
    WeightCacheWriter(std::filesystem::path path, std::string name); // [worker]
    ~WeightCacheWriter();
    WeightCacheWriter(const WeightCacheWriter&) = delete;
    WeightCacheWriter& operator=(const WeightCacheWriter&) = delete;
    void add(std::span<const std::byte> piece); // [worker]
    bool keep();                                // [worker]

private:
    std::filesystem::path m_path, m_part;
    std::string m_name;
    std::ofstream m_out;
    std::vector<std::uint64_t> m_table; // offset, bytes, sum of each piece
    std::uint64_t m_end = 0;
};

} // namespace tutti::models
