// SPDX-License-Identifier: MIT
#include <models/checkpoint/checkpoint.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <set>

#include <models/checkpoint/json_file.h>

namespace tutti::models {
namespace {

constexpr std::size_t k_piece_bytes = 1 << 16;

Status bad_index(const std::filesystem::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the checkpoint is not loaded",
                  "fetch all files of the checkpoint again");
}

// A bare file name: no separator of any system, no drive, no "..", nothing hidden.
bool bare_name(std::string_view name) {
    return !name.empty() && name.size() < 256 && name.front() != '.' && name.find_first_of("/\\:") == name.npos &&
           std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

template <class T, class Convert>
void convert_piece(std::span<const std::byte> bytes, float* out, Convert&& convert) {
    for (std::size_t i = 0; i * sizeof(T) < bytes.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        out[i] = convert(value);
    }
}

bool convert(Dtype dtype, std::span<const std::byte> bytes, float* out) {
    const auto number = [](auto value) { return static_cast<float>(value); };
    switch (dtype) {
    case Dtype::f64:
        convert_piece<double>(bytes, out, number);
        return true;
    case Dtype::f32:
        std::memcpy(out, bytes.data(), bytes.size());
        return true;
    case Dtype::f16:
        convert_piece<std::uint16_t>(bytes, out, f16_to_f32);
        return true;
    case Dtype::bf16:
        convert_piece<std::uint16_t>(bytes, out, bf16_to_f32);
        return true;
    case Dtype::i64:
        convert_piece<std::int64_t>(bytes, out, number);
        return true;
    case Dtype::i32:
        convert_piece<std::int32_t>(bytes, out, number);
        return true;
    case Dtype::i16:
        convert_piece<std::int16_t>(bytes, out, number);
        return true;
    case Dtype::i8:
        convert_piece<std::int8_t>(bytes, out, number);
        return true;
    case Dtype::u8:
    case Dtype::boolean:
        convert_piece<std::uint8_t>(bytes, out, number);
        return true;
    case Dtype::f8_e4m3:
    case Dtype::f8_e5m2:
        return false;
    }
    return false;
}

bool finite(float x) noexcept {
    return (std::bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
}

} // namespace

std::string MemoryPlan::text() const {
    char line[160];
    std::snprintf(line, sizeof line, "%llu tensors, %.1f M values, %.3f GB stored, %.3f GB in memory",
                  static_cast<unsigned long long>(tensors), static_cast<double>(elements) * 1e-6,
                  static_cast<double>(stored_bytes) * 1e-9, static_cast<double>(loaded_bytes) * 1e-9);
    return line;
}

Status Checkpoint::add_shard(const std::filesystem::path& path) {
    auto file = MappedFile::open(path);
    if (!file) return file.status();
    std::vector<std::byte> prefix(static_cast<std::size_t>(std::min<std::uint64_t>(8, file->bytes())));
    if (Status status = file->read(0, prefix); !status) return status;
    prefix.resize(static_cast<std::size_t>(std::min(safetensors_prefix_bytes(prefix), file->bytes())));
    // An absurd length is refused from the 8 bytes alone, before its text is read.
    if (prefix.size() <= 8 + k_max_header_bytes)
        if (Status status = file->read(0, prefix); !status) return status;
    auto header = parse_safetensors_header(prefix, file->bytes(), path.string());
    if (!header) return header.status();
    m_shards.push_back(std::make_unique<Shard>(Shard{std::move(file).value(), std::move(header).value()}));
    const Shard& shard = *m_shards.back();
    for (const TensorInfo& tensor : shard.header.tensors) {
        if (!m_by_name.emplace(tensor.name, std::pair(&tensor, &shard)).second)
            return bad_index(path, "tensor '" + tensor.name + "' stands in another shard too");
        m_order.push_back(&tensor);
    }
    for (const auto& [key, value] : shard.header.metadata)
        m_metadata.emplace(key, value);
    return {};
}

Result<Checkpoint> Checkpoint::open_file(const std::filesystem::path& path) {
    Checkpoint checkpoint;
    if (Status status = checkpoint.add_shard(path); !status) return status;
    return checkpoint;
}

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& folder, const std::string& stem) {
    std::error_code ignored;
    const auto single = folder / (stem + ".safetensors");
    const auto index = folder / (stem + ".safetensors.index.json");
    if (std::filesystem::exists(single, ignored)) return open_file(single);
    if (!std::filesystem::exists(index, ignored)) {
        for (const char* other : {"pytorch_model.bin", "model.pt", "model.ckpt", "pytorch_model.bin.index.json"})
            if (std::filesystem::exists(folder / other, ignored))
                return Status(Code::unsupported, (folder / other).string() + " is a Python pickle, not safetensors",
                              "it is not opened, because such a file can run code when loaded",
                              "convert it to safetensors with the publisher's script");
        return Status(Code::file_not_found, "no " + stem + ".safetensors in " + folder.string(), "no model is loaded",
                      "give the folder that holds config.json and the weights");
    }
    auto json = read_json_file(index);
    if (!json) return json.status();
    if (!json->is_object() || !json->contains("weight_map") || !(*json)["weight_map"].is_object())
        return bad_index(index, "has no weight_map");
    std::set<std::string> files;
    for (const auto& [tensor, file] : (*json)["weight_map"].items()) {
        if (!file.is_string()) return bad_index(index, "the entry of '" + tensor + "' is not a file name");
        const auto name = file.get<std::string>();
        if (!bare_name(name)) return bad_index(index, "'" + tensor + "' points outside the folder: '" + name + "'");
        files.insert(name);
    }
    if (files.empty()) return bad_index(index, "names no file");
    Checkpoint checkpoint;
    for (const auto& name : files)
        if (Status status = checkpoint.add_shard(folder / name); !status) return status;
    const auto& map = (*json)["weight_map"];
    for (const auto& [tensor, file] : map.items()) {
        const auto found = checkpoint.m_by_name.find(tensor);
        if (found == checkpoint.m_by_name.end())
            return bad_index(index, "tensor '" + tensor + "' is not in " + file.get<std::string>());
        if (found->second.second->file.path().filename().string() != file.get<std::string>())
            return bad_index(index, "tensor '" + tensor + "' is not in " + file.get<std::string>() + " but in " +
                                        found->second.second->file.path().filename().string());
    }
    for (const TensorInfo* tensor : checkpoint.m_order)
        if (!map.contains(tensor->name)) return bad_index(index, "does not name tensor '" + tensor->name + "'");
    return checkpoint;
}

const TensorInfo* Checkpoint::find(std::string_view name) const noexcept {
    const auto found = m_by_name.find(name);
    return found == m_by_name.end() ? nullptr : found->second.first;
}

const std::filesystem::path& Checkpoint::file_of(const TensorInfo& tensor) const {
    return m_by_name.at(tensor.name).second->file.path();
}

Result<const TensorInfo*> Checkpoint::require(std::string_view name, std::span<const std::uint64_t> shape) const {
    const TensorInfo* tensor = find(name);
    if (!tensor)
        return Status(
            Code::not_found,
            "tensor '" + std::string(name) + "' is missing in " + m_shards.front()->file.path().parent_path().string(),
            "the model is not loaded", "fetch all files of the checkpoint again, or check that config.json fits it");
    if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end()))
        return Status(Code::malformed,
                      file_of(*tensor).string() + ": tensor '" + std::string(name) + "' has shape " +
                          shape_text(tensor->shape) + ", config.json asks for " + shape_text(shape),
                      "the model is not loaded", "check that config.json belongs to these weights");
    return tensor;
}

Status Checkpoint::read_bytes(const TensorInfo& tensor, std::span<std::byte> out) const {
    if (out.size() != tensor.end - tensor.begin)
        return Status(Code::invalid_argument, "room for tensor '" + tensor.name + "' has another size",
                      "nothing was read", "give elements x bytes of its type");
    return m_by_name.at(tensor.name).second->file.read(tensor.begin, out);
}

Result<std::span<const std::byte>> Checkpoint::map(const TensorInfo& tensor) const {
    auto whole = m_by_name.at(tensor.name).second->file.map();
    if (!whole) return whole.status();
    return whole->subspan(static_cast<std::size_t>(tensor.begin), static_cast<std::size_t>(tensor.end - tensor.begin));
}

bool Checkpoint::unchanged() const noexcept {
    return std::all_of(m_shards.begin(), m_shards.end(), [](const auto& shard) { return shard->file.unchanged(); });
}

Status Checkpoint::read_f32(const TensorInfo& tensor, std::span<float> out,
                            const std::function<bool()>& cancelled) const {
    if (out.size() != tensor.elements)
        return Status(Code::invalid_argument, "room for tensor '" + tensor.name + "' has another size",
                      "nothing was read", "give as many floats as it has elements");
    constexpr std::size_t k_elements = 1 << 18; // between two questions
    for (std::size_t done = 0; done < out.size();) {
        if (cancelled && cancelled())
            return Status(Code::cancelled, "loading was cancelled", "the model is not loaded", "start it again");
        const std::size_t count = std::min(out.size() - done, k_elements);
        if (Status status = read_f32_part(tensor, done, out.subspan(done, count)); !status) return status;
        done += count;
    }
    return {};
}

Status Checkpoint::read_f32_part(const TensorInfo& tensor, std::uint64_t first, std::span<float> out) const {
    if (first > tensor.elements || out.size() > tensor.elements - first)
        return Status(Code::out_of_range, "tensor '" + tensor.name + "' has no such elements", "nothing was read",
                      "stay below its number of elements");
    const MappedFile& file = m_by_name.at(tensor.name).second->file;
    const std::size_t size = dtype_bytes(tensor.dtype);
    std::array<std::byte, k_piece_bytes> piece; // stays in the second-level cache
    for (std::size_t done = 0; done < out.size();) {
        const std::size_t count = std::min(out.size() - done, k_piece_bytes / size);
        const auto bytes = std::span(piece).first(count * size);
        if (Status status = file.read(tensor.begin + (first + done) * size, bytes); !status) return status;
        if (!convert(tensor.dtype, bytes, out.data() + done))
            return Status(Code::unsupported,
                          "tensor '" + tensor.name + "' is stored as " + std::string(dtype_name(tensor.dtype)),
                          "the model is not loaded", "use a checkpoint stored as F32, F16 or BF16");
        // All at once, without a way out in the middle: a loop over vectors.
        std::uint32_t wrong = 0;
        for (std::size_t i = done; i < done + count; ++i)
            wrong |= (std::bit_cast<std::uint32_t>(out[i]) & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
        for (std::size_t i = done; wrong != 0 && i < done + count; ++i)
            if (!finite(out[i]))
                return Status(Code::malformed,
                              file.path().string() + ": tensor '" + tensor.name +
                                  "' holds NaN or infinity at element " + std::to_string(first + i),
                              "the model is not loaded", "fetch the file again and compare its SHA-256");
        done += count;
    }
    return {};
}

MemoryPlan Checkpoint::plan(std::size_t bytes_per_element, const std::function<bool(std::string_view)>& wanted) const {
    MemoryPlan plan;
    for (const TensorInfo* tensor : m_order) {
        if (wanted && !wanted(tensor->name)) continue;
        ++plan.tensors;
        plan.elements += tensor->elements;
        plan.stored_bytes += tensor->end - tensor->begin;
        plan.loaded_bytes += tensor->elements * (bytes_per_element ? bytes_per_element : dtype_bytes(tensor->dtype));
    }
    return plan;
}

} // namespace tutti::models
