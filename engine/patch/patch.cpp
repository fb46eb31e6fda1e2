// SPDX-License-Identifier: MIT
#include <tutti/patch.h>

#include <filesystem>
#include <fstream>

#include "engine/patch/embedded.h"
#include "engine/patch/general_midi.h"
#include "engine/patch/json.h"
#include "engine/patch/nearest.h"
#include "engine/patch/patch_file.h"

namespace tutti {
namespace {

const std::vector<std::string_view>& embedded_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> list;
        for (int i = 0; i < engine::k_embedded_patch_count; ++i)
            list.push_back(engine::k_embedded_patches[i].name);
        return list;
    }();
    return names;
}

} // namespace

Result<Patch> Patch::from_json(std::string_view text) {
    return engine::read_patch(text, engine::catalog());
}

Result<Patch> Patch::load(const std::string& path) {
    namespace fs = std::filesystem;
    const fs::path file(std::u8string(path.begin(), path.end()));
    std::error_code error;
    const fs::file_status kind = fs::status(file, error);
    if (kind.type() == fs::file_type::not_found)
        return Status(Code::file_not_found, path + " does not exist", "no patch was loaded", "check the path");
    if (kind.type() == fs::file_type::directory)
        return Status(Code::file_unreadable, path + " is a folder", "no patch was loaded", "give a patch file");
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    if (stream) {
        char piece[16384];
        // A file that says nothing of its size ends here all the same.
        while (text.size() <= engine::k_json_bytes && (stream.read(piece, sizeof piece), stream.gcount() > 0))
            text.append(piece, static_cast<std::size_t>(stream.gcount()));
    }
    if (!stream.is_open() || stream.bad())
        return Status(Code::file_unreadable, path + " cannot be read", "no patch was loaded", "check its permissions");
    Result<Patch> patch = from_json(text);
    if (!patch.ok())
        return Status(patch.status().code(), path + ": " + patch.status().what(), patch.status().means(),
                      patch.status().remedy());
    return patch;
}

Result<Patch> Patch::factory(std::string_view name) {
    for (int i = 0; i < engine::k_embedded_patch_count; ++i)
        if (engine::k_embedded_patches[i].name == name) return from_json(engine::k_embedded_patches[i].text);
    return Status(Code::not_found, engine::one_line("there is no factory patch \"" + std::string(name) + "\""),
                  "no patch was loaded", engine::suggestion(name, embedded_names(), 3));
}

std::span<const std::string_view> Patch::factory_names() {
    return embedded_names();
}

std::string_view Patch::general_midi(int program, bool drums) {
    return engine::general_midi_patch(program, drums);
}

std::string Patch::to_json() const {
    return engine::write_patch(*this, engine::catalog());
}

Status Patch::validate() const {
    return engine::check_patch(*this, engine::catalog(), [](const std::string&) { return std::string(); });
}

} // namespace tutti
