// SPDX-License-Identifier: MIT
#include <models/whisper/gate_record.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include <models/checkpoint/json_file.h>
#include <models/parity/sha256.h>

namespace tutti::models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_head_bytes = 65536, k_page_bytes = 4096;
constexpr int k_pages = 64;

const char* name_of(Compute compute) {
    return compute == Compute::int8 ? "int8" : compute == Compute::bf16 ? "bf16" : "fp32";
}

Status unreadable(const fs::path& path) {
    return Status(Code::file_unreadable, path.string() + ": cannot be read", "the checkpoint has no key",
                  "check the folder and its permissions");
}

Result<fs::path> record_path(const fs::path& folder, Compute compute) {
    auto cache = cache_folder();
    if (!cache) return cache.status();
    auto key = checkpoint_key(folder);
    if (!key) return key.status();
    return *cache / "gate" / (*key + "-" + name_of(compute) + ".json");
}

} // namespace

std::string GateRecord::text() const {
    char line[128];
    std::snprintf(line, sizeof line, "%.1f %% of %d words differ, at worst %.1f %% of a recording",
                  words > 0 ? 100.0 * changed / words : 0.0, words, 100.0 * worst);
    return line;
}

Result<fs::path> cache_folder() {
    if (const char* const own = std::getenv("TUTTI_CACHE"); own != nullptr && *own != '\0') return fs::path(own);
    if (const char* const base = std::getenv("XDG_CACHE_HOME"); base != nullptr && *base == '/')
        return fs::path(base) / "tutti";
#if defined(_WIN32)
    if (const char* const home = std::getenv("LOCALAPPDATA"); home != nullptr && *home != '\0')
        return fs::path(home) / "tutti" / "cache";
#else
    if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/')
        return fs::path(home) / ".cache" / "tutti";
#endif
    return Status(Code::not_found, "there is no folder for what may be made again", "nothing was kept",
                  "set TUTTI_CACHE");
}

Result<std::string> checkpoint_key(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    if (error || files.empty())
        return Status(Code::file_not_found, folder.string() + ": has no weights", "the checkpoint has no key",
                      "give the folder of a checkpoint");
    std::sort(files.begin(), files.end());
    Sha256 sum;
    {
        std::ifstream config(folder / "config.json", std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(config)), {});
        sum.add(std::as_bytes(std::span(text)));
    }
    std::vector<char> bytes(k_head_bytes);
    for (const fs::path& path : files) {
        const auto size = static_cast<std::uint64_t>(fs::file_size(path, error));
        std::ifstream file(path, std::ios::binary);
        if (error || !file) return unreadable(path);
        sum.add(std::as_bytes(std::span(&size, 1)));
        const auto add = [&](std::uint64_t at, std::size_t count) {
            file.clear();
            file.seekg(static_cast<std::streamoff>(at));
            file.read(bytes.data(), static_cast<std::streamsize>(count));
            sum.add(std::as_bytes(
                std::span(bytes.data(), static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)))));
        };
        add(0, k_head_bytes);
        for (int i = 1; i <= k_pages; ++i) {
            const std::uint64_t page = size / k_page_bytes * static_cast<std::uint64_t>(i) / (k_pages + 1);
            add(page * k_page_bytes, k_page_bytes);
        }
        if (file.bad()) return unreadable(path);
    }
    return sum.digest();
}

std::optional<GateRecord> find_gate_record(const fs::path& folder, Compute compute) {
    const auto path = record_path(folder, compute);
    std::error_code error;
    if (!path || !fs::exists(*path, error)) return std::nullopt;
    const auto json = read_json_file(*path);
    if (!json || !json->is_object()) return std::nullopt;
    GateRecord record;
    const auto number = [&](const char* key) {
        const auto found = json->find(key);
        return found != json->end() && found->is_number() ? found->get<double>() : -1.0;
    };
    const auto passed = json->find("passed");
    if (passed == json->end() || !passed->is_boolean() || number("words") < 1.0) return std::nullopt;
    record.words = static_cast<int>(number("words"));
    record.changed = static_cast<int>(number("changed"));
    record.worst = number("worst");
    record.passed = passed->get<bool>();
    return record;
}

Result<fs::path> keep_gate_record(const fs::path& folder, Compute compute, const GateRecord& record) {
    auto path = record_path(folder, compute);
    if (!path) return path.status();
    std::error_code error;
    fs::create_directories(path->parent_path(), error);
    std::ofstream out(*path, std::ios::binary);
    out << nlohmann::json{{"words", record.words},
                          {"changed", record.changed},
                          {"worst", record.worst},
                          {"passed", record.passed}}
               .dump()
        << "\n";
    out.close();
    if (!out)
        return Status(Code::file_unwritable, path->string() + ": cannot be written", "the gate's word was not kept",
                      "make room, or set TUTTI_CACHE");
    return path;
}

GateRecord gate_record_of(const GateReport& report) {
    return {report.words, report.changed, report.worst, report.words >= k_gate_words && report.passed()};
}

} // namespace tutti::models
