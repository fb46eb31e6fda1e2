// SPDX-License-Identifier: MIT
// A checkpoint: one safetensors file, or the shards that an index names, all headers checked before the first tensor is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <models/checkpoint/mapped_file.h>
#include <models/checkpoint/safetensors.h>
#include <tutti/status.h>

namespace tutti::models {

// What loading will take, before anything is loaded.
struct MemoryPlan {
    std::uint64_t tensors = 0;
    std::uint64_t elements = 0;
    std::uint64_t stored_bytes = 0; // in the files
    std::uint64_t loaded_bytes = 0; // after conversion to the wanted type
    std::string text() const;       // one line for the user
};

class Checkpoint {
public:
    // `stem` is "model" for model.safetensors or model.safetensors.index.json; a single file is taken before an index, as
    // transformers does. Index entries must be bare names of files in the folder, every tensor must stand in the shard that
    // the index says, and no shard may hold one that the index gives to another. [control] [worker]
    static Result<Checkpoint> open(const std::filesystem::path& folder, const std::string& stem = "model");
    static Result<Checkpoint> open_file(const std::filesystem::path& file);

    // Names in the order of their place on disk, shard after shard. [any]
    const std::vector<const TensorInfo*>& tensors() const noexcept { return m_order; }
    const std::map<std::string, std::string>& metadata() const noexcept { return m_metadata; }
    const TensorInfo* find(std::string_view name) const noexcept;

    // The tensor, or a Status that names what is missing or what shape it has instead. [worker]
    Result<const TensorInfo*> require(std::string_view name, std::span<const std::uint64_t> shape) const;

    // Reads and converts to FP32 in small pieces; refuses NaN and infinity with their place. F64 and integers are rounded.
    // `cancelled` is asked now and then. [worker]
    Status read_f32(const TensorInfo& tensor, std::span<float> out, const std::function<bool()>& cancelled = {}) const;
    // Elements [first, first + out.size()) alone; several threads may read at once. Errors: also out_of_range. [worker]
    Status read_f32_part(const TensorInfo& tensor, std::uint64_t first, std::span<float> out) const;
    // Raw bytes as stored. [worker]
    Status read_bytes(const TensorInfo& tensor, std::span<std::byte> out) const;
    // The tensor where it lies in its mapped file, for as long as the checkpoint lives. Whoever shortens that file meanwhile ends
    // the process; unchanged() tells of changes. [worker]
    Result<std::span<const std::byte>> map(const TensorInfo& tensor) const;
    bool unchanged() const noexcept; // every file has the length and time of its opening [worker]

    // bytes_per_element of the type in memory; 0 keeps the stored type. Only names for which `wanted` holds. [control]
    MemoryPlan plan(std::size_t bytes_per_element, const std::function<bool(std::string_view)>& wanted = {}) const;

    // Which file holds it, for messages. [any]
    const std::filesystem::path& file_of(const TensorInfo& tensor) const;

private:
    struct Shard {
        MappedFile file;
        SafetensorsHeader header;
    };
    Status add_shard(const std::filesystem::path& path);

    std::vector<std::unique_ptr<Shard>> m_shards;
    std::unordered_map<std::string_view, std::pair<const TensorInfo*, const Shard*>> m_by_name;
    std::vector<const TensorInfo*> m_order;
    std::map<std::string, std::string> m_metadata;
};

} // namespace tutti::models
